"""The command line as a user meets it: one process a call."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ..conftest import ROOT, TINY_OPTIONS, Command, Here


def test_run_prints_the_curve_and_the_report(flann: Command, tmp_path: Path) -> None:
    done = flann("run", *TINY_OPTIONS)
    assert done.returncode == 0, done.stderr
    assert "longer than any training word (6)" in done.stdout
    page = tmp_path / done.stdout.splitlines()[-1].removeprefix("report: ")
    assert page.exists()
    assert "found: " in flann("run", *TINY_OPTIONS).stdout


def test_json_and_nothing_else_on_standard_output(flann: Command) -> None:
    done = flann("run", *TINY_OPTIONS, "--json")
    result = json.loads(done.stdout)
    assert list(result["curve"][0]) == [
        "length", "per_word", "low", "high", "last_symbol", "per_symbol", "chance",
    ]  # fmt: skip
    assert {"run", "task", "model", "parameters", "state_size", "seconds", "status", "reach"} <= (
        result.keys()
    )
    assert [row["length"] for row in result["curve"]] == [2, 6, 12]
    again = json.loads(flann("run", *TINY_OPTIONS, "--json").stdout)
    assert again == result


def test_several_models_are_several_curves_on_one_page(here: Here, tmp_path: Path) -> None:
    words = (*TINY_OPTIONS, "--model", "gru", "--seed", "0", "--seed", "1", "--json")
    results = json.loads(here("run", *words)[1])
    assert [(r["model"], r["seed"]) for r in results] == [
        ("lstm", 0), ("lstm", 1), ("gru", 0), ("gru", 1),
    ]  # fmt: skip
    assert {r["report"] for r in results} == {"runs/report.html"}
    folders = [r["run"] for r in results]
    words = ("report", *folders, "-o", "out/page.html", "--table", "out/curves.csv", "--json")
    made = json.loads(here(*words)[1])
    assert len((tmp_path / made["table"]).read_text().splitlines()) == 1 + 4 * 3
    assert (tmp_path / made["picture"]).stat().st_size > 1000


def test_the_backend_of_the_scans_is_said_once(here: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flann.runs.run.ANNOUNCED", set())
    _, out, err = here("run", *TINY_OPTIONS, "--seed", "0", "--seed", "1", "--json")
    assert err.count("scans run on") == 1
    folder = Path(json.loads(out)[0]["run"])
    backend = json.loads((folder / "environment.json").read_text())["backend"]
    assert f"scans run on {backend}" in err


MISTAKES = [
    ("run --task A6x --model mamba", "did you mean 'A6'"),
    ("run --task A5 --model mmaba", "did you mean 'mamba'"),
    ("run --task A5 --model mamba:eigenvalues=negativ", "negative"),
    ("run --task A5 --model mamba:eigenvalue=negative", "did you mean 'eigenvalues'"),
    ("run --task parity --model lstm --train-lengths 9:2", "9:2"),
    ("run --task parity --model lstm --train-lengths nine", "2:40"),
    ("run --task parity --model lstm --test-lengths 1,x", "16,32,64"),
    ("run --task parity --model lstm --parameters 3", "3"),
    ("run --task parity --model lstm --device tpu", "did you mean 'cpu'"),
    ("run --task parity --model lstm --time-limit 0", "time limit"),
    ("run --task parity --model lstm --runs /dev/null/runs", "runs folder"),
    ("run --task parity", "--model"),
    ("run --task parity --model lstm --stesp 3", "--steps"),
    ("rnu", "did you mean 'run'"),
    ("report nowhere", "nowhere"),
    ("report", "FOLDERS"),
    ("tasks A6x", "did you mean 'A6'"),
    ("tasks regex:(aa", "to close the group"),
    ("tasks automaton:nowhere.att", "nowhere.att"),
    ("tasks D4 --draw d4.txt", ".svg"),
    ("tasks D4 --draw no/where/d4.svg", "cannot write"),
    ("tasks first --draw a", ".svg"),
    ("tasks --draw a.svg", "one task"),
    ("data A6x --length 4 -o a.csv", "did you mean 'A6'"),
    ("data A5 --length 4 -o words.cvs", "did you mean '.csv'"),
    ("data A5 --length 0 -o a.csv", "expected for example 1"),
    ("data regex-recognise:(ab|ba)* --length 3 -o a.csv", "no words of length 3"),
    ("data A5 --length 4 -o no/where/a.csv", "cannot write"),
    ("data A5 --length 4 --size 0 -o a.npz", "expected 1 or more"),
    ("data A5 --length 4 --seed -1 -o a.npz", "expected 0 or more"),
    ("data A5 --length 4", "--output"),
    ("models mmaba", "did you mean 'mamba'"),
    ("models lstm --parameters 3", "3"),
    ("models lstm mmaba", "did you mean 'mamba'"),
    ("models lstm --depth 0", "depth 0"),
    ("models --budget 0", "parameters 0: expected 1 or more"),
    ("run --task dyck-2 --model lstm --start witness", "is not answered by a machine"),
    ("run --task parity --model lstm --train-words 3", "train words 3: expected 39 or more"),
    ("models lstm --lengths 64", "--cost"),
    ("models lstm --cost --lengths 0", "expected whole numbers"),
    ("models lstm --cost -o costs.png", "expected .csv"),
    ("models lstm --cost --lengths 2 --parameters 9000 -o /dev/null/a.csv", "cannot write"),
]


@pytest.mark.parametrize(("words", "says"), MISTAKES, ids=[m[0] for m in MISTAKES])
def test_a_mistake_is_one_line_and_exit_code_2(here: Here, words: str, says: str) -> None:
    code, out, err = here(*words.split())
    assert code == 2
    assert out == ""
    assert err.count("\n") == 1, err
    assert says in err


def test_too_large_for_memory_is_one_line(here: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object, **__: object) -> None:
        raise RuntimeError(message)

    monkeypatch.setattr("flann.runs.run.run", fails)
    message = "DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes"
    code, out, err = here("run", *TINY_OPTIONS)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "out of memory" in err
    message = "a defect of our own"  # which must not be hidden
    with pytest.raises(RuntimeError, match="defect"):
        here("run", *TINY_OPTIONS)


def test_a_truncated_run_folder_is_one_line(here: Here, tmp_path: Path) -> None:
    path = tmp_path / json.loads(here("run", *TINY_OPTIONS, "--json")[1])["run"]
    (path / "curve.csv").write_text("length,per_w")
    for words in (("report", str(path)), ("run", *TINY_OPTIONS)):
        code, _, err = here(*words)
        assert (code, err.count("\n")) == (2, 1), err
        assert "curve.csv" in err


def test_ctrl_c_keeps_the_checkpoint_and_the_same_command_goes_on(tmp_path: Path) -> None:
    options = [*TINY_OPTIONS, "--steps", "1500", "--json"]
    command = [sys.executable, "-m", "flann", "run", *options]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    running = subprocess.Popen(
        command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True,
    )  # fmt: skip
    wait_for(tmp_path / "runs" / ".partial", "*/progress.jsonl")
    running.send_signal(signal.SIGINT)
    out, err = running.communicate(timeout=60)
    assert running.returncode == 130
    assert out == ""
    assert "Traceback" not in err
    assert "resumes from there" in err
    resumed = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=300
    )
    assert "resuming from step" in resumed.stderr
    fresh = subprocess.run(
        [*command, "--runs", "other"], cwd=tmp_path, env=environment, capture_output=True,
        text=True, timeout=300,
    )  # fmt: skip
    assert json.loads(resumed.stdout)["curve"] == json.loads(fresh.stdout)["curve"]


def wait_for(folder: Path, pattern: str, seconds: float = 60) -> None:
    for _ in range(int(seconds / 0.05)):
        if list(folder.glob(pattern)):
            return
        time.sleep(0.05)
    raise AssertionError(f"no {pattern} in {folder}")


@pytest.mark.parametrize(
    "words",
    [
        "",
        "--help",
        "run --help",
        "tasks --help",
        "models --help",
        "report --help",
        "data --help",
        "-h",
    ],
)
def test_help_is_worth_reading(here: Here, words: str) -> None:
    _, out, err = here(*words.split())
    assert "Usage: flann" in out + err
    assert len((out + err).splitlines()) > 5


def test_lists_and_descriptions(here: Here) -> None:
    def run_for_output(*words: str) -> str:
        return here(*words)[1]

    assert "A5" in run_for_output("tasks")
    described = json.loads(run_for_output("tasks", "A5", "--json"))
    assert len(described["symbols"]) == 60
    assert "NC1" in run_for_output("tasks", "A5")
    names = {row["name"] for row in json.loads(run_for_output("tasks", "--json"))}
    assert names >= {"A5", "parity"}
    for name in ("A5", "dyck-2", "marked-copy"):  # a task is one screen
        lines = run_for_output("tasks", name).splitlines()
        assert len(lines) <= 24
        assert max(map(len, lines)) <= 100
    assert "Merrill, Petty and Sabharwal 2024" in run_for_output("tasks", "A5", "--theory")
    assert "mamba" in run_for_output("models")
    model = json.loads(run_for_output("models", "mamba:eigenvalues=negative", "--json"))
    assert model["family"] == "real-ssm"
    assert abs(model["parameters"] - 100_000) <= 1000
    assert "eigenvalues=positive|negative" in run_for_output("models", "mamba")


def test_models_at_one_budget_are_a_table(here: Here) -> None:
    lines = here("models", "--budget", "30000", "--depth", "2")[1].splitlines()
    assert lines[0].split()[:3] == ["model", "family", "width"]
    assert {line.split()[0] for line in lines[1:]} >= {"lstm", "mamba", "transformer"}
    rows = json.loads(here("models", "lstm", "transformer", "--budget", "30000", "--json")[1])
    assert all(abs(row["parameters"] - 30_000) <= 300 for row in rows)
    assert [row["state"].endswith("T") for row in rows] == [False, True]
    refused = here("models", "lstm", "gru", "--budget", "3")[1].splitlines()
    assert len(refused) == 2
    assert all("too few" in line for line in refused)


def test_costs_are_a_table_and_a_figure(here: Here, tmp_path: Path) -> None:
    words = ["models", "lstm", "transformer", "--cost", "--budget", "9000", "--lengths", "8,64"]
    code, out, err = here(*words, "-o", "made/costs.csv")
    assert code == 0, err
    table = (tmp_path / "made" / "costs.csv").read_text().splitlines()
    assert len(table) == 1 + 2 * 2
    assert table[0].startswith("model,length,parameters,training_seconds,training_bytes")
    assert (tmp_path / "made" / "costs.png").stat().st_size > 5000
    assert "figure: made/costs.png" in out
    rows = {(r["model"], r["length"]): r for r in json.loads(here(*words, "--json")[1])}
    lstm, transformer = ([rows[name, n] for n in (8, 64)] for name in ("lstm", "transformer"))
    assert lstm[0]["state_bytes"] == lstm[1]["state_bytes"]
    assert 8 * transformer[0]["state_bytes"] == transformer[1]["state_bytes"]
    assert all(row["training_seconds"] > 0 and row["step_seconds"] > 0 for row in rows.values())


def test_a_regular_expression_is_a_task(here: Here, tmp_path: Path) -> None:
    assert "regex:(aa|b)*" in here("tasks", "regex:(aa|b)*", "--draw", "a.svg")[1]
    assert (tmp_path / "a.svg").read_text().rstrip().endswith("</svg>")
    here("tasks", "D4:generators=2", "--draw", "d4.png")
    assert (tmp_path / "d4.png").stat().st_size > 1000
    words = ["regex:(aa|b)*" if word == "parity" else word for word in TINY_OPTIONS]
    code, out, err = here("run", *words, "--json")
    assert code == 0, err
    assert json.loads(out)["task"] == "regex:(aa|b)*"


LIGHT = {
    "import flann": {"torch", "pandas", "seaborn", "sympy", "numpy"},
    "import flann.tasks": {"torch", "pandas", "seaborn", "sympy"},
    "import flann.models": {"torch", "pandas", "seaborn"},
    "import flann.reports": {"torch", "pandas", "seaborn"},
    "import flann.export.words": {"torch", "pandas", "seaborn", "pyarrow"},
    "import flann.cli.main": {"torch", "pandas", "seaborn", "numpy"},
    "import flann.registry, flann.cli.console as c;"
    " c.format_names(__import__('flann.models').models"
    ".model_registry)": {"torch"},
}


@pytest.mark.parametrize("code", LIGHT)
def test_imports_stay_light(code: str) -> None:
    heavy = loaded_by(code) & LIGHT[code]
    assert not heavy


def test_the_test_of_light_imports_can_fail() -> None:
    assert "torch" in loaded_by("import torch")


def loaded_by(code: str) -> set[str]:
    script = f"import sys; {code}; print(' '.join(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return set(done.stdout.split())


def test_no_folder_is_imported_by_its_bare_name() -> None:
    loaded = loaded_by("import flann.runs.run, flann.cli.main, flann.reports")
    assert not loaded & {"tasks", "models", "rasp", "reports"}
