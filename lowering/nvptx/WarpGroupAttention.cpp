// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// An item that is attention of up to 128 queries in half precision → a function of tile ops in roles, and its launch,
// with the schedule of FlashAttention-3 (Shah et al. 2024, arXiv:2407.08608):
//   weft.attention {…} ins(%q, %k, %v) outs(%o) mask {…}   →   tile.roles … producer { tile.fill … } consumer { … }
// The scores of the next keys and the product with the last values are computed during softmax, and the two consumers
// take turns, so that one's products run during the other's softmax.
#include "lowering/nvptx/Passes.h"

#include "dialects/tile/TileOps.h"
#include "lowering/analysis/BlockAttention.h"
#include "lowering/analysis/RegisterPlan.h"
#include "lowering/nvptx/AttentionRegions.h"
#include "lowering/nvptx/BlockOutline.h"
#include "lowering/nvptx/BulkView.h"
#include "lowering/nvptx/GlobalMatrix.h"
#include "lowering/nvptx/LaneGroup.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

namespace weft {
#define GEN_PASS_DEF_WARPGROUPATTENTION
#include "lowering/nvptx/Passes.h.inc"
} // namespace weft

using namespace mlir;

namespace weft {
namespace {

constexpr int64_t kGroups = 2, kGroupRows = 64, kGroupWarps = 4, kGroupThreads = 128;
constexpr int64_t kRows = BlockAttention::kWarpGroupQueries;
constexpr int64_t kKeys = 128; ///< of a step
constexpr int64_t kStages = 2;
/// Of a thread of the producer and of a consumer: sums, scores and weights of 128 columns fit the latter.
constexpr int64_t kRegisters[] = {24, 240};
constexpr float kLn2 = 0.6931471805599453f;
/// Finite, so that a row that has seen no key never computes inf − inf.
constexpr double kLowest = -1.7e38;
static_assert(kRows == kGroups * kGroupRows);

/// Queries, keys and values as bulk copies see them.
struct Factors {
  SmallVector<BulkView> views;

  static std::optional<Factors> of(scf::ForallOp forall, AttentionOp op);
};

std::optional<Factors> Factors::of(scf::ForallOp forall, AttentionOp op) {
  Factors made;
  for (unsigned operand = 0; operand < 3; ++operand) {
    auto dim = getAffineDimExpr(operand == 0 ? AttentionOp::Query : AttentionOp::Key, op.getContext());
    unsigned row = *op.getIndexingMap(operand).getResultPosition(dim);
    auto view = BulkView::of(forall, op->getOperand(operand), row, /*wholeRows=*/operand != 0);
    if (!view)
      return std::nullopt;
    made.views.push_back(*view);
  }
  return made;
}

tile::BufferType bufferType(int64_t rows, int64_t columns, Type element, int64_t stages = 1) {
  int64_t bytes = columns * element.getIntOrFloatBitWidth() / 8, swizzle = 128;
  while (bytes % swizzle != 0) // the widest whose panels the columns fill
    swizzle /= 2;
  return tile::BufferType::get(rows, columns, element, swizzle, stages);
}

/// The body of the device function.
class BlockEmitter {
public:
  /// `op` is the plan's, in the device function, whose last parameters are the maps.
  BlockEmitter(OpBuilder &b, const BlockAttention &plan, const Factors &factors, AttentionOp op, IRMapping &mapping)
      : b(b), plan(plan), factors(factors), op(op), mapping(mapping), loc(op.getLoc()), regions(op) {}

  void run() {
    ValueRange maps = b.getBlock()->getArguments();
    maps = maps.take_back(3);
    seen = regions.visibleKeys(b, kKeys);
    Value one = index(1), length = minus(arith::MaxSIOp::create(b, loc, seen.end, plus(seen.first, one)), seen.first);
    steps = arith::CeilDivUIOp::create(b, loc, length, index(kKeys)); // one of nothing where no key is seen
    last = minus(steps, one);
    Value nothing = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, regions.keyCount(b), index(0));
    shift = arith::SelectOp::create(b, loc, nothing, one, index(0));
    for (unsigned operand = 0; operand < 3; ++operand)
      buffers[operand] = tile::AllocOp::create(b, loc, typeOf(operand), IntegerAttr());
    for (unsigned operand = 0; operand < 3; ++operand) {
      auto type = tile::PipelineType::get(b.getContext(), operand == 0 ? 1 : kStages, kGroups * kGroupWarps);
      full[operand] = tile::PipelineOp::create(b, loc, type, IntegerAttr());
    }
    auto roles = tile::RolesOp::create(b, loc, kGroups, b.getDenseI64ArrayAttr(kRegisters));
    OpBuilder::InsertionGuard guard(b);
    b.createBlock(&roles.getProducer());
    emitProducer(maps);
    tile::EndOp::create(b, loc);
    Block *consumer = b.createBlock(&roles.getConsumer(), {}, {b.getIndexType()}, {loc});
    group = consumer->getArgument(0);
    emitConsumer();
    tile::EndOp::create(b, loc);
  }

private:
  /// Running maxima in units of scores, running sums of weights, of which each lane has a part, the sums, and weights
  /// of the last step, which are still to be multiplied.
  struct State {
    Value maxima, parts, sums, weights;
    explicit State(ValueRange values) : maxima(values[0]), parts(values[1]), sums(values[2]), weights(values[3]) {}
    SmallVector<Value> values() const { return {maxima, parts, sums, weights}; }
  };
  /// What a step makes of its scores.
  struct Softmax {
    Value maxima, likely, sum;
  };

  OpBuilder &b;
  const BlockAttention &plan;
  const Factors &factors;
  AttentionOp op;
  IRMapping &mapping;
  Location loc;
  AttentionRegions regions;
  AttentionRegions::Keys seen;
  Value steps, last, shift, group, mine;
  Value buffers[3], full[3];

  Value index(int64_t value) { return arith::ConstantIndexOp::create(b, loc, value); }
  Value number(double value) { return arith::ConstantOp::create(b, loc, b.getF32FloatAttr(float(value))); }
  Value plus(Value x, Value y) { return b.createOrFold<arith::AddIOp>(loc, x, y); }
  Value minus(Value x, Value y) { return b.createOrFold<arith::SubIOp>(loc, x, y); }
  Value times(Value x, int64_t y) { return b.createOrFold<arith::MulIOp>(loc, x, index(y)); }

  tile::BufferType typeOf(unsigned operand) {
    int64_t columns = operand == 2 ? plan.valueColumns() : plan.headColumns();
    return bufferType(operand == 0 ? kRows : kKeys, columns, plan.product, operand == 0 ? 1 : kStages);
  }
  tile::FragmentType matrixType(int64_t columns, Type element) {
    return tile::FragmentType::get(b.getContext(), {kGroupRows, columns}, element,
                                   tile::AccumulatorAttr::get(b.getContext(), kGroupWarps, 1));
  }
  tile::FragmentType sumsType() { return matrixType(plan.valueColumns(), b.getF32Type()); }
  tile::FragmentType rowsType(bool partial) {
    return tile::FragmentType::get(b.getContext(), {kGroupRows}, b.getF32Type(),
                                   tile::RowValuesAttr::get(b.getContext(), kGroupWarps, 1, partial));
  }

  Value map(Type result, ValueRange inputs, function_ref<Value(ValueRange)> emit) {
    return tile::emitMap(b, loc, result, inputs, emit);
  }

  Value exp2(Value x) { return math::Exp2Op::create(b, loc, x, arith::FastMathFlags::afn); }

  /// The first key of a step; steps count from the last keys to the first.
  Value firstKey(Value step) { return plus(seen.first, times(minus(last, step), kKeys)); }

  Value stage(unsigned operand, Value step) { return tile::StageOp::create(b, loc, buffers[operand], step); }

  //===--------------------------------------------------------------------===//
  // The producer
  //===--------------------------------------------------------------------===//

  void emitProducer(ValueRange maps) {
    Value zero = index(0), one = index(1);
    fill(maps, 0, zero, buffers[0], zero);
    fill(maps, 1, zero, stage(1, zero), firstKey(zero));
    auto loop = scf::ForOp::create(b, loc, one, steps, one);
    {
      OpBuilder::InsertionGuard guard(b);
      b.setInsertionPointToStart(loop.getBody());
      Value step = loop.getInductionVar(), before = minus(step, one);
      fill(maps, 1, step, stage(1, step), firstKey(step));
      fill(maps, 2, before, stage(2, before), firstKey(before));
    }
    fill(maps, 2, last, stage(2, last), firstKey(last));
  }

  void fill(ValueRange maps, unsigned operand, Value count, Value buffer, Value row) {
    if (operand != 0)
      row = plus(row, shift);
    SmallVector<Value> place = factors.views[operand].coordinates(b, loc, mapping, row);
    auto op = tile::FillOp::create(b, loc, full[operand], count);
    OpBuilder::InsertionGuard guard(b);
    b.createBlock(&op.getBody());
    tile::LoadTensorOp::create(b, loc, maps[operand], place, buffer);
    tile::EndOp::create(b, loc);
  }

  //===--------------------------------------------------------------------===//
  // A consumer
  //===--------------------------------------------------------------------===//

  void emitConsumer() {
    Value zero = index(0), one = index(1), row = times(group, kGroupRows);
    auto type = typeOf(0);
    auto part = tile::BufferType::get(b.getContext(), kGroupRows, type.getColumns(), plan.product, type.getSwizzle(), 1,
                                      type.getPitch());
    mine = tile::SliceOp::create(b, loc, part, buffers[0], row, 0);
    giveFirstTurn();
    tile::WaitFullOp::create(b, loc, full[0], zero);
    State first = emitFirst(row);
    tile::WaitFullOp::create(b, loc, full[2], zero);
    auto loop = scf::ForOp::create(b, loc, one, steps, one, first.values());
    {
      OpBuilder::InsertionGuard guard(b);
      b.setInsertionPointToStart(loop.getBody());
      State next = emitStep(loop.getInductionVar(), State(loop.getRegionIterArgs()), row);
      scf::YieldOp::create(b, loc, next.values());
    }
    emitResults(State(loop.getResults()), row);
  }

  /// Group 0 begins. Each waits at its own barrier before it issues products, and comes to the other's after.
  void giveFirstTurn() {
    Value second = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, group, index(1));
    auto when = scf::IfOp::create(b, loc, second, /*withElseRegion=*/false);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(when.thenBlock());
    tile::BarrierOp::create(b, loc, "arrive", index(1), kGroups * kGroupWarps);
  }
  void takeTurn() { tile::BarrierOp::create(b, loc, "sync", plus(group, index(1)), kGroups * kGroupWarps); }
  void giveTurn() { tile::BarrierOp::create(b, loc, "arrive", minus(index(2), group), kGroups * kGroupWarps); }
  /// The second group's last arrival is for nobody's turn, but a barrier must not be left half full.
  void takeLastTurn() {
    Value first = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, group, index(0));
    auto when = scf::IfOp::create(b, loc, first, /*withElseRegion=*/false);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(when.thenBlock());
    tile::BarrierOp::create(b, loc, "sync", index(1), kGroups * kGroupWarps);
  }

  Value multiplyKeys(Value step) {
    auto pending = tile::PendingType::get(b.getContext(), matrixType(kKeys, b.getF32Type()));
    return tile::WarpGroupMmaOp::create(b, loc, pending, mine, stage(1, step), Value(), /*b_transposed=*/true);
  }
  Value multiplyValues(const State &state, Value step) {
    auto pending = tile::PendingType::get(b.getContext(), sumsType());
    return tile::WarpGroupMmaOp::create(b, loc, pending, state.weights, stage(2, step), state.sums,
                                        /*b_transposed=*/false);
  }
  Value wait(Value product, ValueRange held, int64_t pending) {
    return tile::WaitProductsOp::create(b, loc, product, held, pending);
  }
  Value rounded(Value likely) {
    auto layout = tile::OperandAttr::get(b.getContext(), "a", kGroupWarps, 1);
    auto type = tile::FragmentType::get(b.getContext(), {kGroupRows, kKeys}, plan.product, layout);
    return tile::ConvertOp::create(b, loc, type, likely);
  }

  State emitFirst(Value row) {
    Value zero = index(0);
    tile::WaitFullOp::create(b, loc, full[1], zero);
    takeTurn();
    Value product = multiplyKeys(zero);
    giveTurn();
    Value scores = wait(product, {}, 0);
    tile::ReleaseOp::create(b, loc, full[1], zero);
    Value lowest = tile::SplatOp::create(b, loc, rowsType(false), number(kLowest / std::max(1.0, regions.unit())));
    Softmax made = softmax(regions.apply(b, scores, row, firstKey(zero)), lowest);
    Value none = tile::SplatOp::create(b, loc, sumsType(), number(0));
    return State(ValueRange{made.maxima, made.sum, none, rounded(made.likely)});
  }

  /// The wait for values stands before that for the product with those of the last step: so ptxas leaves the latter
  /// after softmax (TileRoles.cpp).
  State emitStep(Value step, State before, Value row) {
    Value earlier = minus(step, index(1));
    tile::WaitFullOp::create(b, loc, full[1], step);
    takeTurn();
    Value next = multiplyKeys(step), product = multiplyValues(before, earlier);
    giveTurn();
    Value scores = wait(next, {}, 1);
    tile::ReleaseOp::create(b, loc, full[1], step);
    Softmax made = softmax(regions.apply(b, scores, row, firstKey(step)), before.maxima);
    Value unit = number(regions.unit());
    Value shrink = map(rowsType(false), {before.maxima, made.maxima}, [&](ValueRange x) -> Value {
      Value change = arith::SubFOp::create(b, loc, x[0], x[1]);
      return exp2(arith::MulFOp::create(b, loc, change, unit));
    });
    Value parts = map(rowsType(true), {before.parts, shrink, made.sum},
                      [&](ValueRange x) -> Value { return math::FmaOp::create(b, loc, x[0], x[1], x[2]); });
    tile::WaitFullOp::create(b, loc, full[2], step);
    Value sums = wait(product, {before.weights}, 0);
    tile::ReleaseOp::create(b, loc, full[2], earlier);
    Value shrunk = map(sumsType(), {sums, shrink},
                       [&](ValueRange x) -> Value { return arith::MulFOp::create(b, loc, x[0], x[1]); });
    return State(ValueRange{made.maxima, parts, shrunk, rounded(made.likely)});
  }

  /// One step of the online softmax (Milakov and Gimelshein 2018, arXiv:1805.02867).
  Softmax softmax(Value scores, Value before) {
    Value unit = number(regions.unit());
    Value peaks = tile::ReduceOp::create(b, loc, rowsType(false), "max", scores);
    Value maxima = map(rowsType(false), {before, peaks},
                       [&](ValueRange x) -> Value { return arith::MaxNumFOp::create(b, loc, x[0], x[1]); });
    Value likely = map(scores.getType(), {scores, maxima}, [&](ValueRange x) -> Value {
      Value most = arith::NegFOp::create(b, loc, arith::MulFOp::create(b, loc, x[1], unit));
      return exp2(math::FmaOp::create(b, loc, x[0], unit, most));
    });
    return {maxima, likely, tile::ReduceOp::create(b, loc, rowsType(true), "add", likely)};
  }

  //===--------------------------------------------------------------------===//
  // The results
  //===--------------------------------------------------------------------===//

  void emitResults(State state, Value row) {
    Value product = multiplyValues(state, last);
    Value whole = tile::CombineOp::create(b, loc, rowsType(false), "add", state.parts);
    Value sums = wait(product, {state.weights}, 0);
    tile::ReleaseOp::create(b, loc, full[2], last);
    takeLastTurn();
    Value inverse = map(rowsType(false), {whole}, [&](ValueRange x) -> Value {
      Value none = arith::CmpFOp::create(b, loc, arith::CmpFPredicate::OEQ, x[0], number(0));
      return arith::SelectOp::create(b, loc, none, number(0), arith::DivFOp::create(b, loc, number(1), x[0]));
    });
    Value results = map(sumsType(), {sums, inverse},
                        [&](ValueRange x) -> Value { return arith::MulFOp::create(b, loc, x[0], x[1]); });
    Type element = getElementTypeOrSelf(op.getOutput().getType());
    if (!element.isF32())
      results = tile::ConvertOp::create(b, loc, matrixType(plan.valueColumns(), element), results);
    GlobalMatrix out = matrixOf(op.getOutputNumber());
    tile::StoreGlobalOp::create(b, loc, results, out.pointer, row, index(0), ValueRange{out.rows, out.columns},
                                out.stride, out.pairBytes(results.getType()), out.isEven);
    if (op.getLse())
      emitLogSumExp(whole, state.maxima, row);
  }

  /// maximum · unit · ln 2 + log(sum); −inf where no key was seen.
  void emitLogSumExp(Value whole, Value maxima, Value row) {
    Value lse = map(rowsType(false), {whole, maxima}, [&](ValueRange x) -> Value {
      Value least = number(-std::numeric_limits<float>::infinity());
      Value none = arith::CmpFOp::create(b, loc, arith::CmpFPredicate::OEQ, x[0], number(0));
      Value sum = math::FmaOp::create(b, loc, x[1], number(regions.unit() * kLn2), math::LogOp::create(b, loc, x[0]));
      return arith::SelectOp::create(b, loc, none, least, sum);
    });
    GlobalMatrix out = matrixOf(op.getLseNumber());
    tile::StoreGlobalOp::create(b, loc, lse, out.pointer, row, index(0), ValueRange{out.rows, index(1)}, out.stride,
                                IntegerAttr(), false);
  }

  /// A result, one row for each query.
  GlobalMatrix matrixOf(unsigned operand) {
    AttentionOp attention = plan.op;
    unsigned row = *attention.getIndexingMap(operand).getResultPosition(b.getAffineDimExpr(AttentionOp::Query));
    return globalMatrix(b, loc, attention->getOperand(operand), mapping, row);
  }
};

void convert(scf::ForallOp forall, const BlockAttention &plan, const Factors &factors, const LLVMTypeConverter &types,
             DeviceModule &device) {
  BlockProgram program{BlockShape{(1 + kGroups) * kGroupThreads, 1, 0}, "", [&](OpBuilder &b, IRMapping &mapping) {
                         AttentionOp attention = plan.op;
                         auto op = cast<AttentionOp>(b.clone(*attention, mapping));
                         BlockEmitter(b, plan, factors, op, mapping).run();
                         op.erase();
                       }};
  for (auto [operand, view] : llvm::enumerate(factors.views)) {
    int64_t columns = operand == 2 ? plan.valueColumns() : plan.headColumns();
    int64_t rows = operand == 0 ? kRows : kKeys;
    program.maps.push_back(view.map(rows, bufferType(rows, columns, plan.product).getSwizzle()));
  }
  outlineBlocks(forall, {plan.op}, program, types, device);
}

struct WarpGroupAttentionPass : impl::WarpGroupAttentionBase<WarpGroupAttentionPass> {
  void runOnOperation() override {
    ModuleOp module = getOperation();
    auto target = module->getAttrOfType<TargetAttr>("weft.target");
    LLVMTypeConverter types(&getContext());
    for (func::FuncOp kernel : kernelsOfHost(module)) {
      std::optional<BlockAttention> plan = matchBlockAttention(kernel).plan;
      if (!plan || !plan->usesWarpGroups(target))
        continue;
      SmallVector<scf::ForallOp> loops = itemLoopsOf(kernel);
      if (loops.size() != 1 || !isForBlocks(loops.front(), {plan->op}) || !isItemOf(plan->op, kRows) ||
          isItemOf(plan->op, BlockAttention::kQueries))
        continue; // those of weft-block-attention, and what it explains
      std::optional<Factors> factors = Factors::of(loops.front(), plan->op);
      if (!factors)
        continue;
      DeviceModule device = DeviceModule::findOrCreate(module);
      convert(loops.front(), *plan, *factors, types, device);
    }
  }
};

} // namespace
} // namespace weft
