"""The properties of a task on which the theorems about architectures depend.

The properties of a regular task are computed from its automaton or its group by
`regular_properties`. Other tasks declare them by hand, claiming no more than is known.
`literature` derives statements about architectures from the properties.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class TaskProperties:
    """The properties of a task on which the theorems depend.

    Attributes
    ----------
    circuit_class, why : str
        the circuit class (a key of `statements.CIRCUIT_CLASSES`), and the reason in one line.
    regular : bool
        whether a finite automaton solves it.
    partial : bool
        whether some positions are not scored, so that it may be easier than its automaton.
    asks_every_prefix : bool
        whether every position has a label that depends on the prefix up to it.
    star_free, r_trivial : bool or None
        whether the syntactic semigroup is aperiodic, and whether it is R-trivial; None if this is
        not known.
    letter_periods : frozenset of int
        the periods greater than 1 of the labels when one symbol is repeated.
    periods : frozenset of int or None
        the lengths greater than 1 of the cycles of states when any word is repeated; None if not
        known.
    holds_parity : bool
        whether one symbol swaps two states of different labels, and another fixes both.
    holds_flip_flop : bool
        whether two symbols set and reset two states of different labels, and a third fixes both.
    counts_besides_length : bool
        whether words of equal length count modulo an even number.
    length_modulus : int or None
        the number such that the label is a function of the length modulo it alone, if any.
    elementary : bool
        whether it consists of finitely many independent parities.
    last_symbol_alone : bool
        whether the label depends on the last symbol alone.
    commutes : bool
        whether the order of the symbols before the last is irrelevant.
    counters : int
        a number of counters, compared with zero, that solves it; 0 if there is none, or it is too
        large.
    nested : bool
        whether it concerns brackets, so that closing an unopened bracket is an error for good.
    stack : bool
        whether a deterministic pushdown automaton solves it.
    remembers : bool
        whether on the order of T bits of the word must be remembered.
    proportions : bool
        whether the label depends only on the proportion of each symbol in the whole word.
    looks_ahead : bool
        whether some label depends on later symbols.
    named : frozenset of str
        the names under which the literature has results on this task (``"parity"``, ``"first"``,
        ``"dyck"``), and ``"recognise"`` if it has this mode.
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
        """Whether anything is known about the task."""
        return self.circuit_class != "unknown" or self.regular

    @property
    def not_regular(self) -> bool:
        """Whether it is known that no finite automaton solves the task."""
        return not self.regular and self.circuit_class != "unknown"

    @property
    def hard(self) -> bool:
        """Whether the task is outside TC0 unless TC0 = NC1."""
        return self.circuit_class == "NC1-complete"

    @property
    def beyond_ac0(self) -> bool:
        """Whether the task is known to be outside AC0, as parity is (Furst et al. 1984)."""
        return self.circuit_class in ("ACC0", "TC0", "NC1-complete")

    @property
    def odd_period(self) -> int | None:
        """The least known period of a repeated word that is not a power of two, or None."""
        everything = self.letter_periods | (self.periods or frozenset())
        return min((n for n in everything if n & (n - 1)), default=None)


UNKNOWN = TaskProperties("unknown", "the properties of this task have not been determined")
