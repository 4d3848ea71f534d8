"""The page: everything about a few runs in one self-contained HTML file.

Run folders come from users and from other machines, so all text from them is escaped, and the
content security policy of the page forbids running or loading anything. Pictures are embedded as
data. The page holds no current date, so equal folders give equal bytes.
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
from flann.files import write_aside

from . import number_format, wording
from .curves import WIDTH, References, render_figure
from .runs import Run, read_runs
from .schema import FIELDS
from .sparklines import build_loss_chart, build_position_chart
from .style import DARK
from .summary import build_rows
from .table import clean_text, curve_table, label_settings

TEMPLATES = Path(__file__).parent / "templates"
PIXELS = round(WIDTH * 160)  # of a column on the page, a compromise between fine and coarse screens
OPEN_RUNS = 2  # with more runs than this, each is collapsed under its heading


@dataclass(frozen=True)
class ReportPaths:
    """The files of a report."""

    page: Path
    picture: Path


def write_report(runs: Sequence[Path | str], page: Path | str) -> ReportPaths:
    """Write the page, and the figure as a PNG of the same name beside it.

    Parameters
    ----------
    runs : sequence of Path
        Run folders. Several become several curves; the seeds of one setting become one curve.
    page : Path or str
        The file of the page, ``.html``. Its folder is created if it does not exist.

    Returns
    -------
    ReportPaths

    Raises
    ------
    UserError
        If a run folder cannot be read or the page cannot be written. An earlier page then
        remains as it was.

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
    figure = render_figure(table, references=collect_references(read))
    paths = ReportPaths(page, page.with_suffix(".png"))
    content = render(read, table, figure).encode("utf-8")
    write_aside(paths.picture, figure)
    write_aside(paths.page, content)
    return paths


def render(runs: Sequence[Run], table: pd.DataFrame, figure: bytes) -> str:
    """Return the HTML of the page."""
    tasks = {run.experiment["task"]: run.task.get("summary") for run in runs}
    labels = label_settings([run.experiment for run in runs])
    return (
        build_environment()
        .get_template("page.html")
        .render(
            title=wording.write_title(runs),
            tasks=tasks,
            glance=build_rows(runs, labels),
            runs=[
                describe_run(run, write_heading(run, label, several_tasks=len(tasks) > 1))
                for run, label in zip(runs, labels, strict=True)
            ],
            pictures=encode_figures(table, figure, collect_references(runs)),
            references=collect_references(runs),
            width=PIXELS * min(2, len(tasks)),
            seeds=int(table.groupby("setting")["run"].nunique().max()),
            folded=len(runs) > OPEN_RUNS,
        )
    )


def build_environment() -> jinja2.Environment:
    """Return the template environment, with escaping and an error for undefined names."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        share=number_format.format_share,
        whole=number_format.format_whole,
        seconds=number_format.format_seconds,
        with_links=wording.link_citations,
    )
    return environment


def collect_references(runs: Sequence[Run]) -> dict[str, Mapping[str, Any]]:
    """Return for each task the longest curve of its program that any run holds."""
    references: dict[str, Mapping[str, Any]] = {}
    for run in runs:
        task, curve = clean_text(run.experiment["task"]), run.reference
        if curve and len(curve["curve"]) > len(references.get(task, {"curve": []})["curve"]):
            references[task] = curve
    return references


def encode_figures(table: pd.DataFrame, figure: bytes, references: References) -> dict[str, str]:
    """Return the figure for light and dark pages, and one task wide for phones, as data URIs."""
    figures = {"light": figure, "dark": render_figure(table, theme=DARK, references=references)}
    if table["task"].nunique() > 1:
        figures["narrow_light"] = render_figure(table, columns=1, references=references)
        figures["narrow_dark"] = render_figure(table, columns=1, theme=DARK, references=references)
    return {
        name: "data:image/png;base64," + b64encode(content).decode("ascii")
        for name, content in figures.items()
    }


def write_heading(run: Run, label: str, *, several_tasks: bool) -> str:
    """Return the heading of a run."""
    task = f"{run.experiment['task']}: " if several_tasks else ""
    return f"{task}{label}, seed {run.experiment['seed']}"


def describe_run(run: Run, label: str) -> dict[str, Any]:
    """Return everything that the template shows of one run."""
    low, high = run.train_lengths
    return {
        "name": run.name,
        "label": label,
        "status": run.status,
        "ending": wording.explain_ending(run),
        "result": fill_missing_fields(run.result, "result.json"),
        "reach": wording.describe_reach(run),
        "train": f"{low}–{high}",
        "circuit_class": wording.describe_circuit_class(run),
        "family": wording.describe_family(run),
        "statements": [
            wording.describe_statement(statement) for statement in run.theory["statements"]
        ],
        "short_verdict": wording.summarise_verdicts(run),
        "curve": [
            {**{str(k): v for k, v in point.items()}, "trained": low <= point["length"] <= high}
            for point in run.curve.to_dict("records")
        ],
        "gaps": wording.list_unmeasured(run),
        "overlap": wording.describe_overlap(run),
        "loss": build_loss_chart(run),
        "positions": build_position_chart(run),
        "environment": fill_missing_fields(run.environment, "environment.json"),
        "versions": list_versions(run),
        "seed": run.experiment["seed"],
        "settings": {
            field: value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
            for field, value in run.experiment.items()
        },
    }


def fill_missing_fields(content: Mapping[str, Any], file: str) -> dict[str, Any]:
    """Return a file's content with None for the optional fields that it lacks."""
    return {**dict.fromkeys(FIELDS[file]), **content}


def list_versions(run: Run) -> str:
    """Return every version that the run recorded, on one line."""
    recorded = {
        "flann": run.environment.get("flann"),
        "python": run.environment.get("python"),
        **(run.environment.get("versions") or {}),
    }
    return ", ".join(f"{name} {version}" for name, version in recorded.items() if version)
