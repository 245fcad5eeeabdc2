// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A lane's value read by other lanes of its group, of any type, by instructions that move 32 bits.
#ifndef WEFT_LOWERING_NVPTX_LANESHUFFLE_H
#define WEFT_LOWERING_NVPTX_LANESHUFFLE_H

#include "lowering/nvptx/LaneGroup.h"

#include "mlir/Dialect/LLVMIR/NVVMDialect.h"

namespace weft {

/// Moves values of integers, index and floats of up to 64 bits between lanes. Every lane of the group must take part.
class LaneShuffle {
public:
  LaneShuffle(mlir::OpBuilder &builder, mlir::Location loc, LaneGroup group) : b(builder), loc(loc), group(group) {}

  /// What lane `source` (i32, may differ between lanes) has.
  mlir::Value from(mlir::Value value, mlir::Value source) { return move(value, source, mlir::NVVM::ShflKind::idx); }

  /// What the lane has whose number differs from this one's in the bits of `difference`.
  mlir::Value across(mlir::Value value, int64_t difference) {
    return move(value, constant(difference), mlir::NVVM::ShflKind::bfly);
  }

  /// An i32 constant.
  mlir::Value constant(int64_t value);

  /// An entry of a table for each lane: 4 bits each, lane 0's lowest; as i32.
  mlir::Value tableEntry(mlir::ArrayRef<int64_t> table);

  /// A bit for each lane, as i1.
  mlir::Value bit(int64_t bits);

private:
  mlir::Value move(mlir::Value value, mlir::Value operand, mlir::NVVM::ShflKind kind);
  mlir::Value moveWord(mlir::Value word, mlir::Value operand, mlir::NVVM::ShflKind kind);

  mlir::OpBuilder &b;
  mlir::Location loc;
  LaneGroup group;
};

} // namespace weft

#endif // WEFT_LOWERING_NVPTX_LANESHUFFLE_H
