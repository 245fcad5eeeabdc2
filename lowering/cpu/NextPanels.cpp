// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// %share = count · ⌈kTileBlock / tiles⌉ lines before each kTileBlock steps:
//   scf.for %i to %share step count { count × memref.prefetch %weight[%panel, %line + %i …] }
#include "lowering/cpu/NextPanels.h"

#include "lowering/cpu/IndexLoops.h"
#include "lowering/cpu/RegisterTile.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

using namespace mlir;

namespace weft {
namespace {

class NextPanelEmitter : IndexLoops {
public:
  NextPanelEmitter(Location loc, const NextPanels &panels) : IndexLoops(loc), panels(panels) {}

  /// Where this tile's share lies. Lines are counted through the panels: beyond a panel's last step they are the next
  /// panel's.
  void emitPlace(OpBuilder &b) {
    share = arith::MulIOp::create(b, loc, emitSharedSteps(b), constant(b, panels.count));
    Value lines = arith::MulIOp::create(b, loc, share, constant(b, panels.depth / kTileBlock));
    Value last = arith::SubIOp::create(b, loc, constant(b, panels.depth * panels.count), lines);
    Value first = arith::MulIOp::create(b, loc, panels.index, lines), depth = constant(b, panels.depth);
    first = arith::MinUIOp::create(b, loc, first, last);
    panel = arith::AddIOp::create(b, loc, panels.first, arith::DivUIOp::create(b, loc, first, depth));
    line = arith::RemUIOp::create(b, loc, first, depth);
    if (panels.begin)
      line = arith::AddIOp::create(b, loc, line, panels.begin);
  }

  void emitHints(OpBuilder &b, Value step) {
    Value block = arith::DivUIOp::create(b, loc, step, constant(b, kTileBlock));
    Value place = arith::AddIOp::create(b, loc, line, arith::MulIOp::create(b, loc, block, share));
    forEach(b, share, panels.count, [&](OpBuilder &body, Value i) {
      Value from = arith::AddIOp::create(body, loc, place, i), zero = constant(body, 0);
      for (int64_t hint = 0; hint < panels.count; ++hint)
        memref::PrefetchOp::create(body, loc, panels.weight, ValueRange{panel, add(body, from, hint), zero},
                                   /*isWrite=*/false, /*localityHint=*/2, /*isDataCache=*/true);
    });
  }

private:
  /// Steps of the next panels for kTileBlock of these. A tile without others uses its panels as fast as memory gives
  /// them, and asks for little.
  Value emitSharedSteps(OpBuilder &b) {
    Value one = constant(b, 1), tiles = arith::MaxUIOp::create(b, loc, panels.tiles, one);
    Value alone = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, tiles, one);
    Value steps = arith::CeilDivUIOp::create(b, loc, constant(b, kTileBlock), tiles);
    return arith::SelectOp::create(b, loc, alone, one, steps);
  }

  NextPanels panels;
  Value share, panel, line;
};

} // namespace

std::function<void(OpBuilder &, Value)> emitNextPanels(OpBuilder &builder, Location loc, const NextPanels &panels) {
  NextPanelEmitter emitter(loc, panels);
  emitter.emitPlace(builder);
  return [emitter](OpBuilder &b, Value step) mutable { emitter.emitHints(b, step); };
}

} // namespace weft
