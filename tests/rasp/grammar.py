"""Random programs: strategies for expressions of each type and for selectors."""

from __future__ import annotations

from hypothesis import strategies as st

LETTERS = "abc"
numbers = st.sampled_from(["0", "1", "2", "3", "-1", "0.5"])


@st.composite
def number(draw: st.DrawFn, depth: int) -> str:
    """Draw an s-op of numbers."""
    if depth == 0:
        return draw(
            st.sampled_from(["indices", "length", "1", "2", "0", 'indicator(tokens == "a")'])
        )
    form = draw(st.integers(0, 9))
    a, b = number(depth - 1), number(depth - 1)
    if form <= 3:
        return f"({draw(a)} {draw(st.sampled_from('+-*%/'))} {draw(b)})"
    if form == 4:
        return f"indicator({draw(boolean(depth - 1))})"
    if form == 5:
        return f"({draw(a)} if {draw(boolean(depth - 1))} else {draw(b)})"
    if form == 6:
        return f"round({draw(a)})"
    if form == 7:
        return f"[3, 1, 4, 1, 5][round({draw(a)}) % 5]"
    if form == 8:
        return f"selector_width({draw(selector(depth - 1))})"
    return f"aggregate({draw(selector(depth - 1))}, {draw(a)}{draw(st.sampled_from(['', ', 2']))})"


@st.composite
def boolean(draw: st.DrawFn, depth: int) -> str:
    """Draw an s-op of booleans."""
    if depth == 0:
        return draw(st.sampled_from(['tokens == "a"', 'tokens in ["a", "b"]', "indices > 1"]))
    form = draw(st.integers(0, 5))
    if form <= 2:
        sign = draw(st.sampled_from(["==", "<", "<=", ">", ">="]))
        return f"({draw(number(depth - 1))} {sign} {draw(number(depth - 1))})"
    if form == 3:
        how = draw(st.sampled_from(["and", "or"]))
        return f"({draw(boolean(depth - 1))} {how} {draw(boolean(depth - 1))})"
    if form == 4:
        return f"(not {draw(boolean(depth - 1))})"
    return f"has_focus({draw(selector(depth - 1))})"


@st.composite
def text(draw: st.DrawFn, depth: int) -> str:
    """Draw an s-op of strings."""
    if depth == 0:
        return draw(st.sampled_from(["tokens", '"a"']))
    if draw(st.booleans()):
        return (
            f"({draw(text(depth - 1))} if {draw(boolean(depth - 1))} else {draw(text(depth - 1))})"
        )
    keys = draw(number(depth - 1))
    return f'aggregate(select(indices, {keys}, ==), {draw(text(depth - 1))}, "-")'


@st.composite
def selector(draw: st.DrawFn, depth: int) -> str:
    """Draw a selector."""
    form = draw(st.integers(0, 5 if depth else 3))
    sign = draw(st.sampled_from(["==", "!=", "<", "<=", ">", ">="]))
    if form == 0:
        return f"select(indices, indices, {sign})"
    if form == 1:
        return f"select(tokens, tokens, {sign})"
    if form == 2:
        return f"select(indices, {draw(number(max(depth - 1, 0)))}, {sign})"
    if form == 3:
        return (
            f"select({draw(number(max(depth - 1, 0)))}, {draw(number(max(depth - 1, 0)))}, {sign})"
        )
    if form == 4:
        return f"(not {draw(selector(depth - 1))})"
    how = draw(st.sampled_from(["and", "or"]))
    return f"({draw(selector(depth - 1))} {how} {draw(selector(depth - 1))})"


programs = st.integers(0, 3).flatmap(
    lambda depth: st.one_of(number(depth), boolean(depth), text(depth))
)
words = st.lists(st.sampled_from(LETTERS), min_size=1, max_size=7).map("".join)
