// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// An item that is attention of few queries → a function for a block of threads, and its launch. For each chunk of keys:
//   scores  – threads beside each other read a key, 16 bytes each, for all query heads that share it; sums by shuffles
//   weights – a warp for each row: the regions, the running maximum and sum (Milakov and Gimelshein 2018,
//             arXiv:1805.02867), weights = exp2(scores − maximum)
//   values  – threads beside each other read a row of values; at the end their sums meet in shared memory
// A key's place in its chunk decides which thread adds it when, so that hidden keys before it change no bit.
#include "lowering/nvptx/Passes.h"

#include "lowering/nvptx/DecodeEmitter.h"
#include "lowering/nvptx/LaneGroup.h"

#include "dialects/tile/TileOps.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/Remarks.h"

namespace weft {
#define GEN_PASS_DEF_BLOCKDECODE
#include "lowering/nvptx/Passes.h.inc"
} // namespace weft

using namespace mlir;

namespace weft {
namespace {

/// Whether an item is one batch and one head of the keys, with rows of queries that lie together.
bool isOneHead(const BlockDecode &plan) {
  AttentionOp op = plan.op;
  auto query = cast<MemRefType>(op.getQuery().getType());
  for (auto [expr, extent] : llvm::zip_equal(op.getIndexingMap(0).getResults(), query.getShape())) {
    auto dim = cast<AffineDimExpr>(expr);
    if ((dim.getPosition() == AttentionOp::Batch && extent != 1) ||
        (dim.getPosition() == AttentionOp::Head && extent != plan.decode.group))
      return false;
  }
  SmallVector<int64_t> strides;
  int64_t offset;
  return succeeded(query.getStridesAndOffset(strides, offset)) && strides.back() == 1;
}

struct BlockDecodePass : impl::BlockDecodeBase<BlockDecodePass> {
  void runOnOperation() override {
    ModuleOp module = getOperation();
    LLVMTypeConverter types(&getContext());
    for (func::FuncOp kernel : kernelsOfHost(module)) {
      BlockDecodeMatch match = matchBlockDecode(kernel);
      if (!match.plan) {
        if (!match.obstacle.empty())
          missed(kernel, match.obstacle);
        continue;
      }
      SmallVector<scf::ForallOp> loops = itemLoopsOf(kernel);
      if (loops.size() != 1 || !isForBlocks(loops.front(), {match.plan->op.getOperation()}) ||
          !isOneHead(*match.plan)) {
        missed(kernel, "its items are more than the attention of one head of the keys");
        continue;
      }
      DeviceModule device = DeviceModule::findOrCreate(module);
      convert(loops.front(), *match.plan, types, device);
    }
  }

  static void missed(func::FuncOp kernel, StringRef obstacle) {
    remark::missed(kernel.getLoc(), remark::RemarkOpts::name("no-block").category("weft-block-decode"))
        << ("attention of few queries is for lanes: " + obstacle).str();
  }

  static void convert(scf::ForallOp forall, const BlockDecode &plan, const LLVMTypeConverter &types,
                      DeviceModule &device) {
    BlockShape shape{BlockDecode::kThreads, /*items=*/1, DecodeEmitter::sharedBytes(plan)};
    AttentionOp op = plan.op;
    outlineBlocks(forall, {op.getOperation()}, shape, types, device,
                  [&](OpBuilder &b, IRMapping &mapping) { DecodeEmitter(b, plan, mapping).run(); });
  }
};

} // namespace
} // namespace weft
