"""Transductions of strings and numbers, and the languages that check them."""
