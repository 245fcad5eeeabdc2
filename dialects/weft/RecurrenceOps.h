// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Ops of the weft dialect that go over a sequence with a state. A header of its own: few files need it.
#ifndef WEFT_DIALECTS_WEFT_RECURRENCEOPS_H
#define WEFT_DIALECTS_WEFT_RECURRENCEOPS_H

#include "dialects/weft/WeftDialect.h"

namespace weft {
class StepOp;
} // namespace weft

#define GET_OP_CLASSES
#include "dialects/weft/RecurrenceOps.h.inc"

namespace weft {
/// The group of `h floordiv group`; nothing for another expression.
std::optional<int64_t> headGroupOf(mlir::AffineExpr expr);

/// An index of states by parts of the time: `t floordiv length + shift`.
struct PartIndex {
  int64_t length, shift; ///< shift: 0 or 1
};
std::optional<PartIndex> partIndexOf(mlir::AffineExpr expr);

/// An input that no region looks at, and that no extent is known by alone; nothing where there is none.
std::optional<unsigned> unusedInputOf(RecurrenceOp op);
} // namespace weft

#endif // WEFT_DIALECTS_WEFT_RECURRENCEOPS_H
