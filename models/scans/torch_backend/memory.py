"""The controller with a memory, in the torch backend (the equations: `memory`).

A memory is a tensor (batch, cells, cell) whose cell 0 stands at `origin`, with zeros around what
can have been written, so that a move is a sum of three slices. With G the adjoint of M_t, and M the
memory that was moved, the word already written in it::

    ∂a_0 = Σ_i G[i] M[i-1]     ∂a_1 = Σ_i G[i] M[i+1]     ∂a_2 = Σ_i G[i] M[i]
    ∂M[i] = a_0 G[i+1] + a_1 G[i-1] + a_2 G[i]            the same move, the other way
    ∂v = ∂M at the place written                          from where nothing is carried on

The memory is kept after every `CHUNK` steps, and the backward moves it again in between; what the
controller said (word and actions) is kept, so that this needs no controller.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from flann.models.scans.reference import lstm_cell, multiply

CHUNK = 16
"""How many moves the backward makes again at a time: MEMORY_CHUNK."""


class Layout(NamedTuple):
    """The position of a memory's cells in a tensor."""

    origin: int
    """The index of cell 0."""
    written: int
    """Of the cell that a word goes to."""
    cells: int

    @classmethod
    def of(cls, length: int, tape: bool) -> Layout:
        """Return the layout for a word of this length, two cells of zeros around its reach."""
        left = length + 2 if tape else 3
        return cls(left, left if tape else left - 1, left + length + 3)


def compute_kept_span(length: int, tape: bool) -> int:
    """Return how many cells the last kept memory can have; all others are given as many."""
    steps = (length - 1) // CHUNK * CHUNK
    return 2 * steps + 1 if tape else steps


def compute_reach(steps: int, tape: bool) -> tuple[int, int]:
    """Return the first cell, and the one behind the last, after that many steps.

    >>> compute_reach(2, False), compute_reach(2, True)
    ((0, 2), (-2, 3))
    """
    return (-steps, steps + 1) if tape else (0, steps)


def memory_outputs(
    g: Tensor, R: Tensor, E: Tensor, bias: Tensor, lstm: bool, tape: bool
) -> tuple[Tensor, ...]:
    """Allocate h; c of an LSTM; the sums; what the memory showed and was told; memories between
    chunks.
    """
    batch, length, state, cell = *g.shape[:2], E.shape[1], E.shape[2] - 3
    kept = (length - 1) // CHUNK, compute_kept_span(length, tape) * cell
    sizes = [(length, state), (length, state * lstm), (length, g.shape[2])]
    sizes += [(length, cell), (length, cell + 3), kept]
    return tuple(g.new_empty(batch, *size) for size in sizes)


def memory_forward(
    g: Tensor, R: Tensor, E: Tensor, bias: Tensor, h: Tensor, cells: Tensor, gates: Tensor,
    shown: Tensor, said: Tensor, kept: Tensor, lstm: bool, tape: bool,
) -> None:  # fmt: skip
    """Compute every output, and what the backward pass needs."""
    batch, length, cell = *g.shape[:2], shown.shape[2]
    R, E, bias = group_by_row(R, batch), group_by_row(E, batch), group_by_row(bias, batch)
    where = Layout.of(length, tape)
    memory = g.new_zeros(batch, where.cells, cell)
    last = g.new_zeros(batch, len(R[0]))
    c = g.new_zeros(batch, cells.shape[2])
    for t in range(length):
        if t and t % CHUNK == 0:
            first, end = compute_reach(t, tape)
            part = memory[:, where.origin + first : where.origin + end].flatten(1)
            kept[:, t // CHUNK - 1, : part.shape[1]] = part
        sums = g[:, t] + multiply(last, R)
        output, c = lstm_cell(sums, c) if lstm else (torch.tanh(sums), c)
        spoken = bias + multiply(output, E)
        spoken[:, cell:] = spoken[:, cell:].softmax(-1)
        memory = _move(memory, spoken, where, t, tape)
        top = memory[:, where.origin]
        last = torch.cat([output, top], dim=-1)
        h[:, t], cells[:, t], gates[:, t], shown[:, t], said[:, t] = output, c, sums, top, spoken


def memory_backward(
    R: Tensor, E: Tensor, bias: Tensor, h: Tensor, cells: Tensor, gates: Tensor, shown: Tensor,
    said: Tensor, kept: Tensor, grad: Tensor, dg: Tensor, dR: Tensor, dE: Tensor, dbias: Tensor,
    lstm: bool, tape: bool,
) -> None:  # fmt: skip
    """Go through the chunks from the last to the first, and compute the weights' gradients last."""
    batch, length, cell = *h.shape[:2], shown.shape[2]
    rows_R, rows_E, state = group_by_row(R, batch).mT, group_by_row(E, batch).mT, h.shape[2]
    where = Layout.of(length, tape)
    G = h.new_zeros(batch, where.cells, cell)
    dsaid = torch.empty_like(said)
    dh, dc = torch.zeros_like(h[:, 0]), torch.zeros_like(cells[:, 0])
    for start in reversed(range(0, length, CHUNK)):
        memories = _memories(start, kept, said, where, tape)
        for t in reversed(range(start, start + len(memories))):
            G, dsaid[:, t] = _move_backward(G, memories[t - start], said[:, t], where, t, tape)
            total = grad[:, t] + dh + multiply(dsaid[:, t], rows_E)
            before = cells[:, t - 1] if t else torch.zeros_like(dc)
            dg[:, t], dc = _control_backward(total, dc, h[:, t], gates[:, t], before, lstm)
            if t:
                dh, top = multiply(dg[:, t], rows_R).split([state, cell], dim=-1)
                G[:, where.origin] += top
    for to, found in zip((dR, dE, dbias), multiply_by_weights(R, h, shown, dg, dsaid), strict=True):
        to.copy_(found)


def multiply_by_weights(
    R: Tensor, h: Tensor, shown: Tensor, dg: Tensor, dsaid: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Compute the gradients of R, E and bias, summed over steps and the rows that share them."""
    before = torch.cat([h, shown], dim=-1)[:, :-1]

    def group_rows(t: Tensor) -> Tensor:
        together: Tensor = t.unflatten(0, (len(R), -1)).flatten(1, 2)
        return together

    dR = group_rows(before).mT @ group_rows(dg[:, 1:])
    return dR, group_rows(h).mT @ group_rows(dsaid), group_rows(dsaid).sum(1)


def group_by_row(weights: Tensor, batch: int) -> Tensor:
    """Return one matrix for each row from one for every group of rows."""
    if len(weights) == 1:
        return weights.expand(batch, *weights.shape[1:])
    return weights.repeat_interleave(batch // len(weights), dim=0)


def _control_backward(
    dh: Tensor, dc: Tensor, h: Tensor, sums: Tensor, before: Tensor, lstm: bool
) -> tuple[Tensor, Tensor]:
    """Compute the gradients of the controller's sums and of the cell before."""
    if not lstm:
        return dh * (1 - h * h), dc
    i, f, g, o = sums.chunk(4, dim=-1)
    i, f, g, o = torch.sigmoid(i), torch.sigmoid(f), torch.tanh(g), torch.sigmoid(o)
    c = torch.tanh(f * before + i * g)
    dc = dc + dh * o * (1 - c * c)
    by_sums = [
        dc * g * i * (1 - i), dc * before * f * (1 - f), dc * i * (1 - g * g), dh * c * o * (1 - o)
    ]  # fmt: skip
    return torch.cat(by_sums, dim=-1), dc * f


def _move(memory: Tensor, said: Tensor, where: Layout, t: int, tape: bool) -> Tensor:
    """Move the memory at step t; the word is written into the memory before it, in place."""
    cell = memory.shape[2]
    memory[:, where.written] = said[:, :cell]
    left, right, still = said[:, cell:, None, None].unbind(1)
    first, end = (where.origin + i for i in compute_reach(t + 1, tape))
    moved = torch.zeros_like(memory)
    moved[:, first:end] = (
        left * memory[:, first - 1 : end - 1]
        + right * memory[:, first + 1 : end + 1]
        + still * memory[:, first:end]
    )
    return moved


def _memories(start: int, kept: Tensor, said: Tensor, where: Layout, tape: bool) -> list[Tensor]:
    """Return the memory that each step of a chunk moved, with its word written."""
    batch, length, cell = *said.shape[:2], said.shape[2] - 3
    memory = said.new_zeros(batch, where.cells, cell)
    if start:
        first, end = compute_reach(start, tape)
        part = kept[:, start // CHUNK - 1, : (end - first) * cell]
        memory[:, where.origin + first : where.origin + end] = part.unflatten(1, (-1, cell))
    memories = []
    for t in range(start, min(start + CHUNK, length)):
        memories.append(memory)
        memory = _move(memory, said[:, t], where, t, tape)
    return memories


def _move_backward(
    G: Tensor, memory: Tensor, said: Tensor, where: Layout, t: int, tape: bool
) -> tuple[Tensor, Tensor]:
    """Compute the adjoints of the memory before step t and of the controller's output."""
    cell = memory.shape[2]
    shares = said[:, cell:]
    left, right, still = shares[:, :, None, None].unbind(1)
    first, end = (where.origin + i for i in compute_reach(t, tape))
    first = min(first, where.written)
    after, before, here = G[:, first + 1 : end + 1], G[:, first - 1 : end - 1], G[:, first:end]
    moved, part = torch.zeros_like(G), memory[:, first:end]
    moved[:, first:end] = left * after + right * before + still * here
    by_shares = torch.stack([(part * g).sum((1, 2)) for g in (after, before, here)], dim=-1)
    by_word = moved[:, where.written].clone()
    moved[:, where.written] = 0
    by_scores = shares * (by_shares - (shares * by_shares).sum(-1, keepdim=True))
    return moved, torch.cat([by_word, by_scores], dim=-1)
