"""``flann report``: draw run folders as a page and a figure."""

from __future__ import annotations

import json
from pathlib import Path

import click

from .parameters import AS_JSON


@click.command(short_help="Draw run folders as a page and a figure.")
@click.argument("folders", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), help="The page. [default: report.html]"
)
@click.option(
    "--table", type=click.Path(path_type=Path), help="Also write all curves as one tidy CSV."
)
@AS_JSON
def report(
    folders: tuple[Path, ...], output: Path | None, table: Path | None, as_json: bool
) -> None:
    """Draw accuracy against length for one or more run folders.

    Writes a self-contained page and, beside it, the figure as PNG.

    \b
      flann report runs/A5-lstm-seed0-* -o lstm.html
    """
    from flann.reports import write_report

    paths = write_report(list(folders), output or Path("report.html"))
    files = {"page": str(paths.page), "picture": str(paths.picture)}
    if table is not None:
        write_curves(folders, table)
        files["table"] = str(table)
    text = "\n".join(f"{name}: {path}" for name, path in files.items())
    click.echo(json.dumps(files) if as_json else text)


def write_curves(folders: tuple[Path, ...], table: Path) -> None:
    """Write every run's curve to one CSV."""
    from flann.curve_schema import FORMAT_ALONE
    from flann.reports import curve_table, read_runs
    from flann.runs.store import write_table

    curves = curve_table(read_runs(folders)).drop(columns="setting")
    if curves[FORMAT_ALONE].isna().all():
        curves = curves.drop(columns=FORMAT_ALONE)
    write_table(table, curves)
