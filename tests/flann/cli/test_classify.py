"""The command `flann classify`: its output and its error messages."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from flann.tasks.automata.expressions import from_expression
from flann.tasks.automata.files import to_att

from ..conftest import Command, Here


def test_a_regular_expression(here: Here) -> None:
    code, out, _ = here("classify", "--regex", "(ab)*")
    assert code == 0
    lines = out.splitlines()
    assert lines[0] == "(ab)*: 3 states, 2 symbols, semigroup: 5 elements"
    assert "circuit class: AC0" in out
    row = next(line for line in lines if line.startswith("SL "))
    assert row.split()[:3] == ["SL", "yes", "2"]
    row = next(line for line in lines if line.startswith("PT "))
    assert row.split()[1] == "no"
    assert "x = a, y = b" in row
    assert max(map(len, lines)) <= 100


def test_json_alone_on_standard_output(flann: Command) -> None:
    done = flann("classify", "--task", "A5", "--json")
    found = json.loads(done.stdout)
    assert (found["states"], found["semigroup"], found["circuit"]) == (60, 60, "NC1-complete")
    assert found["SF"] is False
    assert done.stderr == ""


def test_a_file_and_its_expression_are_the_same(here: Here, tmp_path: Path) -> None:
    (tmp_path / "machine.att").write_text(to_att(from_expression("(aa|b)*")))
    from_file = json.loads(here("classify", "machine.att", "--json")[1])
    assert from_file == json.loads(here("classify", "--regex", "(aa|b)*", "--json")[1])


def test_the_eggbox(here: Here) -> None:
    code, out, _ = here("classify", "--regex", "(ab)*", "--eggbox")
    assert code == 0
    assert "D-class of 4, regular, 2 x 2 cells of 1\n  a    ab*\n  ba*  b" in out
    code, out, err = here("classify", "--regex", "(ab)*", "--eggbox", "--json")
    json.loads(out)
    assert "D-class of 4" in err


FILES = {
    "nondeterministic.att": ("0 1 a\n0 0 a\n1\n", "nondeterministic"),
    "state.json": (
        '{"states": ["p"], "symbols": ["a"], "start": 0, "accepting": [], "table": [[7]]}',
        "there is no state 7",
    ),
    "final.att": ("0 1 a\n5\n", "the final state '5' is in no transition"),
    "half.json": ('{"states": ["p"]}', "the key 'symbols' is missing"),
    "not.json": ("{", "not JSON"),
    "empty.att": ("", "expected at least one line"),
}


@pytest.mark.parametrize("name", FILES)
def test_bad_files_are_one_line(here: Here, tmp_path: Path, name: str) -> None:
    text, says = FILES[name]
    (tmp_path / name).write_text(text)
    check_one_line(here, says, name)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--regex", "(a"], "expected ')'"),
        (["missing.att"], "No such file"),
        (["--task", "majority"], "majority has no automaton to classify: expected a regular task"),
        (["--task", "paritty"], "did you mean 'parity'"),
        ([], "expected one of --regex R, --task NAME and FILE, got none"),
        (["--regex", "a", "--task", "A5"], "got --regex and --task"),
        (["--regex", "a", "--seconds", "0"], "expected a positive number of seconds"),
        (["--regex", "[ab]*a[ab]{9}", "--eggbox"], "no eggbox is drawn"),
    ],
)
def test_mistakes_are_one_line(here: Here, words: list[str], says: str) -> None:
    check_one_line(here, says, *words)


def check_one_line(here: Here, says: str, *words: str) -> None:
    code, _, err = here("classify", *words)
    assert code == 2
    assert says in err
    assert err.startswith("flann: ")
    assert len(err.strip().splitlines()) == 1
