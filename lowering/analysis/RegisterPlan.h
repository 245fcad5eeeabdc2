// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The shape of a register tile, derived from the target's registers.
#ifndef WEFT_LOWERING_ANALYSIS_REGISTERPLAN_H
#define WEFT_LOWERING_ANALYSIS_REGISTERPLAN_H

#include "dialects/weft/WeftDialect.h"

#include "mlir/IR/BuiltinOps.h"

namespace weft {

/// Queries of attention that share a packed block of keys, at most, and make one work item: packing costs a thirtieth
/// of the work on the block then.
constexpr int64_t kSharedQueries = 256;

/// How products are held in vector registers: `rows` × `vectors` accumulators of `lanes` f32 each, beside
/// `vectors` registers for the right operand and one for a broadcast of the left.
struct RegisterPlan {
  int64_t lanes;   ///< f32 values in a vector register
  int64_t vectors; ///< vectors side by side in a tile
  int64_t rows;    ///< rows of the largest tile: (registers − vectors − 1) / vectors
  int64_t unroll;  ///< steps of the sum in one loop iteration
  bool fused;      ///< the target has fused multiply-add
  bool avx512;     ///< the target has AVX-512 instructions
  bool bfloat;     ///< the target rounds f32 to bf16 in one instruction
  bool vnni;       ///< the target has dot products of bytes
  bool byteDots;   ///< products in 8 bits multiply words of four bytes
  bool device;     ///< a GPU: threads stand for lanes, and 2^x is one instruction
  bool halfDots;   ///< products with weights in bf16 multiply words of two bf16, and round rows to them

  int64_t columns() const { return lanes * vectors; }

  static RegisterPlan forTarget(TargetAttr target);
};

/// Whether a target is a GPU, whose groups of threads stand for vector registers.
bool isDevice(TargetAttr target);

/// The module's `weft.target`; reports an error when the module has none.
mlir::FailureOr<TargetAttr> targetOf(mlir::ModuleOp module);

/// The plan for the module's `weft.target`; reports an error when the module has none.
mlir::FailureOr<RegisterPlan> registerPlanOf(mlir::ModuleOp module);

} // namespace weft

#endif // WEFT_LOWERING_ANALYSIS_REGISTERPLAN_H
