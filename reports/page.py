"""The page: everything about a few runs in one HTML file that needs nothing else.

Run folders come from users and from other machines, so all text from them is escaped, and the page
forbids itself by its own content policy to run or load anything. Pictures are in it as data; there
is no date of today in it, so the same folders give the same bytes.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2
import pandas as pd

from flann.errors import UserError

from . import numbers, sentences
from .curves import metrics_of, picture
from .runs import Run, read_runs
from .sparklines import loss_line, position_line
from .style import DARK
from .table import curve_table, setting_labels
from .writing import write_aside

TEMPLATES = Path(__file__).parent / "templates"
OPEN_RUNS = 2  # with more than these, each run is folded up under its heading


@dataclass(frozen=True)
class ReportPaths:
    """Where a report was written."""

    page: Path
    picture: Path


def write_report(runs: Sequence[Path], page: Path | str) -> ReportPaths:
    """Write the page, and the figure as PNG beside it under the same name.

    Parameters
    ----------
    runs : sequence of Path
        run folders; several become several curves, seeds of one setting become one.
    page : Path or str
        the page, ``.html``. Its folder is made if there is none.

    Returns
    -------
    ReportPaths

    Raises
    ------
    UserError
        for a run folder that cannot be read, or a page that cannot be written.
    """
    page = Path(page)
    if page.suffix.lower() not in (".html", ".htm"):
        raise UserError(f"cannot write a page to {page.name!r}: expected a name ending in .html")
    read = read_runs(runs)
    table = curve_table(read)
    figure = picture(table)
    paths = ReportPaths(page, page.with_suffix(".png"))
    content = render(read, table, figure).encode("utf-8")
    write_aside(paths.picture, figure)
    write_aside(paths.page, content)
    return paths


def render(runs: Sequence[Run], table: pd.DataFrame, figure: bytes) -> str:
    """The page's HTML."""
    return (
        environment()
        .get_template("page.html")
        .render(
            title=sentences.title_of(runs),
            runs=[describe(run, label) for run, label in zip(runs, labels_of(runs), strict=True)],
            tasks={run.experiment["task"]: run.task.get("summary") for run in runs},
            pictures=pictures(table, figure),
            both_metrics=len(metrics_of(table)) > 1,
            seeds=int(table.groupby("setting")["run"].nunique().max()),
            folded=len(runs) > OPEN_RUNS,
        )
    )


def environment() -> jinja2.Environment:
    """Templates with escaping on, and an error for a name that is not there."""
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters.update(
        share=numbers.share,
        whole=numbers.whole,
        seconds=numbers.seconds,
        with_links=sentences.with_links,
    )
    return made


def pictures(table: pd.DataFrame, figure: bytes) -> dict[str, str]:
    """The figure for light and dark pages, and one task wide for phones, as data URIs."""
    drawn = {"light": figure, "dark": picture(table, theme=DARK)}
    if table["task"].nunique() > 1:
        drawn["narrow_light"] = picture(table, columns=1)
        drawn["narrow_dark"] = picture(table, columns=1, theme=DARK)
    return {
        name: "data:image/png;base64," + b64encode(content).decode("ascii")
        for name, content in drawn.items()
    }


def labels_of(runs: Sequence[Run]) -> list[str]:
    """Each run's heading: its setting, and its task and seed where these differ."""
    experiments = [run.experiment for run in runs]
    several_tasks = len({e["task"] for e in experiments}) > 1
    return [
        (f"{e['task']}: " if several_tasks else "") + f"{label}, seed {e['seed']}"
        for label, e in zip(setting_labels(experiments), experiments, strict=True)
    ]


def describe(run: Run, label: str) -> dict[str, Any]:
    """Everything that the template says of one run."""
    low, high = run.train_lengths
    return {
        "name": run.name,
        "label": label,
        "status": run.status,
        "fate": sentences.fate(run),
        "result": run.result,
        "reach": sentences.reach_words(run),
        "train": f"{low}–{high}",
        "train_high": high,
        "circuit_class": sentences.circuit_class(run),
        "verdicts": sentences.verdicts(run),
        "short_verdict": sentences.short_verdict(run),
        "statements": run.theory["statements"],
        "curve": [
            {**point, "trained": low <= point["length"] <= high}
            for point in run.curve.to_dict("records")
        ],
        "ends": ends(run),
        "gaps": sentences.gaps(run),
        "overlap": sentences.overlap_words(run),
        "loss": loss_line(run),
        "positions": position_line(run),
        "environment": run.environment,
        "versions": versions_of(run),
        "seed": run.experiment["seed"],
        "settings": {
            field: value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
            for field, value in run.experiment.items()
        },
    }


def ends(run: Run) -> dict[str, float] | None:
    """Accuracy per symbol at the longest tested length within training, and at the longest."""
    if run.curve.empty:
        return None
    trained = run.curve[run.curve["length"] <= run.train_lengths[1]]
    inside = trained["per_symbol"].iloc[-1] if len(trained) else None
    return {"trained": inside, "longest": run.curve["per_symbol"].iloc[-1]}


def versions_of(run: Run) -> str:
    """Every version that the run recorded, on one line."""
    recorded = {
        "flann": run.environment.get("flann"),
        "python": run.environment.get("python"),
        **(run.environment.get("versions") or {}),
    }
    return ", ".join(f"{name} {version}" for name, version in recorded.items() if version)
