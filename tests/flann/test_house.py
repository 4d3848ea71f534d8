"""The plan of the house holds: arrows one way, and every part of the conductor under contract."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import flann

from .conftest import ROOT

INSTRUMENTS = ("tasks", "models", "rasp", "reports")
FOUNDATION = {"__init__", "curve_schema", "errors", "files", "names", "registry"}
LINTER = Path(sys.executable).with_name("lint-imports")


def contracts() -> list[dict[str, Any]]:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    found: list[dict[str, Any]] = settings["tool"]["importlinter"]["contracts"]
    return found


def test_every_module_of_the_conductor_is_forbidden_to_the_instruments() -> None:
    rooms = {file.parent.name for file in (ROOT / "flann").glob("*/__init__.py")}
    files = {file.stem for file in (ROOT / "flann").glob("*.py")}
    conductor = {f"flann.{name}" for name in (rooms | files) - FOUNDATION - set(INSTRUMENTS)}
    assert set(contracts()[0]["forbidden_modules"]) == conductor


def test_the_four_instruments_are_links_to_the_top() -> None:
    for name in INSTRUMENTS:
        link = ROOT / "flann" / name
        assert link.is_symlink()
        assert link.readlink() == Path("..") / name


def test_the_version_stands_in_one_place() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert settings["project"]["dynamic"] == ["version"]
    assert settings["tool"]["setuptools"]["dynamic"]["version"] == {"attr": "flann.__version__"}
    assert f"version: {flann.__version__}\n" in (ROOT / "CITATION.cff").read_text()
    assert f"## {flann.__version__}\n" in (ROOT / "CHANGELOG.md").read_text()


def test_the_import_contracts_hold_and_can_fail(tmp_path: Path) -> None:
    assert lint(ROOT / "pyproject.toml").returncode == 0
    broken = tmp_path / "broken.toml"  # a contract that does not hold must be reported
    broken.write_text(
        '[tool.importlinter]\nroot_package = "flann"\n[[tool.importlinter.contracts]]\n'
        'name = "planted"\ntype = "forbidden"\nsource_modules = ["flann.training.loop"]\n'
        'forbidden_modules = ["flann.tasks"]\n'
    )
    done = lint(broken)
    assert done.returncode == 1
    assert "planted BROKEN" in done.stdout


def test_an_import_cycle_is_found(tmp_path: Path) -> None:
    """The contract that forbids cycles, on two rooms of which each imports the other."""
    for room, other in (("east", "west"), ("west", "east")):
        folder = tmp_path / "planted" / room
        folder.mkdir(parents=True)
        (folder / "__init__.py").write_text("")
        (folder / "door.py").write_text(f"def enter():\n    import planted.{other}.door\n")
    (tmp_path / "planted" / "__init__.py").write_text("")
    (contract,) = [c for c in contracts() if c["type"] == "acyclic_siblings"]
    assert contract["ancestors"] == ["flann", "flann.**"]
    settings = tmp_path / "planted.toml"
    settings.write_text(
        '[tool.importlinter]\nroot_package = "planted"\n[[tool.importlinter.contracts]]\n'
        'name = "acyclic"\ntype = "acyclic_siblings"\nancestors = ["planted", "planted.**"]\n'
    )
    done = lint(settings, tmp_path)
    assert done.returncode == 1
    assert "No cycles are allowed in planted" in done.stdout
    (tmp_path / "planted" / "west" / "door.py").write_text("")
    assert lint(settings, tmp_path).returncode == 0


def lint(settings: Path, folder: Path = ROOT) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(LINTER), "--config", str(settings), "--no-cache"],
        cwd=folder, capture_output=True, text=True,
    )  # fmt: skip
