"""The README's table of architectures, made from the registry.

Run as ``python tests/flann/readme_table.py`` after a model is added or its first line changed; a
test compares.
"""

from __future__ import annotations

from pathlib import Path

from flann.models import model_registry
from flann.registry import choices_of, options_of

README = Path(__file__).parents[2] / "README.md"
HEAD = "| model | what it is | its family in theory | choices by name |\n|---|---|---|---|\n"


def table() -> str:
    """One row for each registered architecture."""
    rows = []
    for name in model_registry.names():
        summary = model_registry.index[name].summary.rstrip(".").replace("|", "\\|")
        family = model_registry.create(name).family
        rows.append(f"| `{name}` | {summary} | {family} | {choices(name)} |\n")
    return HEAD + "".join(rows)


def choices(name: str) -> str:
    """The options that are words, with their values, the default first; the others' names."""
    found = []
    for option in options_of(model_registry.factory(name)):
        words = [str(c) for c in choices_of(option.kind) if isinstance(c, str)]
        if words:
            words.sort(key=lambda word: word != str(option.default))
            found.append(f"`{option.name}` {' / '.join(words)}")
        else:
            found.append(f"`{option.name}`")
    return ", ".join(found)


def replaced(readme: str) -> str:
    """The README with its table made anew."""
    before, _, rest = readme.partition(HEAD)
    if not rest:
        raise ValueError(f"the README has no table that begins with {HEAD!r}")
    lines = rest.splitlines(keepends=True)
    rows = next((i for i, line in enumerate(lines) if not line.startswith("|")), len(lines))
    return before + table() + "".join(lines[rows:])


if __name__ == "__main__":
    README.write_text(replaced(README.read_text(encoding="utf-8")), encoding="utf-8")
