"""The graph of s-ops and selectors that a program builds: evaluation, analysis, drawing."""
