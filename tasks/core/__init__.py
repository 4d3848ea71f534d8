"""What every task is made of: the base class, random words, and the three modes of asking."""
