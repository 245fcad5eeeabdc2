// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// tensor.cast to a less precise type, folded into structured ops with regions that may be empty.
#ifndef WEFT_DIALECTS_WEFT_CASTFOLDING_H
#define WEFT_DIALECTS_WEFT_CASTFOLDING_H

#include "mlir/IR/PatternMatch.h"

namespace weft {
/// For the canonicalisation of an op in destination style that may have empty regions: folds casts as MLIR's own
/// pattern does, which (22.1.8) copies regions and fails on empty ones, so that this must come first.
void populateCastFolding(mlir::RewritePatternSet &patterns, llvm::StringRef opName);
} // namespace weft

#endif // WEFT_DIALECTS_WEFT_CASTFOLDING_H
