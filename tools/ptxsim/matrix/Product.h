// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The arithmetic of mma.sync and wgmma on unpacked matrices.
//
// Order of accumulation: hardware does not say its own. Here every element of D starts with its C and adds the products
// for k = 0, 1, 2… one after another, each sum rounded to f32 to nearest even; products of f16, bf16, tf32 and fp8 are
// exact in f32. D in f16 is rounded once, at the end. f64 does the same in f64. Integers are exact and wrap, or
// saturate with .satfinite after the whole sum.
#ifndef WEFT_TOOLS_PTXSIM_MATRIX_PRODUCT_H
#define WEFT_TOOLS_PTXSIM_MATRIX_PRODUCT_H

#include <cstdint>

namespace weft::ptxsim {

/// d[m × n] += a[m × k] · b[k × n], all row-major and dense, in the order above.
void accumulateF32(float *d, const float *a, const float *b, int m, int n, int k);
void accumulateF64(double *d, const double *a, const double *b, int m, int n, int k);

/// The same in integers; a and b hold s8, u8, s4 or u4 values.
void accumulateS32(int32_t *d, const int32_t *a, const int32_t *b, int m, int n, int k, bool saturate);

} // namespace weft::ptxsim

#endif
