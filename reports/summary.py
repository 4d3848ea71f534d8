"""At a glance: what each setting came to, its seeds side by side, with the theory's verdict."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from .numbers import share, whole
from .runs import Run
from .table import setting_of
from .wording import short_verdict


@dataclass(frozen=True)
class Spread:
    """The median of the seeds and their range; no range where they agree."""

    middle: str
    range: str


@dataclass(frozen=True)
class Row:
    """One setting, every cell in words. A dash stands for what was not measured.

    Attributes
    ----------
    trained, longest : Spread
        accuracy per symbol at the longest tested length within training, and at the longest of all.
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


def rows_of(runs: Sequence[Run], labels: Sequence[str]) -> list[Row]:
    """A row a setting, in the order in which they come."""
    settings: dict[str, list[Run]] = {}
    words: dict[str, str] = {}
    for run, label in zip(runs, labels, strict=True):
        setting = setting_of(run.experiment)
        settings.setdefault(setting, []).append(run)
        words[setting] = label
    return [row_of(words[setting], seeds) for setting, seeds in settings.items()]


def row_of(label: str, runs: Sequence[Run]) -> Row:
    """One setting's row."""
    first = runs[0]
    trained = [at_longest(run, run.train_lengths[1]) for run in runs]
    return Row(
        task=first.experiment["task"],
        label=label if len(runs) == 1 else f"{label} ({len(runs)} seeds)",
        theory=short_verdict(first),
        reach=", ".join(reach_of(run) for run in runs),
        trained=spread(trained),
        longest=spread([at_longest(run) for run in runs]),
        parameters=alike([whole(run.result.get("parameters")) for run in runs]),
        state_size=alike([whole(run.result.get("state_size")) for run in runs]),
        status=counted([run.status for run in runs]),
    )


def reach_of(run: Run) -> str:
    """The reach; a dash for a run that was not measured, which is not a reach of 0."""
    return "–" if run.curve.empty else whole(run.result.get("reach"))


def at_longest(run: Run, limit: int | None = None) -> float | None:
    """Accuracy per symbol at the longest tested length, up to a limit; None if there is none."""
    curve = run.curve if limit is None else run.curve[run.curve["length"] <= limit]
    return None if curve.empty else float(curve["per_symbol"].iloc[-1])


def spread(values: Sequence[float | None]) -> Spread:
    """One value, or the median of several with the least and the greatest.

    >>> spread([0.5, 1.0, 0.75]).middle, spread([0.5, 1.0, 0.75]).range
    ('0.750', '0.500–1')
    >>> spread([1.0, None]).middle, spread([None]).middle
    ('1', '–')
    """
    known = [value for value in values if value is not None]
    if not known:
        return Spread("–", "")
    if min(known) == max(known):
        return Spread(share(known[0]), "")
    return Spread(share(median(known)), f"{share(min(known))}–{share(max(known))}")


def alike(texts: Sequence[str]) -> str:
    """What all say, or each different saying."""
    return ", ".join(dict.fromkeys(texts))


def counted(statuses: Sequence[str]) -> str:
    """How many runs ended how.

    >>> counted(["done", "diverged", "done"]), counted(["done", "done"])
    ('2 done, 1 diverged', 'done')
    """
    kinds = list(dict.fromkeys(statuses))
    if len(kinds) == 1:
        return kinds[0]
    return ", ".join(f"{statuses.count(kind)} {kind}" for kind in kinds)
