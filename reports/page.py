"""The page: everything about a few runs in one HTML file that needs nothing else.

Run folders come from users and from other machines, so all text from them is escaped, and the page
forbids itself by its own content policy to run or load anything. Pictures are in it as data; there
is no date of today in it, so the same folders give the same bytes.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2
import pandas as pd

from flann.errors import UserError

from . import numbers
from . import wording as sentences
from .curves import WIDTH, References, picture
from .runs import Run, read_runs
from .schema import FIELDS
from .sparklines import loss_line, position_line
from .style import DARK
from .summary import rows_of
from .table import curve_table, plain, setting_labels
from .writing import write_aside

TEMPLATES = Path(__file__).parent / "templates"
PIXELS = round(
    WIDTH * 160
)  # of a column on the page: sharp on fine screens, not too large on coarse
OPEN_RUNS = 2  # with more than these, each run is folded up under its heading


@dataclass(frozen=True)
class ReportPaths:
    """Where a report was written."""

    page: Path
    picture: Path


def write_report(runs: Sequence[Path | str], page: Path | str) -> ReportPaths:
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
        for a run folder that cannot be read, or a page that cannot be written. What was written
        before is left as it was.

    Examples
    --------
    >>> write_report(["runs/A5-lstm-seed0-0123456789ab"], "curve.pdf")
    Traceback (most recent call last):
    ...
    flann.errors.UserError: cannot write a page to 'curve.pdf': expected a name ending in .html
    """
    page = Path(page)
    if page.suffix.lower() not in (".html", ".htm"):
        raise UserError(f"cannot write a page to {page.name!r}: expected a name ending in .html")
    read = read_runs(runs)
    table = curve_table(read)
    figure = picture(table, references=references_of(read))
    paths = ReportPaths(page, page.with_suffix(".png"))
    content = render(read, table, figure).encode("utf-8")
    write_aside(paths.picture, figure)
    write_aside(paths.page, content)
    return paths


def render(runs: Sequence[Run], table: pd.DataFrame, figure: bytes) -> str:
    """The page's HTML."""
    tasks = {run.experiment["task"]: run.task.get("summary") for run in runs}
    labels = setting_labels([run.experiment for run in runs])
    return (
        environment()
        .get_template("page.html")
        .render(
            title=sentences.title_of(runs),
            tasks=tasks,
            glance=rows_of(runs, labels),
            runs=[
                describe(run, heading(run, label, several_tasks=len(tasks) > 1))
                for run, label in zip(runs, labels, strict=True)
            ],
            pictures=pictures(table, figure, references_of(runs)),
            references=references_of(runs),
            width=PIXELS * min(2, len(tasks)),
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


def references_of(runs: Sequence[Run]) -> dict[str, Mapping[str, Any]]:
    """For each task the longest curve of its program that a run has."""
    found: dict[str, Mapping[str, Any]] = {}
    for run in runs:
        task, curve = plain(run.experiment["task"]), run.reference
        if curve and len(curve["curve"]) > len(found.get(task, {"curve": []})["curve"]):
            found[task] = curve
    return found


def pictures(table: pd.DataFrame, figure: bytes, references: References) -> dict[str, str]:
    """The figure for light and dark pages, and one task wide for phones, as data URIs."""
    drawn = {"light": figure, "dark": picture(table, theme=DARK, references=references)}
    if table["task"].nunique() > 1:
        drawn["narrow_light"] = picture(table, columns=1, references=references)
        drawn["narrow_dark"] = picture(table, columns=1, theme=DARK, references=references)
    return {
        name: "data:image/png;base64," + b64encode(content).decode("ascii")
        for name, content in drawn.items()
    }


def heading(run: Run, label: str, *, several_tasks: bool) -> str:
    """What a run is called on the page."""
    task = f"{run.experiment['task']}: " if several_tasks else ""
    return f"{task}{label}, seed {run.experiment['seed']}"


def describe(run: Run, label: str) -> dict[str, Any]:
    """Everything that the template says of one run."""
    low, high = run.train_lengths
    return {
        "name": run.name,
        "label": label,
        "status": run.status,
        "fate": sentences.fate(run),
        "result": whole_content(run.result, "result.json"),
        "reach": sentences.reach_words(run),
        "train": f"{low}–{high}",
        "circuit_class": sentences.circuit_class(run),
        "family": sentences.family(run),
        "statements": [sentences.statement(known) for known in run.theory["statements"]],
        "short_verdict": sentences.short_verdict(run),
        "curve": [
            {**{str(k): v for k, v in point.items()}, "trained": low <= point["length"] <= high}
            for point in run.curve.to_dict("records")
        ],
        "gaps": sentences.gaps(run),
        "overlap": sentences.overlap_words(run),
        "loss": loss_line(run),
        "positions": position_line(run),
        "environment": whole_content(run.environment, "environment.json"),
        "versions": versions_of(run),
        "seed": run.experiment["seed"],
        "settings": {
            field: value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
            for field, value in run.experiment.items()
        },
    }


def whole_content(content: Mapping[str, Any], file: str) -> dict[str, Any]:
    """A file's content with None for what it may leave out, so that the template can ask."""
    return {**dict.fromkeys(FIELDS[file]), **content}


def versions_of(run: Run) -> str:
    """Every version that the run recorded, on one line."""
    recorded = {
        "flann": run.environment.get("flann"),
        "python": run.environment.get("python"),
        **(run.environment.get("versions") or {}),
    }
    return ", ".join(f"{name} {version}" for name, version in recorded.items() if version)
