"""The reference programs: written ones (*.rasp), generated ones, and their catalogue."""
