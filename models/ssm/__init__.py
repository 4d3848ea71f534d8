"""State-space models: S4, S4D, IDS4, Mamba and Mamba-2."""
