"""The program and its network side by side, at every length.

All words while there are few; beyond, random ones, constant and alternating ones, halves of two
symbols (the deepest brackets), and long nearly valid ones: these with one symbol changed, and
blocks of every symbol and its successor. Random words miss mistakes that only large sums show.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from flann.errors import UserError
from flann.rasp.graph.evaluation import on_ids
from flann.rasp.graph.sops import SOp
from flann.rasp.language.source_span import Place

from .program_network import ProgramNetwork

MOST_WORDS = 512  # that are all the words of a length
PAIRS_AT_ONCE = 1 << 22
Tokens = NDArray[np.int64]


@dataclass(frozen=True)
class CheckResult:
    """What came of it.

    Attributes
    ----------
    words : int
        how many were compared.
    longest : int
        the greatest length of them.
    wrong : int or None
        the first length at which the network answers otherwise than the program.
    margin : float
        the least lead of the right label's logit over the next.
    """

    words: int
    longest: int
    wrong: int | None
    margin: float

    def __str__(self) -> str:
        if self.wrong is not None:
            return f"wrong from length {self.wrong} on"
        words = f"{self.words:,} words to length {self.longest}"
        return f"exact on {words}, least margin {self.margin:.3g}"


def check(
    node: SOp,
    compiled: ProgramNetwork,
    *,
    lengths: Iterable[int] | None = None,
    size: int = 8,
    seed: int = 0,
    places: dict[int, Place] | None = None,
    watch: Callable[[int], None] | None = None,
) -> CheckResult:
    """Compare a program with its network.

    Parameters
    ----------
    node : SOp
        what the program defines.
    compiled : Compiled
    lengths : iterable of int, optional
        by default every length up to the limit.
    size : int
        random words a length.
    seed : int
        of the random words.
    watch : callable, optional
        called with each length before it is compared.
    """
    tested = range(1, compiled.max_length + 1) if lengths is None else sorted(set(lengths))
    words, longest, margin = 0, 0, float("inf")
    for length in tested:
        if watch:
            watch(length)
        rng = np.random.default_rng([seed, length])
        tokens = draw_words(len(compiled.symbols), length, size, rng)
        expected, tokens = run_program(node, compiled, tokens, places)
        if not len(tokens):
            continue
        right, least = compare(compiled, tokens, expected)
        if not right:
            return CheckResult(words, longest, length, least)
        words, longest, margin = words + len(tokens), length, min(margin, least)
    return CheckResult(words, longest, None, margin)


def draw_words(symbols: int, length: int, size: int, rng: np.random.Generator) -> Tokens:
    """All words of a length while there are few; else a choice of them."""
    if length * np.log(max(symbols, 1)) <= np.log(MOST_WORDS):
        return np.indices((symbols,) * length).reshape(length, -1).T.astype(np.int64)
    position = np.arange(length)
    symbols_tried = rng.permutation(symbols)[:8]
    rows = [np.full(length, symbol) for symbol in symbols_tried]
    rows += [
        position % 2,
        position % symbols,
        (position >= length / 2) * 1,
        (position // 3) % symbols,
    ]
    for symbol in symbols_tried[:4]:
        other = symbol ^ 1 if symbol ^ 1 < symbols else symbol
        rows += [
            np.where(position < length / 2, symbol, other),
            np.where(position % 2, other, symbol),
        ]
    changed = np.array(rows)
    changed[np.arange(len(changed)), rng.integers(length, size=len(changed))] = rng.integers(
        symbols, size=len(changed)
    )
    drawn = rng.integers(symbols, size=(size, length))
    return np.concatenate([np.array(rows), changed, drawn]).astype(np.int64)


def run_program(
    node: SOp, compiled: ProgramNetwork, tokens: Tokens, places: dict[int, Place] | None
) -> tuple[Tokens, Tokens]:
    """The program's label ids, and the words, without those on which it stops with an error."""

    def ask(part: Tokens) -> Tokens:
        return on_ids(node, part, compiled.symbols, compiled.values, places)

    try:
        return ask(tokens), tokens
    except UserError:
        pass
    results, kept = [], []
    for row in tokens:
        try:
            results.append(ask(row[None, :])[0])
            kept.append(row)
        except UserError:
            continue
    empty = np.empty((0, tokens.shape[1]), np.int64)
    return (np.array(results), np.array(kept)) if kept else (empty, empty)


def compare(compiled: ProgramNetwork, tokens: Tokens, expected: Tokens) -> tuple[bool, float]:
    """Whether all answers are right, and the least margin."""
    length = tokens.shape[1]
    rows = max(1, PAIRS_AT_ONCE // (length * max(length, len(compiled.labels))))
    right, least = True, float("inf")
    for first in range(0, len(tokens), rows):
        labels = torch.from_numpy(expected[first : first + rows])
        with torch.no_grad():
            logits = compiled(tokens[first : first + rows])
        right &= bool(torch.isfinite(logits).all())
        least = min(least, compute_margin(logits, labels))
    return right and least > 0, least


def compute_margin(logits: torch.Tensor, labels: torch.Tensor) -> float:
    """The least lead of the wanted label, at positions where the program's value is a label."""
    scored = labels >= 0
    if logits.shape[2] < 2 or not scored.any():
        return 1.0
    of_right = logits.gather(2, labels.clamp(min=0)[:, :, None]).squeeze(2)
    others: Any = logits.scatter(2, labels.clamp(min=0)[:, :, None], -float("inf"))
    return float((of_right - others.amax(dim=2))[scored].min())
