// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A kernel's arguments that hold experts' weights, and the offsets that tell which of them are read, get names that
// outlive the product:
//   func @kernel(%x, %w {weft.experts = "weight"}, %offsets {weft.experts = "offsets"}, …)
#include "lowering/tile/Passes.h"

#include "dialects/weft/RoutingOps.h"

#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace weft {
#define GEN_PASS_DEF_MARKEXPERTS
#include "lowering/tile/Passes.h.inc"
} // namespace weft

using namespace mlir;

namespace weft {
namespace {

/// The kernel's argument that a tensor is read from; null: it is computed.
BlockArgument argumentOf(Value tensor, func::FuncOp kernel) {
  auto read = tensor.getDefiningOp<bufferization::ToTensorOp>();
  auto argument = read ? dyn_cast<BlockArgument>(read.getBuffer()) : BlockArgument();
  return argument && argument.getOwner() == &kernel.front() ? argument : BlockArgument();
}

struct MarkExpertsPass : impl::MarkExpertsBase<MarkExpertsPass> {
  void runOnOperation() override {
    for (auto kernel : getOperation().getOps<func::FuncOp>())
      if (kernel->hasAttr("weft.kernel"))
        mark(kernel);
  }

  static void mark(func::FuncOp kernel) {
    SmallVector<GroupedMatmulOp> products(kernel.getOps<GroupedMatmulOp>());
    if (products.empty())
      return;
    // Of several products those of the first one's groups: the offsets of others have no name of their own.
    BlockArgument offsets = argumentOf(products.front().getOffsets(), kernel);
    if (!offsets)
      return;
    OpBuilder b(kernel);
    kernel.setArgAttr(offsets.getArgNumber(), "weft.experts", b.getStringAttr("offsets"));
    for (GroupedMatmulOp product : products)
      if (BlockArgument weight = argumentOf(product.getRhs(), kernel);
          weight && argumentOf(product.getOffsets(), kernel) == offsets)
        kernel.setArgAttr(weight.getArgNumber(), "weft.experts", b.getStringAttr("weight"));
  }
};

} // namespace
} // namespace weft
