// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// %steps = ⌈kTileBlock / tiles⌉ steps of the next panels before each kTileBlock of these:
//   scf.for %i to %steps { count × memref.prefetch %weight[%first + 0 …, %begin + %i …] }
#include "lowering/vectorize/NextPanels.h"

#include "lowering/vectorize/IndexLoops.h"
#include "lowering/vectorize/RegisterTile.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

using namespace mlir;

namespace weft {
namespace {

class NextPanelEmitter : IndexLoops {
public:
  NextPanelEmitter(Location loc, const NextPanels &panels) : IndexLoops(loc), panels(panels) {}

  /// Where this tile's share of the panels' steps lies.
  void emitPlace(OpBuilder &b) {
    emitSharedSteps(b);
    Value blocks = arith::DivUIOp::create(b, loc, panels.depth, constant(b, kTileBlock));
    Value share = arith::MulIOp::create(b, loc, steps, blocks);
    Value last = arith::SubIOp::create(b, loc, panels.depth, arith::MinUIOp::create(b, loc, share, panels.depth));
    begin = arith::MinUIOp::create(b, loc, arith::MulIOp::create(b, loc, panels.index, share), last);
    if (panels.begin)
      begin = arith::AddIOp::create(b, loc, begin, panels.begin);
  }

  void emitHints(OpBuilder &b, Value step) {
    Value block = arith::DivUIOp::create(b, loc, step, constant(b, kTileBlock));
    Value place = arith::AddIOp::create(b, loc, begin, arith::MulIOp::create(b, loc, block, steps));
    forEach(b, steps, 1, [&](OpBuilder &body, Value i) {
      Value line = arith::AddIOp::create(body, loc, place, i), zero = constant(body, 0);
      for (int64_t panel = 0; panel < panels.count; ++panel)
        memref::PrefetchOp::create(body, loc, panels.weight, ValueRange{add(body, panels.first, panel), line, zero},
                                   /*isWrite=*/false, /*localityHint=*/2, /*isDataCache=*/true);
    });
  }

private:
  /// Steps of the next panels for kTileBlock of these. A tile without others uses its panels as fast as memory gives
  /// them, and asks for little.
  void emitSharedSteps(OpBuilder &b) {
    Value one = constant(b, 1), tiles = arith::MaxUIOp::create(b, loc, panels.tiles, one);
    Value alone = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, tiles, one);
    steps = arith::CeilDivUIOp::create(b, loc, constant(b, kTileBlock), tiles);
    steps = arith::SelectOp::create(b, loc, alone, one, steps);
  }

  NextPanels panels;
  Value steps, begin;
};

} // namespace

std::function<void(OpBuilder &, Value)> emitNextPanels(OpBuilder &builder, Location loc, const NextPanels &panels) {
  NextPanelEmitter emitter(loc, panels);
  emitter.emitPlace(builder);
  return [emitter](OpBuilder &b, Value step) mutable { emitter.emitHints(b, step); };
}

} // namespace weft
