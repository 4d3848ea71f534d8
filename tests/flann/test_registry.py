"""A registry finds names without importing, reads options by their types, and guards imports."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Literal

import pytest

from flann.errors import UserError
from flann.registry import Registry, parse_entries, read_value

SOURCE = '''
"""A thing."""
from made_up.base import register

@register("small", "large", renamed={"hue": "colour"})
class Thing:
    """A thing of some size.

    More.
    """
    def __init__(self, *, size: int = 1, colour: str = "red", deep: bool = False) -> None:
        self.size, self.colour, self.deep = size, colour, deep

@register("Z7", pattern=r"Z\\d+")
def cyclic(name: str, *, generators: int | None = None):
    """A cyclic group."""
    return (name, generators)

@register("raw", raw=True)
def raw(argument: str):
    """Anything."""
    return argument
'''


@pytest.fixture
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Registry[object]:
    package = tmp_path / "made_up"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "base.py").write_text(
        "from pathlib import Path\nfrom flann.registry import Registry\n"
        "registry = Registry('thing', 'made_up', Path(__file__).parent)\n"
        "register = registry.register\n"
    )
    (package / "things.py").write_text(SOURCE)
    monkeypatch.syspath_prepend(str(tmp_path))
    for name in ("made_up", "made_up.base", "made_up.things"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    from made_up.base import registry as made

    return made  # type: ignore[no-any-return]


def test_names_are_listed_without_importing(registry: Registry[object]) -> None:
    assert registry.names() == ["large", "raw", "small", "Z7"]
    assert registry.index["small"].summary == "A thing of some size."
    assert "made_up.things" not in sys.modules


def test_options_are_read_by_their_types(registry: Registry[object]) -> None:
    thing = registry.create("small:size=3,deep=true")
    assert (thing.size, thing.colour, thing.deep) == (3, "red", True)  # type: ignore[attr-defined]


def test_an_earlier_name_of_an_option_still_loads(registry: Registry[object]) -> None:
    thing = registry.create("small:hue=blue,size=2")
    assert (thing.size, thing.colour) == (2, "blue")  # type: ignore[attr-defined]
    assert registry.canonical("small:hue=blue,size=2") == "small:size=2,colour=blue"
    assert registry.canonical("small:hue=red") == "small"


@pytest.mark.parametrize("options", ["hue=blue,colour=red", "colour=red,hue=red"])
def test_both_names_of_an_option_are_refused(registry: Registry[object], options: str) -> None:
    with pytest.raises(UserError, match="'hue' is an earlier name of 'colour'") as refusal:
        registry.create(f"small:{options}")
    assert "\n" not in str(refusal.value)


def test_a_pattern_passes_the_name_on(registry: Registry[object]) -> None:
    assert registry.create("Z12:generators=2") == ("Z12", 2)


def test_a_raw_name_passes_everything_on(registry: Registry[object]) -> None:
    assert registry.create("raw:(a=b,c)*") == "(a=b,c)*"
    assert registry.canonical("raw:(a=b,c)*") == "raw:(a=b,c)*"


def test_the_canonical_name_drops_defaults_and_orders_options(registry: Registry[object]) -> None:
    assert registry.canonical("small:deep=true,colour=red,size=2") == "small:size=2,deep=true"
    assert registry.canonical("small:size=1") == "small"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("smal", "did you mean 'small'"),
        ("small:sise=2", "did you mean 'size'"),
        ("small:size=big", "expected a whole number, got 'big'"),
        ("small:deep=yes", "expected true or false"),
        ("os.path:join", "would import code"),
    ],
)
def test_mistakes_are_one_line(registry: Registry[object], text: str, says: str) -> None:
    with pytest.raises(UserError, match=says):
        registry.create(text)


def test_an_import_is_made_only_when_allowed(registry: Registry[object]) -> None:
    assert registry.create("os.path:basename", "a/b", imports=True) == "b"
    with pytest.raises(UserError, match="cannot import"):
        registry.create("os.path:nothing", imports=True)


def test_one_name_in_two_files_is_refused(registry: Registry[object]) -> None:
    registry.register("small")(Registry)
    with pytest.raises(UserError, match="registered twice"):
        registry.register("small")(Path)


def test_the_same_file_twice_is_harmless(registry: Registry[object]) -> None:
    registry.register("tiny")(Registry)
    registry.register("tiny")(Registry)


def test_text_that_is_no_decorator_is_not_an_entry() -> None:
    assert list(parse_entries('text = "@register(\\"ghost\\")"', "m")) == []


def test_a_union_reads_the_first_type_that_fits() -> None:
    assert read_value("4", int | Literal["swaps"], "x") == 4
    assert read_value("swaps", int | Literal["swaps"] | None, "x") == "swaps"
