/* A controller with a soft stack or tape (the equations: models/scans/memory.py, loop_memory.py).
 *
 * A memory is one stretch of numbers, cell after cell, with zeros around what can have been
 * written, so that a move is a sum of three stretches that lie a cell apart. A stretch is handled
 * in whole vectors; what they reach beyond its end is zeros, or is written again before it counts.
 */
#ifndef MEMORY_CHUNK
#define MEMORY_CHUNK 16
typedef struct {
    int64_t batch, length, state, cell, groups, lstm, tape;
} memory_sizes;

/* Numbers before and behind what a memory can reach. */
#define MARGIN(s) (2 * (s).cell + 2 * LANES)
/* The first cell and the one behind the last after some steps. */
#define FIRST(s, steps) ((s).tape ? -(steps) : 0)
#define END(s, steps) ((s).tape ? (steps) + 1 : (steps))
/* The cell that a word goes to. */
#define WRITTEN(s) ((s).tape ? 0 : -1)
/* The numbers of a buffer, and where in it cell 0 begins. */
#define ROOM(s) ((END(s, (s).length) - FIRST(s, (s).length) + 1) * (s).cell + 2 * MARGIN(s))
#define ORIGIN(s) (MARGIN(s) + ((s).tape ? (s).length : 1) * (s).cell)
#endif

INLINE VEC NAME(whole)(const REAL *from) {
    VEC v;
    memcpy(&v, from, BYTES);
    return v;
}

/* The memory after step t, from the one before it with its word written. */
INLINE void NAME(memory_move)(
    memory_sizes s, int64_t t, const REAL *shares, const REAL *from, REAL *to) {
    const int64_t begin = FIRST(s, t + 1) * s.cell, end = END(s, t + 1) * s.cell;
    for (int64_t i = begin; i < end; i += LANES) {
        VEC moved = shares[0] * NAME(whole)(from + i - s.cell) +
                    shares[1] * NAME(whole)(from + i + s.cell) + shares[2] * NAME(whole)(from + i);
        memcpy(to + i, &moved, BYTES);
    }
    memset(to + begin - MARGIN(s), 0, MARGIN(s) * sizeof(REAL));
    memset(to + end, 0, MARGIN(s) * sizeof(REAL));
}

/* The adjoint of the memory that step t moved, and of the three shares. */
INLINE void NAME(memory_move_back)(
    memory_sizes s, int64_t t, const REAL *shares, const REAL *memory, const REAL *G, REAL *to,
    REAL *by_shares) {
    const int64_t first = s.tape ? FIRST(s, t) : WRITTEN(s), end = END(s, t) * s.cell;
    VEC sums[3] = {{0}};
    for (int64_t i = first * s.cell; i < end; i += LANES) {
        const VEC after = NAME(whole)(G + i + s.cell), before = NAME(whole)(G + i - s.cell);
        const VEC here = NAME(whole)(G + i), M = NAME(whole)(memory + i);
        sums[0] += M * after;
        sums[1] += M * before;
        sums[2] += M * here;
        const VEC moved = shares[0] * after + shares[1] * before + shares[2] * here;
        memcpy(to + i, &moved, BYTES);
    }
    for (int k = 0; k < 3; k++) by_shares[k] = NAME(total)(sums[k]);
}

/* Three scores in place become their softmax. */
INLINE void NAME(softmax3)(REAL *scores) {
    REAL most = scores[0], sum = 0;
    for (int k = 1; k < 3; k++) most = scores[k] > most ? scores[k] : most;
    const VEC less = {scores[0] - most, scores[1] - most, scores[2] - most};
    const VEC shares = NAME(exp)(less);
    for (int k = 0; k < 3; k++) sum += shares[k];
    for (int k = 0; k < 3; k++) scores[k] = shares[k] / sum;
}

typedef struct {
    const REAL *g, *bias;
    const VEC *R, *E;
    REAL *h, *cells, *gates, *shown, *said, *kept;
    int64_t kept_row, kept_step; /* numbers of a row's kept memories, and of one of them */
} NAME(memory_data);

/* work: two memories of every row, zeros. */
CLONES static void NAME(memory_forward_rows)(
    memory_sizes s, int64_t rows, NAME(memory_data) d, REAL *work) {
    const int64_t T = s.length, S = s.state, C = s.cell, G = s.lstm ? 4 * S : S;
    const int64_t wide_R = (G + LANES - 1) / LANES, wide_E = (C + 3 + LANES - 1) / LANES;
    const cell_kind kind = s.lstm ? CELL_LSTM : CELL_TANH;
    for (int64_t t = 0; t < T; t++) {
        const REAL *last[ROWS], *seen[ROWS], *output[ROWS];
        REAL *sums[ROWS], *told[ROWS];
        for (int64_t row = 0; row < rows; row++) {
            const int64_t step = row * T + t;
            sums[row] = d.gates + step * G, told[row] = d.said + step * (C + 3);
            output[row] = d.h + step * S;
            last[row] = output[row] - S, seen[row] = d.shown + (step - 1) * C;
            memcpy(sums[row], d.g + step * G, G * sizeof(REAL));
            memcpy(told[row], d.bias, (C + 3) * sizeof(REAL));
        }
        if (t) {
            NAME(rows_product)(rows, S, G, 1, last, d.R, wide_R, sums);
            NAME(rows_product)(rows, C, G, 1, seen, d.R + S * wide_R, wide_R, sums);
        }
        for (int64_t row = 0; row < rows; row++) {
            const int64_t step = row * T + t;
            REAL *c = d.cells + step * S;
            NAME(cell_forward)
            (kind, S, sums[row], NULL, t && s.lstm ? c - S : NULL, NULL, c, d.h + step * S);
        }
        NAME(rows_product)(rows, S, C + 3, 1, output, d.E, wide_E, told);
        for (int64_t row = 0; row < rows; row++) {
            REAL *now = work + (2 * row + t % 2) * ROOM(s) + ORIGIN(s);
            REAL *next = work + (2 * row + 1 - t % 2) * ROOM(s) + ORIGIN(s);
            NAME(softmax3)(told[row] + C);
            if (t && t % MEMORY_CHUNK == 0)
                memcpy(d.kept + row * d.kept_row + (t / MEMORY_CHUNK - 1) * d.kept_step,
                       now + FIRST(s, t) * C, (END(s, t) - FIRST(s, t)) * C * sizeof(REAL));
            memcpy(now + WRITTEN(s) * C, told[row], C * sizeof(REAL));
            NAME(memory_move)(s, t, told[row] + C, now, next);
            memcpy(d.shown + (row * T + t) * C, next, C * sizeof(REAL));
        }
    }
}

/* The memories that the steps of a chunk moved, their words written, one after another. */
INLINE void NAME(memory_again)(
    memory_sizes s, int64_t start, int64_t steps, const REAL *kept, const REAL *said,
    REAL *memories) {
    const int64_t first = FIRST(s, start) * s.cell, end = END(s, start) * s.cell;
    REAL *now = memories + ORIGIN(s);
    memset(now + first - MARGIN(s), 0, (end - first + 2 * MARGIN(s)) * sizeof(REAL));
    if (start) memcpy(now + first, kept, (end - first) * sizeof(REAL));
    for (int64_t t = start; t < start + steps; t++, now += ROOM(s)) {
        const REAL *told = said + t * (s.cell + 3);
        memcpy(now + WRITTEN(s) * s.cell, told, s.cell * sizeof(REAL));
        if (t < start + steps - 1)
            NAME(memory_move)(s, t, told + s.cell, now, now + ROOM(s));
    }
}

typedef struct {
    const VEC *R, *E; /* transposed */
    const REAL *h, *cells, *gates, *shown, *said, *kept, *grad;
    REAL *dg, *dsaid;
    int64_t kept_row, kept_step;
} NAME(memory_gradients);

/* work, of every row, zeros: two adjoints of the memory, MEMORY_CHUNK memories, the gradients of
 * what the controller sees, of its output and of its cell. */
CLONES static void NAME(memory_backward_rows)(
    memory_sizes s, int64_t rows, NAME(memory_gradients) d, REAL *work) {
    const int64_t T = s.length, S = s.state, C = s.cell, G = s.lstm ? 4 * S : S;
    const int64_t wide_R = (S + C + LANES - 1) / LANES, wide_E = (S + LANES - 1) / LANES;
    const int64_t room = (MEMORY_CHUNK + 2) * ROOM(s) + 3 * S + C;
    const cell_kind kind = s.lstm ? CELL_LSTM : CELL_TANH;
    for (int64_t start = (T - 1) / MEMORY_CHUNK * MEMORY_CHUNK; start >= 0; start -= MEMORY_CHUNK) {
        const int64_t steps = T - start < MEMORY_CHUNK ? T - start : MEMORY_CHUNK;
        for (int64_t row = 0; row < rows; row++)
            NAME(memory_again)
            (s, start, steps,
             start ? d.kept + row * d.kept_row + (start / MEMORY_CHUNK - 1) * d.kept_step : NULL,
             d.said + row * T * (C + 3), work + row * room + 2 * ROOM(s));
        for (int64_t t = start + steps - 1; t >= start; t--) {
            const REAL *by_told[ROWS], *by_sums[ROWS];
            REAL *by_seen[ROWS], *by_h[ROWS], *carried[ROWS];
            for (int64_t row = 0; row < rows; row++) {
                const int64_t step = row * T + t;
                const REAL *shares = d.said + step * (C + 3) + C;
                REAL *own = work + row * room, *told = d.dsaid + step * (C + 3);
                const REAL *memory = own + (2 + t - start) * ROOM(s) + ORIGIN(s);
                const REAL *now = own + (T - 1 - t) % 2 * ROOM(s) + ORIGIN(s);
                REAL *earlier = own + (T - t) % 2 * ROOM(s) + ORIGIN(s), by_shares[3], along = 0;
                NAME(memory_move_back)(s, t, shares, memory, now, earlier, by_shares);
                memcpy(told, earlier + WRITTEN(s) * C, C * sizeof(REAL));
                memset(earlier + WRITTEN(s) * C, 0, C * sizeof(REAL));
                for (int k = 0; k < 3; k++) along += shares[k] * by_shares[k];
                for (int k = 0; k < 3; k++) told[C + k] = shares[k] * (by_shares[k] - along);
                carried[row] = earlier;
                by_seen[row] = own + (MEMORY_CHUNK + 2) * ROOM(s);
                by_h[row] = by_seen[row] + S + C;
                by_told[row] = told, by_sums[row] = d.dg + step * G;
                for (int64_t j = 0; j < S; j++) by_h[row][j] = by_seen[row][j] + d.grad[step * S + j];
            }
            NAME(rows_product)(rows, C + 3, S, 1, by_told, d.E, wide_E, by_h);
            for (int64_t row = 0; row < rows; row++) {
                const int64_t step = row * T + t;
                const REAL *c = d.cells + step * S;
                NAME(cell_backward)
                (kind, S, by_h[row], d.h + step * S, d.gates + step * G, NULL, c,
                 t && s.lstm ? c - S : NULL, NULL, by_h[row] + S, NULL, d.dg + step * G, NULL);
            }
            if (!t) continue;
            NAME(rows_product)(rows, G, S + C, 0, by_sums, d.R, wide_R, by_seen);
            for (int64_t row = 0; row < rows; row++)
                for (int64_t j = 0; j < C; j++) carried[row][j] += by_seen[row][S + j];
        }
    }
}

int NAME(memory_forward)(void **tensors, const int64_t *sizes, int threads) {
    const memory_sizes s = *(const memory_sizes *)sizes;
    const int64_t T = s.length, S = s.state, C = s.cell, G = s.lstm ? 4 * S : S;
    const int64_t wide_R = (G + LANES - 1) / LANES, wide_E = (C + 3 + LANES - 1) / LANES;
    const int64_t per_group = s.batch / s.groups, parts = (per_group + ROWS - 1) / ROWS;
    const int64_t chunks = (T - 1) / MEMORY_CHUNK, most = chunks * MEMORY_CHUNK;
    const int64_t kept = (END(s, most) - FIRST(s, most)) * C;
    int failed = 0;
#pragma omp parallel for num_threads(threads) if (threads > 1) reduction(| : failed)
    for (int64_t part = 0; part < s.groups * parts; part++) {
        const int64_t group = part / parts, first = part % parts * ROWS;
        const int64_t left = per_group - first, rows = left < ROWS ? left : ROWS;
        const int64_t row = group * per_group + first, at = row * T;
        REAL *work = calloc(2 * ROWS * ROOM(s), sizeof(REAL));
        NAME(memory_data)
        d = {
            .g = (REAL *)tensors[0] + at * G,
            .R = (VEC *)tensors[1] + group * (S + C) * wide_R,
            .E = (VEC *)tensors[2] + group * S * wide_E,
            .bias = (REAL *)tensors[3] + group * (C + 3),
            .h = (REAL *)tensors[4] + at * S,
            .cells = (REAL *)tensors[5] + at * S * s.lstm,
            .gates = (REAL *)tensors[6] + at * G,
            .shown = (REAL *)tensors[7] + at * C,
            .said = (REAL *)tensors[8] + at * (C + 3),
            .kept = (REAL *)tensors[9] + row * chunks * kept,
            .kept_row = chunks * kept,
            .kept_step = kept,
        };
        if (work) NAME(memory_forward_rows)(s, rows, d, work);
        failed |= !work;
        free(work);
    }
    return failed;
}

int NAME(memory_backward)(void **tensors, const int64_t *sizes, int threads) {
    const memory_sizes s = *(const memory_sizes *)sizes;
    const int64_t T = s.length, S = s.state, C = s.cell, G = s.lstm ? 4 * S : S;
    const int64_t wide_R = (S + C + LANES - 1) / LANES, wide_E = (S + LANES - 1) / LANES;
    const int64_t per_group = s.batch / s.groups, parts = (per_group + ROWS - 1) / ROWS;
    const int64_t chunks = (T - 1) / MEMORY_CHUNK, most = chunks * MEMORY_CHUNK;
    const int64_t kept = (END(s, most) - FIRST(s, most)) * C;
    const int64_t room = (MEMORY_CHUNK + 2) * ROOM(s) + 3 * S + C;
    int failed = 0;
#pragma omp parallel for num_threads(threads) if (threads > 1) reduction(| : failed)
    for (int64_t part = 0; part < s.groups * parts; part++) {
        const int64_t group = part / parts, first = part % parts * ROWS;
        const int64_t left = per_group - first, rows = left < ROWS ? left : ROWS;
        const int64_t row = group * per_group + first, at = row * T;
        REAL *work = calloc(ROWS * room, sizeof(REAL));
        NAME(memory_gradients)
        d = {
            .R = (VEC *)tensors[0] + group * G * wide_R,
            .E = (VEC *)tensors[1] + group * (C + 3) * wide_E,
            .h = (REAL *)tensors[2] + at * S,
            .cells = (REAL *)tensors[3] + at * S * s.lstm,
            .gates = (REAL *)tensors[4] + at * G,
            .said = (REAL *)tensors[5] + at * (C + 3),
            .kept = (REAL *)tensors[6] + row * chunks * kept,
            .grad = (REAL *)tensors[7] + at * S,
            .dg = (REAL *)tensors[8] + at * G,
            .dsaid = (REAL *)tensors[9] + at * (C + 3),
            .kept_row = chunks * kept,
            .kept_step = kept,
        };
        if (work) NAME(memory_backward_rows)(s, rows, d, work);
        failed |= !work;
        free(work);
    }
    return failed;
}
