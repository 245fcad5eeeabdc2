// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A view in an item as boxes of a view of the host: what bulk copies by tensor maps (TMA) need to know.
#ifndef WEFT_LOWERING_NVPTX_BULKVIEW_H
#define WEFT_LOWERING_NVPTX_BULKVIEW_H

#include "lowering/nvptx/KernelOutline.h"

#include <optional>

namespace weft {

/// A matrix whose rows are one dimension of the item's view and whose columns are its last; the others have one index.
struct BulkView {
  mlir::Value whole;                             ///< of the host
  mlir::SmallVector<mlir::OpFoldResult> offsets; ///< of the item's view in it, in the item
  mlir::SmallVector<mlir::OpFoldResult> extents; ///< of `whole`, as far as rows exist
  unsigned row;

  /// Null where it is none: views that are not parts, strides that are not multiples of 16 bytes, more than five
  /// dimensions; with `wholeRows` also where the rows are not those from 0 to a number that the host knows.
  static std::optional<BulkView> of(mlir::scf::ForallOp forall, mlir::Value view, unsigned row, bool wholeRows);

  /// Boxes of `rows` × as many columns as a swizzle of so many bytes spans.
  TensorMapPlan map(int64_t rows, int64_t swizzle) const;
  /// Where rows from `row` (index) of the item's view begin, for tile.load_tensor.
  mlir::SmallVector<mlir::Value> coordinates(mlir::OpBuilder &b, mlir::Location loc, const mlir::IRMapping &mapping,
                                             mlir::Value row) const;
};

} // namespace weft

#endif // WEFT_LOWERING_NVPTX_BULKVIEW_H
