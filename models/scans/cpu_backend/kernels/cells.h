/* One step of a recurrent cell, and its derivative (the equations: models/scans/recurrent.py).
 *
 * The sums of `state` numbers each, word and last output together: one of a simple network; i, f,
 * g, o of an LSTM; r, z, and what is reset of a GRU, to whose candidate the word gives `word`. What
 * is `NULL` is zeros: the cell and output before the first step.
 */
#ifndef CELL_KINDS
#define CELL_KINDS
typedef enum { CELL_TANH, CELL_RELU, CELL_LSTM, CELL_GRU } cell_kind;
#endif

INLINE VEC NAME(given)(const REAL *from, int64_t at, int64_t count) {
    const VEC zero = {0};
    return from ? NAME(load)(from + at, count) : zero;
}

/* `kind` is a constant where this is called, so that each kind has its own loop. */
INLINE void NAME(forward_of_kind)(
    cell_kind kind, int64_t S, const REAL *sums, const REAL *word, const REAL *last_c,
    const REAL *last_h, REAL *c, REAL *h) {
    const VEC zero = {0}, one = zero + (REAL)1.0;
    for (int64_t j = 0; j < S; j += LANES) {
        const int64_t count = S - j;
        const VEC first = NAME(load)(sums + j, count);
        VEC out;
        if (kind == CELL_TANH)
            out = NAME(tanh)(first);
        else if (kind == CELL_RELU)
            out = NAME(larger)(first, zero);
        else if (kind == CELL_LSTM) {
            const VEC f = NAME(sigmoid)(NAME(load)(sums + S + j, count));
            const VEC g = NAME(tanh)(NAME(load)(sums + 2 * S + j, count));
            const VEC o = NAME(sigmoid)(NAME(load)(sums + 3 * S + j, count));
            const VEC now = f * NAME(given)(last_c, j, count) + NAME(sigmoid)(first) * g;
            NAME(store)(c + j, now, count);
            out = o * NAME(tanh)(now);
        } else {
            const VEC z = NAME(sigmoid)(NAME(load)(sums + S + j, count));
            const VEC m = NAME(load)(sums + 2 * S + j, count);
            const VEC n = NAME(tanh)(NAME(load)(word + j, count) + NAME(sigmoid)(first) * m);
            out = (one - z) * n + z * NAME(given)(last_h, j, count);
        }
        NAME(store)(h + j, out, count);
    }
}

INLINE void NAME(cell_forward)(
    cell_kind kind, int64_t S, const REAL *sums, const REAL *word, const REAL *last_c,
    const REAL *last_h, REAL *c, REAL *h) {
#define OF(kind) NAME(forward_of_kind)(kind, S, sums, word, last_c, last_h, c, h)
    switch (kind) {
    case CELL_TANH: OF(CELL_TANH); break;
    case CELL_RELU: OF(CELL_RELU); break;
    case CELL_LSTM: OF(CELL_LSTM); break;
    case CELL_GRU: OF(CELL_GRU); break;
    }
#undef OF
}

/* The sums' gradients from the output's. In place: dc, the cell's, is carried on. `carried`: what a
 * GRU's output gives to the one before directly. */
INLINE void NAME(backward_of_kind)(
    cell_kind kind, int64_t S, const REAL *dh, const REAL *h, const REAL *sums, const REAL *word,
    const REAL *c, const REAL *last_c, const REAL *last_h, REAL *dc, REAL *carried, REAL *dsums,
    REAL *dword) {
    const VEC zero = {0}, one = zero + (REAL)1.0;
    for (int64_t j = 0; j < S; j += LANES) {
        const int64_t count = S - j;
        const VEC out = NAME(load)(dh + j, count);
        if (kind == CELL_TANH || kind == CELL_RELU) {
            const VEC y = NAME(load)(h + j, count);
            const VEC slope = kind == CELL_TANH ? one - y * y : NAME(pick)(y > zero, one, zero);
            NAME(store)(dsums + j, out * slope, count);
        } else if (kind == CELL_LSTM) {
            const VEC i = NAME(sigmoid)(NAME(load)(sums + j, count));
            const VEC f = NAME(sigmoid)(NAME(load)(sums + S + j, count));
            const VEC g = NAME(tanh)(NAME(load)(sums + 2 * S + j, count));
            const VEC o = NAME(sigmoid)(NAME(load)(sums + 3 * S + j, count));
            const VEC y = NAME(tanh)(NAME(load)(c + j, count));
            const VEC last = NAME(given)(last_c, j, count);
            const VEC by_c = NAME(load)(dc + j, count) + out * o * (one - y * y);
            NAME(store)(dsums + j, by_c * g * i * (one - i), count);
            NAME(store)(dsums + S + j, by_c * last * f * (one - f), count);
            NAME(store)(dsums + 2 * S + j, by_c * i * (one - g * g), count);
            NAME(store)(dsums + 3 * S + j, out * y * o * (one - o), count);
            NAME(store)(dc + j, by_c * f, count);
        } else {
            const VEC r = NAME(sigmoid)(NAME(load)(sums + j, count));
            const VEC z = NAME(sigmoid)(NAME(load)(sums + S + j, count));
            const VEC m = NAME(load)(sums + 2 * S + j, count);
            const VEC n = NAME(tanh)(NAME(load)(word + j, count) + r * m);
            const VEC by_n = out * (one - z) * (one - n * n);
            const VEC by_z = out * (NAME(given)(last_h, j, count) - n) * z * (one - z);
            NAME(store)(dsums + j, by_n * m * r * (one - r), count);
            NAME(store)(dsums + S + j, by_z, count);
            NAME(store)(dsums + 2 * S + j, by_n * r, count);
            NAME(store)(dword + j, by_n, count);
            NAME(store)(carried + j, out * z, count);
        }
    }
}

INLINE void NAME(cell_backward)(
    cell_kind kind, int64_t S, const REAL *dh, const REAL *h, const REAL *sums, const REAL *word,
    const REAL *c, const REAL *last_c, const REAL *last_h, REAL *dc, REAL *carried, REAL *dsums,
    REAL *dword) {
#define OF(kind)                                                                                   \
    NAME(backward_of_kind)                                                                         \
    (kind, S, dh, h, sums, word, c, last_c, last_h, dc, carried, dsums, dword)
    switch (kind) {
    case CELL_TANH: OF(CELL_TANH); break;
    case CELL_RELU: OF(CELL_RELU); break;
    case CELL_LSTM: OF(CELL_LSTM); break;
    case CELL_GRU: OF(CELL_GRU); break;
    }
#undef OF
}
