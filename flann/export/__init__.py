"""Labelled words in files, for training loops that are not flann's."""
