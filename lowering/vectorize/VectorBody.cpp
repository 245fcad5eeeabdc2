// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A region body on scalars → the same ops on vectors, scalars kept scalar as long as no operand is a vector.
#include "lowering/vectorize/VectorBody.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;

namespace weft {

Value widen(OpBuilder &builder, Location loc, Value value, int64_t lanes) {
  if (isa<VectorType>(value.getType()))
    return value;
  return vector::BroadcastOp::create(builder, loc, VectorType::get({lanes}, value.getType()), value);
}

bool isVectorizableBody(Block &body) {
  return llvm::all_of(body.without_terminator(), [](Operation &op) {
    return op.getNumRegions() == 0 && (OpTrait::hasElementwiseMappableTraits(&op) || isa<linalg::IndexOp>(op) ||
                                       op.hasTrait<OpTrait::ConstantLike>());
  });
}

/// One op of the body, on vectors when an operand is one.
static void emitOp(OpBuilder &builder, Operation &op, IRMapping &mapping, int64_t lanes) {
  auto isVector = [&](Value v) { return isa<VectorType>(mapping.lookupOrDefault(v).getType()); };
  if (llvm::none_of(op.getOperands(), isVector)) {
    builder.clone(op, mapping);
    return;
  }
  SmallVector<Value> operands;
  for (Value operand : op.getOperands())
    operands.push_back(widen(builder, op.getLoc(), mapping.lookupOrDefault(operand), lanes));
  SmallVector<Type> types;
  for (Type type : op.getResultTypes())
    types.push_back(VectorType::get({lanes}, type));
  OperationState state(op.getLoc(), op.getName(), operands, types, op.getAttrs());
  mapping.map(op.getResults(), builder.create(state)->getResults());
}

SmallVector<Value> emitVectorBody(OpBuilder &builder, Block &body, IRMapping &mapping, int64_t lanes,
                                  function_ref<Value(unsigned)> index) {
  for (Operation &op : body.without_terminator()) {
    if (auto indexOp = dyn_cast<linalg::IndexOp>(op)) {
      assert(index && "linalg.index needs the loops' values");
      mapping.map(indexOp.getResult(), index(indexOp.getDim()));
      continue;
    }
    if (op.getNumResults() == 1 && mapping.contains(op.getResult(0)))
      continue; // the caller has decided it
    emitOp(builder, op, mapping, lanes);
  }
  SmallVector<Value> results;
  for (Value operand : body.getTerminator()->getOperands())
    results.push_back(mapping.lookupOrDefault(operand));
  return results;
}

} // namespace weft
