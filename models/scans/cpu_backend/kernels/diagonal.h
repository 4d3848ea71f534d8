/* The diagonal recurrence, real and complex (pairs of numbers), forward and backward.
 *
 * It does two operations for every three numbers moved, so memory bounds it: a step is a pass over
 * neighbouring channels, with the last state still in cache.
 */
CLONES static void NAME(diagonal_forward_row)(
    int64_t T, int64_t S, int64_t complex, const REAL *restrict a, const REAL *restrict b,
    REAL *restrict h) {
    const int64_t W = complex ? 2 * S : S;
    memcpy(h, b, W * sizeof(REAL));
    for (int64_t t = 1; t < T; t++) {
        const REAL *restrict at = a + t * W, *restrict bt = b + t * W, *restrict before = h + (t - 1) * W;
        REAL *restrict ht = h + t * W;
        if (complex)
            for (int64_t i = 0; i < W; i += 2) {
                ht[i] = at[i] * before[i] - at[i + 1] * before[i + 1] + bt[i];
                ht[i + 1] = at[i] * before[i + 1] + at[i + 1] * before[i] + bt[i + 1];
            }
        else
            for (int64_t i = 0; i < W; i++) ht[i] = at[i] * before[i] + bt[i];
    }
}

CLONES static void NAME(diagonal_backward_row)(
    int64_t T, int64_t S, int64_t complex, const REAL *restrict a, const REAL *restrict h,
    const REAL *restrict grad, REAL *restrict da, REAL *restrict db) {
    const int64_t W = complex ? 2 * S : S;
    memcpy(db + (T - 1) * W, grad + (T - 1) * W, W * sizeof(REAL));
    for (int64_t t = T - 1; t > 0; t--) {
        const REAL *restrict at = a + t * W, *restrict before = h + (t - 1) * W;
        const REAL *restrict g = db + t * W, *restrict out = grad + (t - 1) * W;
        REAL *restrict dat = da + t * W, *restrict earlier = db + (t - 1) * W;
        if (complex)
            for (int64_t i = 0; i < W; i += 2) {
                dat[i] = g[i] * before[i] + g[i + 1] * before[i + 1];
                dat[i + 1] = g[i + 1] * before[i] - g[i] * before[i + 1];
                earlier[i] = at[i] * g[i] + at[i + 1] * g[i + 1] + out[i];
                earlier[i + 1] = at[i] * g[i + 1] - at[i + 1] * g[i] + out[i + 1];
            }
        else
            for (int64_t i = 0; i < W; i++) {
                dat[i] = g[i] * before[i];
                earlier[i] = at[i] * g[i] + out[i];
            }
    }
    memset(da, 0, W * sizeof(REAL));
}

int NAME(diagonal_forward)(void **tensors, const int64_t *sizes, int threads) {
    const int64_t batch = sizes[0], T = sizes[1], S = sizes[2], complex = sizes[3];
    const int64_t row = T * S * (complex ? 2 : 1);
    const REAL *a = tensors[0], *b = tensors[1];
    REAL *h = tensors[2];
#pragma omp parallel for num_threads(threads) if (threads > 1)
    for (int64_t i = 0; i < batch; i++)
        NAME(diagonal_forward_row)(T, S, complex, a + i * row, b + i * row, h + i * row);
    return 0;
}

int NAME(diagonal_backward)(void **tensors, const int64_t *sizes, int threads) {
    const int64_t batch = sizes[0], T = sizes[1], S = sizes[2], complex = sizes[3];
    const int64_t row = T * S * (complex ? 2 : 1);
    const REAL *a = tensors[0], *h = tensors[1], *grad = tensors[2];
    REAL *da = tensors[3], *db = tensors[4];
#pragma omp parallel for num_threads(threads) if (threads > 1)
    for (int64_t i = 0; i < batch; i++)
        NAME(diagonal_backward_row)
    (T, S, complex, a + i * row, h + i * row, grad + i * row, da + i * row, db + i * row);
    return 0;
}
