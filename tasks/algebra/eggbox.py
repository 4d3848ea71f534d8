"""Eggbox diagrams of a semigroup as text, one for each D-class.

Each element is written as its shortest word. A row is an R-class, a column an L-class and a cell an
H-class; a star marks an idempotent. A D-class precedes those below it.
"""

from __future__ import annotations

from flann.errors import UserError
from flann.tasks.automata.moore_machine import MooreMachine

from .green import Green
from .semigroup import Semigroup
from .verdict import Clock, Stopped

MOST_SHOWN = 200  # elements of a semigroup that is drawn
MOST_IN_CELL = 6  # elements shown in a cell


def draw_eggbox(machine: MooreMachine, seconds: float = 30.0) -> str:
    """Draw the eggboxes of the syntactic semigroup of a machine.

    Raises
    ------
    UserError
        if the semigroup has more than `MOST_SHOWN` elements.

    Examples
    --------
    >>> from flann.tasks.automata.expressions import from_expression
    >>> print(draw_eggbox(MooreMachine.from_automaton(from_expression("(ab)*"))))
    D-class of 4, regular, 2 x 2 cells of 1
      a    ab*
      ba*  b
    D-class of 1, regular, 1 x 1 cells of 1
      aa*
    """
    clock = Clock.of(seconds)
    try:
        semigroup = Semigroup.of(machine.acceptor, clock, MOST_SHOWN)
    except Stopped as stopped:
        raise UserError(f"no eggbox is drawn: {stopped}") from stopped
    green = Green(semigroup, clock)
    members: dict[int, list[int]] = {}
    for x, number in enumerate(green.d.tolist()):
        members.setdefault(number, []).append(x)
    return "\n".join(draw_d_class(green, elements) for elements in members.values())


def draw_d_class(green: Green, elements: list[int]) -> str:
    """Draw the eggbox of one D-class."""
    semigroup = green.semigroup
    idempotents = set(semigroup.idempotents.tolist())
    rows = list(dict.fromkeys(green.r[elements].tolist()))
    columns = list(dict.fromkeys(green.l[elements].tolist()))
    cells: dict[tuple[int, int], list[str]] = {}
    for x in elements:
        star = "*" if x in idempotents else ""
        here = cells.setdefault((int(green.r[x]), int(green.l[x])), [])
        here.append(spell_word(semigroup.spell(x)) + star)
    text = [[shorten_cell(cells[r, c]) for c in columns] for r in rows]
    widths = [max(len(row[i]) for row in text) for i in range(len(columns))]
    kind = "regular" if idempotents & set(elements) else "not regular"
    size = len(elements) // len(cells)
    lines = [f"D-class of {len(elements)}, {kind}, {len(rows)} x {len(columns)} cells of {size}"]
    for row in text:
        padded = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        lines.append(("  " + "  ".join(padded)).rstrip())
    return "\n".join(lines)


def spell_word(word: tuple[str, ...]) -> str:
    """Join the symbols of a word, with points if some symbol has several characters."""
    return ("" if all(len(symbol) == 1 for symbol in word) else ".").join(word)


def shorten_cell(words: list[str]) -> str:
    """Join the words of a cell, of which at most `MOST_IN_CELL` are shown."""
    more = len(words) - MOST_IN_CELL
    return " ".join(words[:MOST_IN_CELL]) + (f" .. {more} more" if more > 0 else "")
