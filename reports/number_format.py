"""The format of numbers on the page."""

from __future__ import annotations

from math import isfinite


def format_share(value: float) -> str:
    """Format a share with three decimals, or with more where three would make it look like 1.

    >>> [format_share(value) for value in (1.0, 0.98765, 0.99996, 0.0, 0.0004)]
    ['1', '0.988', '0.99996', '0', '<0.001']
    """
    if value in (0, 1):
        return f"{value:.0f}"
    if value < 0.0005:
        return "<0.001"
    for digits in range(3, 7):
        text = f"{value:.{digits}f}"
        if float(text) < 1:
            return text
    return ">0.999999"


def format_whole(value: float | None) -> str:
    """Format an integer with commas between thousands, and None as a dash.

    >>> format_whole(99800), format_whole(None)
    ('99,800', '–')
    """
    return "–" if value is None else f"{int(value):,}"


def format_seconds(value: float | None) -> str:
    """Format a duration in seconds, minutes or hours, and None as a dash.

    >>> [format_seconds(value) for value in (None, 51.25, 75, 7300)]
    ['–', '51 s', '1 min 15 s', '2 h 1 min']
    """
    if value is None or not isfinite(value):
        return "–"
    minutes, rest = divmod(round(value), 60)
    if minutes >= 60:
        return f"{minutes // 60} h {minutes % 60} min"
    if minutes:
        return f"{minutes} min {rest} s"
    return f"{value:.2g} s" if value < 10 else f"{rest} s"
