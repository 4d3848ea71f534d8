"""Comparison of a program with its network, at every length.

While there are few words of a length, all are compared. Beyond that, the words are constant and
alternating ones, halves of two symbols (the deepest brackets), periodic ones, each of these with
one symbol changed (nearly valid words), and random ones. Random words alone would miss errors
that only large sums show.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from flann.errors import UserError
from flann.rasp.graph.evaluation import run_on_ids
from flann.rasp.graph.sops import SOp
from flann.rasp.language.source_span import SourceSpan

from .program_network import ProgramNetwork

MOST_WORDS = 512  # up to which all words of a length are compared
PAIRS_AT_ONCE = 1 << 22
Tokens = NDArray[np.int64]


@dataclass(frozen=True)
class CheckResult:
    """The result of a comparison.

    Attributes
    ----------
    words : int
        The number of words that were compared and agree.
    longest : int
        The greatest length of these words.
    wrong : int or None
        The first length at which the network disagrees with the program.
    margin : float
        The least difference between the logit of the right label and the next one.
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
    network: ProgramNetwork,
    *,
    lengths: Iterable[int] | None = None,
    size: int = 8,
    seed: int = 0,
    spans: dict[int, SourceSpan] | None = None,
    watch: Callable[[int], None] | None = None,
) -> CheckResult:
    """Compare a program with its network.

    Parameters
    ----------
    node : SOp
        The s-op that the program defines.
    network : ProgramNetwork
    lengths : iterable of int, optional
        The lengths to compare; by default all up to the limit of the network.
    size : int
        The number of random words of each length.
    seed : int
        The seed of the random words.
    spans : dict, optional
        Where each node stands in the source, for error messages.
    watch : callable, optional
        Called with each length before it is compared.
    """
    tested = range(1, network.max_length + 1) if lengths is None else sorted(set(lengths))
    words, longest, margin = 0, 0, float("inf")
    for length in tested:
        if watch:
            watch(length)
        rng = np.random.default_rng([seed, length])
        tokens = draw_words(len(network.symbols), length, size, rng)
        expected, tokens = run_program(node, network, tokens, spans)
        if not len(tokens):
            continue
        right, least = compare(network, tokens, expected)
        if not right:
            return CheckResult(words, longest, length, least)
        words, longest, margin = words + len(tokens), length, min(margin, least)
    return CheckResult(words, longest, None, margin)


def draw_words(symbols: int, length: int, size: int, rng: np.random.Generator) -> Tokens:
    """Return all words of a length while there are few, and otherwise a selection of them."""
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
    random_words = rng.integers(symbols, size=(size, length))
    return np.concatenate([np.array(rows), changed, random_words]).astype(np.int64)


def run_program(
    node: SOp, network: ProgramNetwork, tokens: Tokens, spans: dict[int, SourceSpan] | None
) -> tuple[Tokens, Tokens]:
    """Return the program's label ids and their words, without the words on which the program
    raises an error.
    """

    def run_part(part: Tokens) -> Tokens:
        return run_on_ids(node, part, network.symbols, network.values, spans)

    try:
        return run_part(tokens), tokens
    except UserError:
        pass
    results, kept = [], []
    for row in tokens:
        try:
            results.append(run_part(row[None, :])[0])
            kept.append(row)
        except UserError:
            continue
    empty = np.empty((0, tokens.shape[1]), np.int64)
    return (np.array(results), np.array(kept)) if kept else (empty, empty)


def compare(network: ProgramNetwork, tokens: Tokens, expected: Tokens) -> tuple[bool, float]:
    """Return whether the network predicts every label, and the least margin."""
    length = tokens.shape[1]
    rows = max(1, PAIRS_AT_ONCE // (length * max(length, len(network.labels))))
    right, least = True, float("inf")
    for first in range(0, len(tokens), rows):
        labels = torch.from_numpy(expected[first : first + rows])
        with torch.no_grad():
            logits = network(tokens[first : first + rows])
        right &= bool(torch.isfinite(logits).all())
        least = min(least, compute_margin(logits, labels))
    return right and least > 0, least


def compute_margin(logits: torch.Tensor, labels: torch.Tensor) -> float:
    """Return the least margin of the right label, over positions where the value of the program
    is a label.
    """
    scored = labels >= 0
    if logits.shape[2] < 2 or not scored.any():
        return 1.0
    of_right = logits.gather(2, labels.clamp(min=0)[:, :, None]).squeeze(2)
    others: Any = logits.scatter(2, labels.clamp(min=0)[:, :, None], -float("inf"))
    return float((of_right - others.amax(dim=2))[scored].min())
