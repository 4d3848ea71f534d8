/* Simple recurrent networks, LSTMs and GRUs (the equations: models/scans/recurrent.py).
 *
 * What the last output gives to the sums is a product with R, which is read once for several rows
 * of the batch. R's own gradient is a product over all steps at once, and is left to torch.
 */
#ifndef RECURRENT_SIZES
#define RECURRENT_SIZES
typedef struct {
    int64_t batch, length, state, groups, kind;
} recurrent_sizes;

/* How many sums a step has, by kind: from the word, and from the last output. */
static const int64_t SUMS[] = {1, 1, 4, 3};
#endif

/* A simple network's sums are not kept: its slope is known from its output. */
CLONES static void NAME(recurrent_forward_rows)(
    recurrent_sizes s, int64_t rows, const REAL *g, const VEC *R, const REAL *bias, REAL *h,
    REAL *cells, REAL *sums) {
    const int64_t T = s.length, S = s.state, N = SUMS[s.kind] * S;
    const int simple = s.kind == CELL_TANH || s.kind == CELL_RELU;
    for (int64_t t = 0; t < T; t++) {
        const REAL *last[ROWS];
        REAL *now[ROWS];
        for (int64_t row = 0; row < rows; row++) {
            const int64_t step = row * T + t;
            now[row] = simple ? h + step * S : sums + step * N;
            last[row] = h + (step - 1) * S;
            memcpy(now[row], g + step * N, N * sizeof(REAL));
            if (s.kind == CELL_GRU) memcpy(now[row] + 2 * S, bias, S * sizeof(REAL));
        }
        if (t) NAME(rows_product)(rows, S, N, 1, last, R, (N + LANES - 1) / LANES, now);
        for (int64_t row = 0; row < rows; row++) {
            const int64_t step = row * T + t;
            REAL *c = s.kind == CELL_LSTM ? cells + step * S : NULL;
            NAME(cell_forward)
            (s.kind, S, now[row], g + step * N + 2 * S, t && c ? c - S : NULL,
             t ? last[row] : NULL, c, h + step * S);
        }
    }
}

typedef struct {
    const VEC *R; /* transposed */
    const REAL *g, *h, *cells, *sums, *grad;
    REAL *dg, *dsums; /* of a GRU these differ in their last third */
} NAME(recurrent_gradients);

/* work: dh and dc of every row, zeros. */
CLONES static void NAME(recurrent_backward_rows)(
    recurrent_sizes s, int64_t rows, NAME(recurrent_gradients) d, REAL *work) {
    const int64_t T = s.length, S = s.state, N = SUMS[s.kind] * S;
    for (int64_t t = T - 1; t >= 0; t--) {
        const REAL *now[ROWS];
        REAL *dh[ROWS];
        for (int64_t row = 0; row < rows; row++) {
            const int64_t at = (row * T + t) * N;
            const REAL *h = d.h + (row * T + t) * S;
            const REAL *c = s.kind == CELL_LSTM ? d.cells + (row * T + t) * S : NULL;
            REAL *dsums = (s.kind == CELL_GRU ? d.dsums : d.dg) + at;
            dh[row] = work + row * 2 * S, now[row] = dsums;
            for (int64_t j = 0; j < S; j++) dh[row][j] += d.grad[(row * T + t) * S + j];
            NAME(cell_backward)
            (s.kind, S, dh[row], h, d.sums + at, d.g + at + 2 * S, c, t && c ? c - S : NULL,
             t ? h - S : NULL, dh[row] + S, dh[row], dsums, d.dg + at + 2 * S);
            if (s.kind == CELL_GRU) memcpy(d.dg + at, dsums, 2 * S * sizeof(REAL));
        }
        if (t)
            NAME(rows_product)
        (rows, N, S, s.kind == CELL_GRU, now, d.R, (S + LANES - 1) / LANES, dh);
    }
}

/* Tensors that a kind has no use for have no numbers. */
int NAME(recurrent_forward)(void **tensors, const int64_t *sizes, int threads) {
    const recurrent_sizes s = *(const recurrent_sizes *)sizes;
    const int64_t T = s.length, S = s.state, N = SUMS[s.kind] * S;
    const int64_t per_group = s.batch / s.groups, parts = (per_group + ROWS - 1) / ROWS;
    const REAL *g = tensors[0], *bias = tensors[2];
    const VEC *R = tensors[1];
    REAL *h = tensors[3], *cells = tensors[4], *sums = tensors[5];
#pragma omp parallel for num_threads(threads) if (threads > 1)
    for (int64_t part = 0; part < s.groups * parts; part++) {
        const int64_t group = part / parts, first = part % parts * ROWS;
        const int64_t left = per_group - first, rows = left < ROWS ? left : ROWS;
        const int64_t at = (group * per_group + first) * T;
        NAME(recurrent_forward_rows)
        (s, rows, g + at * N, R + group * S * ((N + LANES - 1) / LANES), bias + group * S,
         h + at * S, cells + at * S, sums + at * N);
    }
    return 0;
}

int NAME(recurrent_backward)(void **tensors, const int64_t *sizes, int threads) {
    const recurrent_sizes s = *(const recurrent_sizes *)sizes;
    const int64_t T = s.length, S = s.state, N = SUMS[s.kind] * S;
    const int64_t per_group = s.batch / s.groups, parts = (per_group + ROWS - 1) / ROWS;
    int failed = 0;
#pragma omp parallel for num_threads(threads) if (threads > 1) reduction(| : failed)
    for (int64_t part = 0; part < s.groups * parts; part++) {
        const int64_t group = part / parts, first = part % parts * ROWS;
        const int64_t left = per_group - first, rows = left < ROWS ? left : ROWS;
        const int64_t at = (group * per_group + first) * T;
        REAL *work = calloc(2 * S * ROWS, sizeof(REAL));
        NAME(recurrent_gradients)
        d = {
            .R = (VEC *)tensors[0] + group * N * ((S + LANES - 1) / LANES),
            .g = (REAL *)tensors[1] + at * N,
            .h = (REAL *)tensors[2] + at * S,
            .cells = (REAL *)tensors[3] + at * S,
            .sums = (REAL *)tensors[4] + at * N,
            .grad = (REAL *)tensors[5] + at * S,
            .dg = (REAL *)tensors[6] + at * N,
            .dsums = (REAL *)tensors[7] + at * N,
        };
        if (work) NAME(recurrent_backward_rows)(s, rows, d, work);
        failed |= !work;
        free(work);
    }
    return failed;
}
