"""What every architecture is made of: the sequence model, sizes for a budget, norms, layers."""
