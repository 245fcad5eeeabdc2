// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Kernel bodies on tensors → memrefs, in place (one-shot bufferization); tile-sized scratch goes to the stack.
#include "lowering/bufferize/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Bufferization/IR/BufferizableOpInterface.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Bufferization/Transforms/OneShotAnalysis.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Interfaces/ValueBoundsOpInterface.h"

namespace weft {
#define GEN_PASS_DEF_BUFFERIZEKERNELS
#include "lowering/bufferize/Passes.h.inc"
} // namespace weft

using namespace mlir;

namespace weft {
namespace {

/// Of scratch: a cache line, which is also the widest vector.
constexpr int64_t kAlignment = 64;
/// A thread's stack is several MiB; no tile needs as much as this.
constexpr int64_t kLargestScratch = 1 << 20;

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
      placeScratch(kernel);
    }
  }

  /// Scratch lives on the stack, aligned for vectors: of its size, or of the largest that a tile can have.
  void placeScratch(func::FuncOp kernel) {
    // All sizes first: one may be an extent of another scratch.
    SmallVector<std::pair<memref::AllocOp, std::optional<int64_t>>> allocs;
    kernel.walk([&](memref::AllocOp op) { allocs.emplace_back(op, largestSize(op)); });
    for (auto [op, bytes] : allocs) {
      OpBuilder b(op);
      if (op.getType().hasStaticShape() && bytes) {
        auto scratch = memref::AllocaOp::create(b, op.getLoc(), op.getType(), b.getI64IntegerAttr(kAlignment));
        op.replaceAllUsesWith(scratch.getResult());
      } else if (bytes) {
        auto type = MemRefType::get({*bytes}, b.getI8Type());
        Value scratch = memref::AllocaOp::create(b, op.getLoc(), type, b.getI64IntegerAttr(kAlignment));
        Value start = arith::ConstantIndexOp::create(b, op.getLoc(), 0);
        Value view = memref::ViewOp::create(b, op.getLoc(), op.getType(), scratch, start, op.getDynamicSizes());
        op.replaceAllUsesWith(view);
      } else {
        continue; // reported by weft-convert-forall, unless an epilogue does without it
      }
      op.erase();
    }
  }

  /// Bytes that bound the scratch, from the bounds of its dynamic extents (those of a tile, mostly).
  static std::optional<int64_t> largestSize(memref::AllocOp op) {
    Type element = op.getType().getElementType();
    int64_t bytes = element.isIndex() ? 8 : llvm::divideCeil(element.getIntOrFloatBitWidth(), 8);
    for (int64_t extent : op.getType().getShape())
      if (!ShapedType::isDynamic(extent))
        bytes *= extent;
    for (Value extent : op.getDynamicSizes()) {
      FailureOr<int64_t> bound =
          ValueBoundsConstraintSet::computeConstantBound(presburger::BoundType::UB, extent, nullptr, /*closedUB=*/true);
      if (failed(bound))
        return std::nullopt;
      bytes *= *bound;
    }
    return bytes <= kLargestScratch ? std::optional(bytes) : std::nullopt;
  }
};

} // namespace
} // namespace weft
