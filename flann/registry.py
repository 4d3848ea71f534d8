"""A registry: the names of one kind of thing, and the classes and functions that they stand for.

A new task or model is one file with one decorator, and no list anywhere to edit. So the registry
finds names by *reading* the files of its folder, not by importing them: it parses each and looks
for classes and functions decorated with ``@register("name")``. A file is imported only when one
of its names is asked for. That keeps ``import flann.tasks`` and ``flann --help`` fast, and lists
every model without loading torch.

The keyword-only parameters of what is registered are its options, and their annotations say
what values they take::

    @register("dyck-2")
    class Dyck(Task):
        def __init__(self, *, depth: int | None = None, mode: Literal["tag", "recognise"] = "tag")

Names that form a family (every finite group) are registered with a regular expression, and the
name itself is passed on as the first argument. A raw name (``regex:``) passes on all that
follows its colon. Others add theirs through entry points or as ``package.module:Name``.
"""

from __future__ import annotations

import ast
import inspect
import re
import types
import typing
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, Generic, Literal, TypeVar

from .errors import UnknownNameError, UserError
from .names import format_name, parse_name

T = TypeVar("T")
F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True)
class Entry:
    """What is known of a name before its module is imported."""

    name: str
    module: str
    attribute: str
    summary: str
    pattern: str | None = None
    raw: bool = False
    renamed: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Option:
    """One option of a registered name: its name, its type and its default."""

    name: str
    kind: Any
    default: Any


class Registry(Generic[T]):
    """The names of one kind of thing (tasks, models), found in one folder.

    Parameters
    ----------
    kind : str
        what error messages call it: ``"task"``.
    package : str
        the import name of the folder: ``"flann.tasks"``; also the entry point group.
    folder : Path
        where its files are.
    """

    def __init__(self, kind: str, package: str, folder: Path) -> None:
        self.kind, self.package, self.folder = kind, package, folder
        self._factories: dict[str, Callable[..., T]] = {}

    # -- registering ---------------------------------------------------------------------------

    def register(
        self,
        *names: str,
        pattern: str | None = None,
        raw: bool = False,
        renamed: Mapping[str, str] | None = None,
    ) -> Callable[[F], F]:
        """Return the decorator that registers a class or function under these names.

        Every argument must be written out as a literal, because it is read and never run.

        Parameters
        ----------
        *names : str
            the names; for a family, its best-known members.
        pattern : str, optional
            a regular expression for all names of the family.
        raw : bool
            whether all that follows the colon is one argument.
        renamed : mapping of str to str, optional
            earlier names of options and their present ones, so that older run folders still load.
        """

        def note(factory: F) -> F:
            for name in names:
                earlier = self._factories.get(name)
                if earlier is not None and inspect.getfile(earlier) != inspect.getfile(factory):
                    raise UserError(
                        f"the {self.kind} {name!r} is registered twice:"
                        f" {inspect.getfile(earlier)} and {inspect.getfile(factory)}"
                    )
                self._factories[name] = factory
            return factory

        return note

    @cached_property
    def index(self) -> dict[str, Entry]:
        """Every name in the folder and from entry points, without importing any."""
        found: dict[str, Entry] = {}
        for file in sorted(self.folder.rglob("*.py")):
            parts = file.relative_to(self.folder).with_suffix("").parts
            module = ".".join([self.package, *(part for part in parts if part != "__init__")])
            for entry in parse_entries(file.read_text(encoding="utf-8"), module):
                found.setdefault(entry.name, entry)
        for point in entry_points(group=self.package):
            summary = f"from {point.module}"
            found.setdefault(point.name, Entry(point.name, point.module, point.attr, summary))
        return found

    def names(self) -> list[str]:
        """Return the registered names, sorted; of a family, those that its file lists."""
        return sorted(self.index, key=str.lower)

    # -- asking --------------------------------------------------------------------------------

    def create(self, text: str, *arguments: Any, imports: bool = False) -> T:
        """Build what `text` names, with its options.

        Parameters
        ----------
        text : str
            a name by the grammar of `flann.names`.
        arguments
            what every factory of this kind takes beside its options.
        imports : bool
            whether ``package.module:Name`` may be imported. True only for text that the user
            typed; a name read from a file must never run code.

        Raises
        ------
        UserError
            for an unknown name, an unknown option, or a value of the wrong type.
        """
        factory, leading, options = self._resolve(text, imports)
        return factory(*leading, *arguments, **options)

    def canonical(self, text: str, *, imports: bool = False) -> str:
        """Return the one spelling of `text`: options in declared order, without defaults."""
        if is_import(text) or self._is_raw(text.partition(":")[0]):
            return text
        base, _ = self._split(text)
        factory, _, chosen = self._resolve(text, imports)
        kept = {
            o.name: chosen[o.name]
            for o in list_options(factory)
            if o.name in chosen and chosen[o.name] != o.default
        }
        return format_name(base, kept)

    def factory(self, base: str) -> Callable[..., T]:
        """Import and return the class or function behind a name."""
        entry = self._entry(base)
        if entry.name not in self._factories:
            module = import_module(entry.module)
            self._factories.setdefault(entry.name, getattr(module, entry.attribute))
        return self._factories[entry.name]

    def find_factory(self, text: str) -> Callable[..., T]:
        """Return the class or function behind a name as typed, with options or without."""
        return self._resolve(text, imports=True)[0]

    # -- inside --------------------------------------------------------------------------------

    def _resolve(
        self, text: str, imports: bool
    ) -> tuple[Callable[..., T], list[str], dict[str, Any]]:
        if is_import(text):
            return self._imported(text, imports), [], {}
        base, given = self._split(text)
        factory, entry = self.factory(base), self._entry(base)
        if entry.raw:
            return factory, [text.partition(":")[2]], {}
        leading = [base] if entry.pattern else []
        given = rename_options(given, entry.renamed, f"{self.kind} {base!r}")
        return factory, leading, read_options(factory, given, f"{self.kind} {base!r}")

    def _split(self, text: str) -> tuple[str, dict[str, str]]:
        base = text.partition(":")[0]
        return (base, {}) if self._is_raw(base) else parse_name(text)

    def _is_raw(self, base: str) -> bool:
        return base in self.index and self.index[base].raw

    def _entry(self, base: str) -> Entry:
        if base in self.index:
            return self.index[base]
        for entry in self.index.values():
            if entry.pattern and re.fullmatch(entry.pattern, base):
                return entry
        raise UnknownNameError(self.kind, base, self.names())

    def _imported(self, text: str, allowed: bool) -> Callable[..., T]:
        if not allowed:
            raise UserError(
                f"{text!r} would import code: such a {self.kind} is accepted only when typed"
            )
        module, _, attribute = text.partition(":")
        try:
            factory: Callable[..., T] = getattr(import_module(module), attribute)
        except (ImportError, AttributeError) as error:
            raise UserError(f"cannot import the {self.kind} {text!r}: {error}") from error
        return factory


def is_import(text: str) -> bool:
    """Return whether a name is ``package.module:Name``, which imports code.

    >>> is_import("research.tasks:Mine"), is_import("mamba:eigenvalues=negative")
    (True, False)
    """
    base, colon, _ = text.partition(":")
    return "." in base and colon == ":" and all(part.isidentifier() for part in base.split("."))


def parse_entries(source: str, module: str) -> Iterator[Entry]:
    """Yield the registered names in a file's text, which is parsed and not run.

    >>> [entry.name for entry in parse_entries('@register("a", "b")\\ndef f(): "Two names."', "m")]
    ['a', 'b']
    """
    if "@register(" not in source:
        return
    for node in ast.parse(source).body:
        if not isinstance(node, ast.ClassDef | ast.FunctionDef):
            continue
        summary = (ast.get_docstring(node) or "").partition("\n")[0]
        for call in node.decorator_list:
            if isinstance(call, ast.Call) and ast.unparse(call.func) == "register":
                keywords = {k.arg: ast.literal_eval(k.value) for k in call.keywords if k.arg}
                for argument in call.args:
                    name = ast.literal_eval(argument)
                    yield Entry(name, module, node.name, summary, **keywords)


def list_options(factory: Callable[..., Any]) -> list[Option]:
    """Return the options of a factory: its keyword-only parameters."""
    parameters = inspect.signature(factory, eval_str=True).parameters.values()
    return [Option(p.name, p.annotation, p.default) for p in parameters if p.kind is p.KEYWORD_ONLY]


def rename_options(
    given: Mapping[str, str], renamed: Mapping[str, str], owner: str
) -> dict[str, str]:
    """Return the options under their present names.

    >>> rename_options({"colour": "red"}, {"colour": "color"}, "thing 'small'")
    {'color': 'red'}

    Raises
    ------
    UserError
        If an option is given under both names.
    """
    for earlier, present in renamed.items():
        if earlier in given and present in given:
            raise UserError(
                f"{owner}: option {earlier!r} is an earlier name of {present!r}: expected only"
                f" {present}"
            )
    return {renamed.get(name, name): text for name, text in given.items()}


def read_options(factory: Callable[..., Any], given: dict[str, str], owner: str) -> dict[str, Any]:
    """Convert options from text to values of the annotated types."""
    options = {option.name: option for option in list_options(factory)}
    values = {}
    for name, text in given.items():
        if name not in options:
            raise UnknownNameError(f"option of {owner}", name, options)
        values[name] = read_value(text, options[name].kind, f"{owner}, option {name!r}")
    return values


def read_value(text: str, kind: Any, where: str) -> Any:
    """Convert one option's value by its annotation: bool, int, float, str, Literal, or a union.

    >>> read_value("swaps", int | Literal["swaps"], "generators")
    'swaps'
    >>> read_value("many", int | Literal["swaps"], "generators")
    Traceback (most recent call last):
    ...
    flann.errors.UserError: generators: expected a whole number or swaps, got 'many'
    """
    for choice in list_choices(kind):
        reader = READERS.get(choice)
        if reader is None and str(choice) == text:
            return choice
        try:
            if reader is not None:
                return reader(text)
        except (ValueError, KeyError):
            continue
    expected = " or ".join(WORDS.get(c, str(c)) for c in list_choices(kind))
    raise UserError(f"{where}: expected {expected}, got {text!r}")


def list_choices(kind: Any) -> list[Any]:
    """Return the alternatives of an annotation: types, and literal values as themselves."""
    origin = typing.get_origin(kind)
    if origin in (typing.Union, types.UnionType):
        return [choice for part in typing.get_args(kind) for choice in list_choices(part)]
    if origin is Literal:
        return list(typing.get_args(kind))
    return [] if kind is type(None) else [kind]  # None is a default, never something to type


READERS: dict[Any, Callable[[str], Any]] = {
    bool: {"true": True, "false": False}.__getitem__,
    int: int,
    float: float,
    str: str,
}
WORDS = {bool: "true or false", int: "a whole number", float: "a number", str: "a word"}
