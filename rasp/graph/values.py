"""S-ops and selectors on a batch of words: arrays with a row for each word.

Strings are numbers inside (the places of a table of all strings met), so that comparing them is
comparing whole numbers. A sequence has shape (words, positions) and a selector (words, queries,
keys); either number may be 1 where all words, or all positions, agree. Numbers are float64, exact
for whole numbers to 2^53, and larger ones are refused.

An aggregate whose keys are the indices themselves selects an interval of positions, so its sums
are differences of running sums; the others are matrix products, a few words at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from flann.errors import UserError
from flann.rasp.language.source_span import NOWHERE, Place, RaspError
from flann.rasp.language.syntax import Atom

from .selected import over_interval, over_pairs
from .sops import (
    TYPE_WORDS,
    Aggregate,
    At,
    Combine,
    Constant,
    Input,
    Lookup,
    Map,
    Member,
    Node,
    Select,
    Selector,
    SOp,
    Type,
    ordered,
    type_of,
)
from .symbols import GREATEST, READ_AS, READERS

PAIRS_AT_ONCE = 1 << 22  # pairs of positions of one selector held in memory
LONGEST_WORD = 1 << 14
COMPARE: dict[str, Callable[[Any, Any], Any]] = {
    "==": np.equal,
    "!=": np.not_equal,
    "<": np.less,
    "<=": np.less_equal,
    ">": np.greater,
    ">=": np.greater_equal,
}
Word = str | Sequence[Atom]
Array = NDArray[Any]


class Texts:
    """All strings met, and the number of each."""

    def __init__(self) -> None:
        self.known: dict[str, int] = {}

    def number(self, text: str) -> int:
        """The number of a string, a new one if it was not met before."""
        return self.known.setdefault(text, len(self.known))

    def ranks(self) -> NDArray[np.int64]:
        """For each string's number, its place in the order of all strings met."""
        words = list(self.known)
        ranks = np.empty(len(words), np.int64)
        ranks[sorted(range(len(words)), key=words.__getitem__)] = np.arange(len(words))
        return ranks


@dataclass(frozen=True)
class Column:
    """The values of one s-op: their type, and an array of shape (1 or words, 1 or positions)."""

    type: Type
    data: Array


class Words:
    """A batch of words of one length, as the inputs of a program.

    Parameters
    ----------
    words : sequence of str or of lists of atoms
        all of one length; the letters of a string are its symbols.
    """

    def __init__(self, words: Sequence[Word]) -> None:
        lengths = {len(word) for word in words}
        if len(lengths) != 1:
            raise UserError(f"words of lengths {sorted(lengths)}: expected one length")
        symbols = list(dict.fromkeys((type(s), s) for word in words for s in word))
        place = {key: number for number, key in enumerate(symbols)}
        ids = np.array([[place[type(s), s] for s in word] for word in words], np.int64)
        self.ids, self.symbols = ids, [symbol for _, symbol in symbols]
        self._check()

    @classmethod
    def of_ids(cls, ids: NDArray[np.integer[Any]], symbols: Sequence[Atom]) -> Words:
        """Words given as ids of symbols, an array of shape (words, positions)."""
        made = cls.__new__(cls)
        made.ids, made.symbols = np.asarray(ids), list(symbols)
        made._check()
        return made

    def _check(self) -> None:
        if not self.ids.shape[1]:
            raise UserError("a word without symbols: expected one at least")
        if self.ids.shape[1] > LONGEST_WORD:
            raise UserError(
                f"a word of {self.ids.shape[1]} symbols: expected at most {LONGEST_WORD}"
            )

    def parts(self) -> Iterable[Words]:
        """The same words, few at a time, so that a selector fits into memory."""
        size, length = self.ids.shape
        rows = max(1, PAIRS_AT_ONCE // length**2)
        for first in range(0, size, rows):
            yield Words.of_ids(self.ids[first : first + rows], self.symbols)


class Run:
    """One program on one batch: the value of every node that was asked for.

    Parameters
    ----------
    words : Words
    places : mapping, optional
        where in the program each node, by its number, was written: for errors.
    """

    def __init__(self, words: Words, places: Mapping[int, Place] | None = None) -> None:
        self.words, self.places = words, places or {}
        self.size, self.length = words.ids.shape
        self.texts = Texts()
        self.known: dict[int, Column | Array] = {}

    def sequence(self, sop: SOp) -> Column:
        """The values of an s-op."""
        self._settle(sop)
        return cast(Column, self.known[sop.number])

    def pairs(self, selector: Selector) -> Array:
        """A selector's booleans, (1 or words, queries, keys)."""
        self._settle(selector)
        found = self._dense(selector)
        wide: Array = np.broadcast_to(found, (len(found), self.length, self.length))
        return wide

    def atoms(self, column: Column) -> list[list[Atom]]:
        """Values as Python's own, a list for each word."""
        data = np.broadcast_to(column.data, (self.size, self.length))
        if column.type == "text":
            words = list(self.texts.known)
            return [[words[i] for i in row] for row in data.tolist()]
        if column.type == "number":
            return [[int(x) if x == int(x) else x for x in row] for row in data.tolist()]
        return data.tolist()  # type: ignore[no-any-return]

    # -- node by node ------------------------------------------------------------------------------

    def _settle(self, root: Node) -> None:
        for node in ordered([root]):
            if node.number not in self.known and isinstance(node, SOp):
                self.known[node.number] = self._value(node)

    def _value(self, node: SOp) -> Column:
        if isinstance(node, Input):
            return self._input(node)
        if isinstance(node, Constant):
            return self._constant(node.value)
        if isinstance(node, Aggregate):
            return self._aggregate(node)
        if isinstance(node, At):
            return self._at(node)
        if isinstance(node, Lookup):
            return self._lookup(node)
        if isinstance(node, Member):
            return self._member(node)
        return self._map(cast(Map, node))

    def _of(self, sop: SOp) -> Column:
        return cast(Column, self.known[sop.number])

    def _wrong(self, node: Node, reason: str) -> RaspError:
        return RaspError(reason, self.places.get(node.number, NOWHERE))

    def _constant(self, value: Atom) -> Column:
        kind = type_of(value)
        held = self.texts.number(cast(str, value)) if kind == "text" else value
        return Column(kind, np.full((1, 1), held, KINDS[kind]))

    def _symbols(self, values: Sequence[Atom], node: Node) -> Column:
        """A value for every symbol, as the values of every word."""
        kinds = list(dict.fromkeys(map(type_of, values)))
        if len(kinds) > 1:
            met = np.unique(self.words.ids).tolist()  # symbols that do not occur do not matter
            kinds = list(dict.fromkeys(type_of(values[i]) for i in met))
        if len(kinds) > 1:
            words = " and ".join(TYPE_WORDS[kind] for kind in kinds)
            raise self._wrong(node, f"a word of {words}: expected symbols of one type")
        kind = kinds[0]
        held = [
            (self.texts.number(str(v)) if kind == "text" else v) if type_of(v) == kind else 0
            for v in values
        ]
        return Column(kind, np.array(held, KINDS[kind])[self.words.ids])

    def _input(self, node: Input) -> Column:
        if node.name == "indices":
            return Column("number", np.arange(self.length, dtype=float)[None, :])
        read = READERS[node.name]
        met = set(np.unique(self.words.ids).tolist())
        values: list[Atom] = []
        for place, symbol in enumerate(self.words.symbols):
            value = read(symbol) if place in met else None
            if place in met and value is None:
                wanted = READ_AS[node.name]
                raise self._wrong(node, f"{node.name}: the symbol {symbol!r} is not {wanted}")
            values.append(value)
        if any(value is None for value in values):  # symbols that do not occur
            filler = next(value for value in values if value is not None)
            values = [filler if value is None else value for value in values]
        return self._symbols(values, node)

    # -- elementwise -------------------------------------------------------------------------------

    def _map(self, node: Map) -> Column:
        columns = [self._of(part) for part in node.operands]
        if node.function == "if":
            return self._choice(node, columns)
        types = [column.type for column in columns]
        if len(set(types)) > 1:
            raise self._wrong(node, f"{node.function} of {_list(types)}: expected one type")
        data = [column.data for column in columns]
        if node.function in COMPARE:
            if types[0] == "text" and node.function not in ("==", "!="):
                ranks = self.texts.ranks()
                data = [ranks[part] for part in data]
            return Column("bool", COMPARE[node.function](*data))
        if node.function in LOGIC:
            return Column("bool", LOGIC[node.function](*data))
        if node.function == "indicator":
            return Column("number", data[0].astype(float))
        return Column("number", self._arithmetic(node, data))

    def _choice(self, node: Map, columns: list[Column]) -> Column:
        condition, then, otherwise = columns
        if then.type != otherwise.type:
            raise self._wrong(
                node,
                "an s-op's values are all strings, all booleans or all numbers: got"
                f" {_list([then.type, otherwise.type])}",
            )
        return Column(then.type, np.where(condition.data, then.data, otherwise.data))

    def _arithmetic(self, node: Map, data: list[Array]) -> Array:
        function = node.function
        if function in ("/", "%") and (data[1] == 0).any():
            raise self._wrong(node, f"'{function}' by zero")
        with np.errstate(all="ignore"):
            result = ARITHMETIC[function](*data)
        if not np.isfinite(result).all():
            raise self._wrong(node, f"'{function}' has no finite value here")
        if (np.abs(result) > GREATEST).any():
            raise self._wrong(node, f"'{function}' gives more than 2^53: no longer exact")
        return np.asarray(result + 0.0)  # no negative zero

    def _lookup(self, node: Lookup) -> Column:
        index, kind = self._of(node.index), cast(Type, node.type)
        found = np.unique(index.data)
        table = {(type_of(key), key): value for key, value in node.table}
        held = np.empty(len(found), KINDS[kind])
        names = list(self.texts.known) if index.type == "text" else []
        for place, raw in enumerate(found.tolist()):
            key: Atom = names[raw] if index.type == "text" else raw
            if (index.type, key) not in table:
                raise self._wrong(node, _no_entry(key, node))
            value = table[index.type, key]
            held[place] = self.texts.number(cast(str, value)) if kind == "text" else value
        return Column(kind, held[np.searchsorted(found, index.data)])

    def _member(self, node: Member) -> Column:
        column = self._of(node.values)
        same = [choice for choice in node.choices if type_of(choice) == column.type]
        held: list[Any] = list(same)
        if column.type == "text":
            held = [self.texts.number(cast(str, choice)) for choice in same]
        return Column("bool", np.isin(column.data, np.array(held, KINDS[column.type])))

    # -- attention ---------------------------------------------------------------------------------

    def _at(self, node: At) -> Column:
        place = node.index + (self.length if node.index < 0 else 0)
        if not 0 <= place < self.length:
            raise self._wrong(
                node, f"index {node.index} is past the end of a word of {self.length} symbols"
            )
        column = self._of(node.values)
        wide = column.data.shape[1] > 1
        return Column(column.type, column.data[:, place : place + 1] if wide else column.data)

    def _aggregate(self, node: Aggregate) -> Column:
        column = self._of(node.values)
        interval = self._interval(node.selector)
        values = np.broadcast_to(column.data, (column.data.shape[0], self.length))
        if interval is not None:
            counts, taken, summed = over_interval(*interval, values, column.type == "number")
        else:
            selected = self._dense(node.selector)
            counts, taken, summed = over_pairs(selected, values, column.type == "number")
        return self._mean(node, column, counts, taken, summed)

    def _mean(
        self, node: Aggregate, column: Column, counts: Array, taken: Array, summed: Array | None
    ) -> Column:
        none = counts == 0
        default = node.default
        if summed is None:
            if (counts > 1).any():
                q = int(np.argwhere(counts > 1)[0][-1])
                raise self._wrong(
                    node,
                    f"aggregate: {int(counts.max())} {TYPE_WORDS[column.type]} are selected at"
                    f" position {q if counts.shape[-1] > 1 else 0}: only numbers have a mean",
                )
            if default is None and none.all():
                return self._constant(0)
            if default is None and none.any():
                raise self._wrong(
                    node,
                    f"aggregate of {TYPE_WORDS[column.type]}: nothing is selected at position"
                    f" {int(np.argwhere(none)[0][-1])}: expected a default",
                )
            values = taken
        else:
            values = summed / np.maximum(counts, 1)
        if not none.any():
            return Column(column.type, values)
        fill = self._constant(0 if default is None else default)
        if fill.type != column.type:
            raise self._wrong(
                node, f"aggregate of {TYPE_WORDS[column.type]} with the default {default!r}"
            )
        return Column(column.type, np.where(none, fill.data[0, 0], values))

    def _interval(self, selector: Selector) -> tuple[Array, Array] | None:
        """The first selected key and the one after the last, where keys are the indices."""
        if not (isinstance(selector, Select) and isinstance(selector.keys, Input)):
            return None
        if selector.keys.name != "indices" or selector.relation == "!=":
            return None
        q, length = self._of(selector.queries).data, self.length
        first = {"==": np.ceil(q), ">": np.floor(q) + 1, ">=": np.ceil(q)}.get(selector.relation)
        last = {"==": np.floor(q), "<": np.ceil(q) - 1, "<=": np.floor(q)}.get(selector.relation)
        zeros = np.zeros_like(q)
        low = np.clip(zeros if first is None else first, 0, length).astype(np.int64)
        high = np.clip(zeros + length if last is None else last + 1, 0, length).astype(np.int64)
        return low, np.maximum(low, high)

    def _dense(self, selector: Selector) -> Array:
        """Booleans of shape (1 or words, 1 or queries, 1 or keys)."""
        if isinstance(selector, Select):
            keys, queries = self._of(selector.keys), self._of(selector.queries)
            if keys.type != queries.type:
                raise self._wrong(
                    selector,
                    f"select compares {_list([keys.type, queries.type])}: expected one type",
                )
            k, q = keys.data, queries.data
            if keys.type == "text":
                if selector.relation not in ("==", "!="):
                    ranks = self.texts.ranks()
                    k, q = ranks[k], ranks[q]
                if len(self.texts.known) < 128:
                    k, q = k.astype(np.int8), q.astype(np.int8)
            compared: Array = COMPARE[selector.relation](k[:, None, :], q[:, :, None])
            return compared
        combined = cast(Combine, selector)
        parts = [self._dense(part) for part in combined.operands]
        joined: Array = LOGIC[combined.how](*parts)
        return joined


def _no_entry(key: Atom, node: Lookup) -> str:
    keys = [known for known, _ in node.table]
    if keys == list(range(len(keys))):
        return (
            f"index {key:g} is past the end of a list of {len(keys)}: expected 0 to {len(keys) - 1}"
        )
    return f"the key {key!r} is not in the dict"


def _list(types: Sequence[str]) -> str:
    return " and ".join(TYPE_WORDS[cast(Type, kind)] for kind in dict.fromkeys(types))


KINDS: dict[Type, Any] = {"text": np.int32, "bool": np.bool_, "number": np.float64}
LOGIC: dict[str, Callable[..., Any]] = {
    "and": np.logical_and,
    "or": np.logical_or,
    "not": np.logical_not,
}
ARITHMETIC: dict[str, Callable[..., Any]] = {
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "/": np.divide,
    "%": np.mod,
    "^": np.power,
    "neg": np.negative,
    "round": np.rint,
}
