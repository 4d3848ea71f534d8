"""Uniform Dyck paths: the shapes of balanced bracket words, drawn exactly by counting.

A path steps up (an opening bracket) or down (a closing one) and never goes below 0. Let
N(r, h) be the number of ways to come down from height h to 0 in exactly r steps; with a limit D
on the height, without stepping above D. A path drawn forwards that goes up from (r, h) with
probability

    N(r - 1, h + 1) / N(r, h)

is uniform over all paths. Without a limit N is the ballot number, and the ratio is the fraction
``(h + 2)(r - h) / (2 r (h + 1))`` (the second of the two directions of Arnold and Sleep 1980,
"Uniform random generation of balanced parenthesis strings", ACM TOPLAS 2(1)), which is drawn
exactly. With a limit, N is counted in whole numbers of any size and the ratio kept to 63 bits.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from jaxtyping import Bool, Int, UInt

from flann.tasks.sampling import draw_below, draw_bits

LONGEST = 60_000  # so that the fraction's whole numbers stay below 2^32

Heights = Int[np.ndarray, " size"]
Steps = Bool[np.ndarray, " size"]


class FreeOdds:
    """Paths of any height: the exact fraction of ballot numbers."""

    def ups(self, rng: np.random.Generator, remaining: Heights | int, height: Heights) -> Steps:
        """Draw, for each path, whether its next step goes up.

        `remaining` counts the steps left until the path must be at 0, this one included.
        """
        numerator = (height + 2) * ((remaining - height) >> 1)  # remaining - height is even
        up: Steps = draw_below(rng, remaining * (height + 1)) < numerator
        return up


class LimitedOdds:
    """Paths of height at most `limit`, up to `longest` steps."""

    def __init__(self, limit: int, longest: int) -> None:
        self.limit = limit
        self.thresholds = compute_thresholds(limit, 1 << (longest - 1).bit_length())

    def ups(self, rng: np.random.Generator, remaining: Heights | int, height: Heights) -> Steps:
        """Draw, for each path, whether its next step goes up; see `FreeOdds.ups`."""
        raw = draw_bits(rng, len(height), np.uint64) >> np.uint64(1)
        places = remaining * (self.limit + 1) + height
        up: Steps = raw < np.take(self.thresholds, places, mode="clip")
        return up


Odds = FreeOdds | LimitedOdds


@lru_cache(maxsize=8)
def compute_thresholds(limit: int, longest: int) -> UInt[np.ndarray, " places"]:
    """Return 2^63 N(r - 1, h + 1) / N(r, h), rounded down, at index ``r * (limit + 1) + h``.

    >>> [int(t) >> 61 for t in compute_thresholds(2, 2)]  # in quarters; r = 0, 1, 2 and h = 0, 1, 2
    [0, 0, 0, 0, 0, 0, 4, 0, 0]
    """
    table = np.zeros((longest + 1, limit + 1), np.uint64)
    ways = [1] + [0] * (limit + 1)  # N(r, 0), ..., N(r, limit), and 0 above the limit
    for r in range(1, longest + 1):
        before = ways
        ways = [(before[h - 1] if h else 0) + before[h + 1] for h in range(limit + 1)] + [0]
        table[r] = [(before[h + 1] << 63) // (ways[h] or 1) for h in range(limit + 1)]
    return table.ravel()


def draw_paths(
    rng: np.random.Generator,
    odds: Odds,
    length: int,
    total: int,
    via: Int[np.ndarray, " size"],
    at: Int[np.ndarray, " size"],
) -> Bool[np.ndarray, "length size"]:
    """Draw the first `length` steps of uniform paths of `total` steps, each through a given point.

    Parameters
    ----------
    rng, odds
        the randomness, and the law of the paths.
    length, total : int
        total is even and at least length.
    via, at : ndarray of int, shape (size,)
        after `via` steps the path is at height `at`: 0, or the limit. ``via = 0`` asks nothing.
        The way there and the way on are uniform, and independent.

    Returns
    -------
    ndarray of bool, shape (length, size)
        whether each step goes down.
    """
    down = np.empty((length, len(via)), bool)
    height = np.zeros(len(via), np.int64)
    bound = int(via.max(initial=0))  # from here on, no path has a point still to pass
    for t in range(length):
        if t < bound:
            first = t < via
            # a path up to the limit is, upside down, one from the limit to 0
            flipped = first & (at > 0)
            remaining = np.where(first, via, total) - t
            up = odds.ups(rng, remaining, np.where(flipped, at - height, height)) ^ flipped
        else:
            up = odds.ups(rng, total - t, height)
        np.logical_not(up, out=down[t])
        height += up
        height -= down[t]
    return down
