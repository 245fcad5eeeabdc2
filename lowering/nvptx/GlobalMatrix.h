// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Views of a kernel function as tile ops take global memory: an address, extents, a stride.
#ifndef WEFT_LOWERING_NVPTX_GLOBALMATRIX_H
#define WEFT_LOWERING_NVPTX_GLOBALMATRIX_H

#include "mlir/IR/Builders.h"
#include "mlir/IR/IRMapping.h"

namespace weft {

/// A matrix of elements that lie beside each other in rows. A view without dimensions has a pointer only.
struct GlobalMatrix {
  mlir::Value pointer;       ///< to its first element, in global memory
  mlir::Value rows, columns; ///< index
  mlir::Value stride;        ///< from row to row, in elements
  bool isEven = false;       ///< pairs of neighbours from an even column on lie together, also at the ends of rows

  /// Bytes of an access to a pair of a fragment's elements; null where there are no pairs.
  mlir::IntegerAttr pairBytes(mlir::Type fragment) const;
};

/// `view` is the kernel function's, `mapping` gives what stands for it in the device function. A vector is one
/// row; of a view with more dimensions, rows are dimension `row` and columns the last, at index 0 of the others.
GlobalMatrix globalMatrix(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value view,
                          const mlir::IRMapping &mapping, unsigned row = 0);

} // namespace weft

#endif // WEFT_LOWERING_NVPTX_GLOBALMATRIX_H
