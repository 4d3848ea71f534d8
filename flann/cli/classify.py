"""The input and the output of `flann classify`: the classes of a language, with evidence."""

from __future__ import annotations

import textwrap
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from flann.errors import UserError
from flann.progress import Progress

if TYPE_CHECKING:
    from flann.tasks.algebra import Classification, Witness
    from flann.tasks.automata.moore_machine import MooreMachine
    from flann.tasks.core.task import Task

ANSWERS = {True: "yes", False: "no", None: "?"}
WIDTH = 100
LEGEND = (
    "S strictly, L locally, P piecewise, T testable, TT threshold testable; prefix T: on a tier,"
    " co: of the complement; SF star-free, DA two-variable logic. x^w is the idempotent power of x;"
    " e and f are the idempotent powers of their words."
)
SILENT = 2.0  # seconds before progress is shown
LONGEST_WITNESS = 60  # characters of a word that is shown


def load_language(regex: str | None, task: str | None, file: Path | None) -> Task | MooreMachine:
    """Load the language to classify from exactly one of an expression, a task and a file."""
    given = [
        f
        for f, value in (("--regex", regex), ("--task", task), ("FILE", file))
        if value is not None
    ]
    if len(given) != 1:
        got = " and ".join(given) or "none"
        raise UserError(f"classify: expected one of --regex R, --task NAME and FILE, got {got}")
    from flann.tasks import get_task
    from flann.tasks.automata.expressions import from_expression
    from flann.tasks.automata.files import read_automaton
    from flann.tasks.automata.moore_machine import MooreMachine

    if task is not None:
        return get_task(task, imports=True)
    if regex is not None:
        return MooreMachine.from_automaton(from_expression(regex))
    assert file is not None
    return MooreMachine.from_automaton(read_automaton(file))


@contextmanager
def report_progress() -> Iterator[Callable[[str], None]]:
    """Show on standard error which class is being decided, once it takes long."""
    line, start = Progress(), time.monotonic()

    def progress(name: str) -> None:
        if time.monotonic() - start > SILENT:
            line.line(f"deciding {name}")

    try:
        yield progress
    finally:
        line.close()


def format_table(name: str, found: Classification) -> str:
    """Format the classes as a table, with the evidence for each answer."""
    elements = "unknown" if found.semigroup is None else f"{found.semigroup} elements"
    lines = [
        f"{name}: {found.states} states, {found.alphabet} symbols, semigroup: {elements}",
        *textwrap.wrap(f"circuit class: {found.circuit or 'unknown'} ({found.why})", WIDTH),
        *textwrap.wrap(f"tier: {format_tier(found)}", WIDTH),
        "",
        f"{'class':<16}{'':5}{'k':>3}  because",
    ]
    for label, answer in found.classes.items():
        verdict = found.verdicts[label]
        k = "" if verdict.k is None else str(verdict.k)
        because = verdict.why + (f": {format_witness(verdict.witness)}" if verdict.witness else "")
        lead = f"{label:<16}{ANSWERS[answer]:5}{k:>3}  "
        lines.append(textwrap.fill(because, WIDTH, initial_indent=lead, subsequent_indent=" " * 26))
    lines += ["", *textwrap.wrap(LEGEND, WIDTH)]
    return "\n".join(lines)


def format_tier(found: Classification) -> str:
    """Format the symbols that are not neutral."""
    if len(found.tier) == found.alphabet:
        return "every symbol"
    return " ".join(found.tier) or "empty: every symbol is neutral"


def format_witness(witness: Witness) -> str:
    """Format the words of a witness in one line.

    >>> format_witness({"x": ("a", "b"), "y": ()})
    'x = ab, y = (empty)'
    """
    return ", ".join(f"{name} = {format_word(word)}" for name, word in witness.items())


def format_word(word: tuple[str, ...]) -> str:
    """Join the symbols of a word, with spaces if one has several characters; truncate if long."""
    text = ("" if all(len(symbol) == 1 for symbol in word) else " ").join(word) or "(empty)"
    return text if len(text) <= LONGEST_WITNESS else text[: LONGEST_WITNESS - 2] + ".."
