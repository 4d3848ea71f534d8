"""Automata in files: there and back, and one clear line for what is wrong."""

from __future__ import annotations

import json
from pathlib import Path

import networkx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flann.errors import UserError
from flann.tasks import get_task
from flann.tasks.automata.expressions import from_expression
from flann.tasks.automata.files import (
    from_att,
    from_dict,
    from_json,
    from_networkx,
    read_automaton,
    to_att,
    to_dict,
    to_networkx,
)

EXPRESSIONS = ["(aa|b)*", "a*b*", "abc", "(ab|c){2,5}", "[ab]*a[ab]", "a", "(01)*"]
PARITY = "even odd 1 1\neven even 0 0\nodd even 1 1\nodd odd 0 0\nodd\n"


@given(st.sampled_from(EXPRESSIONS))
def test_there_and_back(expression: str) -> None:
    automaton = from_expression(expression)
    others = [
        from_dict(to_dict(automaton)),
        from_json(json.dumps(to_dict(automaton))),
        from_networkx(to_networkx(automaton)),
        from_att(to_att(automaton)),
    ]
    assert [automaton.counterexample(other) for other in others] == [None] * 4


def test_att_text_as_published(tmp_path: Path) -> None:
    path = tmp_path / "parity.att"
    path.write_text(PARITY)
    automaton = read_automaton(path)
    assert automaton.symbols == ("0", "1")
    assert [automaton.accepts(word) for word in ([1], [1, 1], [0, 1, 0])] == [True, False, True]
    task = get_task(f"automaton:{path}")
    assert task.targets([[1, 0, 1, 1]]).tolist() == [[1, 1, 0, 1]]
    assert get_task(f"automaton-recognise:{path}").mode == "recognise"
    assert get_task(task.name).name == task.name == f"automaton:{path}"


def test_weights_and_tabs_are_read() -> None:
    assert from_att("0\t1\ta\ta\t0.5\n1\t0.25").accepts([0])
    assert from_att("0 1 a 0.5\n1").accepts([0])


def test_the_structure_of_a_task_is_a_file(tmp_path: Path) -> None:
    path = tmp_path / "parity.json"
    path.write_text(json.dumps(get_task("parity").structure))
    assert read_automaton(path).accepts([1])


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "at least one line"),
        ("\n\n", "at least one line"),
        ("0 1 a a 1 2 3\n1", "line 1: expected"),
        ("0 1 a\n2", "line 2: the final state '2' is in no transition"),
        ("0 1 a\n0 0 a\n1", "nondeterministic: the state '0' has two next states for 'a'"),
        ("0 1 <eps>\n1", "line 1: a transition without a symbol"),
        ("0 1 a b\n1", "line 1: the output 'b' differs"),
        ("{", "not JSON"),
        ("{}", "the key 'states' is missing"),
        ('{"states":["a"],"symbols":["x"],"start":0,"accepting":[1],"table":[[0]]}', "no state 1"),
        ('{"states":["a"],"symbols":["x"],"start":2,"accepting":[0],"table":[[0]]}', "no state 2"),
        ('{"states":["a"],"symbols":["x"],"start":0,"accepting":[0],"table":[[7]]}', "no state 7"),
        ('{"states":["a"],"symbols":["x"],"start":0,"accepting":[0],"table":[]}', "a row for each"),
        ('{"states":["a"],"symbols":["x"],"start":0,"accepting":[0],"table":[[]]}', "row 0"),
        ('{"states":["a"],"symbols":[1],"start":0,"accepting":[0],"table":[[0]]}', "strings"),
        (
            '{"states":1,"symbols":["x"],"start":0,"accepting":[0],"table":[[0]]}',
            "states: expected",
        ),
        ('{"states":["a"],"symbols":["x"],"start":0,"accepting":[true],"table":[[0]]}', "no state"),
        ("0 1 a", "the language is empty"),
    ],
)
def test_mistakes(text: str, says: str, tmp_path: Path) -> None:
    path = tmp_path / "wrong"
    path.write_text(text)
    with pytest.raises(UserError, match=says) as caught:
        get_task(f"automaton:{path}")
    assert "\n" not in str(caught.value)
    assert "wrong" in str(caught.value)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="No such file"):
        read_automaton(tmp_path / "none")
    with pytest.raises(UserError, match="cannot read"):
        read_automaton(tmp_path)
    (tmp_path / "bytes").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UserError, match="expected UTF-8"):
        read_automaton(tmp_path / "bytes")


def test_files_that_are_too_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "large"
    path.write_text("\n".join(f"{i} {i + 1} a" for i in range(10_001)) + "\n5")
    with pytest.raises(UserError, match="at most 10000 states"):
        read_automaton(path)
    monkeypatch.setattr("flann.tasks.automata.files.MOST_BYTES", 10)
    with pytest.raises(UserError, match="expected at most 10"):
        read_automaton(path)


def test_graphs_that_are_no_automata() -> None:
    graph = networkx.DiGraph()
    graph.add_edge(0, 1)
    with pytest.raises(UserError, match="expected a node"):
        from_networkx(graph)
    graph.graph["start"] = 0
    with pytest.raises(UserError, match="has no symbol"):
        from_networkx(graph)
    graph.edges[0, 1]["symbol"] = "a"
    graph.nodes[1]["accepting"] = True
    assert from_networkx(graph).accepts([0])
