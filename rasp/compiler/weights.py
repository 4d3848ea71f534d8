"""From signals with a time and a dimension to the weights of a transformer.

All is written in float64 and cast last. A constant among a head's keys and values or a unit's
inputs is a multiple of the mark that every symbol has and BOS has not, so that all signals are 0
at BOS. The factor e^B stands on the values and not on what heads return: there it would multiply
whatever training adds to the value of BOS. Head widths are powers of four, so that dividing by
their square roots is exact.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import exp, sqrt

import numpy as np
import torch
from numpy.typing import NDArray

from flann.models.attention.transformer import build_transformer
from flann.models.attention.transformer_config import Block, TransformerConfig
from flann.models.core.sequence import Description, SequenceModel

from .plan import Plan
from .schedule import Schedule
from .signals import Affine, Attended, Embedded, Head, Made, Placed, Signal

HEAD_WIDTHS = (1, 4, 16, 64, 256, 1024)
Matrix = NDArray[np.float64]
Weights = dict[str, Matrix]
Feature = tuple[Affine, Affine, float]
"""Query, key, and by what the query is multiplied."""


class Writer:
    """Writes one network.

    Parameters
    ----------
    plan : Plan
    schedule : Schedule
    """

    def __init__(self, plan: Plan, schedule: Schedule) -> None:
        self.plan, self.schedule = plan, schedule
        self.blocks: list[Block] = []
        self.parts: list[Weights] = []  # of each attention and feed-forward part in turn

    def row(self, x: Affine, constant_on: Signal | None) -> Matrix:
        """An affine as a row over the stream; its constant on the mark of words, if given."""
        row = np.zeros(self.schedule.width)
        for signal, factor in x.terms.items():
            row[self.schedule.dimension[signal]] += factor
        if constant_on is not None and x.constant:
            row[self.schedule.dimension[constant_on]] += x.constant
        return row

    # -- the parts ---------------------------------------------------------------------------------

    def embedding(self) -> Matrix:
        """A row for each symbol, and one for BOS."""
        table = np.zeros((self.plan.symbols + 1, self.schedule.width))
        for signal in self.schedule.at(0):
            if isinstance(signal, Embedded):
                table[:, self.schedule.dimension[signal]] = [*signal.values, signal.at_bos]
        return table

    def positions(self) -> Matrix | None:
        """A row for BOS, which is 0, and one for each position; None if none are told."""
        table = np.zeros((self.plan.length + 1, self.schedule.width))
        placed = [signal for signal in self.schedule.at(0) if isinstance(signal, Placed)]
        for signal in placed:
            table[1:, self.schedule.dimension[signal]] = signal.values
        return table if placed else None

    def write(self) -> None:
        """All blocks, one after the other."""
        for block in range(1, (self.schedule.end + 1) // 2 + 1):
            attended = [s for s in self.schedule.at(2 * block - 1) if isinstance(s, Attended)]
            units, feedforward = self.feedforward(2 * block)
            kinds = [kind for kind in (True, False) if any(s.head.causal == kind for s in attended)]
            for causal in kinds or [True]:
                heads, width, weights = self.attention(
                    [s for s in attended if s.head.causal == causal]
                )
                last = causal == (kinds or [True])[-1]
                self.blocks.append(Block(heads, width, units if last else 0, causal))
                if heads:
                    self.parts.append(weights)
                if last and units:
                    self.parts.append(feedforward)

    def attention(self, signals: Sequence[Attended]) -> tuple[int, int, Weights]:
        """The heads of one block: how many, how wide, and their weights."""
        by_head: dict[int, list[Attended]] = {}
        for signal in signals:
            by_head.setdefault(id(signal.head), []).append(signal)
        if not by_head:
            return 0, 1, {}
        features = {key: self.features(group[0].head) for key, group in by_head.items()}
        least = max(len(pairs) for pairs in features.values())
        sizes = [w for w in HEAD_WIDTHS if w >= least]
        width = min(sizes, key=lambda w: w * sum(-(-len(g) // w) for g in by_head.values()))
        made: list[Weights] = []
        for key, group in by_head.items():
            for first in range(0, len(group), width):
                made.append(self.one_head(features[key], group[first : first + width], width))
        return len(made), width, {
            name: np.concatenate([head[name] for head in made], axis=int(name == "out.weight"))
            for name in made[0]
        }  # fmt: skip

    def features(self, head: Head) -> list[Feature]:
        """Query, key, and by what the query is multiplied: the sharpness, or nothing."""
        sharp = self.plan.sharpness
        base = sum((q * k.constant for q, k in head.pairs if not k.terms), Affine())
        pairs = [(q, k, sharp) for q, k in head.pairs if k.terms]
        if not head.causal:  # BOS as a query must not see the word
            base = base - Affine({self.plan.bos: 4.0})
        if base.terms or base.constant:
            pairs.append((base, Affine({self.plan.word: 1.0}), sharp))
        return [*pairs, (Affine({}, sharp), Affine({self.plan.bos: 1.0}), 1.0)]

    def one_head(
        self,
        features: Sequence[tuple[Affine, Affine, float]],
        values: Sequence[Attended],
        width: int,
    ) -> Weights:
        """Queries, keys, values and what they are written to."""
        across = self.schedule.width
        made = {f"{part}.weight": np.zeros((width, across)) for part in ("query", "key", "value")}
        bias, out = np.zeros(width), np.zeros((across, width))
        for i, (query, key, factor) in enumerate(features):
            scale = factor * sqrt(width)
            made["query.weight"][i] = scale * self.row(query, None)
            bias[i] = scale * query.constant
            made["key.weight"][i] = self.row(key, self.plan.word)
        for i, signal in enumerate(values):
            row = self.row(signal.value, self.plan.word)
            made["value.weight"][i] = row * exp(self.plan.sharpness)
            out[self.schedule.dimension[signal], i] = 1.0
        return {**made, "query.bias": bias, "out.weight": out}

    def feedforward(self, time: int) -> tuple[int, Weights]:
        """The units of one block: how many, and their weights."""
        into: dict[object, int] = {}
        rows: list[Matrix] = []
        wiring: list[tuple[int, int, float]] = []

        def unit(before: Affine) -> int:
            if before.key not in into:
                into[before.key] = len(rows)
                rows.append(self.row(before, self.plan.word))
            return into[before.key]

        for signal in self.schedule.at(time):
            if isinstance(signal, Made):
                for before, weight in signal.units:
                    wiring.append((self.schedule.dimension[signal], unit(before), weight))
        for old in self.schedule.erased.get(time, []):
            place = self.schedule.dimension[old]
            wiring.append((place, unit(Affine({old: 1.0})), -1.0))
            if old.low < 0 or old.error:
                wiring.append((place, unit(Affine({old: -1.0})), 1.0))
        out = np.zeros((self.schedule.width, len(rows)))
        for place, number, weight in wiring:
            out[place, number] += weight
        if not rows:
            return 0, {}
        return len(rows), {"into.weight": np.stack(rows), "out.weight": out}


def build(
    plan: Plan, schedule: Schedule, output: Affine, labels: int, name: str, dtype: torch.dtype
) -> SequenceModel:
    """The network, and a head that answers with the label whose number is nearest.

    The logit of label j, with s the output and both counted from the middle, is 2 j s - j^2:
    greatest for the j nearest to s.
    """
    writer = Writer(plan, schedule)
    writer.write()
    table, middle = writer.positions(), labels // 2
    config = TransformerConfig(
        width=schedule.width,
        blocks=tuple(writer.blocks),
        causal=all(block.causal for block in writer.blocks if block.heads),
        position="none" if table is None else "learned",
        norm="none",
        activation="relu",
        bos=True,
        longest=None if table is None else plan.length + 1,
    )
    network = build_transformer(
        config,
        symbols=plan.symbols,
        labels=labels,
        description=Description(
            name, config.family, config.causal, plan.length, {"lr": 1e-4, "steps": 0},
            {"width": config.width, "depth": len(config.blocks)},
        ),
    ).to(dtype)  # fmt: skip
    network.config = config  # type: ignore[assignment]  # kept with the weights
    numbers = np.arange(labels) - float(middle)
    weight = 2 * numbers[:, None] * writer.row(output, None)[None, :]
    bias = 2 * numbers * (output.constant - middle) - numbers**2
    pour(network, writer, {"weight": weight, "bias": bias}, table)
    return network


def pour(network: SequenceModel, writer: Writer, head: Weights, table: Matrix | None) -> None:
    """Put the weights into the network; all that is not written is 0."""
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.zero_()
        put(network.embedding, {"weight": writer.embedding()})
        put(network.head, head)
        layers = list(network.layers)
        if table is not None:
            put(layers.pop(0), {"table": table})
        for layer, weights in zip(layers, writer.parts, strict=True):
            put(layer.layer, weights)  # type: ignore[arg-type]  # a Residual's inner layer


def put(module: torch.nn.Module, weights: Weights) -> None:
    """Copy arrays into a module's parameters by name."""
    parameters = dict(module.named_parameters())
    for name, array in weights.items():
        parameters[name].copy_(torch.from_numpy(np.ascontiguousarray(array)))
