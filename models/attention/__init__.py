"""The transformer, its kinds of attention and its positional encodings."""
