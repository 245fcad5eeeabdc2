// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// From the exact sums of a product in 8 bits to its results.
#ifndef WEFT_LOWERING_VECTORIZE_QUANTIZEDRESULTS_H
#define WEFT_LOWERING_VECTORIZE_QUANTIZEDRESULTS_H

#include "dialects/weft/WeftDialect.h"
#include "lowering/vectorize/MatmulEpilogue.h"

namespace weft {

/// A row of a register tile's sums, put down in a buffer.
struct StagedRow {
  mlir::Value sums;        ///< [rows, vectors · lanes] of i32
  mlir::Value index;       ///< of the row in it
  mlir::Value row, column; ///< of the result, where the tile begins
  int64_t vectors, lanes;
};

/// Scales, bias and the epilogue of one row; columns beyond the result's last are masked.
void emitQuantizedRow(mlir::OpBuilder &builder, mlir::Location loc, QuantizedMatmulOp matmul, MatmulEpilogue &epilogue,
                      const StagedRow &row);

} // namespace weft

#endif // WEFT_LOWERING_VECTORIZE_QUANTIZEDRESULTS_H
