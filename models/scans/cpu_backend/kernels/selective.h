/* The selective scan, forward and backward (the equations: models/scans/loop_selective.py).
 *
 * A vector holds LANES neighbouring channels of one state n. The forward keeps the states at the
 * start of every chunk only; the backward runs a chunk again, with its states and decays in cache,
 * and then its adjoint. Sums over channels (for B and C) are kept as vectors over all blocks of
 * channels, and added up across once a chunk. If the scan is gated, y is (C h + D x) SiLU(z).
 */
#ifndef SELECTIVE_CHUNK
#define SELECTIVE_CHUNK 16
typedef struct {
    int64_t batch, length, inner, state, groups, negative, gated;
} selective_sizes;
#endif

CLONES static int NAME(selective_forward_row)(
    selective_sizes s, const REAL *x, const REAL *dt, const REAL *A, const REAL *B, const REAL *C,
    const REAL *D, const REAL *z, REAL *y, REAL *kept) {
    const int64_t E = s.inner, N = s.state;
    VEC *h = aligned_alloc(BYTES, 2 * N * BYTES), *rates = h + N;
    if (!h) return 1;
    for (int64_t e = 0; e < E; e += LANES) {
        const int64_t count = E - e;
        memset(h, 0, N * BYTES);
        for (int64_t n = 0; n < N; n++) rates[n] = NAME(load)(A + n * E + e, count);
        for (int64_t t = 0; t < s.length; t++) {
            if (t % SELECTIVE_CHUNK == 0) {
                REAL *to = kept + t / SELECTIVE_CHUNK * N * E + e;
                for (int64_t n = 0; n < N; n++) NAME(store)(to + n * E, h[n], count);
            }
            const VEC step = NAME(load)(dt + t * E + e, count);
            const VEC xs = NAME(load)(x + t * E + e, count), u = step * xs;
            const REAL *b = B + t * N, *c = C + t * N;
            VEC out = {0};
            for (int64_t n = 0; n < N; n++) {
                VEC decay = NAME(exp)(step * rates[n]);
                if (s.negative) decay = decay + decay - (REAL)1.0;
                h[n] = decay * h[n] + b[n] * u;
                out += c[n] * h[n];
            }
            if (s.gated) {
                const VEC gate = NAME(load)(z + t * E + e, count);
                out = (out + NAME(load)(D + e, count) * xs) * gate * NAME(sigmoid)(gate);
            }
            NAME(store)(y + t * E + e, out, count);
        }
    }
    free(h);
    return 0;
}

int NAME(selective_forward)(void **tensors, const int64_t *sizes, int threads) {
    const selective_sizes s = *(const selective_sizes *)sizes;
    const int64_t T = s.length, E = s.inner, N = s.state;
    const int64_t chunks = (T + SELECTIVE_CHUNK - 1) / SELECTIVE_CHUNK;
    const REAL *x = tensors[0], *dt = tensors[1], *A = tensors[2], *B = tensors[3], *C = tensors[4];
    const REAL *D = tensors[5], *z = tensors[6];
    REAL *y = tensors[7], *kept = tensors[8];
    int failed = 0;
#pragma omp parallel for num_threads(threads) if (threads > 1) reduction(| : failed)
    for (int64_t b = 0; b < s.batch; b++) {
        const int64_t group = b / (s.batch / s.groups);
        failed |= NAME(selective_forward_row)(
            s, x + b * T * E, dt + b * T * E, A + group * N * E, B + b * T * N, C + b * T * N,
            s.gated ? D + group * E : NULL, s.gated ? z + b * T * E : NULL, y + b * T * E,
            kept + b * chunks * N * E);
    }
    return failed;
}

/* Where one row's inputs are, and where its gradients go, at one chunk and one block. */
typedef struct {
    const REAL *x, *dt, *B, *C, *z, *grad;
    REAL *dx, *ddt, *dz;
} NAME(selective_place);

/* One row's workspace: for the block at hand the rates, the state before each step and its decay,
 * and the gradient of C h at each step; for all blocks what B and C get at each step. */
typedef struct {
    VEC *rates, *h, *decays, *outs, *by_B, *by_C;
} NAME(selective_work);

/* One chunk's adjoint for one block of channels; g is the adjoint of the state after it. */
INLINE void NAME(selective_chunk)(
    selective_sizes s, int64_t steps, int64_t count, NAME(selective_place) at,
    NAME(selective_work) work, VEC skip, VEC *g, VEC *dA, VEC *dD) {
    const int64_t E = s.inner, N = s.state;
    for (int64_t t = 0; t < steps; t++) {
        const VEC step = NAME(load)(at.dt + t * E, count), x = NAME(load)(at.x + t * E, count);
        const VEC u = step * x, grad = NAME(load)(at.grad + t * E, count);
        const VEC *before = work.h + t * N;
        VEC *after = work.h + (t + 1) * N, *decay = work.decays + t * N, *by_C = work.by_C + t * N;
        VEC z = {0}, open = {0}, out = grad, read = {0};
        if (s.gated) {
            z = NAME(load)(at.z + t * E, count);
            open = NAME(sigmoid)(z);
            out = grad * z * open;
        }
        for (int64_t n = 0; n < N; n++) {
            VEC d = NAME(exp)(step * work.rates[n]);
            if (s.negative) d = d + d - (REAL)1.0;
            decay[n] = d;
            after[n] = d * before[n] + at.B[t * N + n] * u;
            by_C[n] += after[n] * out;
            if (s.gated) read += at.C[t * N + n] * after[n];
        }
        work.outs[t] = out;
        if (s.gated) {
            const VEC slope = open * ((REAL)1.0 + z * ((REAL)1.0 - open));
            NAME(store)(at.dz + t * E, grad * (read + skip * x) * slope, count);
            *dD += out * x;
        }
    }
    for (int64_t t = steps - 1; t >= 0; t--) {
        const VEC step = NAME(load)(at.dt + t * E, count), x = NAME(load)(at.x + t * E, count);
        const VEC u = step * x, out = work.outs[t];
        const VEC *before = work.h + t * N, *decay = work.decays + t * N;
        VEC *by_B = work.by_B + t * N, du = {0}, by_decay = {0};
        for (int64_t n = 0; n < N; n++) {
            const VEC adjoint = g[n] + at.C[t * N + n] * out, d = decay[n];
            const VEC slope = s.negative ? d + (REAL)1.0 : d; /* of the decay by its argument */
            const VEC q = adjoint * before[n] * slope;
            by_B[n] += adjoint * u;
            du += at.B[t * N + n] * adjoint;
            by_decay += work.rates[n] * q;
            dA[n] += q * step;
            g[n] = adjoint * d;
        }
        NAME(store)(at.dx + t * E, step * du + skip * out, count);
        NAME(store)(at.ddt + t * E, by_decay + x * du, count);
    }
}

CLONES static int NAME(selective_backward_row)(
    selective_sizes s, NAME(selective_place) row, const REAL *A, const REAL *D, const REAL *kept,
    REAL *dA, REAL *dB, REAL *dC, REAL *dD) {
    const int64_t T = s.length, E = s.inner, N = s.state, Q = SELECTIVE_CHUNK;
    const int64_t blocks = (E + LANES - 1) / LANES;
    VEC *room = aligned_alloc(BYTES, (2 * blocks * N + blocks + N + (4 * Q + 1) * N + Q) * BYTES);
    if (!room) return 1;
    VEC *gs = room, *dAs = gs + blocks * N, *dDs = dAs + blocks * N;
    NAME(selective_work) work;
    work.rates = dDs + blocks, work.h = work.rates + N, work.decays = work.h + (Q + 1) * N;
    work.outs = work.decays + Q * N, work.by_B = work.outs + Q, work.by_C = work.by_B + Q * N;
    memset(gs, 0, (2 * blocks * N + blocks) * BYTES);
    for (int64_t first = (T - 1) / Q * Q; first >= 0; first -= Q) {
        const int64_t steps = T - first < Q ? T - first : Q;
        memset(work.by_B, 0, 2 * Q * N * BYTES);
        for (int64_t block = 0; block < blocks; block++) {
            const int64_t e = block * LANES, at = first * E + e, count = E - e;
            for (int64_t n = 0; n < N; n++) {
                work.rates[n] = NAME(load)(A + n * E + e, count);
                work.h[n] = NAME(load)(kept + (first / Q * N + n) * E + e, count);
            }
            const NAME(selective_place) here = {
                row.x + at, row.dt + at, row.B + first * N, row.C + first * N,
                s.gated ? row.z + at : NULL, row.grad + at, row.dx + at, row.ddt + at,
                s.gated ? row.dz + at : NULL};
            const VEC zero = {0}, skip = s.gated ? NAME(load)(D + e, count) : zero;
            NAME(selective_chunk)(
                s, steps, count, here, work, skip, gs + block * N, dAs + block * N, dDs + block);
        }
        for (int64_t i = 0; i < steps * N; i++) {
            dB[first * N + i] = NAME(total)(work.by_B[i]);
            dC[first * N + i] = NAME(total)(work.by_C[i]);
        }
    }
    for (int64_t block = 0; block < blocks; block++) {
        const int64_t e = block * LANES;
        for (int64_t n = 0; n < N; n++) NAME(store)(dA + n * E + e, dAs[block * N + n], E - e);
        if (s.gated) NAME(store)(dD + e, dDs[block], E - e);
    }
    free(room);
    return 0;
}

/* The gradients of A and D come for every row of the batch; A and its are (rows, state, inner). */
int NAME(selective_backward)(void **tensors, const int64_t *sizes, int threads) {
    const selective_sizes s = *(const selective_sizes *)sizes;
    const int64_t T = s.length, E = s.inner, N = s.state;
    const int64_t chunks = (T + SELECTIVE_CHUNK - 1) / SELECTIVE_CHUNK;
    const REAL *x = tensors[0], *dt = tensors[1], *A = tensors[2], *B = tensors[3], *C = tensors[4];
    const REAL *D = tensors[5], *z = tensors[6], *kept = tensors[7], *grad = tensors[8];
    REAL *dx = tensors[9], *ddt = tensors[10], *dA = tensors[11], *dB = tensors[12];
    REAL *dC = tensors[13], *dD = tensors[14], *dz = tensors[15];
    int failed = 0;
#pragma omp parallel for num_threads(threads) if (threads > 1) reduction(| : failed)
    for (int64_t b = 0; b < s.batch; b++) {
        const int64_t group = b / (s.batch / s.groups), wide = b * T * E, thin = b * T * N;
        const NAME(selective_place) row = {
            x + wide, dt + wide, B + thin, C + thin, s.gated ? z + wide : NULL, grad + wide,
            dx + wide, ddt + wide, s.gated ? dz + wide : NULL};
        failed |= NAME(selective_backward_row)(
            s, row, A + group * N * E, s.gated ? D + group * E : NULL, kept + b * chunks * N * E,
            dA + b * N * E, dB + thin, dC + thin, s.gated ? dD + b * E : NULL);
    }
    return failed;
}
