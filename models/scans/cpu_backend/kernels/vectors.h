/* Vectors of 64 bytes in GCC's vector extensions, and exp, sigmoid and tanh on them. */

#define VEC NAME(vec)
#define IVEC NAME(ivec)
#define LANES ((int64_t)(BYTES / sizeof(REAL)))
typedef REAL VEC __attribute__((vector_size(BYTES)));
typedef BITS IVEC __attribute__((vector_size(BYTES)));

/* `count` numbers and zeros after them. */
INLINE VEC NAME(load)(const REAL *from, int64_t count) {
    VEC v = {0};
    if (count >= LANES)
        memcpy(&v, from, BYTES);
    else
        for (int64_t i = 0; i < count; i++) v[i] = from[i];
    return v;
}

INLINE void NAME(store)(REAL *to, VEC v, int64_t count) {
    if (count >= LANES)
        memcpy(to, &v, BYTES);
    else
        for (int64_t i = 0; i < count; i++) to[i] = v[i];
}

INLINE REAL NAME(total)(VEC v) {
    typedef REAL half __attribute__((vector_size(BYTES / 2)));
    typedef REAL quarter __attribute__((vector_size(BYTES / 4)));
    half h[2];
    quarter q[2];
    memcpy(h, &v, BYTES);
    h[0] += h[1];
    memcpy(q, h, BYTES / 2);
    q[0] += q[1];
    REAL sum = q[0][0];
    for (int64_t i = 1; i < LANES / 4; i++) sum += q[0][i];
    return sum;
}

INLINE VEC NAME(pick)(IVEC mask, VEC yes, VEC no) {
    return (VEC)((mask & (IVEC)yes) | (~mask & (IVEC)no));
}

INLINE VEC NAME(larger)(VEC a, VEC b) { return NAME(pick)(a > b, a, b); }

/* exp(r) - 1 by a polynomial on |r| <= log(2)/2, with x = n log 2 + r. Adding 1.5 times 2^23 (2^52)
 * rounds to the integer n and leaves it in the low bits, from where it is shifted to where a number
 * has its exponent. What is out of range saturates; a NaN stays one. */
INLINE VEC NAME(reduced)(VEC x, IVEC *exponent) {
#ifdef DOUBLE
    const REAL low = -708.0, high = 709.0, magic = 6755399441055744.0;
    const REAL coarse = 6.93145751953125e-1, fine = 1.42860682030941723212e-6;
    const int mantissa = 52;
#else
    const REAL low = -87.3f, high = 88.3f, magic = 12582912.0f;
    const REAL coarse = 0.693359375f, fine = -2.12194440e-4f;
    const int mantissa = 23;
#endif
    const VEC zero = {0};
    x = NAME(pick)(x < zero + low, zero + low, x);
    x = NAME(pick)(x > zero + high, zero + high, x);
    VEC shifted = x * (REAL)1.44269504088896340736 + magic;
    VEC n = shifted - magic;
    VEC r = x - n * coarse - n * fine;
#ifdef DOUBLE
    VEC p = zero + 1.0 / 6227020800.0; /* 1/13!, and so on: Taylor's series */
    p = p * r + 1.0 / 479001600.0;
    p = p * r + 1.0 / 39916800.0;
    p = p * r + 1.0 / 3628800.0;
    p = p * r + 1.0 / 362880.0;
    p = p * r + 1.0 / 40320.0;
    p = p * r + 1.0 / 5040.0;
    p = p * r + 1.0 / 720.0;
    p = p * r + 1.0 / 120.0;
    p = p * r + 1.0 / 24.0;
    p = p * r + 1.0 / 6.0;
#else
    VEC p = zero + 1.0f / 5040.0f; /* and so on, to a relative error of 2e-8 */
    p = p * r + 1.0f / 720.0f;
    p = p * r + 1.0f / 120.0f;
    p = p * r + 1.0f / 24.0f;
    p = p * r + 1.0f / 6.0f;
#endif
    p = p * r + (REAL)0.5;
    *exponent = (IVEC)shifted << mantissa;
    return p * (r * r) + r;
}

INLINE VEC NAME(exp)(VEC x) {
    IVEC exponent;
    const VEC p = NAME(reduced)(x, &exponent) + (REAL)1.0;
    return (VEC)((IVEC)p + exponent);
}

/* exp(x) - 1, to full precision near 0 too. */
INLINE VEC NAME(expm1)(VEC x) {
    IVEC exponent;
    const VEC e = NAME(reduced)(x, &exponent), one = e - e + (REAL)1.0;
    const VEC power = (VEC)((IVEC)one + exponent);
    return power * e + (power - one);
}

INLINE VEC NAME(sigmoid)(VEC x) { return (REAL)1.0 / ((REAL)1.0 + NAME(exp)(-x)); }

INLINE VEC NAME(tanh)(VEC x) {
    const VEC m = NAME(expm1)(x + x);
    return m / (m + (REAL)2.0);
}

/* log sigma(x) = min(x, 0) - log(1 + e), e = exp(-|x|), by the series of 2 artanh(e / (2 + e)). */
INLINE VEC NAME(log_sigmoid)(VEC x) {
    const VEC zero = {0};
    VEC least = NAME(pick)(x < zero, x, zero);
    VEC e = NAME(exp)(least + least - x);
    VEC s = e / ((REAL)2.0 + e), square = s * s, sum = zero;
    for (int k = 2 * sizeof(REAL) + 1; k >= 0; k--) sum = sum * square + (REAL)1.0 / (2 * k + 1);
    return least - (REAL)2.0 * s * sum;
}
