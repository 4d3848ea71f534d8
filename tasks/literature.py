"""The theorems: from what a task is to what each family of architectures can do with it.

A task says what it is (`Facts`); each function below is the literature on one kind of
architecture, and turns the facts into statements. Nothing here is particular to one task, so a
language whose facts are derived by machine gets its statements from the same place.

Where the literature says nothing, the statement says ``open``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from .theory import FAMILIES, REGIMES, Statement, Theory

ALSMANN = "Alsmann, Noori and Lange 2026, arXiv 2601.19467"
CHIANG_CHOLAK = "Chiang and Cholak 2022, arXiv 2202.12172"
GRAZZI = "Grazzi et al. 2024, arXiv 2411.12537"
HEWITT = "Hewitt et al. 2020, arXiv 2010.07515"
HUANG = "Huang et al. 2024, arXiv 2410.02140"
KORSKY = "Korsky and Berwick 2019, arXiv 1906.06349"
LI = "Li, Liu, Zhou and Ma 2024, arXiv 2402.12875"
LI_COTTERELL = "Li and Cotterell 2025, arXiv 2505.23623"
LIU = "Liu et al. 2022, arXiv 2210.10749"
LOG_DEPTH = "Merrill and Sabharwal 2025, arXiv 2503.03961"
MERRILL_2019 = "Merrill 2019, arXiv 1906.01615"
MERRILL_2020 = "Merrill et al. 2020, arXiv 2004.08500"
PARALLELISM = "Merrill and Sabharwal 2023, arXiv 2207.00729"
PEREZ = "Pérez, Marinković and Barceló 2019, arXiv 1901.03429"
SARROF = "Sarrof, Veitsman and Hahn 2024, arXiv 2405.17394"
SOFT_HARD = "Yang et al. 2024, arXiv 2412.09925"
STAR_FREE = "Yang, Chiang and Angluin 2023, arXiv 2310.13897"
STATE_ILLUSION = "Merrill, Petty and Sabharwal 2024, arXiv 2404.08819"
SURVEY = "Strobl et al. 2024, arXiv 2311.00208 (survey)"
WEISS_2018 = "Weiss, Goldberg and Yahav 2018, arXiv 1805.04908"
WEISS_2021 = "Weiss, Goldberg and Yahav 2021, arXiv 2106.06981"
YANG_CHIANG = "Yang and Chiang 2024, arXiv 2404.04393"


@dataclass(frozen=True)
class Facts:
    """What the theorems ask about a task.

    Attributes
    ----------
    circuit_class, why : str
        its class (a key of `theory.CIRCUIT_CLASSES`), and the reason in one line.
    regular : bool
        finitely many states are enough.
    star_free : bool
        regular, and no input counts modulo anything: the transition monoid is aperiodic.
    r_trivial : bool
        regular, and every cycle of the minimal automaton is a self-loop.
    contains_parity : bool
        words over two of the symbols make it parity.
    modulus : int or None
        repeating one symbol asks for the length modulo this, where that is not a power of two.
    elementary : bool
        some parities, side by side, are all of it.
    one_counter : bool
        a counter, read against zero, solves it.
    stack : bool
        needs a stack of unbounded height.
    proportions : bool
        the answer depends on the share of each symbol in the whole word alone.
    looks_ahead : bool
        some answer depends on symbols that come after it.
    named : frozenset of str
        results about this very task: ``"parity"``, ``"first"``, ``"dyck-1"``, ``"dyck"``,
        ``"(aa)*"``; with ``"recognise"`` when it has that mode.
    """

    circuit_class: str
    why: str
    regular: bool = False
    star_free: bool = False
    r_trivial: bool = False
    contains_parity: bool = False
    modulus: int | None = None
    elementary: bool = False
    one_counter: bool = False
    stack: bool = False
    proportions: bool = False
    looks_ahead: bool = False
    named: frozenset[str] = frozenset()

    @property
    def hard(self) -> bool:
        """Whether it is out of TC0, unless TC0 = NC1."""
        return self.circuit_class == "NC1-complete"

    @property
    def beyond_ac0(self) -> bool:
        """Whether it is known to be outside AC0, as parity is (Furst, Saxe and Sipser 1984)."""
        return self.circuit_class in ("ACC0", "TC0", "NC1-complete")


def theory_from(facts: Facts) -> Theory:
    """Every statement that follows, at least one for each family."""
    statements = [
        statement
        for literature in (recurrent, state_space, transformers)
        for statement in literature(facts)
    ]
    if facts.looks_ahead:
        statements = [s for s in statements if s.family not in CAUSAL]
        statements += [not_yet_read(family) for family in CAUSAL]
    silent = [family for family in FAMILIES if family not in {s.family for s in statements}]
    statements += [nothing_published(family) for family in silent]
    statements.sort(key=lambda s: (list(FAMILIES).index(s.family), list(REGIMES).index(s.regime)))
    return Theory(facts.circuit_class, facts.why, tuple(statements))


CAUSAL = [
    family for family in FAMILIES if family.split("-")[-1] not in ("bidirectional", "equivariant")
]


def not_yet_read(family: str) -> Statement:
    """What no causal model can do, whatever its precision."""
    why = "some answer depends on a symbol that a causal model has not read yet"
    return Statement(family, "unbounded precision", "cannot", why, SURVEY)


UNKNOWN = Facts("unknown", "nobody has worked this task out")


def nothing_published(family: str) -> Statement:
    """That the literature is silent, and where it would be."""
    where = SURVEY if family.startswith("transformer") else SARROF
    why = "no result known that settles it"
    return Statement(family, "log precision", "open", why, f"not settled in {where}")


# -- recurrent networks --------------------------------------------------------------------------


def recurrent(facts: Facts) -> Iterator[Statement]:
    """RNN, GRU and LSTM: finite automata at fixed precision; the LSTM also counts."""
    automata = f"{MERRILL_2019}; {KORSKY}"
    sources = {"rnn": automata, "gru": automata, "lstm": f"{WEISS_2018}; {MERRILL_2020}"}
    for family, source in sources.items():
        if facts.regular:
            why = "with saturated gates it runs any finite automaton"
            yield Statement(family, "fixed precision", "can", why, source)
        elif facts.circuit_class != "unknown":
            why = "a state of constantly many bits is a finite automaton, and this is not regular"
            yield Statement(family, "fixed precision", "cannot", why, source)
        if facts.stack:
            yield no_stack(family, MERRILL_2020)
    if facts.one_counter:
        why = "a cell counts up and down, which takes log T bits, and its sign is read off"
        yield Statement("lstm", "log precision", "can", why, WEISS_2018)
    if facts.stack or facts.one_counter:
        why = "a state of any precision can hold the stack of a pushdown automaton"
        yield Statement("rnn", "unbounded precision", "can", why, KORSKY)


def no_stack(family: str, source: str) -> Statement:
    """A state of fixed width and log T bits a number cannot hold a stack of height T / 2."""
    why = "a stack of height T/2 takes on the order of T bits; the state has on the order of log T"
    return Statement(family, "log precision", "cannot", why, f"{HEWITT}; {source}")


# -- linear recurrences --------------------------------------------------------------------------

DIAGONAL = ("time-invariant-ssm", "nonnegative-ssm", "real-ssm")


def state_space(facts: Facts) -> Iterator[Statement]:
    """S4, Mamba and IDS4: what the eigenvalues of the state matrix allow."""
    for family in (*DIAGONAL, "input-dependent-ssm"):
        if not facts.regular and facts.circuit_class != "unknown":
            why = "at fixed width it recognises regular languages only"
            yield Statement(family, "fixed precision", "cannot", why, ALSMANN)
        if facts.stack:
            yield no_stack(family, STATE_ILLUSION)
    for family in DIAGONAL:
        if facts.hard and not facts.stack:  # a stack is out of reach in any case
            why = "one matrix, or diagonal ones: their products are in TC0"
            yield Statement(family, "log precision", "cannot unless TC0 = NC1", why, STATE_ILLUSION)
    yield from counting(facts)
    yield from time_invariant(facts)
    yield from non_negative(facts)
    yield from real(facts)
    if facts.regular:
        why = "its matrices can be the transition matrices of the automaton"
        yield Statement("input-dependent-ssm", "log precision", "can", why, STATE_ILLUSION)


def counting(facts: Facts) -> Iterator[Statement]:
    """A state with eigenvalue 1 adds up what comes in."""
    if not facts.one_counter:
        return
    why = "a state with eigenvalue 1 counts up and down; the next layer reads its sign"
    source = f"{SARROF}; {ALSMANN}"
    for family in ("nonnegative-ssm", "real-ssm", "input-dependent-ssm"):
        yield Statement(family, "log precision", "can", why, source)
    if "dyck-1" not in facts.named:
        yield Statement("time-invariant-ssm", "log precision", "can", why, ALSMANN)


def time_invariant(facts: Facts) -> Iterator[Statement]:
    """One matrix for every input: position counts, content does not flip the sign."""
    if facts.contains_parity:
        why = "the same matrix acts at every step, so no symbol can flip a sign; it holds parity"
        yield Statement("time-invariant-ssm", "fixed precision", "cannot", why, SARROF)
    if "(aa)*" in facts.named:
        why = "an eigenvalue of -1 counts steps modulo two"
        yield Statement("time-invariant-ssm", "fixed precision", "can", why, SARROF)


def non_negative(facts: Facts) -> Iterator[Statement]:
    """Eigenvalues in [0, 1]: exactly the star-free ones among regular languages."""
    if not facts.regular:
        return
    if facts.star_free:
        why = "star-free: a cascade of flip-flops, each a gate that keeps or overwrites"
    else:
        why = "not star-free: gates in [0, 1] keep or forget, they cannot go round in a cycle"
    verdict = "can" if facts.star_free else "cannot"
    yield Statement("nonnegative-ssm", "fixed precision", verdict, why, SARROF)


def real(facts: Facts) -> Iterator[Statement]:
    """Eigenvalues in [-1, 1]: star-free ones and parities, and no odd modulus."""
    if facts.star_free:
        why = "star-free: eigenvalues in [0, 1] are enough"
        yield Statement("real-ssm", "fixed precision", "can", why, SARROF)
    if facts.elementary:
        why = "an eigenvalue of -1 flips the sign of a state"
        yield Statement("real-ssm", "fixed precision", "can", why, f"{SARROF}; {GRAZZI}")
    if facts.modulus:
        why = f"a repeated symbol counts modulo {facts.modulus}, not a power of two"
        yield Statement("real-ssm", "fixed precision", "cannot", why, GRAZZI)


# -- transformers --------------------------------------------------------------------------------

POSITIONED = ("transformer", "transformer-bidirectional")
ATTENDING = (*POSITIONED, "transformer-nope")


def transformers(facts: Facts) -> Iterator[Statement]:
    """Attention: what precision, masks and positions allow."""
    for family in ATTENDING:
        if facts.hard:
            why = "constantly many layers at log precision are in TC0"
            yield Statement(family, "log precision", "cannot unless TC0 = NC1", why, PARALLELISM)
        if facts.beyond_ac0 and not (family == "transformer-nope" and facts.regular):
            why = "constantly many layers of constantly many bits are in AC0, and this is not"
            yield Statement(family, "fixed precision", "cannot", why, LI)
    yield from causal(facts)
    yield from without_positions(facts)
    yield from bidirectional(facts)
    yield from equivariant(facts)


def causal(facts: Facts) -> Iterator[Statement]:
    """A causal mask and positions."""
    if facts.regular and facts.circuit_class == "AC0":
        what = "star-free" if facts.star_free else "regular and in AC0, with sinusoidal positions"
        why = f"{what}: what masked hard attention does, and soft attention can imitate"
        yield Statement(
            "transformer", "unbounded precision", "can", why, f"{STAR_FREE}; {SOFT_HARD}"
        )
    if facts.regular:
        why = "log T layers compose the transitions pairwise"
        yield Statement("transformer", "depth log T", "can", why, f"{LIU}; {LOG_DEPTH}")
    if facts.circuit_class == "ACC0":
        why = "in TC0, so not excluded; constantly many layers do it if their width grows with T"
        if "parity" in facts.named:
            why += "; not in C-RASP, so not expected to hold at greater lengths"
        source = f"{PARALLELISM}; {LIU}" + (f"; {HUANG}" if "parity" in facts.named else "")
        yield Statement("transformer", "log precision", "open", why, source)
    if facts.one_counter:
        why = "an even average over the prefix compares the two counts"
        yield Statement("transformer", "unbounded precision", "can", why, YANG_CHIANG)
    elif "dyck" in facts.named and not facts.regular:
        yield dyck_program("transformer")


def without_positions(facts: Facts) -> Iterator[Statement]:
    """A causal mask alone: at fixed precision exactly the R-trivial languages."""
    if facts.regular:
        verdict = "can" if facts.r_trivial else "cannot"
        if facts.r_trivial:
            why = "R-trivial: the automaton never returns to a state that it left"
        else:
            why = "not R-trivial: the automaton returns to a state that it left"
        yield Statement("transformer-nope", "fixed precision", verdict, why, LI_COTTERELL)
    if facts.one_counter:
        why = "an even average over the prefix compares the two counts"
        yield Statement("transformer-nope", "unbounded precision", "can", why, YANG_CHIANG)


def bidirectional(facts: Facts) -> Iterator[Statement]:
    """Positions and no mask."""
    family, regime = "transformer-bidirectional", "unbounded precision"
    if "recognise" in facts.named and {"parity", "first"} & facts.named:
        why = "constructed by hand: the count, or the first position, picked out by attention"
        yield Statement(family, regime, "can", why, CHIANG_CHOLAK)
    if facts.proportions:
        why = "one even average over the word"
        yield Statement(family, regime, "can", why, PEREZ)
    if "dyck" in facts.named and not facts.regular:
        yield dyck_program(family)


def dyck_program(family: str) -> Statement:
    """Dyck by a RASP program, which leaves precision out of account."""
    why = "a RASP program: count the depth, match each closing bracket at its own depth"
    return Statement(family, "unbounded precision", "can", why, WEISS_2021)


def equivariant(facts: Facts) -> Iterator[Statement]:
    """Neither mask nor positions: only the shares of the symbols are seen."""
    family, regime = "transformer-equivariant", "unbounded precision"
    if facts.proportions:
        why = "one even average over the word"
        yield Statement(family, regime, "can", why, PEREZ)
    elif facts.circuit_class != "unknown":
        why = "an answer sees its own symbol and the share of each in the word, and no order"
        yield Statement(family, regime, "cannot", why, PEREZ)
