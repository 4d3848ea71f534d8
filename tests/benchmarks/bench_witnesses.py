"""Benchmark: up to which length each witness is exact in float32.

    python tests/benchmarks/bench_witnesses.py [-o CSV] [LONGEST]

A witness is exact in exact arithmetic. Here it is evaluated in float32, for every architecture that
has one, on random words (seeded by their length), on words of one symbol, and on words that cycle
through the symbols, at lengths doubling from 64 to LONGEST (65,536 by default). A length counts as
exact if every scored position is right. The table gives the longest exact length and, at the
next one, the first wrong position of any word. S4D is evaluated both by its forward pass, a
Fourier transform of the whole word, and step by step. Models whose forward pass would take more
than 2 GiB are evaluated step by step.
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
from flann.models.witnesses import Counter, MooreTable, build_witness
from flann.tasks.groups.cayley_tables import get_group

FIRST, LONGEST = 64, 65_536
RANDOM_WORDS = 4
"""Number of random words of each length."""
CONSTANT_WORDS = 6
"""Upper bound on the number of words of one symbol."""
BATCH_SYMBOLS = 1 << 16
"""Number of symbols in one forward pass, if that is at least one word."""
COLUMNS = ["model", "language", "symbols", "states", "parameters", "by"]
COLUMNS += ["words", "exact_to", "wrong_length", "first_wrong", "seconds"]


def build_group(name: str) -> MooreTable:
    """Return the machine of a group's word problem, with all elements as symbols."""
    table = get_group(name).table
    return MooreTable(table.tolist(), labels=range(len(table)))


def build_modulo(n: int) -> MooreTable:
    """Return the machine of the length modulo n, over two symbols."""
    return MooreTable([[(q + 1) % n] * 2 for q in range(n)], labels=range(n))


LANGUAGES: dict[str, MooreTable | Counter] = {
    "parity": MooreTable([[0, 1], [1, 0]], labels=[0, 1]),
    "flip-flop": MooreTable([[0, 0, 1], [1, 0, 1]], labels=[0, 1]),
    "brackets to depth 2": MooreTable([[1, 3], [2, 0], [3, 1], [3, 3]], labels=[1, 0, 0, 2]),
    "S3": build_group("S3"),
    "A5": build_group("A5"),
    "more ones than zeros": Counter([-1, 1]),
    "length mod 2": build_modulo(2),
    "length mod 3": build_modulo(3),
    "length mod 60": build_modulo(60),
}
ANY_AUTOMATON = ("rnn", "rnn:activation=relu", "gru", "lstm", "ids4", "ids4:state_norm=true")
CASES = [
    *(
        (name, language)
        for name in ANY_AUTOMATON
        for language in ("parity", "brackets to depth 2", "S3")
    ),
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


def list_modes(model: str, language: str) -> tuple[str, ...]:
    """Return the modes of evaluation; IDS4's matrices for A5 would take 1 GB for a long word."""
    if model.startswith("ids4") and language == "A5":
        return ("steps",)
    return ("forward", "steps") if model == "s4d" else ("forward",)


def draw_words(symbols: int, length: int) -> np.ndarray[Any, Any]:
    """Return random words, words of one symbol, and a cyclic word: (words, length)."""
    random = np.random.default_rng(length).integers(symbols, size=(RANDOM_WORDS, length))
    constant = [np.full(length, a) for a in range(min(symbols, CONSTANT_WORDS))]
    return np.stack([*random, *constant, np.arange(length) % symbols])


def compute_labels(
    language: MooreTable | Counter, words: np.ndarray[Any, Any]
) -> np.ndarray[Any, Any]:
    """Return the correct labels, computed in integers."""
    if isinstance(language, Counter):
        counts = np.cumsum(np.array(language.increments)[words], axis=1)
        return np.where(counts > 0, language.above, language.below)
    table, state_labels = np.array(language.table), np.array(language.labels)
    labels, states = np.empty_like(words), np.full(len(words), language.start)
    for t in range(words.shape[1]):
        states = table[states, words[:, t]]
        labels[:, t] = state_labels[states]
    return labels


def predict(model: SequenceModel, words: Tensor, mode: str) -> Iterator[Tensor]:
    """Yield the model's labels: of some words at a time, or of all words if step by step."""
    if mode == "forward":
        for part in words.split(max(1, BATCH_SYMBOLS // words.shape[1])):
            yield model(part).argmax(-1)
        return
    state, labels = model.initial_state(len(words)), []
    for t in range(words.shape[1]):
        logits, state = model.step(words[:, t], state)
        labels.append(logits.argmax(-1))
    yield torch.stack(labels, 1)


@torch.inference_mode()
def find_first_wrong(
    model: SequenceModel, language: MooreTable | Counter, length: int, mode: str
) -> int | None:
    """Return the first position, counted from 1, at which some word has a wrong label."""
    words = draw_words(language.symbols, length)
    predicted = torch.cat(list(predict(model, torch.from_numpy(words), mode))).numpy()
    expected = compute_labels(language, words)
    wrong = ((predicted != expected) & (expected >= 0)).any(0)
    return int(wrong.argmax()) + 1 if wrong.any() else None


def measure(name: str, language_name: str, mode: str, longest: int) -> dict[str, Any]:
    """Measure one witness, doubling the length while it is exact; return the table's row."""
    language, start = LANGUAGES[language_name], time.perf_counter()
    labels = 1 + max(getattr(language, "labels", (0, 1)))
    model = build_witness(name, language, labels=labels).float().eval()
    exact, wrong, length = 0, None, min(FIRST, longest)
    while length <= longest and wrong is None:
        wrong = find_first_wrong(model, language, length, mode)
        exact, length = (length, 2 * length) if wrong is None else (exact, length)
    return {
        "model": name,
        "language": language_name,
        "symbols": language.symbols,
        "states": getattr(language, "states", ""),
        "parameters": model.sizes["parameters"],
        "by": mode,
        "words": len(draw_words(language.symbols, 1)),
        "exact_to": exact,
        "wrong_length": length if wrong else "",
        "first_wrong": wrong or "",
        "seconds": round(time.perf_counter() - start, 1),
    }


def main() -> None:
    """Print the table, and write it if a file is given."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("longest", nargs="?", type=int, default=LONGEST)
    parser.add_argument("-o", "--output", type=Path, help="a CSV file")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    rows = []
    print(f"{'model':44}{'language':21}{'parameters':>11} {'by':8} exact to")
    for name, language_name in CASES:
        for mode in list_modes(name, language_name):
            row = measure(name, language_name, mode, arguments.longest)
            rows.append(row)
            end = "not further"
            if row["first_wrong"]:
                end = f"wrong at {row['first_wrong']:,} of {row['wrong_length']:,}"
            print(f"{name:44}{language_name:21}{row['parameters']:11,} {mode:8} {row['exact_to']:,}"
                  f" ({end})  {row['seconds']} s", flush=True)  # fmt: skip
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"peak memory {memory:.2f} GiB")
    if arguments.output:
        with arguments.output.open("w", newline="", encoding="utf-8") as file:
            table = csv.DictWriter(file, COLUMNS, lineterminator="\n")
            table.writeheader()
            table.writerows(rows)


if __name__ == "__main__":
    main()
