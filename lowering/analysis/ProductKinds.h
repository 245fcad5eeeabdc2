// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Which products of a program some levels have instructions for: a level without use for them is not compiled for.
#ifndef WEFT_LOWERING_ANALYSIS_PRODUCTKINDS_H
#define WEFT_LOWERING_ANALYSIS_PRODUCTKINDS_H

#include "mlir/IR/Operation.h"

namespace weft {

/// A set of products.
enum ProductKinds : unsigned {
  kNoProducts = 0,
  kByteProducts = 1, ///< in integers of 8 bits, or by digits of so many
  kHalfProducts = 2, ///< in bf16
};

/// The products of all ops below `root`.
unsigned productKindsOf(mlir::Operation *root);

} // namespace weft

#endif // WEFT_LOWERING_ANALYSIS_PRODUCTKINDS_H
