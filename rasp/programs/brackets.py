"""Programs for bracket languages: Dyck-k of any depth, bounded Dyck, and Shuffle-Dyck-k.

With s = +1 for an opening and -1 for a closing bracket, the depth after t symbols is the running
sum d_t of s. **Dyck-1** is dead once any d_t is negative, and a prefix is a member if its last
depth is 0: two layers, and only the sign of the prefix mean matters. **Shuffle-Dyck-k** is that for
each kind of bracket.

**Dyck-k** takes three layers of one head, whatever the depth. A bracket's level is the greater of
the depths before and after it, d_t + [closing]. In a prefix without an error, the brackets of one
level and one kind open and close in turn, so that their s sum to 0 at each closing bracket. A
closing bracket of another kind than the bracket it closes finds a sum that is not 0. The third
layer asks whether any position so far has an error.
"""

from __future__ import annotations

from collections.abc import Sequence

from .snippets import CUMULATIVE_SUM, EVER, format_table


def format_steps(symbols: Sequence[str]) -> str:
    """Return the dict of +1 for opening and -1 for closing brackets, which alternate."""
    return format_table(symbols, [1 - 2 * (i % 2) for i in range(len(symbols))])


def write_dyck(symbols: Sequence[str], depth: int | None, recognise: bool) -> str:
    """Write the program of Dyck-k.

    Parameters
    ----------
    symbols : sequence of str
        opening and closing brackets alternately.
    depth : int or None
        the most brackets that may be open at once.
    recognise : bool
        whether the values are membership of each prefix, and not its state (0 for a prefix of a
        member, 1 for a member, 2 for a dead prefix).

    Examples
    --------
    >>> print(write_dyck("()", None, recognise=False))  # doctest: +ELLIPSIS
    def ever(x) { return aggregate(select(indices, indices, <=), indicator(x)) > 0; }
    balance = aggregate(select(indices, indices, <=), {"(": 1, ")": -1}[tokens]);
    dead = ever(balance < 0);
    dyck = 2 if dead else (1 if balance == 0 else 0);
    """
    lines = [EVER]
    if len(symbols) == 2 and depth is None:
        mean = f"aggregate(select(indices, indices, <=), {format_steps(symbols)}[tokens])"
        lines += [f"balance = {mean};", "dead = ever(balance < 0);"]
    else:
        lines += [CUMULATIVE_SUM, f"step = {format_steps(symbols)}[tokens];"]
        lines.append("balance = csum(step);")
        wrong = "balance < 0" if depth is None else f"balance < 0 or balance > {depth}"
        if len(symbols) > 2:
            kinds = format_table(symbols, [i // 2 for i in range(len(symbols))])
            lines += [
                "closing = step == -1;",
                "level = balance + indicator(closing);",
                f"kind = {kinds}[tokens];",
                "same = select(level, level, ==) and select(kind, kind, ==)"
                " and select(indices, indices, <=);",
                "match = aggregate(same, step);",
            ]
            wrong = f"(closing and not (match == 0)) or {wrong}"
        lines.append(f"dead = ever({wrong});")
    return "\n".join([*lines, format_result("balance == 0", recognise)])


def format_result(balanced: str, recognise: bool) -> str:
    """Return the last line of a program, given the condition that all brackets are closed."""
    if recognise:
        return f"dyck = {balanced} and not dead;"
    return f"dyck = 2 if dead else (1 if {balanced} else 0);"


def count_dyck_layers(symbols: Sequence[str]) -> int:
    """Return the number of layers of the program of Dyck-k."""
    return 2 if len(symbols) == 2 else 3


def write_shuffle_dyck(symbols: Sequence[str], recognise: bool) -> str:
    """Write the program of Shuffle-Dyck-k; the parameters are those of `write_dyck`."""
    lines, kinds = [EVER], range(len(symbols) // 2)
    for kind in kinds:
        steps = [(1 - 2 * (i % 2)) if i // 2 == kind else 0 for i in range(len(symbols))]
        table = format_table(symbols, steps)
        lines.append(f"balance{kind} = aggregate(select(indices, indices, <=), {table}[tokens]);")
    lines.append(f"dead = ever({' or '.join(f'balance{kind} < 0' for kind in kinds)});")
    balanced = " and ".join(f"balance{kind} == 0" for kind in kinds)
    return "\n".join([*lines, format_result(f"({balanced})", recognise)])
