"""Measuring a model: predictions, metrics, accuracy against length, and cost."""
