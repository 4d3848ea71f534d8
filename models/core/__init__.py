"""The parts shared by all architectures: sequence model, layers, norms, and sizes for a budget."""
