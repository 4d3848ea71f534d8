"""What the theorems about architectures ask about a task.

A regular task need not state its properties: `regular_facts` works them out from its automaton or its
group. The others state them by hand, no more than is known. `literature` turns facts into
statements about architectures.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class TaskProperties:
    """What the theorems ask about a task.

    Attributes
    ----------
    circuit_class, why : str
        its class (a key of `theory.CIRCUIT_CLASSES`), and the reason in one line.
    regular : bool
        finitely many states are enough.
    partial : bool
        only some words are asked about, so it may be easier than its automaton.
    asks_every_prefix : bool
        a label at every position, which says something of the word up to there.
    star_free, r_trivial : bool or None
        whether the semigroup is aperiodic, and R-trivial; None where not worked out.
    letter_periods : frozenset of int
        how long the cycles of answers are that repeating one symbol runs through, beyond 1.
    periods : frozenset of int or None
        the same of repeating any word; None where not worked out.
    holds_parity : bool
        one symbol swaps two states of different answers, and another keeps both.
    holds_flip_flop : bool
        two symbols set and reset two states of different answers, and a third keeps both.
    counts_besides_length : bool
        words of one length count modulo an even number.
    length_modulus : int or None
        the answer is a function of the length modulo this, and of nothing else.
    elementary : bool
        some parities, side by side, are all of it.
    last_symbol_alone : bool
        the answer depends on the last symbol alone.
    commutes : bool
        the order of the symbols before the last makes no difference.
    counters : int
        so many counters, read against zero, solve it; 0 if none do, or too many.
    nested : bool
        it is about brackets, so a prefix with too few open ones settles it.
    stack : bool
        a deterministic pushdown automaton solves it.
    remembers : bool
        on the order of T bits of the word have to be remembered.
    proportions : bool
        the answer depends on the share of each symbol in the whole word alone.
    looks_ahead : bool
        some answer depends on symbols that come after it.
    named : frozenset of str
        results about this very task: ``"parity"``, ``"first"``, ``"dyck"``; with ``"recognise"``
        when it has that mode.
    """

    circuit_class: str
    why: str
    regular: bool = False
    partial: bool = False
    asks_every_prefix: bool = False
    star_free: bool | None = None
    r_trivial: bool | None = None
    letter_periods: frozenset[int] = frozenset()
    periods: frozenset[int] | None = None
    holds_parity: bool = False
    holds_flip_flop: bool = False
    counts_besides_length: bool = False
    length_modulus: int | None = None
    elementary: bool = False
    last_symbol_alone: bool = False
    commutes: bool = False
    counters: int = 0
    nested: bool = False
    stack: bool = False
    remembers: bool = False
    proportions: bool = False
    looks_ahead: bool = False
    named: frozenset[str] = frozenset()

    @property
    def known(self) -> bool:
        """Whether anything is known of it."""
        return self.circuit_class != "unknown" or self.regular

    @property
    def not_regular(self) -> bool:
        """Whether it is known that no finite automaton solves it."""
        return not self.regular and self.circuit_class != "unknown"

    @property
    def hard(self) -> bool:
        """Whether it is out of TC0, unless TC0 = NC1."""
        return self.circuit_class == "NC1-complete"

    @property
    def beyond_ac0(self) -> bool:
        """Whether it is known to be outside AC0, as parity is (Furst, Saxe and Sipser 1984)."""
        return self.circuit_class in ("ACC0", "TC0", "NC1-complete")

    @property
    def odd_period(self) -> int | None:
        """A period, no power of two, that repeating some word runs through."""
        everything = self.letter_periods | (self.periods or frozenset())
        return min((n for n in everything if n & (n - 1)), default=None)


UNKNOWN = TaskProperties("unknown", "nobody has worked this task out")
