// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Code on vectors → code on scalars, lane l in thread l of a group (threads beyond a short vector hold nothing of
// meaning; of a wide one, a thread holds neighbours); a scalar is the same in every thread:
//   vector.load %x[%i]        →  memref.load %x[%i + %lane]
//   vector.extract %v[3]      →  nvvm.shfl.sync idx %group, %v, 3
//   memref.store %s, %x[%i]   →  scf.if %lane == 0 { memref.store }
#include "lowering/nvptx/Passes.h"

#include "lowering/nvptx/LanePatterns.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/SCF/Transforms/Patterns.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

namespace weft {
#define GEN_PASS_DEF_DISTRIBUTELANES
#include "lowering/nvptx/Passes.h.inc"
} // namespace weft

using namespace mlir;

namespace weft {
namespace {

bool isVector(Type type) { return isa<VectorType>(type); }

/// A lane's values for a vector; other types stay.
struct LaneTypes : TypeConverter {
  LaneTypes() {
    addConversion([](Type type) { return type; });
    addConversion([](VectorType type, SmallVectorImpl<Type> &results) -> std::optional<LogicalResult> {
      results.append(elementsOfLane(type), type.getElementType());
      return success(!results.empty());
    });
  }
};

/// One thread stores what all of them have.
void storeOnce(func::FuncOp function, LaneGroup group) {
  SmallVector<memref::StoreOp> stores;
  function.walk([&](memref::StoreOp op) { stores.push_back(op); });
  for (memref::StoreOp op : stores) {
    OpBuilder b(op);
    Value zero = arith::ConstantIntOp::create(b, op.getLoc(), 0, 32);
    Value isFirst = arith::CmpIOp::create(b, op.getLoc(), arith::CmpIPredicate::eq, group.lane, zero);
    auto guard = scf::IfOp::create(b, op.getLoc(), isFirst, /*withElseRegion=*/false);
    op->moveBefore(guard.thenBlock()->getTerminator());
  }
}

LogicalResult distribute(func::FuncOp function) {
  MLIRContext *context = function.getContext();
  OpBuilder b = OpBuilder::atBlockBegin(&function.front());
  LaneGroup group = LaneGroup::emit(b, function.getLoc());
  storeOnce(function, group);
  function.walk([](memref::PrefetchOp op) { op.erase(); }); // threads that wait make room for others

  LaneTypes types;
  RewritePatternSet patterns(context);
  ConversionTarget target(*context);
  scf::populateSCFStructuralTypeConversionsAndLegality(types, patterns, target);
  populateLanePatterns(types, patterns, group);
  target.markUnknownOpDynamicallyLegal([](Operation *op) {
    return llvm::none_of(op->getOperandTypes(), isVector) && llvm::none_of(op->getResultTypes(), isVector);
  });
  return applyPartialConversion(function, target, std::move(patterns));
}

struct DistributeLanesPass : impl::DistributeLanesBase<DistributeLanesPass> {
  void runOnOperation() override {
    for (func::FuncOp function : laneFunctions(getOperation()))
      if (failed(distribute(function)))
        return signalPassFailure();
  }
};

} // namespace
} // namespace weft
