"""The graph of s-ops and selectors that a program builds, with its evaluation and analysis."""
