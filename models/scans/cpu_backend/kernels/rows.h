/* Products of several rows of the batch with one matrix, of which a line is read once for all. */
#ifndef ROWS
#define ROWS 8
#endif

/* For each row: to[row] += (or =, if not `add`) a vector-matrix product, from[row] (n numbers) with
 * M (n x blocks, in vectors, `stride` vectors from line to line). A line of M is read once for all
 * rows, whose sums stay in registers. */
INLINE void NAME(rows_product)(
    int64_t rows, int64_t n, int64_t outs, int add, const REAL *const *from, const VEC *M,
    int64_t stride, REAL *const *to) {
    for (int64_t j = 0; j < outs; j += LANES, M++) {
        VEC sums[ROWS] = {{0}};
        if (rows == ROWS)
            for (int64_t i = 0; i < n; i++)
                for (int64_t row = 0; row < ROWS; row++)
                    sums[row] += from[row][i] * M[i * stride];
        else
            for (int64_t i = 0; i < n; i++)
                for (int64_t row = 0; row < rows; row++) sums[row] += from[row][i] * M[i * stride];
        for (int64_t row = 0; row < rows; row++) {
            if (add) sums[row] += NAME(load)(to[row] + j, outs - j);
            NAME(store)(to[row] + j, sums[row], outs - j);
        }
    }
}
