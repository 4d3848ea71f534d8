"""The columns of ``curve.csv`` and ``positions.csv``, and when a run holds at a length.

The conductor writes these columns and reports draw them, so their names stand here, below both.

::

    length, words                of the test words, and their number
    per_word, last_symbol,       accuracies; each with the bounds of its 95% interval in
    per_symbol                   ``<metric>_low`` and ``<metric>_high``
    chance_<metric>              what the best guess that sees only the position scores
    first_error                  mean scored position of a word's first error
    format_alone                 what a check of the mere format scores; only for recognition tasks
                                 whose words have a format
"""

from __future__ import annotations

METRICS = ("per_word", "last_symbol", "per_symbol")

REACH = 0.9
"""The accuracy per word that counts as holding. A run's reach is the greatest tested length up to
which it holds at every tested length."""

SHARE_COLUMNS = (
    *(f"{metric}{bound}" for metric in METRICS for bound in ("", "_low", "_high")),
    *(f"chance_{metric}" for metric in METRICS),
)
"""The columns whose values lie between 0 and 1."""

CURVE_COLUMNS = ("length", "words", *SHARE_COLUMNS, "first_error")
FORMAT_ALONE = "format_alone"
POSITION_COLUMNS = ("length", "position", "accuracy", "first_errors")
