"""Reading and checking a run folder, which is all that a report is made from.

A run folder holds plain JSON, CSV and JSON lines::

    experiment.json   the settings                  result.json    the outcome
    environment.json  versions and machine          task.json      the problem
    theory.json       what is known of the task and the model's family
    curve.csv         accuracy at each tested length
    positions.csv     accuracy at each scored position             (optional)
    progress.jsonl    training loss, one object on each line       (optional)
    reference.json    the curve of a compiled program              (optional)

Run folders may come from other machines, so their content is treated as data: nothing is imported
or run, and a file that is missing, truncated or of another form is refused with one line that
names it. A file whose last line has no line end counts as truncated, because half a number can look
like a whole one.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from flann.curve_schema import CURVE_COLUMNS, FORMAT_ALONE, POSITION_COLUMNS, SHARE_COLUMNS
from flann.errors import UserError

from .schema import FIELDS, check_fields, is_number, is_whole

CURVE = [*CURVE_COLUMNS, FORMAT_ALONE]
PROGRESS = ["step", "length", "loss", "accuracy"]


@dataclass(frozen=True, eq=False)
class Run:
    """A run folder.

    Attributes
    ----------
    folder : Path
        The folder; its last part is the name of the run.
    experiment, result, environment, task, theory : Mapping
        The JSON files of the same names.
    curve : DataFrame
        One row for each tested length, the shortest first, with the columns `CURVE`. Empty for
        a run that diverged.
    positions : DataFrame
        One row for each tested length and scored position, with the columns
        `flann.curve_schema.POSITION_COLUMNS`. May be empty.
    progress : DataFrame
        One row for each report of the training loop, with the columns `PROGRESS`. May be empty.
    reference : Mapping or None
        The curve of a program that is right by construction, if the task has one.
    """

    folder: Path
    experiment: Mapping[str, Any]
    result: Mapping[str, Any]
    environment: Mapping[str, Any]
    task: Mapping[str, Any]
    theory: Mapping[str, Any]
    curve: pd.DataFrame
    positions: pd.DataFrame
    progress: pd.DataFrame
    reference: Mapping[str, Any] | None = None

    @property
    def name(self) -> str:
        """The name of the folder, without the folders that contain it."""
        return self.folder.name

    @property
    def status(self) -> str:
        """``done``, ``stopped`` or ``diverged``."""
        return str(self.result["status"])

    @property
    def train_lengths(self) -> tuple[int, int]:
        """The shortest and the longest training length."""
        low, high = self.experiment["train_lengths"]
        return low, high

    @property
    def unmeasured_lengths(self) -> list[int]:
        """The test lengths of the experiment that are missing from the curve."""
        measured = set(self.curve["length"])
        return [n for n in self.experiment.get("test_lengths") or [] if n not in measured]


def read_runs(folders: Iterable[Path | str]) -> list[Run]:
    """Read several run folders, in the order given; a folder given twice is read once.

    Raises
    ------
    UserError
        If no folder is given, if one cannot be read, or if two hold the same experiment: one seed
        counted twice would pass for two.
    """
    unique = {Path(folder).resolve(): None for folder in folders}
    if not unique:
        raise UserError("no run folder given: expected at least one")
    runs = [read_run(folder) for folder in unique]
    first_with: dict[str, Run] = {}
    for run in runs:
        earlier = first_with.setdefault(json.dumps(run.experiment, sort_keys=True), run)
        if earlier is not run:
            raise UserError(
                f"{earlier.folder} and {run.folder} hold the same experiment with the same seed:"
                " expected one of them"
            )
    return runs


def read_run(folder: Path | str) -> Run:
    """Read one run folder, and check everything that a report draws.

    Raises
    ------
    UserError
        If the folder or a file in it is missing, truncated, or not of the expected form.

    Examples
    --------
    >>> read_run("runs/of-nobody")
    Traceback (most recent call last):
    ...
    flann.errors.UserError: no run folder at runs/of-nobody: expected a folder with ...
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise UserError(f"no run folder at {folder}: expected a folder with experiment.json in it")
    parts = {file: read_json(folder / file) for file in FIELDS}
    run = Run(
        folder=folder,
        experiment=parts["experiment.json"],
        result=parts["result.json"],
        environment=parts["environment.json"],
        task=parts["task.json"],
        theory=parts["theory.json"],
        curve=read_curve(folder / "curve.csv"),
        positions=read_positions(folder / "positions.csv"),
        progress=read_progress(folder / "progress.jsonl"),
        reference=read_reference(folder / "reference.json"),
    )
    check_rows(run)
    return run


def check_rows(run: Run) -> None:
    """Refuse a curve with fewer rows than the run recorded: the file was truncated between two
    lines.
    """
    rows, expected_rows = len(run.curve), run.result.get("rows")
    if (expected_rows is not None and rows != expected_rows) or (
        run.status == "done" and rows == 0
    ):
        file, expected = run.folder / "curve.csv", expected_rows or "one per test length"
        raise UserError(f"{file} has {rows} rows: expected {expected}; is the file truncated?")


def read_json(file: Path) -> dict[str, Any]:
    """Read a JSON object, and check the fields that `FIELDS` lists for its file name."""
    content = parse_json(read_text(file), str(file))
    if not isinstance(content, dict):
        raise UserError(f"{file} holds {type(content).__name__}: expected a JSON object")
    check_fields(content, FIELDS[file.name], file)
    return content


def read_curve(file: Path) -> pd.DataFrame:
    """Read curve.csv, sorted by length."""
    curve = read_csv(file, CURVE, ["first_error", FORMAT_ALONE], [FORMAT_ALONE])
    check_range(curve, SHARE_COLUMNS, 0, 1, file)
    check_range(curve.dropna(subset=FORMAT_ALONE), [FORMAT_ALONE], 0, 1, file)
    check_range(curve, ["length", "words"], 1, None, file)
    curve = curve.astype({"length": "int64", "words": "int64"}).sort_values("length")
    repeated = curve["length"][curve["length"].duplicated()]
    if len(repeated):
        raise UserError(
            f"{file} has length {repeated.iloc[0]} twice: expected one row for each length"
        )
    return curve.reset_index(drop=True)


def read_positions(file: Path) -> pd.DataFrame:
    """Read positions.csv, sorted by length and position, or return an empty table if there is
    none.
    """
    if not file.exists():
        return pd.DataFrame(columns=list(POSITION_COLUMNS), dtype=float)
    positions = read_csv(file, POSITION_COLUMNS)
    check_range(positions, ["accuracy"], 0, 1, file)
    check_range(positions, ["length", "position"], 1, None, file)
    check_range(positions, ["first_errors"], 0, None, file)
    whole = dict.fromkeys(["length", "position", "first_errors"], "int64")
    return positions.astype(whole).sort_values(["length", "position"], ignore_index=True)


def read_reference(file: Path) -> dict[str, Any] | None:
    """Read reference.json, with a name and a curve, or return None if there is none."""
    if not file.exists():
        return None
    content = parse_json(read_text(file), str(file))
    points = content.get("curve") if isinstance(content, dict) else None
    if not isinstance(content, dict) or not isinstance(content.get("name"), str):
        raise UserError(f"{file}: expected an object with a name and a curve")
    if not isinstance(points, list) or not all(map(is_reference_point, points)):
        raise UserError(f"{file}: expected a curve of points with length, per_symbol and per_word")
    return content


def is_reference_point(point: Any) -> bool:
    """Return whether a value is a length with two shares between 0 and 1."""
    if not isinstance(point, dict) or not is_whole(point.get("length")) or point["length"] < 1:
        return False
    shares: list[Any] = [point.get(metric) for metric in ("per_symbol", "per_word")]
    return all(is_number(share) and 0 <= share <= 1 for share in shares)


def read_progress(file: Path) -> pd.DataFrame:
    """Read progress.jsonl, sorted by step, or return an empty table if there is none.

    A loss may be NaN or null.
    """
    if not file.exists():
        return pd.DataFrame(columns=PROGRESS, dtype=float)
    rows = []
    for number, line in enumerate(read_text(file).splitlines(), 1):
        record = parse_json(line, f"{file}, line {number}")
        if not isinstance(record, dict) or "step" not in record or "loss" not in record:
            raise UserError(f"{file}, line {number}: expected an object with step and loss")
        rows.append({column: record.get(column) for column in PROGRESS})
    try:
        progress = pd.DataFrame(rows, columns=PROGRESS).astype(float)
    except (TypeError, ValueError, OverflowError) as error:
        raise UserError(f"{file}: expected numbers for {', '.join(PROGRESS)} ({error})") from error
    return progress.dropna(subset="step").sort_values("step", ignore_index=True)


def read_csv(
    file: Path,
    columns: Sequence[str],
    may_be_blank: Iterable[str] = (),
    may_be_missing: Iterable[str] = (),
) -> pd.DataFrame:
    """Read the named columns of a CSV file, all of them numbers."""
    text = read_text(file)
    try:
        table = pd.read_csv(io.StringIO(text))
    except pd.errors.ParserError as error:
        raise UserError(f"{file} is not a CSV table: {error}") from error
    for column in may_be_missing:
        table[column] = table.get(column, float("nan"))
    missing = [column for column in columns if column not in table]
    if missing:
        raise UserError(f"{file} has no column {missing[0]!r}: expected {', '.join(columns)}")
    try:
        table = table[list(columns)].astype(float)
    except (TypeError, ValueError) as error:
        raise UserError(f"{file} holds something other than numbers: {error}") from error
    for column in columns:
        blank = table.index[table[column].isna()]
        if len(blank) and column not in may_be_blank:
            raise UserError(
                f"{file}, line {blank[0] + 2}: no number for {column!r}; is the file truncated?"
            )
    return table


def check_range(
    table: pd.DataFrame, columns: Sequence[str], low: float, high: float | None, file: Path
) -> None:
    """Refuse numbers outside their range, and infinite ones."""
    top = high if high is not None else 2.0**53
    for column in columns:
        outside = table[column][(table[column] < low) | (table[column] > top)]
        if len(outside):
            expected = f"{low} to {high}" if high is not None else f"{low} or more"
            raise UserError(
                f"{file}, column {column!r}: expected {expected}, got {outside.iloc[0]}"
            )


def parse_json(text: str, where: str) -> Any:
    """Parse JSON, and refuse text that cannot be encoded again (lone surrogates)."""
    try:
        content = json.loads(text)
        json.dumps(content, ensure_ascii=False).encode("utf-8")
    except (ValueError, RecursionError) as error:
        raise UserError(f"{where} is not complete JSON: {error}") from error
    return content


def read_text(file: Path) -> str:
    """Read a text file, and refuse it if its last line has no line end."""
    try:
        text = file.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise UserError(f"no file {file}: expected it in every run folder") from error
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"cannot read {file}: {error}") from error
    if file.suffix != ".json" and text and not text.endswith("\n"):
        raise UserError(f"{file} ends in the middle of a line: expected a complete file")
    if not text.strip() and file.suffix != ".jsonl":
        raise UserError(f"{file} is empty: expected its content; is the file truncated?")
    return text
