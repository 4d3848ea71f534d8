"""Finite groups as Cayley tables, their generating sets, and groups read from files."""
