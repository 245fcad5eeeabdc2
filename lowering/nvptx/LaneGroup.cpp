// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lowering/nvptx/LaneGroup.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Interfaces/ViewLikeInterface.h"

using namespace mlir;

namespace weft {

LaneGroup LaneGroup::emit(OpBuilder &b, Location loc) {
  Type i32 = b.getI32Type();
  Value thread = NVVM::ThreadIdXOp::create(b, loc, i32);
  auto constant = [&](int64_t value) -> Value { return arith::ConstantIntOp::create(b, loc, value, 32); };
  LaneGroup group;
  group.lane = arith::AndIOp::create(b, loc, thread, constant(kGroupLanes - 1));
  // The upper half of a warp: bits 16 to 31.
  Value first = arith::AndIOp::create(b, loc, thread, constant(kGroupLanes));
  group.mask = arith::ShLIOp::create(b, loc, constant((1 << kGroupLanes) - 1), first);
  return group;
}

SmallVector<func::FuncOp> laneFunctions(ModuleOp module) {
  SmallVector<func::FuncOp> functions;
  for (auto kernels : module.getOps<gpu::GPUModuleOp>())
    for (auto function : kernels.getOps<func::FuncOp>())
      if (!function->hasAttr(kBlockAttribute))
        functions.push_back(function);
  return functions;
}

int64_t rootOf(Value memref) {
  while (Operation *op = memref.getDefiningOp()) {
    if (auto root = op->getAttrOfType<IntegerAttr>(kRootAttribute))
      return root.getInt();
    auto view = dyn_cast<ViewLikeOpInterface>(op);
    if (!view)
      return -1;
    memref = view.getViewSource();
  }
  return -1;
}

} // namespace weft
