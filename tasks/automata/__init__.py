"""Finite automata and Moore machines: built, minimised, combined, read from files, drawn."""
