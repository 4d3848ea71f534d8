"""The reference programs: program files (*.rasp), generators of programs, and their catalogue."""
