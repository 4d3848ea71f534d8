"""Helpers that build programs from their text and run sessions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from flann.rasp.graph.sops import Node
from flann.rasp.interpreter.program_files import create_interpreter
from flann.rasp.interpreter.session import Session
from flann.rasp.language.parser import parse

Build = Callable[[str], Any]


def build_program(source: str) -> Any:
    """Return the value of a program's last statement; an expression needs no semicolon."""
    source = source.strip()
    return create_interpreter().run(parse(source if source.endswith((";", "}")) else source + ";"))


@pytest.fixture
def build() -> Build:
    return build_program


@pytest.fixture
def run_session() -> Callable[[str], list[str]]:
    """Return the function from a script to the lines that a session prints."""
    return lambda source: list(Session().feed(source))


def node_of(source: str) -> Node:
    value = build_program(source)
    assert isinstance(value, Node)
    return value
