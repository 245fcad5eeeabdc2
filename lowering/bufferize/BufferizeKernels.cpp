// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Kernel bodies on tensors → memrefs, in place (one-shot bufferization); tile-sized scratch goes to the stack.
#include "lowering/bufferize/Passes.h"

#include "mlir/Dialect/Bufferization/IR/BufferizableOpInterface.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Bufferization/Transforms/OneShotAnalysis.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

namespace weft {
#define GEN_PASS_DEF_BUFFERIZEKERNELS
#include "lowering/bufferize/Passes.h.inc"
} // namespace weft

using namespace mlir;

namespace weft {
namespace {

/// Copies become linalg ops: they vectorise, and none becomes a call of the C library.
LogicalResult createCopy(OpBuilder &b, Location loc, Value from, Value to) {
  linalg::CopyOp::create(b, loc, from, to);
  return success();
}

/// A copy of memory onto itself does nothing.
void eraseSelfCopies(func::FuncOp kernel) {
  kernel.walk([](linalg::CopyOp copy) {
    Value from = copy.getInputs().front(), to = copy.getOutputs().front();
    // A reshape and its inverse may stand between.
    auto base = [](Value value) {
      while (Operation *op = value.getDefiningOp()) {
        if (!isa<memref::ExpandShapeOp, memref::CollapseShapeOp, memref::CastOp>(op))
          break;
        value = op->getOperand(0);
      }
      return value;
    };
    if (base(from) == base(to))
      copy.erase();
  });
}

struct BufferizeKernelsPass : impl::BufferizeKernelsBase<BufferizeKernelsPass> {
  void runOnOperation() override {
    bufferization::OneShotBufferizationOptions options;
    options.memCpyFn = createCopy;
    options.setFunctionBoundaryTypeConversion(bufferization::LayoutMapOption::IdentityLayoutMap);
    SmallVector<func::FuncOp> kernels;
    getOperation()->walk([&](func::FuncOp function) {
      if (function->hasAttr("weft.kernel"))
        kernels.push_back(function);
    });
    for (func::FuncOp kernel : kernels) {
      bufferization::BufferizationState state;
      if (failed(bufferization::runOneShotBufferize(kernel, options, state)))
        return signalPassFailure();
      eraseSelfCopies(kernel);
      if (failed(placeScratch(kernel)))
        return signalPassFailure();
    }
  }

  /// Scratch of a fixed size lives on the stack, aligned for vectors; a product's block is left to its epilogue.
  LogicalResult placeScratch(func::FuncOp kernel) {
    SmallVector<memref::AllocOp> allocs;
    kernel.walk([&](memref::AllocOp op) { allocs.push_back(op); });
    for (memref::AllocOp op : allocs) {
      if (!op.getType().hasStaticShape())
        continue;
      OpBuilder b(op);
      auto scratch = memref::AllocaOp::create(b, op.getLoc(), op.getType(), b.getI64IntegerAttr(64));
      op.replaceAllUsesWith(scratch.getResult());
      op.erase();
    }
    return success();
  }
};

} // namespace
} // namespace weft
