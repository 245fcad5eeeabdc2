// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A region of scalar arithmetic on positions, with indices of 32 bits: a GPU's registers are as wide.
#ifndef WEFT_LOWERING_NVPTX_NARROWREGION_H
#define WEFT_LOWERING_NVPTX_NARROWREGION_H

#include "mlir/IR/Builders.h"
#include "mlir/IR/IRMapping.h"

namespace weft {

/// Emits a block's ops and gives what it yields. Of its arguments and the values from outside, an index may be given as
/// i32. Sums, differences, minima, maxima, quotients and comparisons stay in 32 bits; what else comes to them is taken
/// for ±2^29 where it is further from 0: no position is, so that comparisons say the same. Equality with numbers from
/// data, and all other ops, are computed as they stand. The i1 values of `decided` are true.
mlir::Value emitNarrow(mlir::OpBuilder &b, mlir::Block &body, mlir::IRMapping &mapping,
                       mlir::ArrayRef<mlir::Value> decided = {});

} // namespace weft

#endif // WEFT_LOWERING_NVPTX_NARROWREGION_H
