// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Vectors of f32, or of unsigned bytes, out of a weight that is rounded in groups (dialects/weft/GroupForm.h).
#ifndef WEFT_LOWERING_VECTORIZE_GROUPLOAD_H
#define WEFT_LOWERING_VECTORIZE_GROUPLOAD_H

#include "dialects/weft/GroupForm.h"
#include "lowering/analysis/RegisterPlan.h"

#include "mlir/IR/Builders.h"

namespace weft {

/// plan.lanes columns of a panel's group, from column `column` on.
struct GroupPlace {
  mlir::Value rhs; ///< a memref [panels, groups, bytes]
  mlir::Value panel, group, column;
};

/// Value `step` of each column's word as f32, times a power of two that depends on target and form alone.
mlir::Value emitGroupStep(mlir::OpBuilder &builder, mlir::Location loc, const RegisterPlan &plan, const GroupForm &form,
                          const GroupPlace &place, mlir::Value word, int64_t step);

/// The columns' scales, divided by that power.
mlir::Value emitGroupScales(mlir::OpBuilder &builder, mlir::Location loc, const RegisterPlan &plan,
                            const GroupForm &form, const GroupPlace &place);

/// Each column's word as words of four bytes, each a value plus form.offset(): word p of P = steps / 4 has the values
/// p, p + P, p + 2P, p + 3P.
mlir::SmallVector<mlir::Value> emitGroupBytes(mlir::OpBuilder &builder, mlir::Location loc, const RegisterPlan &plan,
                                              const GroupForm &form, const GroupPlace &place, mlir::Value word);

/// The columns' scales as they are stored, in f32.
mlir::Value emitStoredScales(mlir::OpBuilder &builder, mlir::Location loc, const RegisterPlan &plan,
                             const GroupForm &form, const GroupPlace &place);

/// A level of the cache.
enum class FetchInto { First, Second };

/// Asks for the cache line of `byte` of each place's group.
void emitGroupFetch(mlir::OpBuilder &builder, mlir::Location loc, mlir::ArrayRef<GroupPlace> places, mlir::Value byte,
                    FetchInto level = FetchInto::First);

} // namespace weft

#endif // WEFT_LOWERING_VECTORIZE_GROUPLOAD_H
