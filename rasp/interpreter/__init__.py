"""The interpreter, which builds the graph of a program from its syntax tree, and the session."""
