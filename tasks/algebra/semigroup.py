"""The syntactic semigroup: the action of the non-empty words on a minimal machine.

Two words are the same element if they are interchangeable in every context. On the minimal machine
this holds if they act on the states in the same way. The *semigroup* S consists of the non-empty
words only. The *monoid* adds the empty word, which is already an element of S if some non-empty
word fixes every state. The difference matters: if the empty word counted as an idempotent, (ab)*
would not be locally testable.

The elements are enumerated in the order of their shortest words, length by length, with the
algorithm of Froidure and Pin (1997, "Algorithms for computing finite semigroups"). Write the
shortest word of an element x as x = f s with a letter f. If s a is not itself the shortest word of
its element r = p b, then x a = f (s a) = (f p) b is looked up rather than composed. Hence only
about as many maps are composed as there are elements, and both Cayley graphs result:

    right[x, a] = x a        left[x, a] = a x

All words of one length form a layer, which is processed at once.
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

MOST_BYTES = 1 << 30  # of memory for maps and tables
MOST_COMPOSED = 1 << 22  # entries of maps composed at a time
LIMIT = 100_000  # default limit of the number of elements


@dataclass(frozen=True, eq=False)
class Semigroup:
    """A finite transformation semigroup with its left and right Cayley graphs.

    Attributes
    ----------
    machine : MooreMachine
        the machine whose semigroup it is, with symbols of equal action merged.
    maps : ndarray, shape (elements, states)
        the image of each state under each element.
    right, left : ndarray of int, shape (elements, symbols)
        the product of each element with each symbol, on the right and on the left.
    prefix, last : ndarray of int, shape (elements,)
        the shortest word of an element is that of `prefix` followed by the symbol `last`; the
        prefix of a single symbol is -1.

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
        """Compute the semigroup of a machine.

        Raises
        ------
        Stopped
            if it has more elements than `limit` or than fit in memory, or the time is up.
        """
        return Closure(machine.merge_symbols(), clock, limit).run()

    @property
    def size(self) -> int:
        """The number of elements."""
        return len(self.maps)

    def find_word(self, x: int) -> Word:
        """Return the shortest word of an element."""
        word = []
        while x >= 0:
            word.append(int(self.last[x]))
            x = int(self.prefix[x])
        return tuple(word[::-1])

    def spell(self, x: int) -> tuple[str, ...]:
        """Return the shortest word of an element, written in symbols."""
        return self.machine.spell(self.find_word(x))

    @cached_property
    def idempotents(self) -> Int[np.ndarray, " idempotents"]:
        """The numbers of the elements e with ee = e."""
        return np.flatnonzero(is_idempotent(self.maps))

    @cached_property
    def rank(self) -> Int[np.ndarray, " elements"]:
        """The size of the image of each element."""
        ordered = np.sort(self.maps, axis=1)
        rank: Int[np.ndarray, " elements"] = 1 + (ordered[:, 1:] != ordered[:, :-1]).sum(axis=1)
        return rank

    @cached_property
    def identity(self) -> int | None:
        """The number of the element that fixes every state, or None."""
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
        """Return the numbers of the elements with these maps, by a hash that is then verified."""
        order, hashes = self._order
        rank = np.searchsorted(hashes, maps.astype(np.uint64) @ self._hashes[0])
        found: Int[np.ndarray, " rows"] = order[np.minimum(rank, self.size - 1)]
        if not (self.maps[found] == maps).all():
            raise ValueError("a map is not an element of the semigroup")
        return found


class Closure:
    """The state of the algorithm of Froidure and Pin."""

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
        """Enumerate layers until one is empty, and return the semigroup."""
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
        """The number of elements found so far."""
        return len(self.numbers)

    def add(
        self,
        maps: UInt[np.ndarray, "rows states"],
        prefix: Int[np.ndarray, " rows"],
        last: Int[np.ndarray, " rows"],
    ) -> Int[np.ndarray, " rows"]:
        """Return the numbers of these maps, adding those that are new as elements."""
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
            shorter = self.suffix[prefix[rows]]  # a single letter has none: the letter itself
            self.suffix[here] = np.where(shorter < 0, last[rows], self.right[shorter, last[rows]])
        return found

    def describe_limit(self) -> str:
        """Return the message that says which limit was exceeded."""
        if self.limit < self.requested_limit:
            return f"the semigroup has more than {self.limit} elements: they need too much memory"
        return f"the semigroup has more than {self.limit} elements"

    def grow(self) -> None:
        """Double the tables until they have room for all elements."""
        while len(self.first) < self.size:
            for name in ("right", "left", "first", "last", "prefix", "suffix"):
                array = getattr(self, name)
                setattr(self, name, np.concatenate([array, np.full_like(array, -1)]))

    def extend(self, low: int, high: int) -> None:
        """Fill in the right products of a layer, composing maps only if no lookup suffices."""
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
        """Compose elements with letters, in the order of their words."""
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
        """Look up x a = (f p) b for x = f s and s a = p b.

        If f p is in the same layer, its products may only become known in a later round.
        """
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
        """Fill in the left products of a layer: a (p b) = (a p) b."""
        p, b = self.prefix[low:high], self.last[low:high]
        if low == 0:
            self.left[:high] = self.right[:high].T
        else:
            self.left[low:high] = self.right[self.left[p], b[:, None]]
