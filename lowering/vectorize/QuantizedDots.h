// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Products in 8 bits on targets that multiply words of four bytes.
#ifndef WEFT_LOWERING_VECTORIZE_QUANTIZEDDOTS_H
#define WEFT_LOWERING_VECTORIZE_QUANTIZEDDOTS_H

#include "lowering/analysis/ProductPlan.h"

namespace weft {

/// Emits a product on memrefs, with the epilogue that alone reads its output, and erases both.
void emitQuantizedDots(QuantizedMatmulOp matmul, const ProductPlan &shapes);

} // namespace weft

#endif // WEFT_LOWERING_VECTORIZE_QUANTIZEDDOTS_H
