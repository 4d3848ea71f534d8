"""``python -m flann`` is the command ``flann``."""

from .cli import main

main()
