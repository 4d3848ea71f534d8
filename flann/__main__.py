"""``python -m flann`` is the command ``flann``."""

from .cli.main import main

main()
