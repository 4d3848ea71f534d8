"""The table of architectures in ``docs/architectures.md``, made from the registry.

Run ``python tests/flann/architecture_table.py`` after a model is added or its first line changes; a
test compares.
"""

from __future__ import annotations

from pathlib import Path

from flann.models import model_registry
from flann.registry import list_choices, list_options

PAGE = Path(__file__).parents[2] / "docs" / "architectures.md"
HEAD = "| model | what it is | its family in theory | choices by name |\n|---|---|---|---|\n"


def format_table() -> str:
    """Return one row for each registered architecture."""
    rows = []
    for name in model_registry.names():
        summary = model_registry.index[name].summary.rstrip(".").replace("|", "\\|")
        family = model_registry.create(name).family
        rows.append(f"| `{name}` | {summary} | {family} | {format_choices(name)} |\n")
    return HEAD + "".join(rows)


def format_choices(name: str) -> str:
    """Return the options; those with named values list them, the default first."""
    found = []
    for option in list_options(model_registry.factory(name)):
        words = [str(c) for c in list_choices(option.kind) if isinstance(c, str)]
        if words:
            words.sort(key=lambda word: word != str(option.default))
            found.append(f"`{option.name}` {' / '.join(words)}")
        else:
            found.append(f"`{option.name}`")
    return ", ".join(found)


def replace_table(page: str) -> str:
    """Return the page with its table made anew."""
    before, _, rest = page.partition(HEAD)
    if not rest:
        raise ValueError(f"the page has no table that begins with {HEAD!r}")
    lines = rest.splitlines(keepends=True)
    rows = next((i for i, line in enumerate(lines) if not line.startswith("|")), len(lines))
    return before + format_table() + "".join(lines[rows:])


if __name__ == "__main__":
    PAGE.write_text(replace_table(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
