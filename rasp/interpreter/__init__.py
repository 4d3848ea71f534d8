"""The interpreter: from a program's syntax tree to its graph of s-ops, and the session."""
