"""From scheduled signals to the weights of a transformer.

All weights are computed in float64 and rounded once, at the end. A constant in a key, a value or
the input of a unit is a multiple of the word indicator, which is 1 at every symbol and 0 at BOS, so
that every signal is 0 at BOS. The factor e^B (`flann.rasp.compiler.sharpness`) multiplies the
values rather than the outputs of the heads: there it would amplify whatever training adds to the
value of BOS. Head widths are powers of four, so that division by their square roots is exact.
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
from .signals import Affine, AttentionSignal, Head, PositionSignal, Signal, SymbolSignal, UnitSignal

HEAD_WIDTHS = (1, 4, 16, 64, 256, 1024)
Matrix = NDArray[np.float64]
Weights = dict[str, Matrix]
Feature = tuple[Affine, Affine, float]
"""A query, a key, and the factor by which the query is multiplied."""


class WeightWriter:
    """Writes the weights of one network.

    Parameters
    ----------
    plan : Plan
    schedule : Schedule

    Attributes
    ----------
    blocks : list of Block
        The shapes of the blocks.
    parts : list of dict
        The weights of each attention and feed-forward layer, in order.
    """

    def __init__(self, plan: Plan, schedule: Schedule) -> None:
        self.plan, self.schedule = plan, schedule
        self.blocks: list[Block] = []
        self.parts: list[Weights] = []  # of each attention and feed-forward layer in turn

    def build_row(self, x: Affine, constant_on: Signal | None) -> Matrix:
        """Return a number as a row over the stream; its constant multiplies an indicator, if
        one is given.
        """
        row = np.zeros(self.schedule.width)
        for signal, factor in x.terms.items():
            row[self.schedule.dimension[signal]] += factor
        if constant_on is not None and x.constant:
            row[self.schedule.dimension[constant_on]] += x.constant
        return row

    # -- the layers --------------------------------------------------------------------------------

    def build_embedding(self) -> Matrix:
        """Return the embedding, with a row for each symbol and one for BOS."""
        table = np.zeros((self.plan.symbols + 1, self.schedule.width))
        for signal in self.schedule.list_signals(0):
            if isinstance(signal, SymbolSignal):
                table[:, self.schedule.dimension[signal]] = [*signal.values, signal.at_bos]
        return table

    def build_position_table(self) -> Matrix | None:
        """Return the table of positions with a zero row for BOS, or None if no signal depends
        on the position.
        """
        table = np.zeros((self.plan.length + 1, self.schedule.width))
        position_signals = [
            signal for signal in self.schedule.list_signals(0) if isinstance(signal, PositionSignal)
        ]
        for signal in position_signals:
            table[1:, self.schedule.dimension[signal]] = signal.values
        return table if position_signals else None

    def write_blocks(self) -> None:
        """Write all blocks in order."""
        for block in range(1, (self.schedule.end + 1) // 2 + 1):
            attention_signals = [
                s
                for s in self.schedule.list_signals(2 * block - 1)
                if isinstance(s, AttentionSignal)
            ]
            units, feedforward = self.build_feedforward(2 * block)
            kinds = [
                kind
                for kind in (True, False)
                if any(s.head.causal == kind for s in attention_signals)
            ]
            for causal in kinds or [True]:
                heads, width, weights = self.build_attention(
                    [s for s in attention_signals if s.head.causal == causal]
                )
                last = causal == (kinds or [True])[-1]
                self.blocks.append(Block(heads, width, units if last else 0, causal))
                if heads:
                    self.parts.append(weights)
                if last and units:
                    self.parts.append(feedforward)

    def build_attention(self, signals: Sequence[AttentionSignal]) -> tuple[int, int, Weights]:
        """Return the number of heads of an attention layer, their width, and their weights."""
        by_head: dict[int, list[AttentionSignal]] = {}
        for signal in signals:
            by_head.setdefault(id(signal.head), []).append(signal)
        if not by_head:
            return 0, 1, {}
        features = {key: self.list_features(group[0].head) for key, group in by_head.items()}
        least = max(len(pairs) for pairs in features.values())
        sizes = [w for w in HEAD_WIDTHS if w >= least]
        width = min(sizes, key=lambda w: w * sum(-(-len(g) // w) for g in by_head.values()))
        heads: list[Weights] = []
        for key, group in by_head.items():
            for first in range(0, len(group), width):
                heads.append(self.build_head(features[key], group[first : first + width], width))
        weights = {
            name: np.concatenate([head[name] for head in heads], axis=int(name == "out.weight"))
            for name in heads[0]
        }
        return len(heads), width, weights

    def list_features(self, head: Head) -> list[Feature]:
        """Return the features of a head; all are multiplied by the sharpness but the score of
        BOS, which is it.
        """
        sharp = self.plan.sharpness
        base = sum((q * k.constant for q, k in head.pairs if not k.terms), Affine())
        pairs = [(q, k, sharp) for q, k in head.pairs if k.terms]
        if not head.causal:  # BOS as a query must not attend to the word
            base = base - Affine({self.plan.bos: 4.0})
        if base.terms or base.constant:
            pairs.append((base, Affine({self.plan.word: 1.0}), sharp))
        return [*pairs, (Affine({}, sharp), Affine({self.plan.bos: 1.0}), 1.0)]

    def build_head(
        self,
        features: Sequence[Feature],
        values: Sequence[AttentionSignal],
        width: int,
    ) -> Weights:
        """Return the queries, keys, values and outputs of one head."""
        stream_width = self.schedule.width
        weights = {
            f"{part}.weight": np.zeros((width, stream_width)) for part in ("query", "key", "value")
        }
        bias, out = np.zeros(width), np.zeros((stream_width, width))
        for i, (query, key, factor) in enumerate(features):
            scale = factor * sqrt(width)
            weights["query.weight"][i] = scale * self.build_row(query, None)
            bias[i] = scale * query.constant
            weights["key.weight"][i] = self.build_row(key, self.plan.word)
        for i, signal in enumerate(values):
            row = self.build_row(signal.value, self.plan.word)
            weights["value.weight"][i] = row * exp(self.plan.sharpness)
            out[self.schedule.dimension[signal], i] = 1.0
        return {**weights, "query.bias": bias, "out.weight": out}

    def build_feedforward(self, time: int) -> tuple[int, Weights]:
        """Return the number of units of a feed-forward layer, and their weights."""
        into: dict[object, int] = {}
        rows: list[Matrix] = []
        connections: list[tuple[int, int, float]] = []

        def add_unit(preactivation: Affine) -> int:
            if preactivation.key not in into:
                into[preactivation.key] = len(rows)
                rows.append(self.build_row(preactivation, self.plan.word))
            return into[preactivation.key]

        for signal in self.schedule.list_signals(time):
            if isinstance(signal, UnitSignal):
                for preactivation, weight in signal.units:
                    connections.append(
                        (self.schedule.dimension[signal], add_unit(preactivation), weight)
                    )
        for old in self.schedule.erased.get(time, []):
            dimension = self.schedule.dimension[old]
            connections.append((dimension, add_unit(Affine({old: 1.0})), -1.0))
            if old.low < 0 or old.error:
                connections.append((dimension, add_unit(Affine({old: -1.0})), 1.0))
        out = np.zeros((self.schedule.width, len(rows)))
        for dimension, number, weight in connections:
            out[dimension, number] += weight
        if not rows:
            return 0, {}
        return len(rows), {"into.weight": np.stack(rows), "out.weight": out}


def build_network(
    plan: Plan, schedule: Schedule, output: Affine, labels: int, name: str, dtype: torch.dtype
) -> SequenceModel:
    """Build the network, with a head that returns the label whose number is nearest to the output.

    With s the output and j the number of a label, both counted from the middle, the logit of the
    label is 2 j s - j^2 = s^2 - (s - j)^2, which is greatest for the j nearest to s.
    """
    writer = WeightWriter(plan, schedule)
    writer.write_blocks()
    table, middle = writer.build_position_table(), labels // 2
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
    network.config = config  # type: ignore[assignment]  # `serialization` writes it
    numbers = np.arange(labels) - float(middle)
    weight = 2 * numbers[:, None] * writer.build_row(output, None)[None, :]
    bias = 2 * numbers * (output.constant - middle) - numbers**2
    load_weights(network, writer, {"weight": weight, "bias": bias}, table)
    return network


def load_weights(
    network: SequenceModel, writer: WeightWriter, head: Weights, table: Matrix | None
) -> None:
    """Copy the weights into the network; all other parameters are 0."""
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.zero_()
        copy_parameters(network.embedding, {"weight": writer.build_embedding()})
        copy_parameters(network.head, head)
        layers = list(network.layers)
        if table is not None:
            copy_parameters(layers.pop(0), {"table": table})
        for layer, weights in zip(layers, writer.parts, strict=True):
            copy_parameters(layer.layer, weights)  # type: ignore[arg-type]  # a Residual's inner layer


def copy_parameters(module: torch.nn.Module, weights: Weights) -> None:
    """Copy arrays into a module's parameters by name."""
    parameters = dict(module.named_parameters())
    for name, array in weights.items():
        parameters[name].copy_(torch.from_numpy(np.ascontiguousarray(array)))
