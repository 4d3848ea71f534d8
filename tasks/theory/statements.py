"""Statements about expressivity: which family of architectures can express a task in which regime.

A statement consists of a family, a regime, a verdict, a reason and a citation. Regimes are kept
separate because results differ between them: a state of constantly many bits cannot count, whereas
one whose number of bits grows with log T can. "Can" means that some weights of the family solve the
task at every length, not that training finds them; "cannot" means that no weights do.

A model declares its family, or several joined by ``+`` if its layers are of several kinds. The
theorems from which the statements are derived are in `literature`.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any

FAMILIES: dict[str, str] = {
    "rnn": "simple recurrent network",
    "gru": "gated recurrent unit",
    "lstm": "long short-term memory",
    "slstm": "LSTM with exponential gates and a normaliser",
    "input-dependent-ssm": "linear recurrence with a full, input-dependent matrix (IDS4)",
    "time-invariant-ssm": "linear recurrence with one matrix for all inputs (S4, S4D)",
    "nonnegative-ssm": "diagonal linear recurrence, input-dependent, eigenvalues in [0, 1] (Mamba)",
    "real-ssm": "diagonal linear recurrence, input-dependent, eigenvalues in [-1, 1]",
    "linear-attention": "a sum of outer products without forgetting",
    "rwkv-4": "an exponentially weighted average with one decay for all inputs",
    "mlstm": "a sum of outer products with a scalar gate in [0, 1]",
    "delta-rule-nonnegative": "multiplication by I - beta k k^T, its eigenvalue along k in [0, 1]",
    "delta-rule": "multiplication by I - beta k k^T, its eigenvalue along k in [-1, 1]",
    "householder-products": "multiplication by several I - beta k k^T, with eigenvalues in [-1, 1]",
    "rwkv-7": "multiplication by a diagonal matrix plus one of rank one",
    "stack-rnn": "simple recurrent network with a stack",
    "tape-rnn": "simple recurrent network with a tape",
    "hybrid": "layers of several families",
    "transformer": "causal attention with positions",
    "transformer-nope": "causal attention without positions",
    "transformer-bidirectional": "attention without a mask, with positions",
    "transformer-equivariant": "attention without a mask or positions",
    "transformer-looped": "causal attention with positions and repeated layers",
}

UNSTUDIED: dict[str, str] = {
    "transformer-window": "attention to nearby keys",
    "transformer-bigbird": "attention to nearby, global and random keys",
    "transformer-linear": "attention whose weights are products of features",
    "transformer-performer": "attention whose weights are products of random features",
    "transformer-linformer": "attention to a few linear combinations of the keys",
    "transformer-nystrom": "attention approximated by landmarks",
}
"""Families without theorems: results on attention to every key do not apply to them."""

KNOWN_FAMILIES = {**FAMILIES, **UNSTUDIED}

REGIMES: dict[str, str] = {
    "fixed precision": "every number has constantly many bits",
    "log precision": "every number has on the order of log T bits",
    "unbounded precision": "numbers of whatever precision the construction requires",
    "unique hard attention": "each head attends to a single position",
    "exact counting": "uniform attention that counts exactly, as in C-RASP",
    "depth log T": "the number of layers grows with log T",
    "chain of thought": "linearly many symbols are generated before the answer",
    "padding": "polynomially many padding symbols follow the word",
}

VERDICTS = ("can", "cannot", "cannot unless TC0 = NC1", "open")

CIRCUIT_CLASSES: dict[str, str] = {
    "AC0": "constant depth with and / or gates, which cannot count symbols",
    "ACC0": "constant depth with gates that count modulo a constant",
    "TC0": "constant depth with majority gates",
    "NC1-complete": "as hard as any problem in depth log T with gates of two inputs",
    "unknown": "not determined",
}


@dataclass(frozen=True)
class Statement:
    """A result on whether a family can express the task in a regime.

    Attributes
    ----------
    family : str
        a key of `FAMILIES` or `UNSTUDIED`, or several joined by ``+``.
    regime, verdict : str
        a key of `REGIMES`, and one of `VERDICTS`.
    why : str
        the reason, as a clause without a final period.
    citation : str
        the papers that show it, separated by semicolons.
    """

    family: str
    regime: str
    verdict: str
    why: str
    citation: str

    def __post_init__(self) -> None:
        for part in self.family.split("+"):
            check_name(part, KNOWN_FAMILIES)
        check_name(self.regime, REGIMES)
        check_name(self.verdict, VERDICTS)
        if not (self.why and self.citation):
            raise ValueError(f"a statement on {self.family} without a reason or a citation")


def check_name(name: str, names: Any) -> None:
    """Raise ValueError if a name is not one of those expected."""
    if name not in names:
        raise ValueError(f"{name!r}: expected one of {', '.join(names)}")


@dataclass(frozen=True)
class Theory:
    """The circuit class of a task with its reason, and the statements about families."""

    circuit_class: str
    why: str
    statements: tuple[Statement, ...]

    def __post_init__(self) -> None:
        if self.circuit_class not in CIRCUIT_CLASSES:
            raise ValueError(f"{self.circuit_class!r}: expected one of {list(CIRCUIT_CLASSES)}")

    def about(self, family: str) -> tuple[Statement, ...]:
        """Return the statements on a family or a combination, as ``"transformer+real-ssm"``."""
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
        """Return plain dictionaries and lists, for JSON."""
        statements = [asdict(statement) for statement in self.statements]
        return {"circuit_class": self.circuit_class, "why": self.why, "statements": statements}


def state_unstudied(family: str) -> Statement:
    """Return the open statement on a family of restricted or approximate attention."""
    why = "results on attention to every key do not apply to restricted or approximate attention"
    source = "not settled in Strobl et al. 2024, arXiv 2311.00208 (survey)"
    return Statement(family, "log precision", "open", why, source)


def combine_layers(family: str, parts: list[Statement | None]) -> Statement:
    """Combine the statements on several kinds of layers, in one regime, into one on the model.

    If the layers of one kind suffice, the others may act as the identity. TC0 is closed under
    composition. Other bounds on the parts need not hold for the whole, as two kinds of finite
    memory may achieve together what neither achieves alone.
    """
    known = [part for part in parts if part is not None]
    for part in known:
        if part.verdict == "can":
            return replace(
                part, family=family, why=f"layers of the family {part.family} suffice: {part.why}"
            )
    if len(known) == len(parts) and all(part.verdict.endswith("NC1") for part in known):
        return replace(
            known[0], family=family, why="all its layers are in TC0, and so is their composition"
        )
    why = "no single kind of its layers is known to suffice, and no result covers their combination"
    citations = dict.fromkeys(c for part in known for c in part.citation.split("; "))
    return Statement(family, known[0].regime, "open", why, "; ".join(citations))
