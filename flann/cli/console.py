"""Text for a terminal: tables and lists that are worth reading."""

from __future__ import annotations

import sys
import textwrap
from typing import TYPE_CHECKING, Any

from flann.names import format_value
from flann.registry import Registry, choices_of, options_of

if TYPE_CHECKING:
    import pandas as pd

BAR = 20  # characters of a full bar
EIGHTHS = " ▏▎▍▌▋▊▉"


def bar(share: float, width: int = BAR, *, blocks: bool = True) -> str:
    """A share of one as a bar, to an eighth of a character.

    >>> bar(0.5, 4), bar(1.0, 4)
    ('██  ', '████')
    """
    if not blocks:
        return ("#" * round(share * width)).ljust(width)
    full, rest = divmod(round(share * width * 8), 8)
    return ("█" * full + (EIGHTHS[rest] if rest else "")).ljust(width)


def can_draw() -> bool:
    """Whether the terminal's encoding has block characters."""
    try:
        "█·".encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        return False
    return True


def curve_text(curve: pd.DataFrame, longest: int) -> str:
    """The curve as text, a bar per length; a line marks where training lengths end.

    A last column has what a check of the mere format scores, for tasks that have a format.
    """
    lines = ["length  per symbol                        per word  (95% interval)  last   chance"]
    inside, blocks, formatted = True, can_draw(), "format_alone" in curve
    lines[0] += "  format alone" * formatted
    for row in curve.to_dict("records"):
        if inside and row["length"] > longest:
            inside = False
            lines.append(f"------  longer than any training word ({longest})")
        interval = f"({row['per_word_low']:.3f}-{row['per_word_high']:.3f})"
        lines.append(
            f"{row['length']:>6}  {row['per_symbol']:.3f} {bar(row['per_symbol'], blocks=blocks)}"
            f"       {row['per_word']:.3f}  {interval:<14}  {row['last_symbol']:.3f}"
            f"  {row['chance_per_symbol']:.3f}"
            + (f"   {row['format_alone']:.3f}" if formatted else "")
        )
    return "\n".join(lines)


def theory_lines(theory: dict[str, Any]) -> str:
    """The task's class, and what is known of the model's family on it, a line a regime."""
    lines = [f"theory: {theory['task']} is {theory['circuit_class']}: {theory['why']}"]
    lines += [
        f"  {known['family']} at {known['regime']}: {known['verdict']} ({known['citation']})"
        for known in theory["statements"]
    ]
    return "\n".join(lines)


def name_list(registry: Registry[Any]) -> str:
    """The registered names with their summaries; names of one class share a line."""
    families: dict[tuple[str, str], list[str]] = {}
    for name in registry.names():
        entry = registry.index[name]
        families.setdefault((entry.module, entry.attribute), []).append(name)
    width = max((len(names[0]) for names in families.values()), default=0)
    lines = []
    for names in families.values():
        summary = registry.index[names[0]].summary
        lines.append(f"{names[0].ljust(width)}  {summary}")
        if len(names) > 1:
            also = textwrap.wrap("also " + ", ".join(names[1:]), 76)
            lines += [" " * (width + 4) + part for part in also]
    return "\n".join(lines)


def option_table(registry: Registry[Any], text: str) -> str:
    """The options of a name, what they take and their defaults."""
    options = options_of(registry.factory_of(text))
    if not options:
        return "options: none"
    rows = []
    for option in options:
        kinds = [c.__name__ if isinstance(c, type) else str(c) for c in choices_of(option.kind)]
        default = "" if option.default is None else f"  [{format_value(option.default)}]"
        rows.append(f"  {option.name}={'|'.join(kinds)}{default}")
    return "\n".join(["options:", *rows])


def task_page(task: dict[str, Any]) -> str:
    """A task's description as text."""
    theory, example = task["theory"], task["example"]
    lines = [
        f"{task['name']}: {task['summary']}",
        f"mode: {task['mode']}",
        f"symbols ({len(task['symbols'])}): {shortened(task['symbols'])}",
        f"labels ({len(task['labels'])}): {shortened(task['labels'])}",
        f"word:   {' '.join(example['word'])}",
        f"labels: {' '.join(example['labels'])}",
        *(
            [f"a check of the format alone is right on {task['format_alone']:.1%} of words"]
            if task["format_alone"] is not None
            else []
        ),
        f"theory: {theory['circuit_class']}: {theory['why']}",
    ]
    for statement in theory["statements"]:
        lines.append(
            f"  {statement['family']}, {statement['regime']}: {statement['verdict']}"
            f" ({statement['why']}; {statement['citation']})"
        )
    return "\n".join(lines)


def model_page(model: dict[str, Any]) -> str:
    """An architecture's description as text."""
    sizes = ", ".join(f"{name} {size}" for name, size in model["sizes"].items())
    carried = {n: size for n, size in model["state_size"].items() if size is not None}
    state = ", ".join(f"{size:,} at {length}" for length, size in carried.items()) or "unknown"
    return "\n".join(
        [
            f"{model['name']}: family {model['family']}",
            f"causal: {format_value(model['causal'])}; longest word: {model['longest'] or 'any'}",
            f"{model['parameters']:,} parameters for a budget of {model['budget']:,}"
            " (60 symbols, 60 labels)",
            f"sizes: {sizes}",
            f"numbers carried from step to step, by length: {state}",
        ]
    )


def size_table(rows: list[dict[str, Any]]) -> str:
    """The architectures at one budget, a line each; then those that cannot meet it, and why."""
    met = [row for row in rows if "refused" not in row]
    columns = [
        ("model", [row["name"] for row in met]),
        ("family", [row["family"] for row in met]),
        ("width", [str(row["width"]) for row in met]),
        ("second size", [row["second"] for row in met]),
        ("parameters", [f"{row['parameters']:,}" for row in met]),
        ("state after T", [row["state"] for row in met]),
        ("operations", [f"{row['operations']:,}" for row in met]),
        ("bytes kept", [f"{row['kept_bytes']:,}" for row in met]),
    ]
    lines = in_columns(columns, left=("model", "family", "second size")) if met else []
    if met:
        lines.append(
            "operations (forward) and bytes kept (for the backward pass): a symbol, at 256"
        )
    return "\n".join([*lines, *(row["refused"] for row in rows if "refused" in row)])


def cost_table(rows: list[dict[str, Any]]) -> str:
    """What was measured, a line a model and length."""

    def number(value: float | None, unit: float) -> str:
        return "-" if value is None else f"{value / unit:,.{0 if value >= 100 * unit else 1}f}"

    columns = [
        ("model", [row["model"] for row in rows]),
        ("length", [f"{row['length']:,}" for row in rows]),
        ("train ms", [number(row["training_seconds"], 1e-3) for row in rows]),
        ("train MB", [number(row["training_bytes"], 1e6) for row in rows]),
        ("step us", [number(row["step_seconds"], 1e-6) for row in rows]),
        ("state kB", [number(row["state_bytes"], 1e3) for row in rows]),
    ]
    return "\n".join(in_columns(columns, left=("model",)))


def in_columns(columns: list[tuple[str, list[str]]], left: tuple[str, ...]) -> list[str]:
    """Lines of columns, numbers to the right."""
    ready = []
    for title, cells in columns:
        width = max(len(title), *map(len, cells))
        turn = str.ljust if title in left else str.rjust
        ready.append([turn(cell, width) for cell in (title, *cells)])
    return ["  ".join(line).rstrip() for line in zip(*ready, strict=True)]


def shortened(names: list[str], most: int = 16) -> str:
    """A list of names, cut after the first few."""
    return " ".join(names[:most]) + (" ..." if len(names) > most else "")
