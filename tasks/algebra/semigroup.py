"""The syntactic semigroup: the maps of the non-empty words on the states of a smallest machine.

Two words are the same element when they can stand for each other in every word. On the smallest
machine that is to lead every state to the same state. The *semigroup* S has the non-empty words
only. The *monoid* adds the empty word, which is an element of S too where some non-empty word leads
every state to itself. The difference counts: with the empty word among the idempotents (ab)* would
not be locally testable.

The elements are found in the order of their shortest words, length by length, with the algorithm
of Froidure and Pin (1997, "Algorithms for computing finite semigroups"). Write the shortest word
of an element x as x = f s with a letter f. When s a is not itself the shortest word of its element
r = p b, then x a = f (s a) = (f p) b is looked up and not multiplied. So only about as many maps
are composed as there are elements, and both Cayley graphs come out:

    right[x, a] = x a        left[x, a] = a x

A layer of words of one length is worked on at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Bool, Int, Integer, UInt

from flann.tasks.automata.moore_machine import MooreMachine, Word
from flann.tasks.sampling import choose_unsigned

from .transformations import is_idempotent
from .verdict import Clock, Stopped

MOST_BYTES = 1 << 30  # of maps and tables
MOST_COMPOSED = 1 << 22  # entries of maps composed at a time
LIMIT = 100_000  # elements


@dataclass(frozen=True, eq=False)
class Semigroup:
    """All elements, and what one more letter makes of them.

    Attributes
    ----------
    machine : MooreMachine
        which it is the semigroup of; symbols that act alike are merged in it.
    maps : ndarray, shape (elements, states)
        where each element leads each state.
    right, left : ndarray of int, shape (elements, symbols)
        the element with a symbol behind it, and before it.
    prefix, last : ndarray of int, shape (elements,)
        the shortest word of an element is that of `prefix` and the symbol `last`; the prefix of a
        single symbol is -1.

    Examples
    --------
    >>> from flann.tasks.automata.expressions import from_expression
    >>> s = Semigroup.of(MooreMachine.from_automaton(from_expression("(ab)*")), Clock.of(1))
    >>> [''.join(s.spell(x)) for x in range(s.size)]
    ['a', 'b', 'aa', 'ab', 'ba']
    """

    machine: MooreMachine
    maps: UInt[np.ndarray, "elements states"]
    right: Int[np.ndarray, "elements symbols"]
    left: Int[np.ndarray, "elements symbols"]
    prefix: Int[np.ndarray, " elements"]
    last: Int[np.ndarray, " elements"]

    @classmethod
    def of(cls, machine: MooreMachine, clock: Clock, limit: int = LIMIT) -> Semigroup:
        """The semigroup of a machine.

        Raises
        ------
        Stopped
            where it has more elements than `limit`, they do not fit, or the clock runs out.
        """
        return Closure(machine.merge_symbols(), clock, limit).run()

    @property
    def size(self) -> int:
        """How many elements it has."""
        return len(self.maps)

    def find_word(self, x: int) -> Word:
        """The shortest word of an element, by numbers of symbols."""
        word = []
        while x >= 0:
            word.append(int(self.last[x]))
            x = int(self.prefix[x])
        return tuple(word[::-1])

    def spell(self, x: int) -> tuple[str, ...]:
        """The shortest word of an element."""
        return self.machine.spell(self.find_word(x))

    @cached_property
    def idempotents(self) -> Int[np.ndarray, " idempotents"]:
        """The elements e with ee = e."""
        return np.flatnonzero(is_idempotent(self.maps))

    @cached_property
    def rank(self) -> Int[np.ndarray, " elements"]:
        """How many states each element leads to."""
        ordered = np.sort(self.maps, axis=1)
        rank: Int[np.ndarray, " elements"] = 1 + (ordered[:, 1:] != ordered[:, :-1]).sum(axis=1)
        return rank

    @cached_property
    def identity(self) -> int | None:
        """The element that leads every state to itself, which the empty word does too."""
        found = np.flatnonzero((self.maps == np.arange(self.machine.size)).all(axis=1))
        return int(found[0]) if found.size else None

    @cached_property
    def _hashes(self) -> tuple[UInt[np.ndarray, " states"], UInt[np.ndarray, " elements"]]:
        rng = np.random.Generator(np.random.PCG64(0))
        weights = rng.integers(0, 1 << 63, self.machine.size, np.uint64) * np.uint64(2) + np.uint64(
            1
        )
        return weights, self.maps @ weights

    @cached_property
    def _order(self) -> tuple[Int[np.ndarray, " elements"], UInt[np.ndarray, " elements"]]:
        hashes = self._hashes[1]
        order = np.argsort(hashes)
        return order, hashes[order]

    def find(self, maps: Integer[np.ndarray, "rows states"]) -> Int[np.ndarray, " rows"]:
        """The numbers of elements, by their maps: a hash finds them, a comparison makes sure."""
        order, hashes = self._order
        place = np.searchsorted(hashes, maps.astype(np.uint64) @ self._hashes[0])
        found: Int[np.ndarray, " rows"] = order[np.minimum(place, self.size - 1)]
        if not (self.maps[found] == maps).all():
            raise ValueError("a map is no element of the semigroup")
        return found


class Closure:
    """The algorithm: elements so far, and the layer that is worked on."""

    def __init__(self, machine: MooreMachine, clock: Clock, limit: int) -> None:
        self.machine, self.clock = machine, clock
        states, letters = machine.table.shape
        self.columns = np.ascontiguousarray(machine.table.T).astype(choose_unsigned(states))
        entry = 2 * states * self.columns.itemsize + 8 * letters + 40
        self.limit = min(limit, MOST_BYTES // entry)
        self.requested_limit = limit
        self.numbers: dict[bytes, int] = {}
        self.maps: list[UInt[np.ndarray, "layer states"]] = []
        room = 1 << 10
        self.right, self.left = (np.full((room, letters), -1, np.int32) for _ in range(2))
        self.first, self.last, self.prefix, self.suffix = (
            np.full(room, -1, np.int32) for _ in range(4)
        )

    def run(self) -> Semigroup:
        """Layer by layer until one is empty."""
        letters = len(self.columns)
        fresh = self.add(self.columns, np.full(letters, -1), np.arange(letters))
        low, high = 0, self.size
        assert fresh.size == letters
        self.first[:high], self.suffix[:high] = np.arange(letters), -1
        while low < high:
            self.extend(low, high)
            self.link_left(low, high)
            low, high = high, self.size
        return Semigroup(
            self.machine, np.concatenate(self.maps),
            self.right[:high].copy(), self.left[:high].copy(),
            self.prefix[:high].copy(), self.last[:high].copy(),
        )  # fmt: skip

    @property
    def size(self) -> int:
        """How many elements are known."""
        return len(self.numbers)

    def add(
        self,
        maps: UInt[np.ndarray, "rows states"],
        prefix: Int[np.ndarray, " rows"],
        last: Int[np.ndarray, " rows"],
    ) -> Int[np.ndarray, " rows"]:
        """The numbers of these maps; those that are new become elements."""
        known, before = self.numbers, self.size
        found = np.array([known.setdefault(row.tobytes(), len(known)) for row in maps], np.int32)
        if self.size > self.limit:
            raise Stopped(self.describe_limit())
        if self.size > before:
            new, rows = np.unique(found, return_index=True)
            rows = rows[new >= before]
            self.maps.append(maps[rows])
            self.grow()
            here = slice(before, self.size)
            self.prefix[here], self.last[here] = prefix[rows], last[rows]
            self.first[here] = self.first[prefix[rows]]
            shorter = self.suffix[prefix[rows]]  # of a letter there is none: the letter itself
            self.suffix[here] = np.where(shorter < 0, last[rows], self.right[shorter, last[rows]])
        return found

    def describe_limit(self) -> str:
        """Why it went no further."""
        if self.limit < self.requested_limit:
            return f"the semigroup has more than {self.limit} elements: they need too much memory"
        return f"the semigroup has more than {self.limit} elements"

    def grow(self) -> None:
        """Make room for as many elements as there are."""
        while len(self.first) < self.size:
            for name in ("right", "left", "first", "last", "prefix", "suffix"):
                array = getattr(self, name)
                setattr(self, name, np.concatenate([array, np.full_like(array, -1)]))

    def extend(self, low: int, high: int) -> None:
        """Give a layer its right neighbours, by composing maps only where no lookup will do."""
        letters = len(self.columns)
        suffix = self.suffix[low:high]
        if low == 0:
            x, a = map(np.ravel, np.indices((high, letters)))
            self.multiply(x, a, low)
            return
        shorter = self.right[suffix]
        composed = (self.prefix[shorter] == suffix[:, None]) & (
            self.last[shorter] == np.arange(letters)
        )
        x, a = np.nonzero(composed)
        self.multiply(x + low, a, low)
        self.look_up(low, high, shorter, ~composed)

    def multiply(
        self, x: Int[np.ndarray, " pairs"], a: Int[np.ndarray, " pairs"], low: int
    ) -> None:
        """Products of elements and letters, in the order of their words."""
        maps = self.maps if low == 0 else [np.concatenate(self.maps)]
        self.maps = maps
        whole = maps[0]
        pieces = 1 + x.size * self.machine.size // MOST_COMPOSED
        for rows, letters in zip(np.array_split(x, pieces), np.array_split(a, pieces), strict=True):
            self.clock.check()
            products = self.columns[letters[:, None], whole[rows]]
            self.right[rows, letters] = self.add(products, rows, letters)

    def look_up(
        self,
        low: int,
        high: int,
        shorter: Int[np.ndarray, "layer symbols"],
        looked_up: Bool[np.ndarray, "layer symbols"],
    ) -> None:
        """x a = (f p) b for x = f s, s a = p b; where f p is in the layer, it may have to wait."""
        x, a = np.nonzero(looked_up)
        r, x = shorter[x, a], x + low
        p, b, f = self.prefix[r], self.last[r], self.first[x]
        before = np.where(p < 0, f, self.left[p, f])  # f p; for a letter b alone it is f
        while x.size:
            self.clock.check()
            product = self.right[before, b]
            done = product >= 0
            assert done.any(), "the order of words is well-founded"
            self.right[x[done], a[done]] = product[done]
            x, a, b, before = x[~done], a[~done], b[~done], before[~done]

    def link_left(self, low: int, high: int) -> None:
        """Give a layer its left neighbours: a (p b) = (a p) b."""
        p, b = self.prefix[low:high], self.last[low:high]
        if low == 0:
            self.left[:high] = self.right[:high].T
        else:
            self.left[low:high] = self.right[self.left[p], b[:, None]]
