"""Regular languages that a user brings, as an expression or as an automaton in a file.

After ``regex:`` and ``automaton:`` everything is one argument, so the mode is part of the name:
``regex`` and ``automaton`` ask after every prefix, ``regex-recognise`` and
``automaton-recognise`` after the whole word. `flann.tasks.automata.expressions` describes the syntax
of expressions, and `flann.tasks.automata.files` the formats of files. Words are drawn as in
`flann.tasks.languages.regular.regular_language`.
"""

from __future__ import annotations

from pathlib import Path

from flann.errors import UserError
from flann.tasks.automata.expressions import from_expression
from flann.tasks.automata.files import read_automaton
from flann.tasks.core.task import register

from .regular_language import Ask, RegularLanguage


@register("regex", raw=True)
def regex(expression: str) -> RegularLanguage:
    """Is the word so far in the language of a regular expression? As in ``regex:(aa|b)*``."""
    return read_expression_task("regex", expression, "tag")


@register("regex-recognise", raw=True)
def regex_recognise(expression: str) -> RegularLanguage:
    """Is the word in the language of a regular expression? As in ``regex-recognise:(aa|b)*``."""
    return read_expression_task("regex-recognise", expression, "recognise")


@register("automaton", raw=True)
def automaton(path: str) -> RegularLanguage:
    """Does the automaton in a file accept the word so far? As in ``automaton:FILE``."""
    return read_file_task("automaton", path, "tag")


@register("automaton-recognise", raw=True)
def automaton_recognise(path: str) -> RegularLanguage:
    """Does the automaton in a file accept the word? As in ``automaton-recognise:FILE``."""
    return read_file_task("automaton-recognise", path, "recognise")


def read_expression_task(name: str, expression: str, mode: Ask) -> RegularLanguage:
    """Return the task of a regular expression."""
    if not expression:
        raise UserError(f"{name}: expected a regular expression, as in {name}:(aa|b)*")
    return RegularLanguage(f"{name}:{expression}", from_expression(expression), mode=mode)


def read_file_task(name: str, path: str, mode: Ask) -> RegularLanguage:
    """Return the task of the automaton in a file."""
    if not path:
        raise UserError(f"{name}: expected a file, as in {name}:machine.att")
    language = RegularLanguage(f"{name}:{path}", read_automaton(Path(path)), mode=mode)
    language.source = Path(path)
    return language
