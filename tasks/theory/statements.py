"""What is known: which family of architectures can express which task, in which regime.

A statement joins a family, a regime and a verdict with a reason and a citation. Regimes stay
apart because results differ between them: a state of constantly many bits cannot count, one whose
bits grow with log T can. "Can" means that some weights of the family solve the task at every
length, not that training finds them; "cannot", that none do.

A model declares its family, or several joined by ``+`` where its layers are of several kinds. The
theorems that make the statements are in `literature`.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any

FAMILIES: dict[str, str] = {
    "rnn": "simple recurrent network",
    "gru": "gated recurrent unit",
    "lstm": "long short-term memory",
    "slstm": "LSTM with exponential gates and a normaliser",
    "input-dependent-ssm": "linear recurrence, a full matrix chosen by the input (IDS4)",
    "time-invariant-ssm": "linear recurrence, one matrix for every input (S4, S4D)",
    "nonnegative-ssm": "diagonal linear recurrence, input-dependent, eigenvalues in [0, 1] (Mamba)",
    "real-ssm": "diagonal linear recurrence, input-dependent, eigenvalues in [-1, 1]",
    "linear-attention": "a sum of outer products, nothing is forgotten",
    "rwkv-4": "an exponentially weighted average, one decay for every input",
    "mlstm": "a sum of outer products, with one gate in [0, 1] for all of it",
    "delta-rule-nonnegative": "I - beta k k^T at each step, its eigenvalue along k in [0, 1]",
    "delta-rule": "I - beta k k^T at each step, its eigenvalue along k in [-1, 1]",
    "householder-products": "a product of several I - beta k k^T at each step, in [-1, 1]",
    "rwkv-7": "a diagonal matrix plus one of rank one at each step",
    "stack-rnn": "simple recurrent network with a stack",
    "tape-rnn": "simple recurrent network with a tape",
    "hybrid": "layers of several families in turn",
    "transformer": "causal attention with positions",
    "transformer-nope": "causal attention without positions",
    "transformer-bidirectional": "attention without a mask, with positions",
    "transformer-equivariant": "attention without a mask or positions",
    "transformer-looped": "causal attention with positions, its layers repeated",
}

UNSTUDIED: dict[str, str] = {
    "transformer-window": "attention to the keys nearby",
    "transformer-bigbird": "attention to keys nearby, at the edges and at random",
    "transformer-linear": "attention whose weights are products of features",
    "transformer-performer": "attention whose weights are products of random features",
    "transformer-linformer": "attention to a few mixtures of the keys",
    "transformer-nystrom": "attention by way of landmarks",
}
"""Families of which no theorem speaks: what is proven of attention to every key is not of less."""

KNOWN_FAMILIES = {**FAMILIES, **UNSTUDIED}

REGIMES: dict[str, str] = {
    "fixed precision": "every number has constantly many bits",
    "log precision": "every number has as many bits as log T",
    "unbounded precision": "numbers as exact as the construction asks",
    "unique hard attention": "each head looks at one place alone",
    "exact counting": "attention spreads evenly and counts exactly, as C-RASP does",
    "depth log T": "the number of layers grows with log T",
    "chain of thought": "as many symbols as the word has are written before the answer",
    "padding": "polynomially many symbols without meaning stand behind the word",
}

VERDICTS = ("can", "cannot", "cannot unless TC0 = NC1", "open")

CIRCUIT_CLASSES: dict[str, str] = {
    "AC0": "constant depth, and / or gates: no counting of symbols",
    "ACC0": "constant depth, with gates that count modulo a constant",
    "TC0": "constant depth, with majority gates",
    "NC1-complete": "as hard as anything in depth log T with gates of two inputs",
    "unknown": "not worked out",
}


@dataclass(frozen=True)
class Statement:
    """One result: a family in a regime can or cannot express the task, why, and who showed it."""

    family: str
    regime: str
    verdict: str
    why: str
    citation: str

    def __post_init__(self) -> None:
        for part in self.family.split("+"):
            check(part, KNOWN_FAMILIES)
        check(self.regime, REGIMES)
        check(self.verdict, VERDICTS)
        if not (self.why and self.citation):
            raise ValueError(f"a statement on {self.family} without a reason or a citation")


def check(word: str, words: Any) -> None:
    """Refuse a word that is not one of these."""
    if word not in words:
        raise ValueError(f"{word!r}: expected one of {', '.join(words)}")


@dataclass(frozen=True)
class Theory:
    """What is known of a task: its circuit class, why, and the statements about families."""

    circuit_class: str
    why: str
    statements: tuple[Statement, ...]

    def __post_init__(self) -> None:
        if self.circuit_class not in CIRCUIT_CLASSES:
            raise ValueError(f"{self.circuit_class!r}: expected one of {list(CIRCUIT_CLASSES)}")

    def about(self, family: str) -> tuple[Statement, ...]:
        """The statements on one family, or on a mixture of several: ``"transformer+real-ssm"``."""
        parts = list(dict.fromkeys(family.split("+")))
        if any(part in UNSTUDIED for part in parts):
            return (state_unstudied(family),)
        if len(parts) == 1:
            return tuple(s for s in self.statements if s.family == parts[0])
        known = [{s.regime: s for s in self.statements if s.family == part} for part in parts]
        return tuple(
            combine_layers(family, [of.get(regime) for of in known])
            for regime in REGIMES
            if any(regime in of for of in known)
        )

    def as_dict(self) -> dict[str, Any]:
        """Plain dictionaries and lists, for JSON."""
        statements = [asdict(statement) for statement in self.statements]
        return {"circuit_class": self.circuit_class, "why": self.why, "statements": statements}


def state_unstudied(family: str) -> Statement:
    """That nothing is shown of attention to some of the keys, or to an approximation of all."""
    why = "what is proven of attention to every key is not proven of less"
    source = "not settled in Strobl et al. 2024, arXiv 2311.00208 (survey)"
    return Statement(family, "log precision", "open", why, source)


def combine_layers(family: str, parts: list[Statement | None]) -> Statement:
    """What follows for layers of several kinds from what is known of each, in one regime.

    The layers of one kind alone are enough where they can; the others may pass on what comes in.
    TC0 is closed under composition. Other bounds on the parts need not bind the whole: two kinds
    of finite memory may do together what neither does alone.
    """
    known = [part for part in parts if part is not None]
    for part in known:
        if part.verdict == "can":
            return replace(part, family=family, why=f"{part.family} alone can: {part.why}")
    if len(known) == len(parts) and all(part.verdict.endswith("NC1") for part in known):
        return replace(
            known[0], family=family, why="all its layers are in TC0, and so is the whole"
        )
    why = "no one kind of its layers is known to be enough, and nothing is known of all together"
    citations = dict.fromkeys(c for part in known for c in part.citation.split("; "))
    return Statement(family, known[0].regime, "open", why, "; ".join(citations))
