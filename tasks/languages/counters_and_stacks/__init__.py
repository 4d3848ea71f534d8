"""Languages that need counters or a stack: brackets, equal runs, expressions."""
