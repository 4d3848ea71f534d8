/* Every kernel for one number type: REAL, with BITS an integer of its size and SUFFIX its name. */
#include "vectors.h"
#include "convolution.h"
#include "diagonal.h"
#include "selective.h"
#include "matrix.h"
#include "delta.h"
#include "slstm.h"
