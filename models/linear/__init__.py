"""Linear recurrences with a matrix memory: linear attention, delta rules, RWKV."""
