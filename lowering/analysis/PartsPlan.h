// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Whether the time of a recurrence is cut into parts that run beside one another.
#ifndef WEFT_LOWERING_ANALYSIS_PARTSPLAN_H
#define WEFT_LOWERING_ANALYSIS_PARTSPLAN_H

#include "dialects/weft/RecurrenceOps.h"

namespace weft {

struct PartsPlan {
  int64_t length; ///< steps of a part
  double work;    ///< in parts, of that in one piece
};

/// A plan, or why there is none: empty where nobody would expect one.
struct PartsMatch {
  std::optional<PartsPlan> plan;
  std::string obstacle;
};

/// Decides by what is known when compiling: a result's bits depend on neither threads nor the rest of a batch. The
/// module's attribute `weft.part_length`, for comparisons, cuts whatever can be cut into parts of so many steps, or
/// nothing where it is 0.
PartsMatch matchParts(RecurrenceOp op);

/// The inputs that these values of the step region are computed of, in order.
mlir::SmallVector<unsigned> inputsBehind(RecurrenceOp op, mlir::ValueRange values);

} // namespace weft

#endif // WEFT_LOWERING_ANALYSIS_PARTSPLAN_H
