// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// An item that is a few ops on long rows (a norm; what merges splits of attention) → a function for a block of threads:
//   linalg.generic {parallel, reduction} ins(%x : memref<1x4096xf32>) outs(%sum : memref<1xf32>)
// becomes every 256th element a thread, shuffles, and eight sums in shared memory. Scratch is shared memory, and a
// barrier stands between ops. Which thread adds what follows from extents alone.
#include "lowering/nvptx/Passes.h"

#include "lowering/nvptx/BlockOutline.h"
#include "lowering/nvptx/RowOps.h"

#include "dialects/tile/TileOps.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"

namespace weft {
#define GEN_PASS_DEF_BLOCKROWS
#include "lowering/nvptx/Passes.h.inc"
} // namespace weft

using namespace mlir;

namespace weft {
namespace {

/// Rows from which a block is worth its barriers: shorter ones share a block, half a warp each.
constexpr int64_t kLongRow = 512;
/// Shared memory of a block on any GPU from compute capability 8.0 on.
constexpr int64_t kMostBytes = 99 * 1024;

/// Scratch whose users are ops of the item.
bool isOwnScratch(memref::AllocaOp op, ArrayRef<Operation *> ops) {
  return op.getType().hasStaticShape() && op.getType().getElementType().isIntOrFloat() &&
         op.getType().getLayout().isIdentity() &&
         llvm::all_of(op->getUsers(), [&](Operation *user) { return llvm::is_contained(ops, user); });
}

int64_t bytesOf(memref::AllocaOp op) {
  MemRefType type = op.getType();
  return llvm::alignTo(type.getNumElements() * llvm::divideCeil(type.getElementTypeBitWidth(), 8), 16);
}

/// The ops of an item that is nothing else, one of which is long; empty: it is not.
SmallVector<Operation *> matchRows(scf::ForallOp forall) {
  SmallVector<Operation *> ops;
  bool isLong = false;
  for (Operation &op : forall.getBody()->without_terminator()) {
    auto linalgOp = dyn_cast<linalg::LinalgOp>(op);
    if (!linalgOp)
      continue;
    if (!RowOp::fits(linalgOp))
      return {};
    ops.push_back(&op);
    isLong |= RowOp::longestReduction(linalgOp) >= kLongRow;
  }
  bool ownScratch = llvm::all_of(forall.getBody()->getOps<memref::AllocaOp>(),
                                 [&](memref::AllocaOp op) { return isOwnScratch(op, ops); });
  int64_t bytes = RowOp::kPartBytes;
  for (memref::AllocaOp op : forall.getBody()->getOps<memref::AllocaOp>())
    bytes += ownScratch ? bytesOf(op) : 0;
  return isLong && ownScratch && bytes <= kMostBytes && isForBlocks(forall, ops) ? ops : SmallVector<Operation *>();
}

struct BlockRowsPass : impl::BlockRowsBase<BlockRowsPass> {
  void runOnOperation() override {
    ModuleOp module = getOperation();
    LLVMTypeConverter types(&getContext());
    for (func::FuncOp kernel : kernelsOfHost(module)) {
      SmallVector<scf::ForallOp> loops;
      kernel.walk([&](scf::ForallOp op) { loops.push_back(op); });
      if (loops.size() != 1)
        continue;
      SmallVector<Operation *> ops = matchRows(loops.front());
      if (ops.empty())
        continue;
      DeviceModule device = DeviceModule::findOrCreate(module);
      convert(loops.front(), ops, types, device);
    }
  }

  static void convert(scf::ForallOp forall, ArrayRef<Operation *> ops, const LLVMTypeConverter &types,
                      DeviceModule &device) {
    SmallVector<memref::AllocaOp> buffers(forall.getBody()->getOps<memref::AllocaOp>());
    int64_t bytes = RowOp::kPartBytes;
    for (memref::AllocaOp buffer : buffers)
      bytes += bytesOf(buffer);
    BlockShape shape{RowOp::kThreads, /*items=*/1, bytes};
    outlineBlocks(forall, ops, shape, types, device, [&](OpBuilder &b, IRMapping &mapping) {
      Value parts = RowOp::allocate(b, forall.getLoc(), RowOp::kPartBytes);
      for (memref::AllocaOp buffer : buffers)
        mapping.map(buffer.getResult(), RowOp::allocateView(b, buffer, bytesOf(buffer), types));
      for (Operation *op : ops) {
        if (op != ops.front())
          tile::SyncOp::create(b, op->getLoc());
        RowOp(b, cast<linalg::LinalgOp>(op), mapping, parts).run();
      }
    });
  }
};

} // namespace
} // namespace weft
