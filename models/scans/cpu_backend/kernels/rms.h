/* The root-mean-square norm of every position (the equations: models/scans/norm.py).
 *
 * Forward and backward each read their inputs once: a position lies in the nearest cache while its
 * sums are taken. The root is computed again in the backward.
 */
#ifndef RMS_SIZES
#define RMS_SIZES
typedef struct {
    int64_t batch, length, width, groups;
} rms_sizes;
#endif

/* 1 / sqrt(mean(x^2) + eps). */
INLINE REAL NAME(inverse_root)(int64_t W, const REAL *x, double eps) {
    return 1 / __builtin_sqrt((double)(NAME(dot)(W, x, x) / W) + eps);
}

CLONES static void NAME(rms_forward_row)(
    rms_sizes s, double eps, const REAL *x, const REAL *gain, REAL *y) {
    const int64_t W = s.width;
    for (int64_t t = 0; t < s.length; t++, x += W, y += W) {
        const REAL r = NAME(inverse_root)(W, x, eps);
#pragma omp simd
        for (int64_t i = 0; i < W; i++) y[i] = r * x[i] * gain[i];
    }
}

CLONES static void NAME(rms_backward_row)(
    rms_sizes s, double eps, const REAL *x, const REAL *gain, const REAL *grad, REAL *dx,
    REAL *dgain) {
    const int64_t W = s.width;
    memset(dgain, 0, W * sizeof(REAL));
    for (int64_t t = 0; t < s.length; t++, x += W, grad += W, dx += W) {
        const REAL r = NAME(inverse_root)(W, x, eps);
        REAL along = 0;
#pragma omp simd reduction(+ : along)
        for (int64_t i = 0; i < W; i++) along += gain[i] * grad[i] * x[i];
        along *= r * r / W;
#pragma omp simd
        for (int64_t i = 0; i < W; i++) {
            dx[i] = r * (gain[i] * grad[i] - along * x[i]);
            dgain[i] += grad[i] * r * x[i];
        }
    }
}

int NAME(rms_forward)(void **tensors, const int64_t *sizes, int threads) {
    const rms_sizes s = *(const rms_sizes *)sizes;
    const REAL *x = tensors[0], *gain = tensors[1];
    const double eps = *(const double *)tensors[3];
    REAL *y = tensors[2];
#pragma omp parallel for num_threads(threads) if (threads > 1)
    for (int64_t b = 0; b < s.batch; b++) {
        const int64_t group = b / (s.batch / s.groups), at = b * s.length * s.width;
        NAME(rms_forward_row)(s, eps, x + at, gain + group * s.width, y + at);
    }
    return 0;
}

/* The gradient of the gains comes for every row of the batch. */
int NAME(rms_backward)(void **tensors, const int64_t *sizes, int threads) {
    const rms_sizes s = *(const rms_sizes *)sizes;
    const REAL *x = tensors[0], *gain = tensors[1], *grad = tensors[2];
    REAL *dx = tensors[3], *dgain = tensors[4];
    const double eps = *(const double *)tensors[5];
#pragma omp parallel for num_threads(threads) if (threads > 1)
    for (int64_t b = 0; b < s.batch; b++) {
        const int64_t group = b / (s.batch / s.groups), at = b * s.length * s.width;
        NAME(rms_backward_row)
        (s, eps, x + at, gain + group * s.width, grad + at, dx + at, dgain + b * s.width);
    }
    return 0;
}
