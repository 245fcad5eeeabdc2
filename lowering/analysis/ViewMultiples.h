// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Which multiples the offset and the strides of a view are, where the program says it: how wide copies may be.
#ifndef WEFT_LOWERING_ANALYSIS_VIEWMULTIPLES_H
#define WEFT_LOWERING_ANALYSIS_VIEWMULTIPLES_H

#include "mlir/Dialect/MemRef/IR/MemRef.h"

namespace weft {

/// In elements; 0 is a multiple of everything.
struct ViewMultiples {
  int64_t offset;
  mlir::SmallVector<int64_t> strides;
};

/// Looks through subviews, casts, expanded and collapsed shapes to the buffer, whose layout says the rest. Offsets may
/// be variables of parallel loops and affine functions.
ViewMultiples multiplesOf(mlir::Value view);

/// The largest power of two of bytes, at most `most`, on whose multiples a view's rows begin: `row` is the dimension
/// that counts rows. The buffer's own address is taken for one.
int64_t alignmentOfRows(mlir::Value view, unsigned row, int64_t most);

} // namespace weft

#endif // WEFT_LOWERING_ANALYSIS_VIEWMULTIPLES_H
