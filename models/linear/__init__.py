"""Linear recurrences on a matrix memory: linear attention, the delta rule, RWKV."""
