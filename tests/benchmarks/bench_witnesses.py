"""How far each witness is exact in float32.

    python tests/benchmarks/bench_witnesses.py [-o CSV] [LONGEST]

A witness is exact in exact arithmetic. Here every architecture with one answers, in float32, random
words (seeded by their length), words of one symbol, and words that go through the symbols in turn,
at lengths doubling from 64 to LONGEST (65,536). Every asked position must be right. The table says
up to which length it was; where it is wrong, the first wrong position of any word. An S4D's forward
goes through a Fourier transform of the whole word and its steps through the recurrence, so it is
asked both ways. What would need more than 2 GiB at once goes by steps.
"""

from __future__ import annotations

import argparse
import csv
import resource
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from flann.models import SequenceModel
from flann.models.witnesses import Counter, Moore, witness
from flann.tasks.groups.cayley_tables import get_group

FIRST, LONGEST = 64, 65_536
RANDOM = 4
"""Random words of each length."""
ALONE = 6
"""Words of one symbol, at most, and as many as there are symbols otherwise."""
AT_ONCE = 1 << 16
"""Symbols that one forward pass reads, at most, but one word at least."""
COLUMNS = ["model", "language", "symbols", "states", "parameters", "by"]
COLUMNS += ["words", "exact_to", "wrong_length", "first_wrong", "seconds"]


def group(name: str) -> Moore:
    """The product of a word over a group, all its elements as symbols."""
    table = get_group(name).table
    return Moore(table.tolist(), outputs=range(len(table)))


def modulo(n: int) -> Moore:
    """The length of a word of two symbols modulo n."""
    return Moore([[(q + 1) % n] * 2 for q in range(n)], outputs=range(n))


LANGUAGES: dict[str, Moore | Counter] = {
    "parity": Moore([[0, 1], [1, 0]], outputs=[0, 1]),
    "flip-flop": Moore([[0, 0, 1], [1, 0, 1]], outputs=[0, 1]),
    "brackets to depth 2": Moore([[1, 3], [2, 0], [3, 1], [3, 3]], outputs=[1, 0, 0, 2]),
    "S3": group("S3"),
    "A5": group("A5"),
    "more ones than zeros": Counter([-1, 1]),
    "length mod 2": modulo(2),
    "length mod 3": modulo(3),
    "length mod 60": modulo(60),
}
ANY = ("rnn", "rnn:activation=relu", "gru", "lstm", "ids4", "ids4:state_norm=true")
CASES = [
    *((name, language) for name in ANY for language in ("parity", "brackets to depth 2", "S3")),
    ("ids4", "A5"),
    ("ids4:state_norm=true", "A5"),
    ("lstm", "more ones than zeros"),
    ("mamba", "flip-flop"),
    ("mamba:eigenvalues=negative", "flip-flop"),
    ("mamba:eigenvalues=negative", "parity"),
    ("deltanet:eigenvalues=negative", "parity"),
    ("deltaproduct:eigenvalues=negative", "S3"),
    ("deltaproduct:eigenvalues=negative,factors=4", "A5"),
    *(("s4d", f"length mod {n}") for n in (2, 3, 60)),
]


def ways(model: str, language: str) -> tuple[str, ...]:
    """By a forward pass, by steps, or both; IDS4's matrices for A5 are 1 GB a long word."""
    if model.startswith("ids4") and language == "A5":
        return ("steps",)
    return ("forward", "steps") if model == "s4d" else ("forward",)


def words_of(symbols: int, length: int) -> np.ndarray[Any, Any]:
    """Random words, words of one symbol, and the symbols in turn: (words, length)."""
    drawn = np.random.default_rng(length).integers(symbols, size=(RANDOM, length))
    alone = [np.full(length, a) for a in range(min(symbols, ALONE))]
    return np.stack([*drawn, *alone, np.arange(length) % symbols])


def answers(language: Moore | Counter, words: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """The right labels, by following the language in whole numbers."""
    if isinstance(language, Counter):
        counts = np.cumsum(np.array(language.rises)[words], axis=1)
        return np.where(counts > 0, language.above, language.below)
    table, outputs = np.array(language.table), np.array(language.outputs)
    labels, states = np.empty_like(words), np.full(len(words), language.start)
    for t in range(words.shape[1]):
        states = table[states, words[:, t]]
        labels[:, t] = outputs[states]
    return labels


def asked(model: SequenceModel, words: Tensor, by: str) -> Iterator[Tensor]:
    """The model's labels: parts of the words, all positions, or all words, a position each."""
    if by == "forward":
        for part in words.split(max(1, AT_ONCE // words.shape[1])):
            yield model(part).argmax(-1)
        return
    state, found = model.initial_state(len(words)), []
    for t in range(words.shape[1]):
        logits, state = model.step(words[:, t], state)
        found.append(logits.argmax(-1))
    yield torch.stack(found, 1)


@torch.inference_mode()
def first_wrong(
    model: SequenceModel, language: Moore | Counter, length: int, by: str
) -> int | None:
    """The first position, from 1, at which some word of this length is answered wrongly."""
    words = words_of(language.symbols, length)
    found = torch.cat(list(asked(model, torch.from_numpy(words), by))).numpy()
    right = answers(language, words)
    wrong = ((found != right) & (right >= 0)).any(0)
    return int(wrong.argmax()) + 1 if wrong.any() else None


def row_of(name: str, spoken: str, by: str, longest: int) -> dict[str, Any]:
    """One witness: doubling the length as long as it is right."""
    language, began = LANGUAGES[spoken], time.perf_counter()
    labels = 1 + max(getattr(language, "outputs", (0, 1)))
    model = witness(name, language, labels=labels).float().eval()
    exact, wrong, length = 0, None, min(FIRST, longest)
    while length <= longest and wrong is None:
        wrong = first_wrong(model, language, length, by)
        exact, length = (length, 2 * length) if wrong is None else (exact, length)
    return {
        "model": name,
        "language": spoken,
        "symbols": language.symbols,
        "states": getattr(language, "states", ""),
        "parameters": model.sizes["parameters"],
        "by": by,
        "words": len(words_of(language.symbols, 1)),
        "exact_to": exact,
        "wrong_length": length if wrong else "",
        "first_wrong": wrong or "",
        "seconds": round(time.perf_counter() - began, 1),
    }


def main() -> None:
    """Print the table, and write it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("longest", nargs="?", type=int, default=LONGEST)
    parser.add_argument("-o", "--output", type=Path, help="a CSV file")
    given = parser.parse_args()
    torch.set_num_threads(1)
    rows = []
    print(f"{'model':44}{'language':21}{'parameters':>11} {'by':8} exact to")
    for name, spoken in CASES:
        for by in ways(name, spoken):
            row = row_of(name, spoken, by, given.longest)
            rows.append(row)
            end = "not further"
            if row["first_wrong"]:
                end = f"wrong at {row['first_wrong']:,} of {row['wrong_length']:,}"
            print(f"{name:44}{spoken:21}{row['parameters']:11,} {by:8} {row['exact_to']:,} ({end})"
                  f"  {row['seconds']} s", flush=True)  # fmt: skip
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"greatest memory {memory:.2f} GiB")
    if given.output:
        with given.output.open("w", newline="", encoding="utf-8") as file:
            table = csv.DictWriter(file, COLUMNS, lineterminator="\n")
            table.writeheader()
            table.writerows(rows)


if __name__ == "__main__":
    main()
