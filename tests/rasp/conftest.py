"""Building programs from their text."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from flann.rasp.graph.sops import Node
from flann.rasp.interpreter.library import create_interpreter
from flann.rasp.interpreter.session import Session
from flann.rasp.language.parser import parse

Build = Callable[[str], Any]


def build_program(source: str) -> Any:
    """The value of the last statement of a program; a lone expression needs no semicolon."""
    source = source.strip()
    return create_interpreter().run(parse(source if source.endswith((";", "}")) else source + ";"))


@pytest.fixture
def build() -> Build:
    return build_program


@pytest.fixture
def run_session() -> Callable[[str], list[str]]:
    """What a session says to a script."""
    return lambda source: list(Session().feed(source))


def node_of(source: str) -> Node:
    value = build_program(source)
    assert isinstance(value, Node)
    return value
