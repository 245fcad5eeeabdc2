// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// weft.scan on memrefs → parallel loops over walks (ScanWalk.h), chosen by extents alone:
//   enough other places:  scf.forall (%place) { walk over all steps }
//   few of them:          scf.forall (%place, %block) { walk over the block's steps, its last accumulators to a scratch
//   }
//                         for each place: the accumulators of the blocks, one combined with the next
//                         scf.forall (%place, %block) { walk over the block's steps from there, outputs stored }
// The second way reads its inputs twice and runs on as many threads as there are blocks; on a GPU, whose launches share
// no scratch, it is never taken.
#include "lowering/vectorize/Passes.h"

#include "lowering/analysis/CostModel.h"
#include "lowering/vectorize/ScanWalk.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/Remarks.h"

namespace weft {
#define GEN_PASS_DEF_VECTORIZESCAN
#include "lowering/vectorize/Passes.h.inc"
} // namespace weft

using namespace mlir;

namespace weft {
namespace {

/// Fewer places than this leave threads idle.
constexpr int64_t kEnoughPlaces = 8;
/// Blocks into which a place's steps are cut, at most; and their steps, at least.
constexpr int64_t kMostBlocks = 16, kLeastSteps = 256;
/// Lanes of a place that blocks keep accumulators of, at most.
constexpr int64_t kMostLanes = 1024;

/// What one item of the first and of the last way works on.
struct ScanPlace {
  Value number;
  ScanPanel panel;  ///< the place's dimensions
  Value first, end; ///< its lanes
};

class ScanEmitter : IndexLoops {
public:
  ScanEmitter(ScanOp op, const RegisterPlan &reg, TargetAttr target)
      : IndexLoops(op.getLoc()), op(op), reg(reg), walk(op, reg), model(target), count(op.getNumAccumulators()),
        vectors(scanVectors(op, target)), sharesScratch(!isDevice(target)) {}

  void emit(OpBuilder &b);

private:
  using Accumulators = ScanWalk::Accumulators;
  using Body = function_ref<void(OpBuilder &, const ScanPanel &)>;

  Value extent(OpBuilder &b, unsigned dim) {
    auto [input, place] = op.getOperandWith(dim);
    return getValueOrCreateConstantIndexOp(b, loc, memref::getMixedSize(b, loc, input, place));
  }
  Value minus(OpBuilder &b, Value x, Value y) { return arith::SubIOp::create(b, loc, x, y); }
  Value compare(OpBuilder &b, arith::CmpIPredicate predicate, Value x, Value y) {
    return arith::CmpIOp::create(b, loc, predicate, x, y);
  }
  bool carries() { return !op.getStates().empty(); }
  int64_t width() { return walk.laneDim < 0 ? 1 : vectors * reg.lanes; }

  void planPlaces(OpBuilder &b);
  int64_t scratchLanes();
  void allocate(OpBuilder &b);
  void inParallel(OpBuilder &b, Value items, double share, function_ref<void(OpBuilder &, Value)> body);
  ScanPlace placeAt(OpBuilder &b, Value number);
  void forEachPanel(OpBuilder &b, const ScanPlace &place, Body body);
  void emitWhole(OpBuilder &b);
  void emitInBlocks(OpBuilder &b);
  void emitTotals(OpBuilder &b, const ScanPlace &place, Value block);
  void emitCarries(OpBuilder &b, const ScanPlace &place);
  void emitFrom(OpBuilder &b, const ScanPlace &place, Value block);
  std::pair<Value, Value> stepsOf(OpBuilder &b, Value block);
  IterationPoint scratchPoint(OpBuilder &b, const ScanPlace &place, Value block, const ScanPanel &panel, unsigned i,
                              int64_t vector);
  Accumulators load(OpBuilder &b, ArrayRef<Value> scratch, const ScanPlace &place, Value block, const ScanPanel &panel);
  void store(OpBuilder &b, ArrayRef<Value> scratch, const ScanPlace &place, Value block, const ScanPanel &panel,
             const Accumulators &values);

  ScanOp op;
  RegisterPlan reg;
  ScanWalk walk;
  CostModel model;
  unsigned count;
  int64_t vectors;                    ///< of a panel
  bool sharesScratch;                 ///< loops see what loops before them left in scratch; launches do not
  bool cutsLanes = false;             ///< a place is a panel of lanes; else all lanes, as shared accumulators need
  SmallVector<unsigned> outer;        ///< dimensions that are neither scanned nor in lanes
  Value steps, lanes, panels, places; ///< extents; panels is 1 unless lanes are cut
  Value blocks, blockSteps;
  SmallVector<Value> totals, before; ///< [places, blocks, lanes] of each accumulator: of a block alone, and before it
};

void ScanEmitter::planPlaces(OpBuilder &b) {
  steps = extent(b, op.getDimension());
  places = constant(b, 1);
  for (unsigned dim : llvm::seq(op.getNumLoops()))
    if (dim != op.getDimension() && int64_t(dim) != walk.laneDim) {
      outer.push_back(dim);
      places = arith::MulIOp::create(b, loc, places, extent(b, dim));
    }
  lanes = walk.laneDim < 0 ? constant(b, 1) : extent(b, walk.laneDim);
  panels = constant(b, 1);
  cutsLanes = walk.laneDim >= 0;
  for (unsigned i = 0; i < count; ++i)
    cutsLanes &= !walk.isShared(i);
  if (!cutsLanes)
    return;
  panels = arith::CeilDivUIOp::create(b, loc, lanes, constant(b, width()));
  places = arith::MulIOp::create(b, loc, places, panels);
}

/// Lanes of a place, as whole vectors; 0 where they are too many, or not known.
int64_t ScanEmitter::scratchLanes() {
  if (cutsLanes || walk.laneDim < 0)
    return width();
  std::optional<int64_t> known = getConstantIntValue(lanes);
  return known && *known <= kMostLanes ? llvm::alignTo(*known, reg.lanes) : 0;
}

void ScanEmitter::allocate(OpBuilder &b) {
  auto scratch = [&](ArrayRef<int64_t> shape, Type element) -> Value {
    return memref::AllocaOp::create(b, loc, MemRefType::get(shape, element), b.getI64IntegerAttr(64));
  };
  for (unsigned i = 0; i < count; ++i) {
    int64_t own = walk.isShared(i) ? 1 : scratchLanes();
    totals.push_back(scratch({kEnoughPlaces, kMostBlocks, own}, b.getF32Type()));
    before.push_back(scratch({kEnoughPlaces, kMostBlocks, own}, b.getF32Type()));
  }
}

/// `share` of a place's work is one item.
void ScanEmitter::inParallel(OpBuilder &b, Value items, double share, function_ref<void(OpBuilder &, Value)> body) {
  SmallVector<OpFoldResult> from = {b.getIndexAttr(0)}, to = {items}, by = {b.getIndexAttr(1)};
  auto loop = scf::ForallOp::create(b, loc, from, to, by, ValueRange(), std::nullopt);
  double points = kAssumedExtent * width() * share;
  Work work = Work::ofRegion(op.getCombine()) * points;
  work.bytesRead = work.bytesWritten = 4.0 * count * points;
  loop->setAttr("weft.item_cost", b.getI64IntegerAttr(std::max<int64_t>(1, std::llround(model.cycles(work)))));
  OpBuilder inner(loop.getBody()->getTerminator());
  body(inner, loop.getInductionVar(0));
}

ScanPlace ScanEmitter::placeAt(OpBuilder &b, Value number) {
  ScanPlace place{number, {}, constant(b, 0), lanes};
  place.panel.dims.assign(op.getNumLoops(), constant(b, 0));
  Value rest = number;
  auto digit = [&](Value size) {
    Value value = arith::RemUIOp::create(b, loc, rest, size);
    rest = arith::DivUIOp::create(b, loc, rest, size);
    return value;
  };
  if (cutsLanes) {
    place.first = arith::MulIOp::create(b, loc, digit(panels), constant(b, width()));
    place.end = arith::MinUIOp::create(b, loc, add(b, place.first, width()), lanes);
  }
  for (unsigned dim : llvm::reverse(outer))
    place.panel.dims[dim] = digit(extent(b, dim));
  return place;
}

void ScanEmitter::forEachPanel(OpBuilder &b, const ScanPlace &place, Body body) {
  if (walk.laneDim < 0)
    return body(b, place.panel);
  auto run = [&](Value from, Value to, int64_t together, bool masked) {
    forEach(b, from, to, together * reg.lanes, [&](OpBuilder &inner, Value lane) {
      ScanPanel part = place.panel;
      part.dims[walk.laneDim] = lane;
      part.vectors = together;
      if (masked)
        part.mask = vector::CreateMaskOp::create(inner, loc, VectorType::get({reg.lanes}, inner.getI1Type()),
                                                 minus(inner, to, lane));
      body(inner, part);
    });
  };
  auto whole = [&](int64_t together) {
    Value size = constant(b, together * reg.lanes);
    return minus(b, place.end, arith::RemUIOp::create(b, loc, minus(b, place.end, place.first), size));
  };
  Value wide = whole(vectors), narrow = whole(1);
  run(place.first, wide, vectors, false);
  run(wide, narrow, 1, false);
  run(narrow, place.end, 1, true);
}

//===--------------------------------------------------------------------------------------------------------------===//
// The two ways
//===--------------------------------------------------------------------------------------------------------------===//

void ScanEmitter::emitWhole(OpBuilder &b) {
  Value some = arith::MinUIOp::create(b, loc, steps, constant(b, 1)); // no place is walked without steps
  inParallel(b, arith::MulIOp::create(b, loc, places, some), 1, [&](OpBuilder &body, Value number) {
    ScanPlace place = placeAt(body, number);
    // Shared states are read before the first panel writes them.
    Accumulators shared = walk.loadShared(body, place.panel);
    forEachPanel(body, place, [&](OpBuilder &inner, const ScanPanel &panel) {
      Accumulators start = walk.loadStates(inner, panel, shared);
      Accumulators last =
          walk.emit(inner, panel, constant(inner, 0), steps, carries() ? &start : nullptr, Value(), true);
      walk.storeStates(inner, panel, last);
    });
  });
}

void ScanEmitter::emitInBlocks(OpBuilder &b) {
  Value share = arith::CeilDivUIOp::create(b, loc, steps, constant(b, kMostBlocks));
  blockSteps = arith::MaxUIOp::create(b, loc, share, constant(b, kLeastSteps));
  blocks = arith::CeilDivUIOp::create(b, loc, steps, blockSteps);
  Value items = arith::MulIOp::create(b, loc, places, blocks);
  auto eachBlock = [&](auto body) {
    inParallel(b, items, 1.0 / kMostBlocks, [&](OpBuilder &inner, Value item) {
      Value block = arith::RemUIOp::create(inner, loc, item, blocks);
      body(inner, placeAt(inner, arith::DivUIOp::create(inner, loc, item, blocks)), block);
    });
  };
  eachBlock([&](OpBuilder &inner, const ScanPlace &place, Value block) { emitTotals(inner, place, block); });
  forEach(b, places, 1, [&](OpBuilder &inner, Value number) { emitCarries(inner, placeAt(inner, number)); });
  eachBlock([&](OpBuilder &inner, const ScanPlace &place, Value block) { emitFrom(inner, place, block); });
}

std::pair<Value, Value> ScanEmitter::stepsOf(OpBuilder &b, Value block) {
  Value begin = arith::MulIOp::create(b, loc, block, blockSteps);
  return {begin, arith::MinUIOp::create(b, loc, add(b, begin, blockSteps), steps)};
}

/// The accumulators of a block alone.
void ScanEmitter::emitTotals(OpBuilder &b, const ScanPlace &place, Value block) {
  forEachPanel(b, place, [&](OpBuilder &body, const ScanPanel &panel) {
    auto [begin, end] = stepsOf(body, block);
    store(body, totals, place, block, panel, walk.emit(body, panel, begin, end, nullptr, Value(), false));
  });
}

/// The accumulators before each block but the first, and after the last.
void ScanEmitter::emitCarries(OpBuilder &b, const ScanPlace &place) {
  Accumulators shared = walk.loadShared(b, place.panel);
  forEachPanel(b, place, [&](OpBuilder &body, const ScanPanel &panel) {
    Value zero = constant(body, 0);
    Accumulators first = load(body, totals, place, zero, panel);
    if (carries()) {
      Accumulators state = walk.loadStates(body, panel, shared);
      store(body, before, place, zero, panel, state);
      first = walk.combined(body, state, first);
    }
    auto loop = scf::ForOp::create(body, loc, constant(body, 1), blocks, constant(body, 1), ScanWalk::flat(first),
                                   [&](OpBuilder &inner, Location, Value block, ValueRange values) {
                                     Accumulators now = walk.shaped(values, panel.vectors);
                                     store(inner, before, place, block, panel, now);
                                     Accumulators next =
                                         walk.combined(inner, now, load(inner, totals, place, block, panel));
                                     scf::YieldOp::create(inner, loc, ScanWalk::flat(next));
                                   });
    walk.storeStates(body, panel, walk.shaped(loop.getResults(), panel.vectors));
  });
}

/// The outputs of a block. The first begins anew unless there is a state.
void ScanEmitter::emitFrom(OpBuilder &b, const ScanPlace &place, Value block) {
  forEachPanel(b, place, [&](OpBuilder &body, const ScanPanel &panel) {
    auto [begin, end] = stepsOf(body, block);
    Accumulators start = load(body, before, place, block, panel);
    Value fresh = carries() ? Value() : compare(body, arith::CmpIPredicate::eq, block, constant(body, 0));
    walk.emit(body, panel, begin, end, &start, fresh, true);
  });
}

//===--------------------------------------------------------------------------------------------------------------===//
// Scratch
//===--------------------------------------------------------------------------------------------------------------===//

IterationPoint ScanEmitter::scratchPoint(OpBuilder &b, const ScanPlace &place, Value block, const ScanPanel &panel,
                                         unsigned i, int64_t vector) {
  if (walk.isShared(i))
    return {{place.number, block, constant(b, 0)}, -1, 1, Value()};
  Value lane = add(b, minus(b, panel.dims[walk.laneDim], place.first), vector * reg.lanes);
  return {{place.number, block, lane}, 2, reg.lanes, Value()};
}

ScanWalk::Accumulators ScanEmitter::load(OpBuilder &b, ArrayRef<Value> scratch, const ScanPlace &place, Value block,
                                         const ScanPanel &panel) {
  Accumulators result(count);
  for (unsigned i = 0; i < count; ++i)
    for (int64_t v = 0; v < (walk.isShared(i) ? 1 : panel.vectors); ++v)
      result[i].push_back(
          emitLoad(b, loc, scratch[i], b.getMultiDimIdentityMap(3), scratchPoint(b, place, block, panel, i, v)));
  return result;
}

void ScanEmitter::store(OpBuilder &b, ArrayRef<Value> scratch, const ScanPlace &place, Value block,
                        const ScanPanel &panel, const Accumulators &values) {
  for (unsigned i = 0; i < count; ++i)
    for (auto [v, value] : llvm::enumerate(values[i]))
      emitStore(b, loc, value, scratch[i], b.getMultiDimIdentityMap(3), scratchPoint(b, place, block, panel, i, v));
}

void ScanEmitter::emit(OpBuilder &b) {
  planPlaces(b);
  if (walk.laneDim < 0)
    remark::missed(loc, remark::RemarkOpts::name("scalar-scan").category("weft-vectorize-scan"))
        << "no dimension but the scanned one is contiguous in all operands: one element after the other";
  // With resets, sequences that are packed into one have the bits that they have alone: none is cut.
  if (op.getReset() || scratchLanes() == 0 || !sharesScratch)
    return emitWhole(b);
  Value few = compare(b, arith::CmpIPredicate::ule, places, constant(b, kEnoughPlaces));
  Value many = compare(b, arith::CmpIPredicate::uge, steps, constant(b, 2 * kLeastSteps));
  Value cut = arith::AndIOp::create(b, loc, few, many);
  std::optional<int64_t> known = getConstantIntValue(places), length = getConstantIntValue(steps);
  if ((known && *known > kEnoughPlaces) || (length && *length < 2 * kLeastSteps))
    return emitWhole(b);
  allocate(b);
  scf::IfOp::create(
      b, loc, cut,
      [&](OpBuilder &body, Location) {
        emitInBlocks(body);
        scf::YieldOp::create(body, loc);
      },
      [&](OpBuilder &body, Location) {
        emitWhole(body);
        scf::YieldOp::create(body, loc);
      });
}

struct VectorizeScanPass : impl::VectorizeScanBase<VectorizeScanPass> {
  void runOnOperation() override {
    SmallVector<ScanOp> ops;
    getOperation()->walk([&](ScanOp op) { ops.push_back(op); });
    if (ops.empty())
      return;
    FailureOr<TargetAttr> target = targetOf(getOperation());
    if (failed(target))
      return signalPassFailure();
    for (ScanOp op : ops) {
      OpBuilder b(op);
      ScanEmitter(op, RegisterPlan::forTarget(*target), *target).emit(b);
      op.erase();
    }
  }
};

} // namespace
} // namespace weft
