"""The GPU kernels, in Triton: one program goes through time for one block of channels of one word.

Sequential in time, parallel over words and channels; the state stays in registers. The equations
are those of `loop`, `loop_selective`, `loop_matrix`, `loop_delta` and `loop_slstm`, with the same
names. Sizes that are not powers of two are padded and masked. Where the backward needs the states
again, it runs a chunk of `CHUNK` steps into scratch memory and then goes back through it; a barrier
stands between, since another thread of the program may have written what one reads. Masks that
ask for the first step compare vectors (``i + t > i``), as the interpreter demands.
"""

# mypy: ignore-errors
# ruff: noqa: D103 - the functions are named after the operations that the module describes

import triton
import triton.language as tl


@triton.jit
def diagonal_forward(a, b, h, T, S, BS: tl.constexpr):
    row, s = tl.program_id(0), tl.program_id(1) * BS + tl.arange(0, BS)
    state = tl.zeros((BS,), dtype=h.dtype.element_ty)
    for t in range(T):
        at = (row * T + t) * S + s
        state = tl.load(a + at, s < S, 0.0) * state + tl.load(b + at, s < S, 0.0)
        tl.store(h + at, state, s < S)


@triton.jit
def diagonal_backward(a, h, grad, da, db, T, S, BS: tl.constexpr):
    row, s = tl.program_id(0), tl.program_id(1) * BS + tl.arange(0, BS)
    g = tl.zeros((BS,), dtype=h.dtype.element_ty)
    for i in range(T):
        t = T - 1 - i
        at = (row * T + t) * S + s
        g += tl.load(grad + at, s < S, 0.0)
        tl.store(db + at, g, s < S)
        tl.store(da + at, g * tl.load(h + at - S, (s < S) & (0 * s + t > 0), 0.0), s < S)
        g *= tl.load(a + at, s < S, 0.0)


@triton.jit
def complex_forward(a, b, h, T, S, BS: tl.constexpr):
    row, s = tl.program_id(0), tl.program_id(1) * BS + tl.arange(0, BS)
    x = tl.zeros((BS,), dtype=h.dtype.element_ty)
    y = tl.zeros((BS,), dtype=h.dtype.element_ty)
    for t in range(T):
        at = 2 * ((row * T + t) * S + s)
        ax, ay = tl.load(a + at, s < S, 0.0), tl.load(a + at + 1, s < S, 0.0)
        bx, by = tl.load(b + at, s < S, 0.0), tl.load(b + at + 1, s < S, 0.0)
        x, y = ax * x - ay * y + bx, ax * y + ay * x + by
        tl.store(h + at, x, s < S)
        tl.store(h + at + 1, y, s < S)


@triton.jit
def complex_backward(a, h, grad, da, db, T, S, BS: tl.constexpr):
    row, s = tl.program_id(0), tl.program_id(1) * BS + tl.arange(0, BS)
    x = tl.zeros((BS,), dtype=h.dtype.element_ty)
    y = tl.zeros((BS,), dtype=h.dtype.element_ty)
    for i in range(T):
        t = T - 1 - i
        at = 2 * ((row * T + t) * S + s)
        x += tl.load(grad + at, s < S, 0.0)
        y += tl.load(grad + at + 1, s < S, 0.0)
        tl.store(db + at, x, s < S)
        tl.store(db + at + 1, y, s < S)
        hx = tl.load(h + at - 2 * S, (s < S) & (0 * s + t > 0), 0.0)
        hy = tl.load(h + at - 2 * S + 1, (s < S) & (0 * s + t > 0), 0.0)
        tl.store(da + at, x * hx + y * hy, s < S)
        tl.store(da + at + 1, y * hx - x * hy, s < S)
        ax, ay = tl.load(a + at, s < S, 0.0), tl.load(a + at + 1, s < S, 0.0)
        x, y = ax * x + ay * y, ax * y - ay * x


@triton.jit
def selective_forward(
    x, dt, A, B, C, y, kept, T, E, N, share, negative: tl.constexpr, CHUNK: tl.constexpr,
    BE: tl.constexpr, BN: tl.constexpr,
):  # fmt: skip
    row, e, n = tl.program_id(0), tl.program_id(1) * BE + tl.arange(0, BE), tl.arange(0, BN)
    inside = (e < E)[:, None] & (n < N)[None, :]
    tile, chunks = e[:, None] * N + n[None, :], tl.cdiv(T, CHUNK)
    rates = tl.load(A + row // share * E * N + tile, inside, 0.0)
    state = tl.zeros((BE, BN), dtype=y.dtype.element_ty)
    for t in range(T):
        if t % CHUNK == 0:
            tl.store(kept + (row * chunks + t // CHUNK) * E * N + tile, state, inside)
        at, thin = (row * T + t) * E + e, (row * T + t) * N + n
        step = tl.load(dt + at, e < E, 0.0)
        decay = tl.exp(step[:, None] * rates)
        if negative:
            decay = 2 * decay - 1
        u = step * tl.load(x + at, e < E, 0.0)
        state = decay * state + u[:, None] * tl.load(B + thin, n < N, 0.0)[None, :]
        out = tl.sum(state * tl.load(C + thin, n < N, 0.0)[None, :], 1)
        tl.store(y + at, out, e < E)


@triton.jit
def selective_backward(
    x, dt, A, B, C, kept, grad, dx, ddt, dA, dB, dC, scratch, T, E, N, share, rows,
    negative: tl.constexpr, CHUNK: tl.constexpr, BE: tl.constexpr, BN: tl.constexpr,
):  # fmt: skip
    row, block = tl.program_id(0), tl.program_id(1)
    e, n = block * BE + tl.arange(0, BE), tl.arange(0, BN)
    inside = (e < E)[:, None] & (n < N)[None, :]
    tile, chunks = e[:, None] * N + n[None, :], tl.cdiv(T, CHUNK)
    rates = tl.load(A + row // share * E * N + tile, inside, 0.0)
    local = tl.arange(0, BE)[:, None] * BN + n[None, :]
    scratch += (row * tl.num_programs(1) + block) * CHUNK * BE * BN
    g = tl.zeros((BE, BN), dtype=dx.dtype.element_ty)
    by_A = tl.zeros((BE, BN), dtype=dx.dtype.element_ty)
    for chunk in range(chunks):
        first = (chunks - 1 - chunk) * CHUNK
        last = tl.minimum(first + CHUNK, T)
        state = tl.load(kept + (row * chunks + first // CHUNK) * E * N + tile, inside, 0.0)
        for t in range(first, last):
            tl.store(scratch + (t - first) * BE * BN + local, state)
            at, thin = (row * T + t) * E + e, (row * T + t) * N + n
            step = tl.load(dt + at, e < E, 0.0)
            decay = tl.exp(step[:, None] * rates)
            if negative:
                decay = 2 * decay - 1
            u = step * tl.load(x + at, e < E, 0.0)
            state = decay * state + u[:, None] * tl.load(B + thin, n < N, 0.0)[None, :]
            out = tl.load(grad + at, e < E, 0.0)
            tl.store(dC + block * rows * T * N + thin, tl.sum(state * out[:, None], 0), n < N)
        tl.debug_barrier()
        for i in range(last - first):
            t = last - 1 - i
            before = tl.load(scratch + (t - first) * BE * BN + local)
            at, thin = (row * T + t) * E + e, (row * T + t) * N + n
            step, xs = tl.load(dt + at, e < E, 0.0), tl.load(x + at, e < E, 0.0)
            decay = tl.exp(step[:, None] * rates)
            slope = decay
            if negative:
                slope = 2 * decay
                decay = slope - 1
            out = tl.load(grad + at, e < E, 0.0)
            g += out[:, None] * tl.load(C + thin, n < N, 0.0)[None, :]
            q = g * before * slope
            into = tl.load(B + thin, n < N, 0.0)
            tl.store(dB + block * rows * T * N + thin, tl.sum(g * (step * xs)[:, None], 0), n < N)
            du = tl.sum(g * into[None, :], 1)
            tl.store(dx + at, step * du, e < E)
            tl.store(ddt + at, tl.sum(rates * q, 1) + xs * du, e < E)
            by_A += q * step[:, None]
            g *= decay
        tl.debug_barrier()
    tl.store(dA + row * E * N + tile, by_A, inside)


@triton.jit
def matrix_forward(
    A, b, initial, h, r, T, N, eps, normalise: tl.constexpr, BN: tl.constexpr
):  # fmt: skip
    row, i = tl.program_id(0), tl.arange(0, BN)
    tile, inside = i[:, None] * N + i[None, :], (i < N)[:, None] & (i < N)[None, :]
    state = tl.load(initial + row * N + i, i < N, 0.0)
    for t in range(T):
        step = row * T + t
        u = tl.sum(tl.load(A + step * N * N + tile, inside, 0.0) * state[None, :], 1)
        u += tl.load(b + step * N + i, i < N, 0.0)
        if normalise:
            scale = tl.sqrt(tl.sum(u * u, 0) / N + eps)
            u = u / scale
            tl.store(r + step, scale)
        else:
            tl.store(r + step, 1.0)
        tl.store(h + step * N + i, u, i < N)
        tl.debug_barrier()
        state = tl.load(h + step * N + i, i < N, 0.0)


@triton.jit
def matrix_backward(
    A, initial, h, r, grad, dA, db, dinitial, T, N, normalise: tl.constexpr, BN: tl.constexpr
):  # fmt: skip
    row, i = tl.program_id(0), tl.arange(0, BN)
    tile, inside = i[:, None] * N + i[None, :], (i < N)[:, None] & (i < N)[None, :]
    g = tl.zeros((BN,), dtype=h.dtype.element_ty)
    for back in range(T):
        t = T - 1 - back
        step = row * T + t
        g += tl.load(grad + step * N + i, i < N, 0.0)
        if normalise:
            state = tl.load(h + step * N + i, i < N, 0.0)
            g = (g - state * (tl.sum(g * state, 0) / N)) / tl.load(r + step)
        tl.store(db + step * N + i, g, i < N)
        tl.debug_barrier()
        along = tl.load(db + step * N + i, i < N, 0.0)  # in the layout of the rows
        start = tl.load(initial + row * N + i, (i < N) & (0 * i + t == 0), 0.0)
        before = start + tl.load(h + (step - 1) * N + i, (i < N) & (0 * i + t > 0), 0.0)
        tl.store(dA + step * N * N + tile, along[:, None] * before[None, :], inside)
        g = tl.sum(tl.load(A + step * N * N + tile, inside, 0.0) * along[:, None], 0)
    tl.store(dinitial + row * N + i, g, i < N)


@triton.jit
def product_forward(A, P, T, N, BN: tl.constexpr):
    row, i = tl.program_id(0), tl.arange(0, BN)
    tile, inside = i[:, None] * N + i[None, :], (i < N)[:, None] & (i < N)[None, :]
    state = (i[:, None] == i[None, :]).to(P.dtype.element_ty)
    for t in range(T):
        at = (row * T + t) * N * N + tile
        now = tl.load(A + at, inside, 0.0)
        state = tl.sum(state[:, :, None] * now[None, :, :], 1)
        tl.store(P + at, state, inside)


@triton.jit
def product_backward(A, P, grad, dA, T, N, BN: tl.constexpr):
    row, i = tl.program_id(0), tl.arange(0, BN)
    tile, inside = i[:, None] * N + i[None, :], (i < N)[:, None] & (i < N)[None, :]
    g = tl.zeros((BN, BN), dtype=P.dtype.element_ty)
    for back in range(T):
        t = T - 1 - back
        at = (row * T + t) * N * N + tile
        g += tl.load(grad + at, inside, 0.0)
        one = (i[:, None] == i[None, :]).to(P.dtype.element_ty)
        earlier = inside & (0 * tile + t > 0)  # a mask of one shape, under the interpreter too
        before = tl.load(P + at - N * N, earlier, 0.0) + tl.where(tile + t == tile, one, 0.0)
        tl.store(dA + at, tl.sum(before[:, :, None] * g[:, None, :], 0), inside)
        now = tl.load(A + at, inside, 0.0)
        g = tl.sum(g[:, None, :] * now[None, :, :], 2)


@triton.jit
def delta_forward(
    q, k, v, decay, look, put, y, kept, T, K, V, decays: tl.constexpr, looks: tl.constexpr,
    CHUNK: tl.constexpr, BK: tl.constexpr, BV: tl.constexpr,
):  # fmt: skip
    row, i, j = tl.program_id(0), tl.arange(0, BK), tl.program_id(1) * BV + tl.arange(0, BV)
    tile, inside = i[:, None] * V + j[None, :], (i < K)[:, None] & (j < V)[None, :]
    S = tl.zeros((BK, BV), dtype=y.dtype.element_ty)
    chunks = tl.cdiv(T, CHUNK)
    for t in range(T):
        if t % CHUNK == 0:
            tl.store(kept + (row * chunks + t // CHUNK) * K * V + tile, S, inside)
        key, value = (row * T + t) * K + i, (row * T + t) * V + j
        after = S
        if decays:
            after = tl.load(decay + key, i < K, 0.0)[:, None] * S
        vt = tl.load(v + value, j < V, 0.0)
        after += tl.load(k + key, i < K, 0.0)[:, None] * vt[None, :]
        if looks:
            r = tl.sum(tl.load(look + key, i < K, 0.0)[:, None] * S, 0)
            after -= tl.load(put + key, i < K, 0.0)[:, None] * r[None, :]
        S = after
        tl.store(y + value, tl.sum(tl.load(q + key, i < K, 0.0)[:, None] * S, 0), j < V)


@triton.jit
def delta_backward(
    q, k, v, decay, look, put, kept, grad, dq, dk, dv, ddecay, dlook, dput, scratch,
    T, K, V, rows, decays: tl.constexpr, looks: tl.constexpr, CHUNK: tl.constexpr,
    BK: tl.constexpr, BV: tl.constexpr,
):  # fmt: skip
    row, block = tl.program_id(0), tl.program_id(1)
    i, j = tl.arange(0, BK), block * BV + tl.arange(0, BV)
    tile, inside = i[:, None] * V + j[None, :], (i < K)[:, None] & (j < V)[None, :]
    local = i[:, None] * BV + tl.arange(0, BV)[None, :]
    scratch += (row * tl.num_programs(1) + block) * CHUNK * BK * BV
    part, chunks = block * rows * T * K, tl.cdiv(T, CHUNK)
    G = tl.zeros((BK, BV), dtype=dv.dtype.element_ty)
    for chunk in range(chunks):
        first = (chunks - 1 - chunk) * CHUNK
        last = tl.minimum(first + CHUNK, T)
        S = tl.load(kept + (row * chunks + first // CHUNK) * K * V + tile, inside, 0.0)
        for t in range(first, last):
            tl.store(scratch + (t - first) * BK * BV + local, S)
            key, value = (row * T + t) * K + i, (row * T + t) * V + j
            after = S
            if decays:
                after = tl.load(decay + key, i < K, 0.0)[:, None] * S
            vt = tl.load(v + value, j < V, 0.0)
            after += tl.load(k + key, i < K, 0.0)[:, None] * vt[None, :]
            if looks:
                r = tl.sum(tl.load(look + key, i < K, 0.0)[:, None] * S, 0)
                after -= tl.load(put + key, i < K, 0.0)[:, None] * r[None, :]
            S = after
            out = tl.load(grad + value, j < V, 0.0)
            tl.store(dq + part + key, tl.sum(S * out[None, :], 1), i < K)
        tl.debug_barrier()
        for back in range(last - first):
            t = last - 1 - back
            S = tl.load(scratch + (t - first) * BK * BV + local)
            key, value = (row * T + t) * K + i, (row * T + t) * V + j
            out, vt = tl.load(grad + value, j < V, 0.0), tl.load(v + value, j < V, 0.0)
            G += tl.load(q + key, i < K, 0.0)[:, None] * out[None, :]
            tl.store(dk + part + key, tl.sum(G * vt[None, :], 1), i < K)
            tl.store(dv + value, tl.sum(tl.load(k + key, i < K, 0.0)[:, None] * G, 0), j < V)
            earlier = G
            if decays:
                tl.store(ddecay + part + key, tl.sum(G * S, 1), i < K)
                earlier = tl.load(decay + key, i < K, 0.0)[:, None] * G
            if looks:
                seen = tl.load(look + key, i < K, 0.0)
                r = tl.sum(seen[:, None] * S, 0)
                dr = -tl.sum(tl.load(put + key, i < K, 0.0)[:, None] * G, 0)
                tl.store(dput + part + key, -tl.sum(G * r[None, :], 1), i < K)
                tl.store(dlook + part + key, tl.sum(S * dr[None, :], 1), i < K)
                earlier += seen[:, None] * dr[None, :]
            G = earlier
        tl.debug_barrier()


@triton.jit
def log_sigmoid(x):
    return tl.minimum(x, 0.0) - tl.log(1.0 + tl.exp(-tl.abs(x)))


@triton.jit
def logistic(x):
    return 1.0 / (1.0 + tl.exp(-x))


@triton.jit
def gate_of(R, h, place, size, which: tl.constexpr, i, j):
    """Compute what the last output contributes to one gate of one head."""
    tile = (i[:, None] * 4 + which) * size + j[None, :]
    inside = (i < size)[:, None] & (j < size)[None, :]
    return tl.sum(tl.load(R + place + tile, inside, 0.0) * h[:, None], 0)


@triton.jit
def slstm_forward(
    g, R, h, cells, gates, T, heads, size, share, sigmoid: tl.constexpr, BH: tl.constexpr
):  # fmt: skip
    row, head, j = tl.program_id(0), tl.program_id(1), tl.arange(0, BH)
    W, here = heads * size, j < size
    place = (row // share * heads + head) * size * 4 * size
    last = tl.zeros((BH,), dtype=h.dtype.element_ty)
    c = tl.zeros((BH,), dtype=h.dtype.element_ty)
    n = tl.zeros((BH,), dtype=h.dtype.element_ty)
    m = tl.zeros((BH,), dtype=h.dtype.element_ty)
    for t in range(T):
        step, w = row * T + t, head * size + j
        at = step * 4 * W + w
        i = tl.load(g + at, here, 0.0) + gate_of(R, last, place, size, 0, j, j)
        f = tl.load(g + at + W, here, 0.0) + gate_of(R, last, place, size, 1, j, j)
        z = tl.load(g + at + 2 * W, here, 0.0) + gate_of(R, last, place, size, 2, j, j)
        o = tl.load(g + at + 3 * W, here, 0.0) + gate_of(R, last, place, size, 3, j, j)
        tl.store(gates + at, i, here)
        tl.store(gates + at + W, f, here)
        tl.store(gates + at + 2 * W, z, here)
        tl.store(gates + at + 3 * W, o, here)
        remembered = m + f
        if sigmoid:
            remembered = m + log_sigmoid(f)
        m = tl.where(j + t == j, i, tl.maximum(remembered, i))
        enter = tl.exp(i - m)
        forget = tl.where(j + t == j, 0.0, tl.exp(remembered - m))
        c = forget * c + enter * (2.0 * logistic(2.0 * z) - 1.0)
        n = forget * n + enter
        tl.store(cells + step * 3 * W + w, c, here)
        tl.store(cells + step * 3 * W + W + w, n, here)
        tl.store(cells + step * 3 * W + 2 * W + w, m, here)
        tl.store(h + step * W + w, logistic(o) * c / n, here)
        tl.debug_barrier()
        last = tl.load(h + step * W + w, here, 0.0)


@triton.jit
def slstm_backward(
    R, cells, gates, grad, dg, T, heads, size, share, sigmoid: tl.constexpr, BH: tl.constexpr
):  # fmt: skip
    row, head, j = tl.program_id(0), tl.program_id(1), tl.arange(0, BH)
    W, here = heads * size, j < size
    place = (row // share * heads + head) * size * 4 * size
    dc = tl.zeros((BH,), dtype=dg.dtype.element_ty)
    dn = tl.zeros((BH,), dtype=dg.dtype.element_ty)
    dh = tl.zeros((BH,), dtype=dg.dtype.element_ty)
    for back in range(T):
        t = T - 1 - back
        step, w = row * T + t, head * size + j
        at, cell = step * 4 * W + w, step * 3 * W + w
        earlier = here & (0 * j + t > 0)
        i, f = tl.load(gates + at, here, 0.0), tl.load(gates + at + W, here, 0.0)
        z = 2.0 * logistic(2.0 * tl.load(gates + at + 2 * W, here, 0.0)) - 1.0
        o = logistic(tl.load(gates + at + 3 * W, here, 0.0))
        c, n = tl.load(cells + cell, here, 0.0), tl.load(cells + cell + W, here, 1.0)
        m = tl.load(cells + cell + 2 * W, here, 0.0)
        before_c = tl.load(cells + cell - 3 * W, earlier, 0.0)
        before_n = tl.load(cells + cell - 2 * W, earlier, 0.0)
        remembered = tl.load(cells + cell - W, earlier, 0.0) + f
        slope = tl.full((BH,), 1.0, dtype=dg.dtype.element_ty)
        if sigmoid:
            remembered = tl.load(cells + cell - W, earlier, 0.0) + log_sigmoid(f)
            slope = logistic(-f)
        enter = tl.exp(i - m)
        forget = tl.where(j + t == j, 0.0, tl.exp(tl.where(j + t == j, 0.0, remembered - m)))
        dh += tl.load(grad + step * W + w, here, 0.0)
        dc += dh * o / n
        dn -= dh * o * c / (n * n)
        tl.store(dg + at, enter * (z * dc + dn), here)
        tl.store(dg + at + W, slope * forget * (before_c * dc + before_n * dn), here)
        tl.store(dg + at + 2 * W, enter * (1.0 - z * z) * dc, here)
        tl.store(dg + at + 3 * W, dh * (c / n) * o * (1.0 - o), here)
        dc *= forget
        dn *= forget
        tl.debug_barrier()
        dh = tl.zeros((BH,), dtype=dg.dtype.element_ty)
        for which in tl.static_range(4):
            tile = (j[:, None] * 4 + which) * size + j[None, :]
            inside = here[:, None] & here[None, :]
            along = tl.load(dg + at + which * W, here, 0.0)
            dh += tl.sum(tl.load(R + place + tile, inside, 0.0) * along[None, :], 1)
        tl.debug_barrier()
