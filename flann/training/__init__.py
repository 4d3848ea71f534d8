"""Training: words, curriculum, optimisation and checkpoints."""
