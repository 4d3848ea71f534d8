"""Reports: run folders in, figures and pages out.

A report is a function of run folders alone: nothing here trains or evaluates, or knows what a task
or a model is. The names below load what they need (pandas, matplotlib) on first use.

- `read_run`, `read_runs`   read and check run folders
- `curve_table`             join runs into one tidy table, a row for each run and tested length
- `draw_curves`             draw that table as a figure of accuracy against length
- `draw_costs`              draw what models cost against length
- `write_report`            write run folders as one self-contained HTML page, with a PNG beside it
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .costs import draw_costs as draw_costs
    from .curves import draw_curves as draw_curves
    from .page import ReportPaths as ReportPaths
    from .page import write_report as write_report
    from .runs import Run as Run
    from .runs import read_run as read_run
    from .runs import read_runs as read_runs
    from .table import curve_table as curve_table

__all__ = [
    "ReportPaths",
    "Run",
    "curve_table",
    "draw_costs",
    "draw_curves",
    "read_run",
    "read_runs",
    "write_report",
]

MODULES = {
    "ReportPaths": "page",
    "Run": "runs",
    "curve_table": "table",
    "draw_costs": "costs",
    "draw_curves": "curves",
    "read_run": "runs",
    "read_runs": "runs",
    "write_report": "page",
}


def __getattr__(name: str) -> Any:
    if name not in MODULES:
        raise AttributeError(f"module 'flann.reports' has no attribute {name!r}")
    return getattr(import_module(f".{MODULES[name]}", __name__), name)
