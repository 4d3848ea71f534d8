"""The evaluator: s-ops and selectors on a batch of words, as arrays with a row for each word.

Strings are numbered in the order in which they occur, so that comparing strings is comparing whole
numbers. The values of an s-op have shape (words, positions), the pairs of a selector (words,
queries, keys); an axis has length 1 where all words, or all positions, agree. Numbers are float64,
exact for whole numbers up to 2^53; larger ones are refused.

An aggregate whose keys are the indices themselves selects an interval of positions, so its sums are
differences of running sums; the sums of others are matrix products, over a few words at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from flann.rasp.language.source_span import NO_SPAN, RaspError, SourceSpan
from flann.rasp.language.syntax import LARGEST_EXACT, Atom

from .input_readers import EXPECTED_SYMBOLS, READERS
from .selection import reduce_intervals, reduce_pairs
from .sops import (
    TYPE_NAMES,
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
    get_type,
    sort_topologically,
)
from .word_batch import WordBatch

Array = NDArray[Any]
COMPARISONS: dict[str, Callable[[Any, Any], Any]] = {
    "==": np.equal,
    "!=": np.not_equal,
    "<": np.less,
    "<=": np.less_equal,
    ">": np.greater,
    ">=": np.greater_equal,
}
CONNECTIVES: dict[str, Callable[..., Any]] = {
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
DTYPES: dict[Type, Any] = {"text": np.int32, "bool": np.bool_, "number": np.float64}


class StringTable:
    """The strings that occur in an evaluation, numbered in order of occurrence."""

    def __init__(self) -> None:
        self.numbers: dict[str, int] = {}

    def intern(self, text: str) -> int:
        """Return the number of a string, which is added if it is new."""
        return self.numbers.setdefault(text, len(self.numbers))

    def rank(self) -> NDArray[np.int64]:
        """Return the rank of each string, by its number, in the sorted order of all of them."""
        strings = list(self.numbers)
        ranks = np.empty(len(strings), np.int64)
        ranks[sorted(range(len(strings)), key=strings.__getitem__)] = np.arange(len(strings))
        return ranks


@dataclass(frozen=True)
class SequenceValues:
    """The values of one s-op.

    Attributes
    ----------
    type : Type
    data : array, (1 or words, 1 or positions)
        numbers, booleans, or the numbers of strings.
    """

    type: Type
    data: Array


class Evaluator:
    """The evaluation of a program on one batch of words; every node is computed once.

    Parameters
    ----------
    words : WordBatch
    spans : mapping, optional
        the source span of each node, by its number: for error messages.
    """

    def __init__(self, words: WordBatch, spans: Mapping[int, SourceSpan] | None = None) -> None:
        self.words, self.spans = words, spans or {}
        self.size, self.length = words.ids.shape
        self.strings = StringTable()
        self.values: dict[int, SequenceValues] = {}

    def evaluate(self, sop: SOp) -> SequenceValues:
        """Return the values of an s-op."""
        self._compute_parts(sop)
        return self.values[sop.number]

    def evaluate_pairs(self, selector: Selector) -> Array:
        """Return the pairs that a selector selects: booleans, (1 or words, queries, keys)."""
        self._compute_parts(selector)
        pairs = self._compute_pairs(selector)
        wide: Array = np.broadcast_to(pairs, (len(pairs), self.length, self.length))
        return wide

    def convert_to_atoms(self, values: SequenceValues) -> list[list[Atom]]:
        """Return values as Python's own, one list for each word."""
        data = np.broadcast_to(values.data, (self.size, self.length))
        if values.type == "text":
            strings = list(self.strings.numbers)
            return [[strings[i] for i in row] for row in data.tolist()]
        if values.type == "number":
            return [[int(x) if x == int(x) else x for x in row] for row in data.tolist()]
        return data.tolist()  # type: ignore[no-any-return]

    # -- node by node ------------------------------------------------------------------------------

    def _compute_parts(self, root: Node) -> None:
        for node in sort_topologically([root]):
            if node.number not in self.values and isinstance(node, SOp):
                self.values[node.number] = self._compute(node)

    def _compute(self, node: SOp) -> SequenceValues:
        if isinstance(node, Input):
            return self._compute_input(node)
        if isinstance(node, Constant):
            return self._compute_constant(node.value)
        if isinstance(node, Aggregate):
            return self._compute_aggregate(node)
        if isinstance(node, At):
            return self._compute_at(node)
        if isinstance(node, Lookup):
            return self._compute_lookup(node)
        if isinstance(node, Member):
            return self._compute_member(node)
        return self._compute_map(cast(Map, node))

    def _get(self, sop: SOp) -> SequenceValues:
        return self.values[sop.number]

    def _build_error(self, node: Node, reason: str) -> RaspError:
        return RaspError(reason, self.spans.get(node.number, NO_SPAN))

    def _compute_constant(self, value: Atom) -> SequenceValues:
        kind = get_type(value)
        stored = self.strings.intern(cast(str, value)) if kind == "text" else value
        return SequenceValues(kind, np.full((1, 1), stored, DTYPES[kind]))

    def _map_symbols(self, values: Sequence[Atom], node: Node) -> SequenceValues:
        """Return the values of an s-op that replaces each symbol of the alphabet by a value."""
        kinds = list(dict.fromkeys(map(get_type, values)))
        if len(kinds) > 1:
            present = np.unique(self.words.ids).tolist()  # the others may be of another type
            kinds = list(dict.fromkeys(get_type(values[i]) for i in present))
        if len(kinds) > 1:
            raise self._build_error(
                node, f"a word of {_list_types(kinds)}: expected symbols of one type"
            )
        kind = kinds[0]
        stored = [
            (self.strings.intern(str(v)) if kind == "text" else v) if get_type(v) == kind else 0
            for v in values
        ]
        return SequenceValues(kind, np.array(stored, DTYPES[kind])[self.words.ids])

    def _compute_input(self, node: Input) -> SequenceValues:
        if node.name == "indices":
            return SequenceValues("number", np.arange(self.length, dtype=float)[None, :])
        read = READERS[node.name]
        present = set(np.unique(self.words.ids).tolist())
        values: list[Atom] = []
        for i, symbol in enumerate(self.words.symbols):
            value = read(symbol) if i in present else None
            if i in present and value is None:
                expected = EXPECTED_SYMBOLS[node.name]
                raise self._build_error(
                    node, f"{node.name}: the symbol {symbol!r} is not {expected}"
                )
            values.append(value)
        if any(value is None for value in values):  # symbols that do not occur in the batch
            filler = next(value for value in values if value is not None)
            values = [filler if value is None else value for value in values]
        return self._map_symbols(values, node)

    # -- elementwise -------------------------------------------------------------------------------

    def _compute_map(self, node: Map) -> SequenceValues:
        operands = [self._get(part) for part in node.operands]
        if node.function == "if":
            return self._compute_conditional(node, operands)
        types = [operand.type for operand in operands]
        if len(set(types)) > 1:
            raise self._build_error(
                node, f"{node.function} of {_list_types(types)}: expected one type"
            )
        data = [operand.data for operand in operands]
        if node.function in COMPARISONS:
            if types[0] == "text" and node.function not in ("==", "!="):
                ranks = self.strings.rank()
                data = [ranks[part] for part in data]
            return SequenceValues("bool", COMPARISONS[node.function](*data))
        if node.function in CONNECTIVES:
            return SequenceValues("bool", CONNECTIVES[node.function](*data))
        if node.function == "indicator":
            return SequenceValues("number", data[0].astype(float))
        return SequenceValues("number", self._compute_arithmetic(node, data))

    def _compute_conditional(self, node: Map, operands: list[SequenceValues]) -> SequenceValues:
        condition, then, otherwise = operands
        if then.type != otherwise.type:
            raise self._build_error(
                node,
                "an s-op's values are all strings, all booleans or all numbers: got"
                f" {_list_types([then.type, otherwise.type])}",
            )
        return SequenceValues(then.type, np.where(condition.data, then.data, otherwise.data))

    def _compute_arithmetic(self, node: Map, data: list[Array]) -> Array:
        function = node.function
        if function in ("/", "%") and (data[1] == 0).any():
            raise self._build_error(node, f"'{function}' by zero")
        with np.errstate(all="ignore"):
            result = ARITHMETIC[function](*data)
        if not np.isfinite(result).all():
            raise self._build_error(node, f"'{function}' has no finite value here")
        if (np.abs(result) > LARGEST_EXACT).any():
            raise self._build_error(node, f"'{function}' gives more than 2^53: no longer exact")
        return np.asarray(result + 0.0)  # no negative zero

    def _compute_lookup(self, node: Lookup) -> SequenceValues:
        index, kind = self._get(node.index), cast(Type, node.type)
        distinct = np.unique(index.data)
        table = {(get_type(key), key): value for key, value in node.table}
        entries = np.empty(len(distinct), DTYPES[kind])
        strings = list(self.strings.numbers) if index.type == "text" else []
        for i, raw in enumerate(distinct.tolist()):
            key: Atom = strings[raw] if index.type == "text" else raw
            if (index.type, key) not in table:
                raise self._build_error(node, _explain_missing_entry(key, node))
            value = table[index.type, key]
            entries[i] = self.strings.intern(cast(str, value)) if kind == "text" else value
        return SequenceValues(kind, entries[np.searchsorted(distinct, index.data)])

    def _compute_member(self, node: Member) -> SequenceValues:
        values = self._get(node.values)
        choices: list[Any] = [choice for choice in node.choices if get_type(choice) == values.type]
        if values.type == "text":
            choices = [self.strings.intern(choice) for choice in choices]
        return SequenceValues("bool", np.isin(values.data, np.array(choices, DTYPES[values.type])))

    # -- attention ---------------------------------------------------------------------------------

    def _compute_at(self, node: At) -> SequenceValues:
        position = node.index + (self.length if node.index < 0 else 0)
        if not 0 <= position < self.length:
            raise self._build_error(
                node, f"index {node.index} is past the end of a word of {self.length} symbols"
            )
        values = self._get(node.values)
        data = values.data
        if data.shape[1] > 1:
            data = data[:, position : position + 1]
        return SequenceValues(values.type, data)

    def _compute_aggregate(self, node: Aggregate) -> SequenceValues:
        values = self._get(node.values)
        interval = self._find_interval(node.selector)
        data = np.broadcast_to(values.data, (values.data.shape[0], self.length))
        if interval is not None:
            counts, first, sums = reduce_intervals(*interval, data, values.type == "number")
        else:
            selected = self._compute_pairs(node.selector)
            counts, first, sums = reduce_pairs(selected, data, values.type == "number")
        return self._average(node, values.type, counts, first, sums)

    def _average(
        self, node: Aggregate, kind: Type, counts: Array, first: Array, sums: Array | None
    ) -> SequenceValues:
        """Return the means of an aggregate from the reductions over its selected keys."""
        none = counts == 0
        default = node.default
        if sums is None:
            if (counts > 1).any():
                q = int(np.argwhere(counts > 1)[0][-1])
                raise self._build_error(
                    node,
                    f"aggregate: {int(counts.max())} {TYPE_NAMES[kind]} are selected at"
                    f" position {q if counts.shape[-1] > 1 else 0}: only numbers have a mean",
                )
            if default is None and none.all():
                return self._compute_constant(0)
            if default is None and none.any():
                raise self._build_error(
                    node,
                    f"aggregate of {TYPE_NAMES[kind]}: nothing is selected at position"
                    f" {int(np.argwhere(none)[0][-1])}: expected a default",
                )
            values = first
        else:
            values = sums / np.maximum(counts, 1)
        if not none.any():
            return SequenceValues(kind, values)
        fill = self._compute_constant(0 if default is None else default)
        if fill.type != kind:
            raise self._build_error(
                node, f"aggregate of {TYPE_NAMES[kind]} with the default {default!r}"
            )
        return SequenceValues(kind, np.where(none, fill.data[0, 0], values))

    def _find_interval(self, selector: Selector) -> tuple[Array, Array] | None:
        """Return the first selected key of each query, and the one after the last.

        None where the selected keys are not known to form an interval: where they are not compared
        as indices.
        """
        if not (isinstance(selector, Select) and isinstance(selector.keys, Input)):
            return None
        if selector.keys.name != "indices" or selector.relation == "!=":
            return None
        q, length = self._get(selector.queries).data, self.length
        first = {"==": np.ceil(q), ">": np.floor(q) + 1, ">=": np.ceil(q)}.get(selector.relation)
        last = {"==": np.floor(q), "<": np.ceil(q) - 1, "<=": np.floor(q)}.get(selector.relation)
        zeros = np.zeros_like(q)
        low = np.clip(zeros if first is None else first, 0, length).astype(np.int64)
        high = np.clip(zeros + length if last is None else last + 1, 0, length).astype(np.int64)
        return low, np.maximum(low, high)

    def _compute_pairs(self, selector: Selector) -> Array:
        """Return the pairs of a selector: booleans, (1 or words, 1 or queries, 1 or keys)."""
        if isinstance(selector, Select):
            keys, queries = self._get(selector.keys), self._get(selector.queries)
            if keys.type != queries.type:
                raise self._build_error(
                    selector,
                    f"select compares {_list_types([keys.type, queries.type])}: expected one type",
                )
            k, q = keys.data, queries.data
            if keys.type == "text":
                if selector.relation not in ("==", "!="):
                    ranks = self.strings.rank()
                    k, q = ranks[k], ranks[q]
                if len(self.strings.numbers) < 128:
                    k, q = k.astype(np.int8), q.astype(np.int8)
            compared: Array = COMPARISONS[selector.relation](k[:, None, :], q[:, :, None])
            return compared
        combined = cast(Combine, selector)
        parts = [self._compute_pairs(part) for part in combined.operands]
        pairs: Array = CONNECTIVES[combined.connective](*parts)
        return pairs


def _explain_missing_entry(key: Atom, node: Lookup) -> str:
    keys = [entry for entry, _ in node.table]
    if keys == list(range(len(keys))):
        return (
            f"index {key:g} is past the end of a list of {len(keys)}: expected 0 to {len(keys) - 1}"
        )
    return f"the key {key!r} is not in the dict"


def _list_types(types: Sequence[str]) -> str:
    return " and ".join(TYPE_NAMES[cast(Type, kind)] for kind in dict.fromkeys(types))
