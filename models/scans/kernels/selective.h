/* The selective scan, forward and backward (the equations: models/scans/loop_selective.py).
 *
 * A vector holds LANES neighbouring channels of one state n. The forward keeps the states at the
 * start of every chunk only; the backward runs a chunk again, with its states and decays in cache,
 * and then its adjoint. Sums over channels (for B and C) are kept as vectors over all blocks of
 * channels, and added up across once a chunk.
 */
#ifndef SELECTIVE_CHUNK
#define SELECTIVE_CHUNK 16
typedef struct {
    int64_t batch, length, inner, state, groups, negative;
} selective_sizes;
#endif

CLONES static int NAME(selective_forward_row)(
    selective_sizes s, const REAL *x, const REAL *dt, const REAL *A, const REAL *B, const REAL *C,
    REAL *y, REAL *kept) {
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
            const VEC u = step * NAME(load)(x + t * E + e, count);
            const REAL *b = B + t * N, *c = C + t * N;
            VEC out = {0};
            for (int64_t n = 0; n < N; n++) {
                VEC decay = NAME(exp)(step * rates[n]);
                if (s.negative) decay = decay + decay - (REAL)1.0;
                h[n] = decay * h[n] + b[n] * u;
                out += c[n] * h[n];
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
    REAL *y = tensors[5], *kept = tensors[6];
    int failed = 0;
#pragma omp parallel for num_threads(threads) if (threads > 1) reduction(| : failed)
    for (int64_t b = 0; b < s.batch; b++) {
        const int64_t group = b / (s.batch / s.groups);
        failed |= NAME(selective_forward_row)(
            s, x + b * T * E, dt + b * T * E, A + group * N * E, B + b * T * N, C + b * T * N,
            y + b * T * E, kept + b * chunks * N * E);
    }
    return failed;
}

/* One chunk's adjoint for one block of channels; h[0] is the state before it. */
INLINE void NAME(selective_chunk)(
    selective_sizes s, int64_t steps, int64_t count, const REAL *x, const REAL *dt, const REAL *B,
    const REAL *C, const REAL *grad, REAL *dx, REAL *ddt, const VEC *rates, VEC *g, VEC *dA, VEC *h,
    VEC *decays, VEC *dB, VEC *dC) {
    const int64_t E = s.inner, N = s.state;
    for (int64_t t = 0; t < steps; t++) {
        const VEC step = NAME(load)(dt + t * E, count);
        const VEC u = step * NAME(load)(x + t * E, count);
        const VEC out = NAME(load)(grad + t * E, count);
        const VEC *before = h + t * N;
        VEC *after = h + (t + 1) * N, *decay = decays + t * N, *by_C = dC + t * N;
        for (int64_t n = 0; n < N; n++) {
            VEC d = NAME(exp)(step * rates[n]);
            if (s.negative) d = d + d - (REAL)1.0;
            decay[n] = d;
            after[n] = d * before[n] + B[t * N + n] * u;
            by_C[n] += after[n] * out;
        }
    }
    for (int64_t t = steps - 1; t >= 0; t--) {
        const VEC step = NAME(load)(dt + t * E, count), xs = NAME(load)(x + t * E, count);
        const VEC u = step * xs, out = NAME(load)(grad + t * E, count);
        const VEC *before = h + t * N, *decay = decays + t * N;
        VEC *by_B = dB + t * N, du = {0}, by_decay = {0};
        for (int64_t n = 0; n < N; n++) {
            const VEC adjoint = g[n] + C[t * N + n] * out, d = decay[n];
            const VEC slope = s.negative ? d + (REAL)1.0 : d; /* of the decay by its argument */
            const VEC q = adjoint * before[n] * slope;
            by_B[n] += adjoint * u;
            du += B[t * N + n] * adjoint;
            by_decay += rates[n] * q;
            dA[n] += q * step;
            g[n] = adjoint * d;
        }
        NAME(store)(dx + t * E, step * du, count);
        NAME(store)(ddt + t * E, by_decay + xs * du, count);
    }
}

CLONES static int NAME(selective_backward_row)(
    selective_sizes s, const REAL *x, const REAL *dt, const REAL *A, const REAL *B, const REAL *C,
    const REAL *kept, const REAL *grad, REAL *dx, REAL *ddt, REAL *dA, REAL *dB, REAL *dC) {
    const int64_t T = s.length, E = s.inner, N = s.state, Q = SELECTIVE_CHUNK;
    const int64_t blocks = (E + LANES - 1) / LANES;
    VEC *work = aligned_alloc(BYTES, (2 * blocks * N + N + (4 * Q + 1) * N) * BYTES);
    if (!work) return 1;
    VEC *gs = work, *dAs = gs + blocks * N, *rates = dAs + blocks * N, *h = rates + N;
    VEC *decays = h + (Q + 1) * N, *by_B = decays + Q * N, *by_C = by_B + Q * N;
    memset(gs, 0, 2 * blocks * N * BYTES);
    for (int64_t first = (T - 1) / Q * Q; first >= 0; first -= Q) {
        const int64_t steps = T - first < Q ? T - first : Q;
        memset(by_B, 0, 2 * Q * N * BYTES);
        for (int64_t block = 0; block < blocks; block++) {
            const int64_t e = block * LANES, at = first * E + e, count = E - e;
            for (int64_t n = 0; n < N; n++) {
                rates[n] = NAME(load)(A + n * E + e, count);
                h[n] = NAME(load)(kept + (first / Q * N + n) * E + e, count);
            }
            NAME(selective_chunk)(
                s, steps, count, x + at, dt + at, B + first * N, C + first * N, grad + at, dx + at,
                ddt + at, rates, gs + block * N, dAs + block * N, h, decays, by_B, by_C);
        }
        for (int64_t i = 0; i < steps * N; i++) {
            dB[first * N + i] = NAME(total)(by_B[i]);
            dC[first * N + i] = NAME(total)(by_C[i]);
        }
    }
    for (int64_t block = 0; block < blocks; block++)
        for (int64_t n = 0; n < N; n++)
            NAME(store)(
                dA + n * E + block * LANES, dAs[block * N + n], E - block * LANES);
    free(work);
    return 0;
}

/* A's gradient comes for every row of the batch; A and it are (rows, state, inner). */
int NAME(selective_backward)(void **tensors, const int64_t *sizes, int threads) {
    const selective_sizes s = *(const selective_sizes *)sizes;
    const int64_t T = s.length, E = s.inner, N = s.state;
    const int64_t chunks = (T + SELECTIVE_CHUNK - 1) / SELECTIVE_CHUNK;
    const REAL *x = tensors[0], *dt = tensors[1], *A = tensors[2], *B = tensors[3], *C = tensors[4];
    const REAL *kept = tensors[5], *grad = tensors[6];
    REAL *dx = tensors[7], *ddt = tensors[8], *dA = tensors[9];
    REAL *dB = tensors[10], *dC = tensors[11];
    int failed = 0;
#pragma omp parallel for num_threads(threads) if (threads > 1) reduction(| : failed)
    for (int64_t b = 0; b < s.batch; b++) {
        const int64_t group = b / (s.batch / s.groups), wide = b * T * E, thin = b * T * N;
        failed |= NAME(selective_backward_row)(
            s, x + wide, dt + wide, A + group * N * E, B + thin, C + thin,
            kept + b * chunks * N * E, grad + wide, dx + wide, ddt + wide, dA + b * N * E,
            dB + thin, dC + thin);
    }
    return failed;
}
