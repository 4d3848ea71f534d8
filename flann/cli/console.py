"""Text for a terminal: tables, lists and descriptions."""

from __future__ import annotations

import sys
import textwrap
from typing import TYPE_CHECKING, Any

from flann.names import format_value
from flann.registry import Registry, list_choices, list_options

if TYPE_CHECKING:
    import pandas as pd

BAR_WIDTH = 20
"""Characters of a full bar."""

EIGHTHS = " ▏▎▍▌▋▊▉"


def format_bar(share: float, width: int = BAR_WIDTH, *, blocks: bool = True) -> str:
    """Format a share of one as a bar, to an eighth of a character.

    >>> format_bar(0.5, 4), format_bar(1.0, 4)
    ('██  ', '████')
    """
    if not blocks:
        return ("#" * round(share * width)).ljust(width)
    full, rest = divmod(round(share * width * 8), 8)
    return ("█" * full + (EIGHTHS[rest] if rest else "")).ljust(width)


def can_print_blocks() -> bool:
    """Return whether the terminal's encoding has block characters."""
    try:
        "█·".encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        return False
    return True


def format_curve(curve: pd.DataFrame, longest: int) -> str:
    """Format the curve as a table with a bar per length.

    A line marks where training lengths end. For tasks whose words have a format, a last column
    holds what a check of the mere format scores.
    """
    lines = ["length  per symbol                        per word  (95% interval)  last   chance"]
    inside, blocks, formatted = True, can_print_blocks(), "format_alone" in curve
    lines[0] += "  format alone" * formatted
    for row in curve.to_dict("records"):
        if inside and row["length"] > longest:
            inside = False
            lines.append(f"------  longer than any training word ({longest})")
        bar = format_bar(row["per_symbol"], blocks=blocks)
        interval = f"({row['per_word_low']:.3f}-{row['per_word_high']:.3f})"
        lines.append(
            f"{row['length']:>6}  {row['per_symbol']:.3f} {bar}"
            f"       {row['per_word']:.3f}  {interval:<14}  {row['last_symbol']:.3f}"
            f"  {row['chance_per_symbol']:.3f}"
            + (f"   {row['format_alone']:.3f}" if formatted else "")
        )
    return "\n".join(lines)


def format_theory(theory: dict[str, Any]) -> str:
    """Format the task's class and what is known of the model's family, one line per regime."""
    lines = [f"theory: {theory['task']} is {theory['circuit_class']}: {theory['why']}"]
    lines += [
        f"  {statement['family']} at {statement['regime']}: {statement['verdict']}"
        f" ({statement['citation']})"
        for statement in theory["statements"]
    ]
    return "\n".join(lines)


def format_names(registry: Registry[Any]) -> str:
    """Format the registered names with their summaries; names of one class share a line."""
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


def format_options(registry: Registry[Any], text: str) -> str:
    """Format the options of a name, the values that they take and their defaults."""
    options = list_options(registry.find_factory(text))
    if not options:
        return "options: none"
    rows = []
    for option in options:
        kinds = [c.__name__ if isinstance(c, type) else str(c) for c in list_choices(option.kind)]
        default = "" if option.default is None else f"  [{format_value(option.default)}]"
        rows.append(f"  {option.name}={'|'.join(kinds)}{default}")
    return "\n".join(["options:", *rows])


def format_task(task: dict[str, Any]) -> str:
    """Format a task's description on one screen, without the statements of theory."""
    theory, example, chance = task["theory"], task["example"], task["chance"]
    lengths = task["valid_lengths"]
    lines = [
        f"{task['name']}: {task['summary']}",
        f"mode: {task['mode']}; lengths: {', '.join(map(str, lengths[:6]))}, ...",
        f"symbols ({len(task['symbols'])}): {shorten_list(task['symbols'], 8)}",
        f"labels ({len(task['labels'])}): {shorten_list(task['labels'], 8)}",
        f"word:   {' '.join(example['word'])}",
        f"labels: {' '.join(example['labels'])}",
        f"chance at length {chance['length']}: {chance['per_symbol']:.1%} of symbols,"
        f" {chance['per_word']:.1%} of words",
    ]
    if task["format_alone"] is not None:
        lines.append(f"a check of the format alone is right on {task['format_alone']:.1%} of words")
    theorem = f"theory: {theory['circuit_class']}: {theory['why']}; at fixed or log precision"
    lines += textwrap.wrap(theorem, 98, subsequent_indent="  ")
    for verdict, families in group_families(theory["statements"]).items():
        lines += textwrap.wrap(
            f"{verdict}: {', '.join(families)}",
            96,
            initial_indent="  ",
            subsequent_indent="    ",
            break_on_hyphens=False,
        )
    return "\n".join(lines)


def group_families(statements: list[dict[str, Any]]) -> dict[str, list[str]]:
    """Group families by their verdict at fixed precision, or at log precision if that is known.

    >>> group_families([{"family": "rnn", "regime": "fixed precision", "verdict": "can"}])
    {'can': ['rnn']}
    """
    verdicts: dict[str, str] = {}
    for regime in ("fixed precision", "log precision"):
        for statement in statements:
            if statement["regime"] == regime:
                verdicts.setdefault(statement["family"], statement["verdict"])
    groups: dict[str, list[str]] = {}
    for family, verdict in verdicts.items():
        groups.setdefault(verdict, []).append(family)
    return groups


def format_statements(theory: dict[str, Any]) -> str:
    """Format every statement of theory about a task, grouped by family."""
    lines = ["statements of theory:"]
    for statement in theory["statements"]:
        text = (
            f"{statement['family']}, {statement['regime']}: {statement['verdict']}."
            f" {statement['why']} ({statement['citation']})"
        )
        lines += textwrap.wrap(text, 98, initial_indent="  ", subsequent_indent="      ")
    return "\n".join(lines)


def format_model(model: dict[str, Any]) -> str:
    """Format an architecture's description."""
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


def format_sizes(rows: list[dict[str, Any]]) -> str:
    """Format the architectures at one budget, then those that cannot meet it with the reason."""
    feasible = [row for row in rows if "refused" not in row]
    columns = [
        ("model", [row["name"] for row in feasible]),
        ("family", [row["family"] for row in feasible]),
        ("width", [str(row["width"]) for row in feasible]),
        ("second size", [row["second"] for row in feasible]),
        ("parameters", [f"{row['parameters']:,}" for row in feasible]),
        ("state after T", [row["state"] for row in feasible]),
        ("operations", [f"{row['operations']:,}" for row in feasible]),
        ("bytes kept", [f"{row['kept_bytes']:,}" for row in feasible]),
    ]
    lines = align_columns(columns, left=("model", "family", "second size")) if feasible else []
    if feasible:
        lines.append(
            "operations (forward) and bytes kept (for the backward pass): a symbol, at 256"
        )
    return "\n".join([*lines, *(row["refused"] for row in rows if "refused" in row)])


def format_costs(rows: list[dict[str, Any]]) -> str:
    """Format the measured costs, one line per model and length."""

    def format_number(value: float | None, unit: float) -> str:
        return "-" if value is None else f"{value / unit:,.{0 if value >= 100 * unit else 1}f}"

    columns = [
        ("model", [row["model"] for row in rows]),
        ("length", [f"{row['length']:,}" for row in rows]),
        ("train ms", [format_number(row["training_seconds"], 1e-3) for row in rows]),
        ("train MB", [format_number(row["training_bytes"], 1e6) for row in rows]),
        ("step us", [format_number(row["step_seconds"], 1e-6) for row in rows]),
        ("state kB", [format_number(row["state_bytes"], 1e3) for row in rows]),
    ]
    return "\n".join(align_columns(columns, left=("model",)))


def align_columns(columns: list[tuple[str, list[str]]], left: tuple[str, ...]) -> list[str]:
    """Return the lines of a table; columns not listed in `left` are aligned to the right."""
    aligned = []
    for title, cells in columns:
        width = max(len(title), *map(len, cells))
        align = str.ljust if title in left else str.rjust
        aligned.append([align(cell, width) for cell in (title, *cells)])
    return ["  ".join(line).rstrip() for line in zip(*aligned, strict=True)]


def shorten_list(names: list[str], most: int = 16) -> str:
    """Join names by spaces, and cut the list after the first few."""
    return " ".join(names[:most]) + (" ..." if len(names) > most else "")
