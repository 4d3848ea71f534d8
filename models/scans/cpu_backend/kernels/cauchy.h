/* Sums over conjugate pairs of poles at many points (the equations: models/scans/cauchy.py and
 * loop_cauchy.py). A vector holds LANES points; quotients are made in registers and never stored.
 */
#ifndef CAUCHY_SIZES
#define CAUCHY_SIZES
#define CAUCHY_SUMS 4 /* whose partial sums are in registers at once */
typedef struct {
    int64_t channels, sums, poles, points, groups;
} cauchy_sizes;
#endif

typedef struct {
    VEC re, im;
} NAME(complex);

INLINE NAME(complex) NAME(times)(NAME(complex) a, NAME(complex) b) {
    return (NAME(complex)){a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re};
}

/* 1 / ((z - centre)^2 + height^2); x = Re(z) - centre. */
INLINE NAME(complex) NAME(quotient)(VEC x, VEC y, REAL height) {
    const VEC re = x * x + (height - y) * (height + y), im = (REAL)2.0 * x * y;
    const VEC inverse = (REAL)1.0 / (re * re + im * im);
    return (NAME(complex)){re * inverse, -im * inverse};
}

/* Some of a channel's sums, a constant number of them, at the points of one vector. */
INLINE void NAME(cauchy_at)(
    cauchy_sizes s, int64_t some, NAME(complex) z, int64_t count, const REAL *a, const REAL *b,
    const REAL *centre, const REAL *height, REAL *sums) {
    NAME(complex) A[CAUCHY_SUMS] = {{{0}}}, B[CAUCHY_SUMS] = {{{0}}};
    for (int64_t n = 0; n < s.poles; n++) {
        const NAME(complex) q = NAME(quotient)(z.re - centre[n], z.im, height[n]);
        for (int64_t k = 0; k < some; k++) {
            A[k].re += a[k * s.poles + n] * q.re, A[k].im += a[k * s.poles + n] * q.im;
            B[k].re += b[k * s.poles + n] * q.re, B[k].im += b[k * s.poles + n] * q.im;
        }
    }
    for (int64_t k = 0; k < some; k++) {
        const NAME(complex) zA = NAME(times)(z, A[k]);
        NAME(store)(sums + 2 * k * s.points, zA.re - B[k].re, count);
        NAME(store)(sums + (2 * k + 1) * s.points, zA.im - B[k].im, count);
    }
}

/* The gradients of some sums' coefficients of one pole, and what they add to those of the pole. */
INLINE void NAME(cauchy_back_at)(
    cauchy_sizes s, int64_t some, int64_t n, const REAL *points, const REAL *a, const REAL *b,
    REAL centre, REAL height, const REAL *grad, REAL *da, REAL *db, REAL *dcentre, REAL *dheight) {
    VEC by_a[CAUCHY_SUMS] = {{0}}, by_b[CAUCHY_SUMS] = {{0}}, by_centre = {0}, by_height = {0};
    for (int64_t i = 0; i < s.points; i += LANES) {
        const int64_t count = s.points - i;
        const NAME(complex) z = {
            NAME(load)(points + i, count), NAME(load)(points + s.points + i, count)};
        const VEC x = z.re - centre;
        const NAME(complex) q = NAME(quotient)(x, z.im, height), zq = NAME(times)(z, q);
        NAME(complex) U = {{0}}, V = {{0}};
        for (int64_t k = 0; k < some; k++) {
            const REAL *g = grad + 2 * k * s.points + i, ak = a[k * s.poles + n];
            const VEC re = NAME(load)(g, count), im = -NAME(load)(g + s.points, count);
            const REAL bk = b[k * s.poles + n];
            by_a[k] += re * zq.re - im * zq.im;
            by_b[k] -= re * q.re - im * q.im;
            U.re += ak * re, U.im += ak * im;
            V.re += bk * re, V.im += bk * im;
        }
        const NAME(complex) zU = NAME(times)(z, U), W = {zU.re - V.re, zU.im - V.im};
        const NAME(complex) X = NAME(times)(NAME(times)(q, q), W);
        by_centre += X.re * x - X.im * z.im;
        by_height += X.re;
    }
    for (int64_t k = 0; k < some; k++) {
        da[k * s.poles + n] = NAME(total)(by_a[k]);
        db[k * s.poles + n] = NAME(total)(by_b[k]);
    }
    *dcentre += 2 * NAME(total)(by_centre);
    *dheight -= 2 * height * NAME(total)(by_height);
}

CLONES static void NAME(cauchy_forward_channel)(
    cauchy_sizes s, const REAL *a, const REAL *b, const REAL *centre, const REAL *height,
    const REAL *points, REAL *sums) {
    for (int64_t i = 0; i < s.points; i += LANES) {
        const int64_t count = s.points - i;
        const NAME(complex) z = {
            NAME(load)(points + i, count), NAME(load)(points + s.points + i, count)};
        int64_t k = 0;
        for (; k + CAUCHY_SUMS <= s.sums; k += CAUCHY_SUMS)
            NAME(cauchy_at)
        (s, CAUCHY_SUMS, z, count, a + k * s.poles, b + k * s.poles, centre, height,
         sums + 2 * k * s.points + i);
        for (; k < s.sums; k++)
            NAME(cauchy_at)
        (s, 1, z, count, a + k * s.poles, b + k * s.poles, centre, height,
         sums + 2 * k * s.points + i);
    }
}

CLONES static void NAME(cauchy_backward_channel)(
    cauchy_sizes s, const REAL *a, const REAL *b, const REAL *centre, const REAL *height,
    const REAL *points, const REAL *grad, REAL *da, REAL *db, REAL *dcentre, REAL *dheight) {
    for (int64_t n = 0; n < s.poles; n++) {
        int64_t k = 0;
        dcentre[n] = dheight[n] = 0;
        for (; k + CAUCHY_SUMS <= s.sums; k += CAUCHY_SUMS)
            NAME(cauchy_back_at)
        (s, CAUCHY_SUMS, n, points, a + k * s.poles, b + k * s.poles, centre[n], height[n],
         grad + 2 * k * s.points, da + k * s.poles, db + k * s.poles, dcentre + n, dheight + n);
        for (; k < s.sums; k++)
            NAME(cauchy_back_at)
        (s, 1, n, points, a + k * s.poles, b + k * s.poles, centre[n], height[n],
         grad + 2 * k * s.points, da + k * s.poles, db + k * s.poles, dcentre + n, dheight + n);
    }
}

int NAME(cauchy_forward)(void **tensors, const int64_t *sizes, int threads) {
    const cauchy_sizes s = *(const cauchy_sizes *)sizes;
    const REAL *a = tensors[0], *b = tensors[1], *centre = tensors[2], *height = tensors[3];
    const REAL *points = tensors[4];
    REAL *sums = tensors[5];
#pragma omp parallel for num_threads(threads) if (threads > 1)
    for (int64_t c = 0; c < s.channels; c++) {
        const int64_t at = c * s.sums * s.poles, group = c / (s.channels / s.groups);
        NAME(cauchy_forward_channel)
        (s, a + at, b + at, centre + c * s.poles, height + c * s.poles,
         points + group * 2 * s.points, sums + c * s.sums * 2 * s.points);
    }
    return 0;
}

int NAME(cauchy_backward)(void **tensors, const int64_t *sizes, int threads) {
    const cauchy_sizes s = *(const cauchy_sizes *)sizes;
    const REAL *a = tensors[0], *b = tensors[1], *centre = tensors[2], *height = tensors[3];
    const REAL *points = tensors[4], *grad = tensors[5];
    REAL *da = tensors[6], *db = tensors[7], *dcentre = tensors[8], *dheight = tensors[9];
#pragma omp parallel for num_threads(threads) if (threads > 1)
    for (int64_t c = 0; c < s.channels; c++) {
        const int64_t at = c * s.sums * s.poles, pole = c * s.poles;
        NAME(cauchy_backward_channel)
        (s, a + at, b + at, centre + pole, height + pole,
         points + c / (s.channels / s.groups) * 2 * s.points, grad + c * s.sums * 2 * s.points,
         da + at, db + at, dcentre + pole, dheight + pole);
    }
    return 0;
}
