/* The sLSTM (the equations: models/scans/loop_slstm.py).
 *
 * What the last output gives to the gates is a product with R, which is read once for several rows
 * of the batch (`ROWS`). R's own gradient is a product over all steps at once, and is left
 * to torch.
 */
#ifndef SLSTM_SIZES
#define SLSTM_SIZES
typedef struct {
    int64_t batch, length, heads, size, groups, sigmoid;
} slstm_sizes;
#endif

/* gates += R h for some rows; R is (heads, size, 4, padded size). */
INLINE void NAME(slstm_recur)(
    slstm_sizes s, int64_t rows, const VEC *R, const REAL *const *h, REAL *const *gates) {
    const int64_t H = s.size, W = s.heads * H, blocks = (H + LANES - 1) / LANES;
    for (int64_t head = 0; head < s.heads; head++)
        for (int64_t gate = 0; gate < 4; gate++) {
            const REAL *from[ROWS];
            REAL *to[ROWS];
            for (int64_t row = 0; row < rows; row++) {
                from[row] = h[row] + head * H;
                to[row] = gates[row] + gate * W + head * H;
            }
            const VEC *M = R + (head * H * 4 + gate) * blocks;
            NAME(rows_product)(rows, H, H, 1, from, M, 4 * blocks, to);
        }
}

/* dh = R^T of the gates' gradients, for some rows; R is (heads, 4, size, padded size). */
INLINE void NAME(slstm_recur_back)(
    slstm_sizes s, int64_t rows, const VEC *R, const REAL *const *dgates, REAL *const *dh) {
    const int64_t H = s.size, W = s.heads * H, blocks = (H + LANES - 1) / LANES;
    for (int64_t head = 0; head < s.heads; head++)
        for (int64_t gate = 0; gate < 4; gate++) {
            const REAL *from[ROWS];
            REAL *to[ROWS];
            for (int64_t row = 0; row < rows; row++) {
                from[row] = dgates[row] + gate * W + head * H;
                to[row] = dh[row] + head * H;
            }
            const VEC *M = R + (head * 4 + gate) * H * blocks;
            NAME(rows_product)(rows, H, H, gate > 0, from, M, blocks, to);
        }
}

CLONES static void NAME(slstm_forward_rows)(
    slstm_sizes s, int64_t rows, const REAL *g, const VEC *R, REAL *h, REAL *cells, REAL *gates) {
    const int64_t T = s.length, W = s.heads * s.size;
    const REAL *before[ROWS];
    REAL *now[ROWS];
    for (int64_t t = 0; t < T; t++) {
        for (int64_t row = 0; row < rows; row++) {
            const int64_t step = row * T + t;
            now[row] = gates + step * 4 * W;
            memcpy(now[row], g + step * 4 * W, 4 * W * sizeof(REAL));
            before[row] = h + (step - 1) * W;
        }
        if (t) NAME(slstm_recur)(s, rows, R, before, now);
        for (int64_t row = 0; row < rows; row++) {
            const int64_t step = row * T + t;
            REAL *cell = cells + step * 3 * W;
            const REAL *last = cell - 3 * W;
            for (int64_t w = 0; w < W; w += LANES) {
                const int64_t count = W - w;
                const VEC i = NAME(load)(now[row] + w, count);
                const VEC f = NAME(load)(now[row] + W + w, count);
                const VEC z = NAME(tanh)(NAME(load)(now[row] + 2 * W + w, count));
                const VEC o = NAME(sigmoid)(NAME(load)(now[row] + 3 * W + w, count));
                VEC m = i, c = z, n = z - z + (REAL)1.0;
                if (t) {
                    const VEC kept = NAME(load)(last + 2 * W + w, count) +
                                     (s.sigmoid ? NAME(log_sigmoid)(f) : f);
                    m = NAME(larger)(kept, i);
                    const VEC enter = NAME(exp)(i - m), forget = NAME(exp)(kept - m);
                    c = forget * NAME(load)(last + w, count) + enter * z;
                    n = forget * NAME(load)(last + W + w, count) + enter;
                }
                NAME(store)(cell + w, c, count);
                NAME(store)(cell + W + w, n, count);
                NAME(store)(cell + 2 * W + w, m, count);
                NAME(store)(h + step * W + w, o * c / n, count);
            }
        }
    }
}

/* work: dc, dn and dh of every row, zeros. */
CLONES static void NAME(slstm_backward_rows)(
    slstm_sizes s, int64_t rows, const VEC *R, const REAL *cells, const REAL *gates,
    const REAL *grad, REAL *dg, REAL *work) {
    const int64_t T = s.length, W = s.heads * s.size;
    const REAL *now[ROWS];
    REAL *dh[ROWS];
    for (int64_t t = T - 1; t >= 0; t--) {
        for (int64_t row = 0; row < rows; row++) {
            const int64_t step = row * T + t;
            const REAL *gate = gates + step * 4 * W, *cell = cells + step * 3 * W;
            const REAL *last = cell - 3 * W;
            REAL *dcs = work + row * 3 * W, *dns = dcs + W, *to = dg + step * 4 * W;
            dh[row] = dns + W, now[row] = to;
            for (int64_t w = 0; w < W; w += LANES) {
                const int64_t count = W - w;
                const VEC zero = {0}, i = NAME(load)(gate + w, count);
                const VEC f = NAME(load)(gate + W + w, count);
                const VEC z = NAME(tanh)(NAME(load)(gate + 2 * W + w, count));
                const VEC o = NAME(sigmoid)(NAME(load)(gate + 3 * W + w, count));
                const VEC c = NAME(load)(cell + w, count), m = NAME(load)(cell + 2 * W + w, count);
                VEC n = NAME(load)(cell + W + w, count);
                n = NAME(pick)(n == zero, zero + (REAL)1.0, n); /* lanes past the end */
                VEC forget = zero, by_forget = zero;
                const VEC out = NAME(load)(grad + step * W + w, count) + NAME(load)(dh[row] + w, count);
                const VEC enter = NAME(exp)(i - m), share = c / n;
                const VEC dc = NAME(load)(dcs + w, count) + out * o / n;
                const VEC dn = NAME(load)(dns + w, count) - out * o * share / n;
                if (t) {
                    const VEC kept = NAME(load)(last + 2 * W + w, count) +
                                     (s.sigmoid ? NAME(log_sigmoid)(f) : f);
                    forget = NAME(exp)(kept - m);
                    by_forget = forget * (NAME(load)(last + w, count) * dc +
                                          NAME(load)(last + W + w, count) * dn);
                    if (s.sigmoid) by_forget *= NAME(sigmoid)(-f);
                }
                NAME(store)(to + w, enter * (z * dc + dn), count);
                NAME(store)(to + W + w, by_forget, count);
                NAME(store)(to + 2 * W + w, enter * ((REAL)1.0 - z * z) * dc, count);
                NAME(store)(to + 3 * W + w, out * share * o * ((REAL)1.0 - o), count);
                NAME(store)(dcs + w, forget * dc, count);
                NAME(store)(dns + w, forget * dn, count);
            }
        }
        if (t) NAME(slstm_recur_back)(s, rows, R, now, dh);
    }
}

int NAME(slstm_forward)(void **tensors, const int64_t *sizes, int threads) {
    const slstm_sizes s = *(const slstm_sizes *)sizes;
    const int64_t T = s.length, W = s.heads * s.size, per_group = s.batch / s.groups;
    const int64_t parts = (per_group + ROWS - 1) / ROWS;
    const int64_t blocks = (s.size + LANES - 1) / LANES;
    const REAL *g = tensors[0];
    const VEC *R = tensors[1];
    REAL *h = tensors[2], *cells = tensors[3], *gates = tensors[4];
#pragma omp parallel for num_threads(threads) if (threads > 1)
    for (int64_t part = 0; part < s.groups * parts; part++) {
        const int64_t group = part / parts, first = part % parts * ROWS;
        const int64_t left = per_group - first, rows = left < ROWS ? left : ROWS;
        const int64_t at = (group * per_group + first) * T * W;
        NAME(slstm_forward_rows)
        (s, rows, g + 4 * at, R + group * 4 * W * blocks, h + at, cells + 3 * at, gates + 4 * at);
    }
    return 0;
}

int NAME(slstm_backward)(void **tensors, const int64_t *sizes, int threads) {
    const slstm_sizes s = *(const slstm_sizes *)sizes;
    const int64_t T = s.length, W = s.heads * s.size, per_group = s.batch / s.groups;
    const int64_t parts = (per_group + ROWS - 1) / ROWS;
    const int64_t blocks = (s.size + LANES - 1) / LANES;
    const VEC *R = tensors[0];
    const REAL *cells = tensors[1], *gates = tensors[2], *grad = tensors[3];
    REAL *dg = tensors[4];
    int failed = 0;
#pragma omp parallel for num_threads(threads) if (threads > 1) reduction(| : failed)
    for (int64_t part = 0; part < s.groups * parts; part++) {
        const int64_t group = part / parts, first = part % parts * ROWS;
        const int64_t left = per_group - first, rows = left < ROWS ? left : ROWS;
        const int64_t at = (group * per_group + first) * T * W;
        REAL *work = calloc(3 * W * ROWS, sizeof(REAL));
        if (work)
            NAME(slstm_backward_rows)
        (s, rows, R + group * 4 * W * blocks, cells + 3 * at, gates + 4 * at, grad + at, dg + 4 * at,
         work);
        failed |= !work;
        free(work);
    }
    return failed;
}
