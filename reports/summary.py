"""The overview table: the result of each setting, over its seeds, beside the theory's verdict."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from .number_format import format_share, format_whole
from .runs import Run
from .table import identify_setting
from .wording import summarise_verdicts


@dataclass(frozen=True)
class Spread:
    """The median of the seeds and their range; the range is empty where they agree."""

    middle: str
    range: str


@dataclass(frozen=True)
class Row:
    """One setting, with every cell as text. A dash stands for what was not measured.

    Attributes
    ----------
    trained, longest : Spread
        Accuracy per symbol at the longest tested length within the training lengths, and at the
        longest tested length of all.
    """

    task: str
    label: str
    theory: str
    reach: str
    trained: Spread
    longest: Spread
    parameters: str
    state_size: str
    status: str


def build_rows(runs: Sequence[Run], labels: Sequence[str]) -> list[Row]:
    """Return one row for each setting, in the order of the runs."""
    settings: dict[str, list[Run]] = {}
    label_of: dict[str, str] = {}
    for run, label in zip(runs, labels, strict=True):
        setting = identify_setting(run.experiment)
        settings.setdefault(setting, []).append(run)
        label_of[setting] = label
    return [build_row(label_of[setting], seeds) for setting, seeds in settings.items()]


def build_row(label: str, runs: Sequence[Run]) -> Row:
    """Return the row of one setting."""
    first = runs[0]
    trained = [find_longest_accuracy(run, run.train_lengths[1]) for run in runs]
    return Row(
        task=first.experiment["task"],
        label=label if len(runs) == 1 else f"{label} ({len(runs)} seeds)",
        theory=summarise_verdicts(first),
        reach=", ".join(format_reach(run) for run in runs),
        trained=summarise(trained),
        longest=summarise([find_longest_accuracy(run) for run in runs]),
        parameters=join_distinct([format_whole(run.result.get("parameters")) for run in runs]),
        state_size=join_distinct([format_whole(run.result.get("state_size")) for run in runs]),
        status=count_statuses([run.status for run in runs]),
    )


def format_reach(run: Run) -> str:
    """Format the reach; a run that was not measured gets a dash, which is not a reach of 0."""
    return "–" if run.curve.empty else format_whole(run.result.get("reach"))


def find_longest_accuracy(run: Run, limit: int | None = None) -> float | None:
    """Return the accuracy per symbol at the longest tested length up to a limit, or None if
    there is none.
    """
    curve = run.curve if limit is None else run.curve[run.curve["length"] <= limit]
    return None if curve.empty else float(curve["per_symbol"].iloc[-1])


def summarise(values: Sequence[float | None]) -> Spread:
    """Return one value, or the median of several with the least and the greatest.

    >>> summarise([0.5, 1.0, 0.75]).middle, summarise([0.5, 1.0, 0.75]).range
    ('0.750', '0.500–1')
    >>> summarise([1.0, None]).middle, summarise([None]).middle
    ('1', '–')
    """
    measured = [value for value in values if value is not None]
    if not measured:
        return Spread("–", "")
    if min(measured) == max(measured):
        return Spread(format_share(measured[0]), "")
    return Spread(
        format_share(median(measured)),
        f"{format_share(min(measured))}–{format_share(max(measured))}",
    )


def join_distinct(texts: Sequence[str]) -> str:
    """Join the distinct texts with commas."""
    return ", ".join(dict.fromkeys(texts))


def count_statuses(statuses: Sequence[str]) -> str:
    """Return how many runs ended with each status.

    >>> count_statuses(["done", "diverged", "done"]), count_statuses(["done", "done"])
    ('2 done, 1 diverged', 'done')
    """
    kinds = list(dict.fromkeys(statuses))
    if len(kinds) == 1:
        return kinds[0]
    return ", ".join(f"{statuses.count(kind)} {kind}" for kind in kinds)
