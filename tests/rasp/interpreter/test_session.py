"""Sessions and the command line: their output and their error messages."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from flann.errors import UserError
from flann.rasp.interpreter.session import is_incomplete

ROOT = Path(__file__).resolve().parents[3]
RunSession = Callable[[str], list[str]]
DYCK = """
def csum(x) { return round((indices + 1) * aggregate(select(indices, indices, <=), x)); }
depth = csum({"(": 1, ")": -1}[tokens]);
dead = csum(indicator(depth < 0)) > 0;
dyck = "dead" if dead else ("accepted" if depth == 0 else "prefix");
"""


def test_each_value_is_printed_on_a_line(run_session: RunSession) -> None:
    assert run_session('1 + 1; [1, "a"]; tokens("ab"); {1: True};') == [
        "= 2", '= [1, "a"]', '= ["a", "b"]', "= {1: True}",
    ]  # fmt: skip


def test_examples(run_session: RunSession) -> None:
    script = """
    tokens; set example "ab"
    tokens; select(indices, indices, <=);
    examples off
    tokens;
    s-op examples on
    indices; show example
    set s-op example [1, 2]
    tokens_int; quit
    tokens;
    """
    assert run_session(script) == [
        "= s-op tokens: 0 layers, 0 heads",
        '= ["a", "b"]',
        "= selector\n      a b\n    a X .\n    b X X",
        "= s-op tokens: 0 layers, 0 heads",
        "= [0, 1]",
        '= "ab"',
        "= [1, 2]",
    ]


def test_out_is_the_last_value(run_session: RunSession) -> None:
    assert run_session('indices + 1; out("ab");')[-1] == "= [1, 2]"


def test_draw(run_session: RunSession) -> None:
    assert run_session('draw(select(tokens, "a", ==), "ab");') == [
        "= selector\n      a b\n    a X .\n    b X ."
    ]


def test_unknown_commands(run_session: RunSession) -> None:
    with pytest.raises(UserError, match="expected set example"):
        run_session("show me all")


def test_statements_may_take_several_lines() -> None:
    assert is_incomplete("def f(x) {\n return x;")
    assert is_incomplete("a = 1 +")
    assert not is_incomplete("def f(x) { return x; }")
    assert not is_incomplete('set example "ab"')


def test_loading_files(tmp_path: Path) -> None:
    from flann.rasp.interpreter.session import Session

    (tmp_path / "mine.rasp").write_text(
        "_hidden = 3; def twice(x) { return 2 * x; } seen = _hidden;"
    )
    session = Session(tmp_path)
    assert list(session.feed('load "mine"; twice(seen);')) == ["= 6"]
    with pytest.raises(UserError, match="unknown name '_hidden'"):
        list(session.feed("_hidden;"))
    with pytest.raises(UserError, match="same folder"):
        list(session.feed('load "../mine";'))
    with pytest.raises(UserError, match="unknown program to load 'mime'"):
        list(session.feed('load "mime";'))
    (tmp_path / "self.rasp").write_text('load "self";')
    with pytest.raises(UserError, match="loads itself"):
        list(session.feed('load "self";'))


# -- the command line ------------------------------------------------------------------------------


@pytest.fixture
def here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str, str]]:
    from flann.cli.main import main

    monkeypatch.chdir(tmp_path)
    (tmp_path / "dyck.rasp").write_text(DYCK)

    def call(*words: str, stdin: str = "") -> tuple[int, str, str]:
        capsys.readouterr()
        monkeypatch.setattr(sys, "stdin", io.StringIO(stdin))
        with pytest.raises(SystemExit) as exit_info:
            main(list(words))
        output = capsys.readouterr()
        return int(exit_info.value.code or 0), output.out, output.err

    return call


Here = Callable[..., tuple[int, str, str]]


def test_run(here: Here) -> None:
    code, out, _ = here("rasp", "run", "dyck.rasp", "--name", "dyck", "()", ")")
    assert (code, out) == (0, '= ["prefix", "accepted"]\n= ["dead"]\n')
    assert here("rasp", "run", "dyck.rasp", "(")[1] == '= ["prefix"]\n'
    assert here("rasp", "run", "dyck.rasp", "--split", "( )")[1] == '= ["prefix", "accepted"]\n'


def test_tasks_have_programs_to_run_and_show(here: Here) -> None:
    code, out, _ = here("rasp", "run", "dyck-2", "([)]")
    assert (code, out) == (0, "= [0, 0, 2, 2]\n")
    code, out, _ = here("rasp", "show", "S3", "--name", "word_problem")
    assert code == 0
    assert "word_problem: 2 layers, 1 head" in out


def test_repl_reads_a_script(here: Here) -> None:
    code, out, _ = here("rasp", "repl", stdin='a = tokens[0]; a("xy"); 3;')
    assert (code, out) == (0, '= ["x", "x"]\n= 3\n')
    code, out, err = here("rasp", "repl", stdin="1;\n2 +;\n3;")
    assert (code, err) == (2, "flann: line 2, column 4: expected an expression, got ';'\n")


def test_show(here: Here, tmp_path: Path) -> None:
    code, out, _ = here("rasp", "show", "dyck.rasp", "--word", "(()")
    assert code == 0
    assert "dyck: 2 layers, 1 head" in out
    assert "layer 2: select(indices, indices, <=)\n" in out
    assert "    ( X X .\n" in out
    code, out, _ = here("rasp", "show", "dyck.rasp", "--word", "(()", "-o", "heads.png")
    assert code == 0
    assert (tmp_path / "heads.png").read_bytes()[:4] == b"\x89PNG"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("rasp run dyck.rasp --name dick ()", "did you mean 'dyck'"),
        ("rasp run nothing.rasp ()", "cannot read nothing.rasp"),
        ("rasp run librery ()", "did you mean 'library'"),
        ("rasp run dyck.rasp (x", "the key 'x' is not in the dict"),
        ("rasp show dyck.rasp -o heads.png", "expected a --word"),
        ("rasp show dyck.rasp --word ( -o heads.doc", "expected .png"),
        ("rasp rnu dyck.rasp", "did you mean 'run'"),
    ],
)
def test_mistakes_are_one_line(here: Here, words: str, message: str) -> None:
    code, _, err = here(*words.split())
    assert code == 2
    assert message in err
    assert err.count("\n") == 1


def test_a_binary_file_is_refused(here: Here, tmp_path: Path) -> None:
    (tmp_path / "rubbish.rasp").write_bytes(bytes(range(256)))
    code, _, err = here("rasp", "run", "rubbish.rasp", "a")
    assert code == 2
    assert "expected text in UTF-8" in err


def test_running_a_program_does_not_load_torch(tmp_path: Path) -> None:
    script = (
        "import sys; from flann.rasp import Session;"
        "print(list(Session().feed('length(\"ab\");')), 'torch' in sys.modules)"
    )
    process = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert process.stdout == "['= [2, 2]'] False\n"


def test_compile_writes_weights_that_load(here: Here, tmp_path: Path) -> None:
    from flann.rasp.compiler import load_network

    code, out, _ = here(*"rasp compile S3 --max-length 12 -o s3.safetensors --check".split())
    assert code == 0
    assert "S3: 2 layers of 1 heads as" in out
    assert "check: exact on" in out
    assert load_network(tmp_path / "s3.safetensors").max_length == 12
    code, out, _ = here("rasp", "compile", "dyck.rasp", "--symbols", "()", "--check")
    assert code == 0
    assert "exact" in out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("rasp compile dyck.rasp", "expected --symbols"),
        ("rasp compile tomita-3", "no RASP program solves tomita-3"),
        ("rasp compile partiy", "did you mean 'parity'"),
        ("rasp compile parity --precision float16", "expected float32 or float64"),
        ("rasp compile parity --max-length 0", "1 or more"),
        ("rasp compile A5 --method series", "A5 is not solvable"),
        ("rasp compile parity -o parity.bin", "ends in .safetensors"),
        ("rasp compile parity -o dyck.rasp/parity.safetensors", "cannot write"),
    ],
)
def test_compile_refuses_with_a_reason(here: Here, words: str, message: str) -> None:
    code, _, err = here(*words.split())
    assert code == 2
    assert message in err
    assert err.count("\n") == 1
