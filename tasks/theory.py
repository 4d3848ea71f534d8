"""What is known: which family of architectures can express which task, in which regime.

A statement joins a family, a regime and a verdict with a reason and a citation. Regimes stay
apart because results differ between them: a state of constantly many bits cannot count, one whose
bits grow with log T can. "Can" means that some weights of the family solve the task at every
length, not that training finds them.

A model declares its family; the theorems that make the statements are in `literature`.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

FAMILIES: dict[str, str] = {
    "rnn": "simple recurrent network",
    "gru": "gated recurrent unit",
    "lstm": "long short-term memory",
    "input-dependent-ssm": "linear recurrence, a full matrix chosen by the input (IDS4)",
    "time-invariant-ssm": "linear recurrence, one matrix for every input (S4, S4D)",
    "nonnegative-ssm": "diagonal linear recurrence, input-dependent, eigenvalues in [0, 1] (Mamba)",
    "real-ssm": "diagonal linear recurrence, input-dependent, eigenvalues in [-1, 1]",
    "linear-attention": "attention whose kernel is a product of features: a sum, never forgotten",
    "rwkv-4": "running means of values, decaying at fixed rates, weighted by exp(key)",
    "rwkv-7": "outer-product memory, generalised delta rule with a decay for each channel",
    "delta-nonnegative": "outer-product memory, delta rule, eigenvalues in [0, 1] (DeltaNet)",
    "delta": "outer-product memory, delta rule, eigenvalues in [-1, 1]",
    "householder-products": "several delta steps a symbol, eigenvalues in [-1, 1] (DeltaProduct)",
    "mlstm": "outer-product memory with exponential gates that see the input alone",
    "slstm": "exponential gates that see the input and the last output",
    "stack-rnn": "recurrent network with a soft stack",
    "tape-rnn": "recurrent network with a soft tape",
    "hybrid": "layers of several families in turn",
    "transformer": "causal attention with positions",
    "transformer-nope": "causal attention without positions",
    "transformer-bidirectional": "attention without a mask, with positions",
    "transformer-equivariant": "attention without a mask or positions",
}

REGIMES: dict[str, str] = {
    "fixed precision": "every number has constantly many bits",
    "log precision": "every number has as many bits as log T",
    "unbounded precision": "numbers, or hard attention, as exact as the construction asks",
    "depth log T": "the number of layers grows with log T",
}

VERDICTS = ("can", "cannot", "cannot unless TC0 = NC1", "open")

CIRCUIT_CLASSES: dict[str, str] = {
    "AC0": "constant depth, and / or gates: no counting",
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
        known = ((self.family, FAMILIES), (self.regime, REGIMES), (self.verdict, VERDICTS))
        for word, words in known:
            if word not in words:
                raise ValueError(f"{word!r}: expected one of {', '.join(words)}")
        if not (self.why and self.citation):
            raise ValueError(f"a statement on {self.family} without a reason or a citation")


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
        """The statements on one family."""
        return tuple(s for s in self.statements if s.family == family)

    def as_dict(self) -> dict[str, Any]:
        """Plain dictionaries and lists, for JSON."""
        statements = [asdict(statement) for statement in self.statements]
        return {"circuit_class": self.circuit_class, "why": self.why, "statements": statements}
