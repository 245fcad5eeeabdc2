// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Buffers and barriers of a block get their places in its shared memory:
//   tile.alloc : !tile.buffer<…>   →   tile.alloc {offset = 1024} : !tile.buffer<…>,   weft.shared_bytes on the
//   function
#include "lowering/nvptx/Passes.h"

#include "dialects/tile/TileOps.h"

#include "mlir/Interfaces/FunctionInterfaces.h"

#include "llvm/Support/MathExtras.h"

namespace weft {
#define GEN_PASS_DEF_PLACEBUFFERS
#include "lowering/nvptx/Passes.h.inc"
} // namespace weft

using namespace mlir;

namespace weft {
namespace {

constexpr const char *kSharedBytes = "weft.shared_bytes";

struct Piece {
  Operation *op;
  int64_t bytes, alignment;

  static std::optional<Piece> of(Operation *op) {
    if (auto alloc = dyn_cast<tile::AllocOp>(op)) {
      tile::BufferType type = alloc.getBuffer().getType();
      return Piece{op, type.getStages() * type.stageBytes(), type.alignment()};
    }
    constexpr int64_t kBarrier = 8; // bytes of an mbarrier; a stage has two
    if (auto pipeline = dyn_cast<tile::PipelineOp>(op))
      return Piece{op, 2 * kBarrier * pipeline.getPipeline().getType().getStages(), kBarrier};
    return std::nullopt;
  }
};

struct PlaceBuffersPass : impl::PlaceBuffersBase<PlaceBuffersPass> {
  void runOnOperation() override {
    getOperation()->walk([](FunctionOpInterface function) { place(function); });
  }

  /// Those with the largest alignment first, so that nothing lies idle between them.
  static void place(FunctionOpInterface function) {
    SmallVector<Piece> pieces;
    function->walk([&](Operation *op) {
      if (std::optional<Piece> piece = Piece::of(op))
        pieces.push_back(*piece);
    });
    if (pieces.empty())
      return;
    auto known = function->getAttrOfType<IntegerAttr>(kSharedBytes);
    int64_t end = known ? known.getInt() : 0;
    Builder b(function->getContext());
    for (int64_t alignment : {1024, 512, 256, 16, 8})
      for (const Piece &piece : pieces) {
        if (piece.alignment != alignment)
          continue;
        end = llvm::alignTo(end, alignment);
        piece.op->setAttr("offset", b.getI64IntegerAttr(end));
        end += piece.bytes;
      }
    function->setAttr(kSharedBytes, b.getI64IntegerAttr(end));
  }
};

} // namespace
} // namespace weft
