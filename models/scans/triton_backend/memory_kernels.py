"""The GPU kernels of a controller with a stack or tape, in triton's language.

One program is one word of the batch; the equations and names are those of `memory` and
`loop_memory`. Vectors that do not fit a program (the controller's state, the memory) lie in global
memory and go through in blocks of `BI` and `BM` numbers; a barrier stands wherever another thread
of the program may have written what one reads. A memory is numbers, cell after cell, with cell 0 at
`origin` of a buffer of `room` numbers; what lies outside its reach is masked.
"""

# mypy: ignore-errors
# ruff: noqa: D103 - the functions are named after the operations that the module describes

import triton
import triton.language as tl


@triton.jit
def logistic(x):  # again: a module of kernels imports none of this package, see tests/conftest.py
    return 1.0 / (1.0 + tl.exp(-x))


@triton.jit
def tanh(x):
    return 2.0 * logistic(2.0 * x) - 1.0


@triton.jit
def product(vector, count, matrix, along, across, j, here, BI: tl.constexpr):
    """Compute Σ_i vector[i] matrix[i along + j across]."""
    i = tl.arange(0, BI)
    total = tl.zeros(j.shape, dtype=matrix.dtype.element_ty)
    for start in range(0, count, BI):
        at = start + i
        part = tl.load(vector + at, at < count, 0.0)
        tile = at[:, None] * along + j[None, :] * across
        M = tl.load(matrix + tile, (at < count)[:, None] & here[None, :], 0.0)
        total += tl.sum(part[:, None] * M, 0)
    return total


@triton.jit
def sums_of(g, R, h, shown, step, t, S, C, wide, j, here, BI: tl.constexpr):
    """Compute a controller's sums from the word, the last output and what the memory showed."""
    past = tl.minimum(t, 1)  # nothing before the first step
    total = tl.load(g + step * wide + j, here, 0.0)
    total += product(h + (step - 1) * S, S * past, R, wide, 1, j, here, BI)
    total += product(shown + (step - 1) * C, C * past, R + S * wide, wide, 1, j, here, BI)
    return total


@triton.jit
def share(told, c, which):
    return tl.sum(tl.where(c == which, told, 0.0), 0)


@triton.jit
def move(now, after, left, right, still, t, C, TAPE: tl.constexpr, BM: tl.constexpr):
    """Compute the memory after step t from the one before it, with its word written."""
    low, high, first, end = -C, t * C, 0 * t, (t + 1) * C
    if TAPE:
        low, high, first, end = -t * C, (t + 1) * C, -(t + 1) * C, (t + 2) * C
    for start in range(first, end, BM):
        m = start + tl.arange(0, BM)
        above = tl.load(now + m - C, (m - C >= low) & (m - C < high), 0.0)
        below = tl.load(now + m + C, (m + C >= low) & (m + C < high), 0.0)
        same = tl.load(now + m, (m >= low) & (m < high), 0.0)
        tl.store(after + m, left * above + right * below + still * same, m < end)


@triton.jit
def copy_cells(source, target, first, end, BM: tl.constexpr):
    for start in range(first, end, BM):
        m = start + tl.arange(0, BM)
        tl.store(target + m, tl.load(source + m, m < end, 0.0), m < end)


@triton.jit
def memory_forward(
    g, R, E, bias, h, cells, gates, shown, said, kept, scratch, T, S, C, shared, room, origin,
    kept_step, LSTM: tl.constexpr, TAPE: tl.constexpr, CHUNK: tl.constexpr, BI: tl.constexpr,
    BC: tl.constexpr, BM: tl.constexpr,
):  # fmt: skip
    row, c = tl.program_id(0), tl.arange(0, BC)
    wide, written = S, -C
    if LSTM:
        wide = 4 * S
    if TAPE:
        written = 0 * C
    R += row // shared * (S + C) * wide
    E += row // shared * S * (C + 3)
    told_at_rest = tl.load(bias + row // shared * (C + 3) + c, c < C + 3, 0.0)
    scratch += row * 2 * room + origin
    kept += row * ((T - 1) // CHUNK) * kept_step
    for chunk in range(0, T, CHUNK):
        first, end = 0 * chunk, chunk * C
        if TAPE:
            first, end = -chunk * C, (chunk + 1) * C * tl.minimum(chunk, 1)
        copy_cells(
            scratch + chunk % 2 * room,
            kept + (chunk // CHUNK - 1) * kept_step - first, first, end, BM
        )  # fmt: skip
        for t in range(chunk, tl.minimum(chunk + CHUNK, T)):
            step = row * T + t
            for start in range(0, S, BI):
                j = start + tl.arange(0, BI)
                here = j < S
                sums = sums_of(g, R, h, shown, step, t, S, C, wide, j, here, BI)
                tl.store(gates + step * wide + j, sums, here)
                if LSTM:
                    f = sums_of(g, R, h, shown, step, t, S, C, wide, j + S, here, BI)
                    z = sums_of(g, R, h, shown, step, t, S, C, wide, j + 2 * S, here, BI)
                    o = sums_of(g, R, h, shown, step, t, S, C, wide, j + 3 * S, here, BI)
                    tl.store(gates + step * wide + S + j, f, here)
                    tl.store(gates + step * wide + 2 * S + j, z, here)
                    tl.store(gates + step * wide + 3 * S + j, o, here)
                    last = tl.load(cells + (step - 1) * S + j, here & (j + t > j), 0.0)
                    cell = logistic(f) * last + logistic(sums) * tanh(z)
                    tl.store(cells + step * S + j, cell, here)
                    tl.store(h + step * S + j, logistic(o) * tanh(cell), here)
                else:
                    tl.store(h + step * S + j, tanh(sums), here)
            tl.debug_barrier()
            spoken = told_at_rest + product(h + step * S, S, E, C + 3, 1, c, c < C + 3, BI)
            scores = tl.where((c >= C) & (c < C + 3), spoken, -float("inf"))
            shares = tl.exp(scores - tl.max(scores, 0))
            told = tl.where(c < C, spoken, shares / tl.sum(shares, 0))
            tl.store(said + step * (C + 3) + c, told, c < C + 3)
            now, after = scratch + t % 2 * room, scratch + (1 - t % 2) * room
            tl.store(now + written + c, told, c < C)
            tl.debug_barrier()
            left, right, still = share(told, c, C), share(told, c, C + 1), share(told, c, C + 2)
            move(now, after, left, right, still, t, C, TAPE, BM)
            tl.debug_barrier()
            tl.store(shown + step * C + c, tl.load(after + c, c < C, 0.0), c < C)
            tl.debug_barrier()


@triton.jit
def move_back(
    memory, G, to, left, right, still, t, C, TAPE: tl.constexpr, BM: tl.constexpr
):  # fmt: skip
    """Compute the adjoint of the memory that step t moved, and of the three shares."""
    low, high, first, end = -C, t * C, 0 * t, (t + 1) * C  # of the memory, of the adjoint
    if TAPE:
        low, high, first, end = -t * C, (t + 1) * C, -(t + 1) * C, (t + 2) * C
    by_left = tl.zeros((BM,), dtype=to.dtype.element_ty)
    by_right = tl.zeros((BM,), dtype=to.dtype.element_ty)
    by_still = tl.zeros((BM,), dtype=to.dtype.element_ty)
    for start in range(low, high, BM):
        m = start + tl.arange(0, BM)
        here = m < high
        above = tl.load(G + m + C, here & (m + C >= first) & (m + C < end), 0.0)
        below = tl.load(G + m - C, here & (m - C >= first) & (m - C < end), 0.0)
        same = tl.load(G + m, here & (m >= first) & (m < end), 0.0)
        M = tl.load(memory + m, here, 0.0)
        by_left += M * above
        by_right += M * below
        by_still += M * same
        tl.store(to + m, left * above + right * below + still * same, here)
    return tl.sum(by_left, 0), tl.sum(by_right, 0), tl.sum(by_still, 0)


@triton.jit
def memory_backward(
    R, E, h, cells, gates, said, kept, grad, dg, dsaid, memories, adjoints, carried, T, S, C,
    shared, room, origin, kept_step, LSTM: tl.constexpr, TAPE: tl.constexpr,
    CHUNK: tl.constexpr, BI: tl.constexpr, BC: tl.constexpr, BM: tl.constexpr,
):  # fmt: skip
    row, c = tl.program_id(0), tl.arange(0, BC)
    wide, written = S, -C
    if LSTM:
        wide = 4 * S
    if TAPE:
        written = 0 * C
    R += row // shared * (S + C) * wide
    E += row // shared * S * (C + 3)
    memories += row * (CHUNK + 1) * room + origin
    adjoints += row * 2 * room + origin
    chunks = (T - 1) // CHUNK
    kept += row * chunks * kept_step
    seen, dc = carried + row * (2 * S + C), carried + row * (2 * S + C) + S + C
    for back in range(chunks + 1):
        chunk = (chunks - back) * CHUNK
        stop = tl.minimum(chunk + CHUNK, T)
        first, end = 0 * chunk, chunk * C
        if TAPE:
            first, end = -chunk * C, (chunk + 1) * C * tl.minimum(chunk, 1)
        copy_cells(kept + (chunk // CHUNK - 1) * kept_step - first, memories, first, end, BM)
        for t in range(chunk, stop):
            now = memories + (t - chunk) * room
            told = tl.load(said + (row * T + t) * (C + 3) + c, c < C + 3, 0.0)
            tl.debug_barrier()
            tl.store(now + written + c, told, c < C)
            tl.debug_barrier()
            left, right, still = share(told, c, C), share(told, c, C + 1), share(told, c, C + 2)
            move(now, now + room, left, right, still, t, C, TAPE, BM)
            tl.debug_barrier()
        for behind in range(stop - chunk):
            t = stop - 1 - behind
            step = row * T + t
            now = adjoints + (T - 1 - t) % 2 * room
            earlier = adjoints + (T - t) % 2 * room
            told = tl.load(said + step * (C + 3) + c, c < C + 3, 0.0)
            left, right, still = share(told, c, C), share(told, c, C + 1), share(told, c, C + 2)
            by_left, by_right, by_still = move_back(
                memories + (t - chunk) * room, now, earlier, left, right, still, t, C, TAPE, BM
            )
            tl.debug_barrier()
            by_word = tl.load(earlier + written + c, c < C, 0.0)
            tl.debug_barrier()
            tl.store(earlier + written + c, tl.zeros((BC,), dtype=dg.dtype.element_ty), c < C)
            along = left * by_left + right * by_right + still * by_still
            by_shares = tl.where(c == C, by_left, tl.where(c == C + 1, by_right, by_still))
            by_told = tl.where(c < C, by_word, told * (by_shares - along))
            tl.store(dsaid + step * (C + 3) + c, by_told, c < C + 3)
            tl.debug_barrier()
            for start in range(0, S, BI):
                j = start + tl.arange(0, BI)
                here = j < S
                dh = tl.load(grad + step * S + j, here, 0.0) + tl.load(seen + j, here, 0.0)
                dh += product(dsaid + step * (C + 3), C + 3, E, 1, C + 3, j, here, BI)
                at = step * wide + j
                if LSTM:
                    i = logistic(tl.load(gates + at, here, 0.0))
                    f = logistic(tl.load(gates + at + S, here, 0.0))
                    z = tanh(tl.load(gates + at + 2 * S, here, 0.0))
                    o = logistic(tl.load(gates + at + 3 * S, here, 0.0))
                    y = tanh(tl.load(cells + step * S + j, here, 0.0))
                    last = tl.load(cells + (step - 1) * S + j, here & (j + t > j), 0.0)
                    by_c = tl.load(dc + j, here, 0.0) + dh * o * (1.0 - y * y)
                    tl.store(dg + at, by_c * z * i * (1.0 - i), here)
                    tl.store(dg + at + S, by_c * last * f * (1.0 - f), here)
                    tl.store(dg + at + 2 * S, by_c * i * (1.0 - z * z), here)
                    tl.store(dg + at + 3 * S, dh * y * o * (1.0 - o), here)
                    tl.store(dc + j, by_c * f, here)
                else:
                    y = tl.load(h + step * S + j, here, 0.0)
                    tl.store(dg + at, dh * (1.0 - y * y), here)
            tl.debug_barrier()
            for start in range(0, S + C, BI):
                j = start + tl.arange(0, BI)
                here = j < S + C
                tl.store(seen + j, product(dg + step * wide, wide, R, 1, wide, j, here, BI), here)
            tl.debug_barrier()
            top = tl.load(earlier + c, c < C, 0.0) + tl.load(seen + S + c, c < C, 0.0)
            tl.debug_barrier()
            tl.store(earlier + c, top, c < C)
            tl.debug_barrier()
