"""How numbers are written on the page."""

from __future__ import annotations

from math import isfinite


def share(value: float) -> str:
    """A share with three decimals, more where three would make it look like 0 or 1.

    >>> [share(value) for value in (1.0, 0.98765, 0.99996, 0.0, 0.0004)]
    ['1', '0.988', '0.99996', '0', '0.0004']
    """
    if value in (0, 1):
        return f"{value:.0f}"
    for digits in range(3, 8):
        text = f"{value:.{digits}f}"
        if 0 < float(text) < 1:
            return text
    return "under 10⁻⁷" if value < 0.5 else "over 1 − 10⁻⁷"


def whole(value: float | None) -> str:
    """A whole number with thin gaps of thousands; a dash for none.

    >>> whole(99800), whole(None)
    ('99,800', '–')
    """
    return "–" if value is None else f"{int(value):,}"


def seconds(value: float | None) -> str:
    """A time that one can picture.

    >>> [seconds(value) for value in (None, 51.25, 75, 7300)]
    ['–', '51 s', '1 min 15 s', '2 h 2 min']
    """
    if value is None or not isfinite(value):
        return "–"
    minutes, rest = divmod(round(value), 60)
    if minutes >= 60:
        return f"{minutes // 60} h {minutes % 60} min"
    if minutes:
        return f"{minutes} min {rest} s"
    return f"{value:.2g} s" if value < 10 else f"{rest} s"
