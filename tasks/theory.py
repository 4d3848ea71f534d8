"""What is known: which family of architectures can express which task, in which regime.

A statement joins a family, a regime and a verdict with a reason and a citation. Regimes stay
apart because results differ between them. The statements themselves are in `literature`.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

Verdict = Literal["can", "cannot", "cannot unless TC0 = NC1", "open"]
Regime = Literal["fixed precision", "log precision", "unbounded precision", "depth log T"]

FAMILIES: dict[str, str] = {
    "rnn": "simple recurrent network, saturated activations",
    "gru": "gated recurrent unit",
    "lstm": "long short-term memory: a recurrent network that can also count",
    "input-dependent-ssm": "linear recurrence with a full matrix chosen by the input (IDS4)",
    "time-invariant-ssm": "linear recurrence with one matrix for every input (S4, S4D)",
    "nonnegative-ssm": "diagonal, input-dependent, eigenvalues in [0, 1] (Mamba as published)",
    "real-ssm": "diagonal, input-dependent, eigenvalues in [-1, 1]",
    "transformer": "causal transformer with positions",
    "transformer-nope": "causal transformer without positions",
    "transformer-bidirectional": "transformer without mask, with positions",
    "transformer-equivariant": "transformer without mask or positions: sees a bag of symbols",
}


@dataclass(frozen=True)
class Statement:
    """One result: a family in a regime can or cannot express the task, why, and who showed it."""

    family: str
    regime: str
    verdict: str
    why: str
    citation: str


@dataclass(frozen=True)
class Theory:
    """What is known of a task: its circuit class, why, and the statements about families."""

    circuit_class: str
    why: str
    statements: tuple[Statement, ...]

    def as_dict(self) -> dict[str, Any]:
        """Plain dictionaries and lists, for JSON."""
        return asdict(self)

    def about(self, family: str) -> tuple[Statement, ...]:
        """The statements on one family."""
        return tuple(s for s in self.statements if s.family == family)


def nothing_known() -> Theory:
    """The theory of a task that nobody has worked out yet."""
    return Theory("unknown", "not worked out", ())
