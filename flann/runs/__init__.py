"""Runs: one experiment from its names to an ended run folder."""
