/* Outer-product memories: linear attention and the delta rule
 * (the equations: models/scans/loop_delta.py).
 *
 * A vector holds LANES neighbouring values of one key; blocks of values do not know each other. As
 * in the selective scan, chunks are run again in the backward, and what is a sum over values is
 * kept as vectors over all blocks and added up across once a chunk.
 */
#ifndef DELTA_CHUNK
#define DELTA_CHUNK 16
typedef struct {
    int64_t rows, length, key, value, decays, looks;
} delta_sizes;
#endif

/* S_t into `after` from S_{t-1} in `before` (the same place is allowed); r_t is given. */
INLINE VEC NAME(delta_step)(
    delta_sizes s, const REAL *k, VEC v, const REAL *decay, const REAL *look, const REAL *put,
    const VEC *before, VEC *after) {
    VEC r = {0};
    if (s.looks)
        for (int64_t i = 0; i < s.key; i++) r += look[i] * before[i];
    for (int64_t i = 0; i < s.key; i++) {
        VEC S = s.decays ? decay[i] * before[i] : before[i];
        S += k[i] * v;
        after[i] = s.looks ? S - put[i] * r : S;
    }
    return r;
}

CLONES static int NAME(delta_forward_row)(
    delta_sizes s, const REAL *q, const REAL *k, const REAL *v, const REAL *decay, const REAL *look,
    const REAL *put, REAL *y, REAL *kept) {
    const int64_t K = s.key, V = s.value;
    VEC *S = aligned_alloc(BYTES, K * BYTES);
    if (!S) return 1;
    for (int64_t e = 0; e < V; e += LANES) {
        const int64_t count = V - e;
        memset(S, 0, K * BYTES);
        for (int64_t t = 0; t < s.length; t++) {
            if (t % DELTA_CHUNK == 0) {
                REAL *to = kept + t / DELTA_CHUNK * K * V + e;
                for (int64_t i = 0; i < K; i++) NAME(store)(to + i * V, S[i], count);
            }
            const VEC vt = NAME(load)(v + t * V + e, count);
            NAME(delta_step)(s, k + t * K, vt, decay + t * K, look + t * K, put + t * K, S, S);
            VEC out = {0};
            for (int64_t i = 0; i < K; i++) out += q[t * K + i] * S[i];
            NAME(store)(y + t * V + e, out, count);
        }
    }
    free(S);
    return 0;
}

int NAME(delta_forward)(void **tensors, const int64_t *sizes, int threads) {
    const delta_sizes s = *(const delta_sizes *)sizes;
    const int64_t T = s.length, K = s.key, V = s.value, chunks = (T + DELTA_CHUNK - 1) / DELTA_CHUNK;
    const REAL *q = tensors[0], *k = tensors[1], *v = tensors[2];
    const REAL *decay = tensors[3], *look = tensors[4], *put = tensors[5];
    REAL *y = tensors[6], *kept = tensors[7];
    int failed = 0;
#pragma omp parallel for num_threads(threads) if (threads > 1) reduction(| : failed)
    for (int64_t b = 0; b < s.rows; b++) {
        const int64_t at = b * T * K, by_decay = s.decays ? at : 0, by_look = s.looks ? at : 0;
        failed |= NAME(delta_forward_row)(
            s, q + at, k + at, v + b * T * V, decay + by_decay, look + by_look, put + by_look,
            y + b * T * V, kept + b * chunks * K * V);
    }
    return failed;
}

/* Gradients for the keys' side: one vector for each step of a chunk and each key. */
enum { NAME(BY_Q), NAME(BY_K), NAME(BY_DECAY), NAME(BY_LOOK), NAME(BY_PUT), NAME(SUMS) };

/* One chunk's adjoint for one block of values; S[0] is the state before it, G the adjoint. */
INLINE void NAME(delta_chunk)(
    delta_sizes s, int64_t steps, int64_t count, const REAL *q, const REAL *k, const REAL *v,
    const REAL *decay, const REAL *look, const REAL *put, const REAL *grad, REAL *dv, VEC *G, VEC *S,
    VEC *removed, VEC *sums) {
    const int64_t K = s.key, V = s.value, Q = DELTA_CHUNK * K;
    for (int64_t t = 0; t < steps; t++) {
        const int64_t at = t * K;
        removed[t] = NAME(delta_step)(
            s, k + at, NAME(load)(v + t * V, count), decay + at, look + at, put + at, S + at,
            S + at + K);
    }
    for (int64_t t = steps - 1; t >= 0; t--) {
        const int64_t at = t * K;
        const VEC *before = S + at, *after = before + K, r = removed[t];
        const VEC out = NAME(load)(grad + t * V, count), vt = NAME(load)(v + t * V, count);
        VEC *sum = sums + at, by_v = {0}, by_r = {0};
        for (int64_t i = 0; i < K; i++) {
            G[i] += q[at + i] * out;
            sum[NAME(BY_Q) * Q + i] += after[i] * out;
            sum[NAME(BY_K) * Q + i] += G[i] * vt;
            by_v += k[at + i] * G[i];
        }
        NAME(store)(dv + t * V, by_v, count);
        if (s.looks)
            for (int64_t i = 0; i < K; i++) {
                by_r -= put[at + i] * G[i];
                sum[NAME(BY_PUT) * Q + i] -= G[i] * r;
            }
        if (s.decays)
            for (int64_t i = 0; i < K; i++) {
                sum[NAME(BY_DECAY) * Q + i] += G[i] * before[i];
                G[i] *= decay[at + i];
            }
        if (s.looks)
            for (int64_t i = 0; i < K; i++) {
                sum[NAME(BY_LOOK) * Q + i] += before[i] * by_r;
                G[i] += look[at + i] * by_r;
            }
    }
}

CLONES static int NAME(delta_backward_row)(
    delta_sizes s, const REAL *q, const REAL *k, const REAL *v, const REAL *decay, const REAL *look,
    const REAL *put, const REAL *kept, const REAL *grad, REAL *dv, REAL **by_key) {
    const int64_t T = s.length, K = s.key, V = s.value, Q = DELTA_CHUNK;
    const int64_t blocks = (V + LANES - 1) / LANES;
    const int64_t vectors = blocks * K + NAME(SUMS) * Q * K + (Q + 1) * K + Q;
    VEC *work = aligned_alloc(BYTES, vectors * BYTES);
    if (!work) return 1;
    VEC *Gs = work, *sums = Gs + blocks * K, *S = sums + NAME(SUMS) * Q * K;
    VEC *removed = S + (Q + 1) * K;
    memset(Gs, 0, blocks * K * BYTES);
    for (int64_t first = (T - 1) / Q * Q; first >= 0; first -= Q) {
        const int64_t steps = T - first < Q ? T - first : Q, at = first * K;
        memset(sums, 0, NAME(SUMS) * Q * K * BYTES);
        for (int64_t block = 0; block < blocks; block++) {
            const int64_t e = block * LANES, count = V - e, by_value = first * V + e;
            for (int64_t i = 0; i < K; i++)
                S[i] = NAME(load)(kept + (first / Q * K + i) * V + e, count);
            NAME(delta_chunk)(
                s, steps, count, q + at, k + at, v + by_value, decay + at, look + at, put + at,
                grad + by_value, dv + by_value, Gs + block * K, S, removed, sums);
        }
        for (int64_t which = 0; which < NAME(SUMS); which++)
            if (by_key[which])
                for (int64_t i = 0; i < steps * K; i++)
                    by_key[which][at + i] = NAME(total)(sums[which * Q * K + i]);
    }
    free(work);
    return 0;
}

int NAME(delta_backward)(void **tensors, const int64_t *sizes, int threads) {
    const delta_sizes s = *(const delta_sizes *)sizes;
    const int64_t T = s.length, K = s.key, V = s.value, chunks = (T + DELTA_CHUNK - 1) / DELTA_CHUNK;
    const REAL *q = tensors[0], *k = tensors[1], *v = tensors[2];
    const REAL *decay = tensors[3], *look = tensors[4], *put = tensors[5];
    const REAL *kept = tensors[6], *grad = tensors[7];
    REAL *dq = tensors[8], *dk = tensors[9], *dv = tensors[10];
    REAL *ddecay = tensors[11], *dlook = tensors[12], *dput = tensors[13];
    int failed = 0;
#pragma omp parallel for num_threads(threads) if (threads > 1) reduction(| : failed)
    for (int64_t b = 0; b < s.rows; b++) {
        const int64_t at = b * T * K, by_decay = s.decays ? at : 0, by_look = s.looks ? at : 0;
        REAL *by_key[] = {
            [NAME(BY_Q)] = dq + at,
            [NAME(BY_K)] = dk + at,
            [NAME(BY_DECAY)] = s.decays ? ddecay + at : NULL,
            [NAME(BY_LOOK)] = s.looks ? dlook + at : NULL,
            [NAME(BY_PUT)] = s.looks ? dput + at : NULL,
        };
        failed |= NAME(delta_backward_row)(
            s, q + at, k + at, v + b * T * V, decay + by_decay, look + by_look, put + by_look,
            kept + b * chunks * K * V, grad + b * T * V, dv + b * T * V, by_key);
    }
    return failed;
}
