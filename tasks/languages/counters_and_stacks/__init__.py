"""Languages that need counters or a stack: brackets, a^n b^n and its kin, expressions."""
