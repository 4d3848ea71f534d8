/* The scans of the `cpu` backend: every kernel for float and for double.
 *
 * A function takes the pointers of its tensors, its sizes and a number of threads, and gives 0, or
 * 1 if there was no memory for its workspace. All tensors are contiguous and batch first. Rows of
 * the batch are independent, so threads share out rows, and the result does not depend on how.
 *
 * No header of torch or Python is needed: ctypes calls these on data pointers.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#if defined(__x86_64__) && defined(__linux__) && defined(__GNUC__) && !defined(__clang__)
/* One binary for every processor: the loader picks the widest vectors that this one has. */
#define CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define CLONES
#endif

#define INLINE static inline __attribute__((always_inline))
#define PASTE(name, suffix) name##_##suffix
#define JOIN(name, suffix) PASTE(name, suffix)
#define NAME(name) JOIN(name, SUFFIX)
#define BYTES 64 /* of a vector, whatever the processor's own */

/* Which sources this was built from; the loader compares it with those beside it. */
const char *flann_kernels_sources(void) { return FLANN_SOURCES; }

#define SUFFIX f32
#define REAL float
#define BITS int32_t
#include "all.h"
#undef SUFFIX
#undef REAL
#undef BITS

#define SUFFIX f64
#define REAL double
#define BITS int64_t
#define DOUBLE
#include "all.h"
