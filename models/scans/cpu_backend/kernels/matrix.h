/* The matrix recurrences: one that carries a vector, and the prefix product
 * (the equations: models/scans/loop_matrix.py).
 */
INLINE REAL NAME(dot)(int64_t n, const REAL *restrict a, const REAL *restrict b) {
    REAL sum = 0;
#pragma omp simd reduction(+ : sum)
    for (int64_t i = 0; i < n; i++) sum += a[i] * b[i];
    return sum;
}

INLINE void NAME(add_scaled)(int64_t n, REAL *restrict to, REAL by, const REAL *restrict from) {
#pragma omp simd
    for (int64_t i = 0; i < n; i++) to[i] += by * from[i];
}

CLONES static void NAME(matrix_forward_row)(
    int64_t T, int64_t N, int64_t normalise, REAL eps, const REAL *A, const REAL *b,
    const REAL *initial, REAL *h, REAL *r) {
    const REAL *before = initial;
    for (int64_t t = 0; t < T; t++, A += N * N, b += N, before = h, h += N) {
        for (int64_t i = 0; i < N; i++) h[i] = b[i] + NAME(dot)(N, A + i * N, before);
        r[t] = 1;
        if (normalise) {
            r[t] = __builtin_sqrt((double)(NAME(dot)(N, h, h) / N + eps));
            for (int64_t i = 0; i < N; i++) h[i] /= r[t];
        }
    }
}

CLONES static void NAME(matrix_backward_row)(
    int64_t T, int64_t N, int64_t normalise, const REAL *A, const REAL *initial, const REAL *h,
    const REAL *r, const REAL *grad, REAL *dA, REAL *db, REAL *dinitial) {
    memcpy(db + (T - 1) * N, grad + (T - 1) * N, N * sizeof(REAL));
    for (int64_t t = T - 1; t >= 0; t--) {
        const REAL *at = A + t * N * N, *before = t ? h + (t - 1) * N : initial;
        REAL *g = db + t * N, *earlier = t ? db + (t - 1) * N : dinitial;
        if (normalise) {
            const REAL along = NAME(dot)(N, h + t * N, g) / N;
            for (int64_t i = 0; i < N; i++) g[i] = (g[i] - along * h[t * N + i]) / r[t];
        }
        if (t)
            memcpy(earlier, grad + (t - 1) * N, N * sizeof(REAL));
        else
            memset(earlier, 0, N * sizeof(REAL));
        for (int64_t i = 0; i < N; i++) {
            REAL *restrict row = dA + (t * N + i) * N;
            NAME(add_scaled)(N, earlier, g[i], at + i * N);
            for (int64_t j = 0; j < N; j++) row[j] = g[i] * before[j];
        }
    }
}

int NAME(matrix_forward)(void **tensors, const int64_t *sizes, int threads) {
    const int64_t batch = sizes[0], T = sizes[1], N = sizes[2], normalise = sizes[3];
    const REAL eps = *(const double *)tensors[5];
    const REAL *A = tensors[0], *b = tensors[1], *initial = tensors[2];
    REAL *h = tensors[3], *r = tensors[4];
#pragma omp parallel for num_threads(threads) if (threads > 1)
    for (int64_t i = 0; i < batch; i++)
        NAME(matrix_forward_row)
    (T, N, normalise, eps, A + i * T * N * N, b + i * T * N, initial + i * N, h + i * T * N,
     r + i * T);
    return 0;
}

int NAME(matrix_backward)(void **tensors, const int64_t *sizes, int threads) {
    const int64_t batch = sizes[0], T = sizes[1], N = sizes[2], normalise = sizes[3];
    const REAL *A = tensors[0], *initial = tensors[1], *h = tensors[2], *r = tensors[3];
    const REAL *grad = tensors[4];
    REAL *dA = tensors[5], *db = tensors[6], *dinitial = tensors[7];
#pragma omp parallel for num_threads(threads) if (threads > 1)
    for (int64_t i = 0; i < batch; i++)
        NAME(matrix_backward_row)
    (T, N, normalise, A + i * T * N * N, initial + i * N, h + i * T * N, r + i * T,
     grad + i * T * N, dA + i * T * N * N, db + i * T * N, dinitial + i * N);
    return 0;
}

/* to = plus + a b (plus may be NULL), all N x N; with `turned`, a transposed. Four rows at a time
 * stay in registers; the last columns, fewer than a vector, are gathered in `panel` first. */
INLINE void NAME(multiply)(
    int64_t N, int turned, const REAL *a, const REAL *b, const REAL *plus, REAL *to, VEC *panel) {
    const int64_t down = turned ? 1 : N, along = turned ? N : 1;
    for (int64_t j = 0; j < N; j += LANES) {
        const int64_t count = N - j;
        for (int64_t k = 0; k < N; k++) panel[k] = NAME(load)(b + k * N + j, count);
        for (int64_t i = 0; i < N; i += 4) {
            const int64_t rows = N - i < 4 ? N - i : 4;
            VEC sums[4] = {{0}, {0}, {0}, {0}};
            if (plus)
                for (int64_t r = 0; r < rows; r++) sums[r] = NAME(load)(plus + (i + r) * N + j, count);
            const REAL *at = a + i * down;
            if (rows == 4)
                for (int64_t k = 0; k < N; k++) {
                    sums[0] += at[k * along] * panel[k];
                    sums[1] += at[k * along + down] * panel[k];
                    sums[2] += at[k * along + 2 * down] * panel[k];
                    sums[3] += at[k * along + 3 * down] * panel[k];
                }
            else
                for (int64_t r = 0; r < rows; r++)
                    for (int64_t k = 0; k < N; k++) sums[r] += at[k * along + r * down] * panel[k];
            for (int64_t r = 0; r < rows; r++) NAME(store)(to + (i + r) * N + j, sums[r], count);
        }
    }
}

CLONES static int NAME(product_forward_row)(int64_t T, int64_t N, const REAL *A, REAL *P) {
    VEC *panel = aligned_alloc(BYTES, N * BYTES);
    if (!panel) return 1;
    memcpy(P, A, N * N * sizeof(REAL));
    for (int64_t t = 1; t < T; t++)
        NAME(multiply)(N, 0, P + (t - 1) * N * N, A + t * N * N, NULL, P + t * N * N, panel);
    free(panel);
    return 0;
}

CLONES static int NAME(product_backward_row)(
    int64_t T, int64_t N, const REAL *A, const REAL *P, const REAL *grad, REAL *dA) {
    const int64_t size = N * N;
    VEC *panel = aligned_alloc(BYTES, N * BYTES);
    REAL *work = malloc(3 * size * sizeof(REAL)), *g = work, *next = g + size, *turned = next + size;
    if (panel && work) {
        memcpy(g, grad + (T - 1) * size, size * sizeof(REAL));
        for (int64_t t = T - 1; t > 0; t--) {
            NAME(multiply)(N, 1, P + (t - 1) * size, g, NULL, dA + t * size, panel);
            for (int64_t i = 0; i < N; i++)
                for (int64_t j = 0; j < N; j++) turned[j * N + i] = A[t * size + i * N + j];
            NAME(multiply)(N, 0, g, turned, grad + (t - 1) * size, next, panel);
            REAL *spare = g;
            g = next, next = spare;
        }
        memcpy(dA, g, size * sizeof(REAL));
    }
    const int failed = !panel || !work;
    free(panel);
    free(work);
    return failed;
}

int NAME(product_forward)(void **tensors, const int64_t *sizes, int threads) {
    const int64_t batch = sizes[0], T = sizes[1], N = sizes[2];
    const REAL *A = tensors[0];
    REAL *P = tensors[1];
    int failed = 0;
#pragma omp parallel for num_threads(threads) if (threads > 1) reduction(| : failed)
    for (int64_t i = 0; i < batch; i++)
        failed |= NAME(product_forward_row)(T, N, A + i * T * N * N, P + i * T * N * N);
    return failed;
}

int NAME(product_backward)(void **tensors, const int64_t *sizes, int threads) {
    const int64_t batch = sizes[0], T = sizes[1], N = sizes[2], row = T * N * N;
    const REAL *A = tensors[0], *P = tensors[1], *grad = tensors[2];
    REAL *dA = tensors[3];
    int failed = 0;
#pragma omp parallel for num_threads(threads) if (threads > 1) reduction(| : failed)
    for (int64_t i = 0; i < batch; i++)
        failed |= NAME(product_backward_row)(
            T, N, A + i * row, P + i * row, grad + i * row, dA + i * row);
    return failed;
}
