"""Programs for bracket languages: Dyck-k of any depth, bounded Dyck, Shuffle-Dyck-k.

With s = +1 for an opening and -1 for a closing bracket, the depth after t symbols is the running
sum d_t of s. **Dyck-1** is dead once any d_t is negative, and a member when d_T = 0: two layers,
and only the sign of the prefix mean matters. **Shuffle-Dyck-k** is that for each kind.

**Dyck-k** takes three layers of one head, whatever the depth. A bracket's level is the greater of
the depths before and after it, d_t + [closing]. In a word without an error so far, the brackets of
one level and kind open and close in turn, so that their s add up to 0 at a right closing bracket.
A closing bracket that closes another kind finds a sum that is not 0. The third layer asks whether
anything was wrong so far.
"""

from __future__ import annotations

from collections.abc import Sequence

from .groups import CSUM

SEEN = "def seen(x) { return aggregate(select(indices, indices, <=), indicator(x)) > 0; }"


def table(symbols: Sequence[str], values: Sequence[object]) -> str:
    """A dict of the symbols."""
    return "{" + ", ".join(f'"{s}": {v}' for s, v in zip(symbols, values, strict=True)) + "}"


def steps(symbols: Sequence[str]) -> str:
    """+1 for an opening bracket, -1 for a closing one; they stand in turn."""
    return table(symbols, [1 - 2 * (i % 2) for i in range(len(symbols))])


def dyck_program(symbols: Sequence[str], depth: int | None, verdict: bool) -> str:
    """The state after every prefix: prefix, accepted or dead; or whether it is a member.

    Parameters
    ----------
    symbols : sequence of str
        opening and closing brackets in turn.
    depth : int or None
        the most brackets open at once.
    verdict : bool
        whether only membership is asked for.

    Examples
    --------
    >>> print(dyck_program("()", None, verdict=False))  # doctest: +ELLIPSIS
    def seen(x) { return aggregate(select(indices, indices, <=), indicator(x)) > 0; }
    balance = aggregate(select(indices, indices, <=), {"(": 1, ")": -1}[tokens]);
    dead = seen(balance < 0);
    dyck = 2 if dead else (1 if balance == 0 else 0);
    """
    lines = [SEEN]
    if len(symbols) == 2 and depth is None:
        mean = f"aggregate(select(indices, indices, <=), {steps(symbols)}[tokens])"
        lines += [f"balance = {mean};", "dead = seen(balance < 0);"]
    else:
        lines += [CSUM, f"step = {steps(symbols)}[tokens];", "balance = csum(step);"]
        wrong = "balance < 0" if depth is None else f"balance < 0 or balance > {depth}"
        if len(symbols) > 2:
            kinds = table(symbols, [i // 2 for i in range(len(symbols))])
            lines += [
                "closing = step == -1;",
                "level = balance + indicator(closing);",
                f"kind = {kinds}[tokens];",
                "same = select(level, level, ==) and select(kind, kind, ==)"
                " and select(indices, indices, <=);",
                "match = aggregate(same, step);",
            ]
            wrong = f"(closing and not (match == 0)) or {wrong}"
        lines.append(f"dead = seen({wrong});")
    return "\n".join([*lines, answer("balance == 0", verdict)])


def answer(empty: str, verdict: bool) -> str:
    """The line that tells the state, or whether it is a member."""
    if verdict:
        return f"dyck = {empty} and not dead;"
    return f"dyck = 2 if dead else (1 if {empty} else 0);"


def dyck_layers(symbols: Sequence[str]) -> int:
    """How many layers that takes."""
    return 2 if len(symbols) == 2 else 3


def shuffle_program(symbols: Sequence[str], verdict: bool) -> str:
    """The state after every prefix of Shuffle-Dyck-k, or whether it is a member."""
    lines, kinds = [SEEN], range(len(symbols) // 2)
    for kind in kinds:
        row = [(1 - 2 * (i % 2)) if i // 2 == kind else 0 for i in range(len(symbols))]
        mean = f"aggregate(select(indices, indices, <=), {table(symbols, row)}[tokens])"
        lines.append(f"balance{kind} = {mean};")
    lines.append(f"dead = seen({' or '.join(f'balance{kind} < 0' for kind in kinds)});")
    empty = " and ".join(f"balance{kind} == 0" for kind in kinds)
    return "\n".join([*lines, answer(f"({empty})", verdict)])
