/* The short causal convolution of every channel, and SiLU after it (models/scans/convolution.py).
 *
 * A vector holds LANES neighbouring channels. What comes before SiLU is computed again in the
 * backward, which goes backwards in time and carries the sums for the inputs still to come.
 */
#ifndef CONVOLUTION_SIZES
#define CONVOLUTION_SIZES
typedef struct {
    int64_t batch, length, inner, taps, groups;
} convolution_sizes;
#endif

/* What comes before SiLU at time t: w[K - 1] is the newest input's weight. */
INLINE VEC NAME(convolved)(
    convolution_sizes s, int64_t t, int64_t count, const REAL *x, const VEC *w, VEC bias) {
    VEC z = bias;
    for (int64_t k = t < s.taps - 1 ? s.taps - 1 - t : 0; k < s.taps; k++)
        z += w[k] * NAME(load)(x + (t - s.taps + 1 + k) * s.inner, count);
    return z;
}

CLONES static int NAME(convolution_row)(
    convolution_sizes s, const REAL *x, const REAL *weights, const REAL *biases, const REAL *grad,
    REAL *y, REAL *dx, REAL *dw, REAL *dbias) {
    const int64_t T = s.length, E = s.inner, K = s.taps;
    VEC *w = aligned_alloc(BYTES, 3 * K * BYTES), *by_w = w + K, *carried = by_w + K;
    if (!w) return 1;
    for (int64_t e = 0; e < E; e += LANES) {
        const int64_t count = E - e;
        const VEC bias = NAME(load)(biases + e, count), zero = {0};
        for (int64_t k = 0; k < K; k++) {
            w[k] = NAME(load)(weights + k * E + e, count);
            by_w[k] = carried[k] = zero;
        }
        if (!grad)
            for (int64_t t = 0; t < T; t++) {
                const VEC z = NAME(convolved)(s, t, count, x + e, w, bias);
                NAME(store)(y + t * E + e, z * NAME(sigmoid)(z), count);
            }
        else {
            VEC by_bias = zero;
            for (int64_t t = T - 1; t >= 0; t--) {
                const VEC z = NAME(convolved)(s, t, count, x + e, w, bias);
                const VEC gate = NAME(sigmoid)(z);
                const VEC dz = NAME(load)(grad + t * E + e, count) * gate *
                               ((REAL)1.0 + z * ((REAL)1.0 - gate));
                by_bias += dz;
                for (int64_t k = t < K - 1 ? K - 1 - t : 0; k < K; k++)
                    by_w[k] += dz * NAME(load)(x + (t - K + 1 + k) * E + e, count);
                NAME(store)(dx + t * E + e, carried[K - 1] + w[K - 1] * dz, count);
                for (int64_t k = K - 1; k > 0; k--) carried[k] = carried[k - 1] + w[k - 1] * dz;
            }
            NAME(store)(dbias + e, by_bias, count);
            for (int64_t k = 0; k < K; k++) NAME(store)(dw + k * E + e, by_w[k], count);
        }
    }
    free(w);
    return 0;
}

int NAME(convolution_forward)(void **tensors, const int64_t *sizes, int threads) {
    const convolution_sizes s = *(const convolution_sizes *)sizes;
    const REAL *x = tensors[0], *w = tensors[1], *bias = tensors[2];
    REAL *y = tensors[3];
    int failed = 0;
#pragma omp parallel for num_threads(threads) if (threads > 1) reduction(| : failed)
    for (int64_t b = 0; b < s.batch; b++) {
        const int64_t group = b / (s.batch / s.groups), at = b * s.length * s.inner;
        failed |= NAME(convolution_row)(
            s, x + at, w + group * s.taps * s.inner, bias + group * s.inner, NULL, y + at, NULL,
            NULL, NULL);
    }
    return failed;
}

/* The gradients of weights and biases come for every row of the batch. */
int NAME(convolution_backward)(void **tensors, const int64_t *sizes, int threads) {
    const convolution_sizes s = *(const convolution_sizes *)sizes;
    const REAL *x = tensors[0], *w = tensors[1], *bias = tensors[2], *grad = tensors[3];
    REAL *dx = tensors[4], *dw = tensors[5], *dbias = tensors[6];
    int failed = 0;
#pragma omp parallel for num_threads(threads) if (threads > 1) reduction(| : failed)
    for (int64_t b = 0; b < s.batch; b++) {
        const int64_t group = b / (s.batch / s.groups), at = b * s.length * s.inner;
        failed |= NAME(convolution_row)(
            s, x + at, w + group * s.taps * s.inner, bias + group * s.inner, grad + at, NULL,
            dx + at, dw + b * s.taps * s.inner, dbias + b * s.inner);
    }
    return failed;
}
