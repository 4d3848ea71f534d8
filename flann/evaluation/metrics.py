"""The metrics at one length, and their confidence intervals.

There are three accuracies, because they answer different questions:

- ``per_word``     the share of words with every scored position right;
- ``last_symbol``  the share of words with the last scored position right;
- ``per_symbol``   the mean over scored positions.

Each has a 95% interval. The first two are shares of independent words, so theirs is Wilson's
interval (E. B. Wilson 1927, JASA 22). Positions of one word are not independent, so the interval of
``per_symbol`` is Wilson's at the *effective* number of words: the number of independent Bernoulli
trials whose mean would have the variance that is observed between words.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flann.curve_schema import REACH
from flann.tasks import NOT_SCORED

Z95 = 1.959963984540054
"""The 97.5% point of the standard normal distribution."""


def compute_wilson_interval(share: float, size: float, z: float = Z95) -> tuple[float, float]:
    """Return Wilson's interval for a share observed in `size` independent trials.

    >>> low, high = compute_wilson_interval(1.0, 512)
    >>> round(low, 4), high
    (0.9926, 1.0)
    """
    centre = (share + z * z / (2 * size)) / (1 + z * z / size)
    spread = z / (1 + z * z / size) * sqrt(share * (1 - share) / size + (z / (2 * size)) ** 2)
    low, high = max(0.0, centre - spread), min(1.0, centre + spread)
    return min(low, share), max(high, share)  # rounding may not push it past the share itself


def compute_effective_size(means: NDArray[np.float64]) -> float:
    """Return how many independent trials these words' means are worth, at least 1.

    Words without any variance between them count as so many trials.
    """
    share, size = float(means.mean()), len(means)
    variance = float(means.var(ddof=1)) if size > 1 else 0.0
    return max(1.0, size * share * (1 - share) / variance) if variance > 0 else float(size)


@dataclass(frozen=True)
class Score:
    """Which answers were right on the words of one length; all metrics follow from it.

    Attributes
    ----------
    right, scored : bool arrays [words, positions]
        whether the answer was right, and whether the position counts.
    """

    right: NDArray[np.bool_]
    scored: NDArray[np.bool_]

    @classmethod
    def of(cls, answers: NDArray[np.integer], targets: NDArray[np.integer]) -> Score:
        """Compare label ids with targets, both of shape (words, positions)."""
        scored = targets != NOT_SCORED
        return cls((answers == targets) & scored, scored)

    def metrics(self) -> dict[str, float]:
        """Return the accuracies with their intervals, and the mean position of first errors."""
        words = len(self.right)
        whole = (self.right == self.scored).all(axis=1)
        last = self.scored.shape[1] - 1 - self.scored[:, ::-1].argmax(axis=1)
        at_last = self.right[np.arange(words), last]
        means = self.right.sum(axis=1) / self.scored.sum(axis=1)
        symbol = float(self.right.sum() / self.scored.sum())
        row: dict[str, float] = {"words": words}
        for name, share, size in (
            ("per_word", float(whole.mean()), float(words)),
            ("last_symbol", float(at_last.mean()), float(words)),
            ("per_symbol", symbol, compute_effective_size(means)),
        ):
            row[name] = share
            row[f"{name}_low"], row[f"{name}_high"] = compute_wilson_interval(share, size)
        first = self.first_errors()
        row["first_error"] = float(first.mean()) if len(first) else float("nan")
        return row

    def first_errors(self) -> NDArray[np.int64]:
        """Return, for each word with an error, the scored position (from 1) of its first error."""
        wrong = self.scored & ~self.right
        faulty = wrong.any(axis=1)
        order = self.scored.cumsum(axis=1)
        first = order[np.arange(len(wrong)), wrong.argmax(axis=1)]
        return np.asarray(first[faulty], np.int64)

    def positions(self) -> list[dict[str, float]]:
        """Return the accuracy and the number of first errors at each scored position."""
        wrong = self.scored & ~self.right
        first = wrong & (wrong.cumsum(axis=1) == 1)
        counts = self.scored.sum(axis=0)
        return [
            {
                "position": int(position) + 1,
                "accuracy": float(self.right[:, position].sum() / counts[position]),
                "first_errors": int(first[:, position].sum()),
            }
            for position in np.flatnonzero(counts)
        ]


def compute_reach(curve: Iterable[Mapping[Any, Any]]) -> int:
    """Return the greatest length up to which per_word holds at every tested length, or 0.

    >>> compute_reach([{"length": 8, "per_word": 1}, {"length": 16, "per_word": 0.5},
    ...        {"length": 32, "per_word": 0.95}])
    8
    """
    longest = 0
    for row in sorted(curve, key=lambda row: row["length"]):
        if not row["per_word"] >= REACH:
            break
        longest = int(row["length"])
    return longest
