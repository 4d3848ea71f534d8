"""The tasks: one module per family of languages."""
