"""The columns of ``curve.csv``: what is measured at one test length, and when a run holds there.

The conductor writes these columns and reports draw them, so their names stand here, below both.

::

    length                       of the test words
    per_word, last_symbol,       accuracies; each with the bounds of its 95% interval in
    per_symbol                   ``<metric>_low`` and ``<metric>_high``
    chance_<metric>              what the best guess that sees only the position scores
"""

from __future__ import annotations

METRICS = ("per_word", "last_symbol", "per_symbol")

REACH = 0.9
"""The accuracy per word that counts as holding. A run's reach is the greatest tested length up to
which it holds at every tested length."""

CHANCE_COLUMNS = tuple(f"chance_{metric}" for metric in METRICS)
METRIC_COLUMNS = tuple(f"{metric}{bound}" for metric in METRICS for bound in ("", "_low", "_high"))
