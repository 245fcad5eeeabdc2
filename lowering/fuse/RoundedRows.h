// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Rows of activations as 8-bit integers: each tensor is rounded once, before the first product that reads it.
#ifndef WEFT_LOWERING_FUSE_ROUNDEDROWS_H
#define WEFT_LOWERING_FUSE_ROUNDEDROWS_H

#include "mlir/IR/Builders.h"

namespace weft {

class RoundedRows {
public:
  struct Rows {
    mlir::Value values, scales; ///< [m, k rounded up to a multiple of 4] i8; [m]
  };

  /// `rows` [m, depth] as integers for `reader`.
  Rows of(mlir::OpBuilder &builder, mlir::Value rows, int64_t depth, mlir::Operation *reader);

private:
  llvm::DenseMap<std::pair<mlir::Value, mlir::Block *>, Rows> made;
};

} // namespace weft

#endif // WEFT_LOWERING_FUSE_ROUNDEDROWS_H
