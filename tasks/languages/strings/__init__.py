"""Transductions of strings and numbers, and the languages of their correct answers."""
