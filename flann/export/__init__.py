"""Export of labelled words to files, for training loops outside flann."""
