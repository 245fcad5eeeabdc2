// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Destinations that hold values: ops that read and write over a state or an earlier result.
#ifndef WEFT_LOWERING_ANALYSIS_INPLACEUPDATE_H
#define WEFT_LOWERING_ANALYSIS_INPLACEUPDATE_H

#include "mlir/IR/Operation.h"

namespace weft {

/// What a destination is before fills: an empty tensor, or a tensor that holds values.
mlir::Value startOf(mlir::Value init);

/// Whether an op that reads the value as a destination may write over it: a state, or what an op computes. All else (an
/// input, a weight, a view) is not its to write.
bool ownsMemory(mlir::Value value);

/// Whether the op's result takes the memory of a tensor that holds values.
bool updatesInPlace(mlir::Operation *op);

/// The state argument whose memory the value lies in, after any number of updates in place; null for another's.
mlir::Value stateBehind(mlir::Value value);

/// Whether the op reads, also through views, a value that another op writes over: it must run before that one.
bool readsBeforeUpdate(mlir::Operation *op);

/// Whether `op` writes over `value`.
bool writesOver(mlir::Operation *op, mlir::Value value);

} // namespace weft

#endif // WEFT_LOWERING_ANALYSIS_INPLACEUPDATE_H
