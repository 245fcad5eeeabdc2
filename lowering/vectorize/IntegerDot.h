// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Dot products of four 8-bit integers in each 32-bit lane, exact on every target.
#ifndef WEFT_LOWERING_VECTORIZE_INTEGERDOT_H
#define WEFT_LOWERING_VECTORIZE_INTEGERDOT_H

#include "lowering/analysis/RegisterPlan.h"

#include "mlir/IR/Builders.h"

namespace weft {

/// Words of four signed bytes as two vectors of i16, twice as long: the bytes (0, 2) of each word, and (1, 3).
struct WordHalves {
  mlir::Value even, odd;
};

/// `words` is a vector of i32.
WordHalves splitWords(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value words);

/// acc + the dot product of each lane's four bytes. Products of bytes cannot overflow the pairwise sum of `vpmaddwd`,
/// which is used where the target has it at this length; other lengths are multiplied half by half.
mlir::Value emitDot(mlir::OpBuilder &builder, mlir::Location loc, const RegisterPlan &plan, mlir::Value acc,
                    const WordHalves &a, const WordHalves &b);

} // namespace weft

#endif // WEFT_LOWERING_VECTORIZE_INTEGERDOT_H
