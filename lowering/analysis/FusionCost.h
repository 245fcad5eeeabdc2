// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Whether ops are cheaper in one kernel or in several: both estimates, in cycles of one core.
#ifndef WEFT_LOWERING_ANALYSIS_FUSIONCOST_H
#define WEFT_LOWERING_ANALYSIS_FUSIONCOST_H

#include "dialects/weft/RecurrenceOps.h"
#include "lowering/analysis/CostModel.h"

#include <string>

namespace weft {

/// False in a module with `weft.fusion = "off"`, which compiles each op to a kernel of its own: for comparisons.
bool isFusionOn(mlir::ModuleOp module);

struct FusionEstimate {
  double together = 0; ///< cycles as one
  double apart = 0;    ///< cycles as kernels of their own
  double times = 1;    ///< how often each element of the producer is computed when together

  bool pays() const { return together <= apart; }
  std::string text() const;
};

/// Where the tiles of a kernel's last op need a part of the producer more than once, it is computed so often. `group`
/// is the kernel so far, its last op first and each op after all of its readers, which the producer's readers are
/// among. Kernels are formed once for all levels: of the levels' estimates the one in which joining gains least.
FusionEstimate estimateJoin(mlir::Operation *producer, mlir::ArrayRef<mlir::Operation *> group);

/// An elementwise op whose body moves into its reader's, which runs it once for each of its own points.
FusionEstimate estimateInline(mlir::Operation *producer, mlir::Operation *reader);

/// An elementwise op in the step region of a recurrence that reads its result through `map`: once for each vector of
/// columns where it depends on e, else as a scalar once for each group of them.
FusionEstimate estimateAbsorption(mlir::Operation *producer, RecurrenceOp recurrence, mlir::AffineMap map);

/// Products of one left operand as one product.
FusionEstimate estimateMerge(mlir::ArrayRef<mlir::Operation *> products);

} // namespace weft

#endif // WEFT_LOWERING_ANALYSIS_FUSIONCOST_H
