// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// An item that is attention of a block of queries → a function of tile ops for four warps, and its launch:
//   weft.attention {…} ins(%q, %k, %v) outs(%o) mask {…}   →   scf.for … { tile.mma; tile.map …; tile.mma }
// after FlashAttention-2 (arXiv 2307.08691): each warp has 16 queries; keys and values come to shared memory step by
// step, those of the next step while this one is computed; scores and their weights stay in registers.
#include "lowering/nvptx/Passes.h"

#include "dialects/tile/TileOps.h"
#include "lowering/analysis/BlockAttention.h"
#include "lowering/analysis/RegisterPlan.h"
#include "lowering/nvptx/AttentionFactor.h"
#include "lowering/nvptx/AttentionRegions.h"
#include "lowering/nvptx/BlockOutline.h"
#include "lowering/nvptx/LaneGroup.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/Remarks.h"

namespace weft {
#define GEN_PASS_DEF_BLOCKATTENTION
#include "lowering/nvptx/Passes.h.inc"
} // namespace weft

using namespace mlir;

namespace weft {
namespace {

constexpr int64_t kWarps = 4;
constexpr int64_t kQueries = BlockAttention::kQueries;
constexpr float kLn2 = 0.6931471805599453f;
/// Queries of so many columns stay in registers.
constexpr int64_t kHeldColumns = 64;
/// Finite, so that a row that has seen no key never computes inf − inf.
constexpr double kLowest = -1.7e38;

/// The body of the device function.
class BlockEmitter {
public:
  /// `op` is the plan's, in the device function.
  BlockEmitter(OpBuilder &b, const BlockAttention &plan, AttentionOp op, IRMapping &mapping, int64_t keys)
      : b(b), plan(plan), op(op), mapping(mapping), loc(op.getLoc()), keys(keys), regions(op),
        query(b, plan, 0, kQueries, mapping), key(b, plan, 1, keys, mapping), value(b, plan, 2, keys, mapping) {}

  void run() {
    AttentionRegions::Keys seen = regions.visibleKeys(b, keys);
    unit = number(regions.unit());
    if (!plan.isRounded()) {
      int64_t swizzle = std::min<int64_t>(128, keys * 4);
      weights =
          tile::AllocOp::create(b, loc, tile::BufferType::get(kQueries, keys, b.getF32Type(), swizzle), IntegerAttr());
    }
    query.bring(b, index(0));
    if (isAhead())
      key.bring(b, seen.first);
    tile::CommitCopiesOp::create(b, loc);
    queries = query.buffer();
    if (plan.isRounded() && plan.headColumns() <= kHeldColumns)
      holdQueries();
    State last = emitSteps(seen);
    emitResults(last);
  }

private:
  /// Sums, running maxima in units of scores, and running sums of weights, of which each lane has a part.
  struct State {
    Value sums, maxima, parts;
    explicit State(ValueRange values) : sums(values[0]), maxima(values[1]), parts(values[2]) {}
    SmallVector<Value> values() const { return {sums, maxima, parts}; }
  };

  OpBuilder &b;
  const BlockAttention &plan;
  AttentionOp op;
  IRMapping &mapping;
  Location loc;
  int64_t keys;
  AttentionRegions regions;
  AttentionFactor query, key, value;
  Value unit, weights, queries;

  Value index(int64_t value) { return arith::ConstantIndexOp::create(b, loc, value); }
  Value number(double value) { return arith::ConstantOp::create(b, loc, b.getF32FloatAttr(float(value))); }

  tile::FragmentType matrixType(int64_t columns, Type element) {
    return tile::FragmentType::get(b.getContext(), {kQueries, columns}, element,
                                   tile::AccumulatorAttr::get(b.getContext(), kWarps, 1));
  }
  tile::FragmentType rowsType(bool partial) {
    return tile::FragmentType::get(b.getContext(), {kQueries}, b.getF32Type(),
                                   tile::RowValuesAttr::get(b.getContext(), kWarps, 1, partial));
  }

  /// From shared memory once instead of in each step.
  void holdQueries() {
    tile::WaitCopiesOp::create(b, loc, 0);
    tile::SyncOp::create(b, loc);
    auto layout = tile::OperandAttr::get(b.getContext(), "a", kWarps, 1);
    auto type = tile::FragmentType::get(b.getContext(), {kQueries, plan.headColumns()}, plan.product, layout);
    queries = tile::LoadOp::create(b, loc, type, queries, /*transposed=*/false);
  }

  /// Whether keys and values are on their way while others are computed with.
  bool isAhead() const { return key.isCopied() && value.isCopied(); }

  Value map(Type result, ValueRange inputs, function_ref<Value(ValueRange)> emit) {
    return tile::emitMap(b, loc, result, inputs, emit);
  }

  /// 2^((x0 − x1) · unit). One multiply-add of x0 with x1 · unit, which is rounded, would be off by as much as large
  /// scores are, and more than 1 at the maximum.
  Value exp2OfChange(ValueRange x) {
    Value change = arith::MulFOp::create(b, loc, arith::SubFOp::create(b, loc, x[0], x[1]), unit);
    return math::Exp2Op::create(b, loc, change, arith::FastMathFlags::afn);
  }

  //===--------------------------------------------------------------------===//
  // The steps
  //===--------------------------------------------------------------------===//

  State emitSteps(AttentionRegions::Keys seen) {
    Value zero = number(0), lowest = number(kLowest / std::max(1.0, regions.unit()));
    SmallVector<Value> start = {tile::SplatOp::create(b, loc, matrixType(plan.valueColumns(), b.getF32Type()), zero),
                                tile::SplatOp::create(b, loc, rowsType(false), lowest),
                                tile::SplatOp::create(b, loc, rowsType(true), zero)};
    auto loop = scf::ForOp::create(b, loc, seen.first, seen.end, index(keys), start);
    {
      OpBuilder::InsertionGuard guard(b);
      b.setInsertionPointToStart(loop.getBody());
      State next = emitStep(loop.getInductionVar(), State(loop.getRegionIterArgs()));
      scf::YieldOp::create(b, loc, next.values());
    }
    tile::WaitCopiesOp::create(b, loc, 0);
    return State(loop.getResults());
  }

  /// Where copies run ahead: values come during the scores, the next keys during softmax and the second product.
  State emitStep(Value first, State before) {
    beginStep(first);
    Value zero = tile::SplatOp::create(b, loc, matrixType(keys, b.getF32Type()), number(0));
    Value scores = tile::MmaOp::create(b, loc, queries, key.buffer(), zero, /*a_transposed=*/false,
                                       /*b_transposed=*/true, /*split=*/!plan.isRounded());
    if (isAhead()) {
      tile::SyncOp::create(b, loc);
      key.bring(b, arith::AddIOp::create(b, loc, first, index(keys)));
      tile::CommitCopiesOp::create(b, loc);
    }
    return softmax(regions.apply(b, scores, index(0), first), before);
  }

  /// One step of the online softmax (Milakov and Gimelshein 2018, arXiv:1805.02867), and of what it weights.
  State softmax(Value scores, State before) {
    Value peaks = tile::ReduceOp::create(b, loc, rowsType(false), "max", scores);
    State after(before.values());
    after.maxima = map(rowsType(false), {before.maxima, peaks},
                       [&](ValueRange x) -> Value { return arith::MaxNumFOp::create(b, loc, x[0], x[1]); });
    Value shrink = map(rowsType(false), {before.maxima, after.maxima}, [&](ValueRange x) { return exp2OfChange(x); });
    Value likely = map(scores.getType(), {scores, after.maxima}, [&](ValueRange x) { return exp2OfChange(x); });
    Value sum = tile::ReduceOp::create(b, loc, rowsType(true), "add", likely);
    after.parts = map(rowsType(true), {before.parts, shrink, sum},
                      [&](ValueRange x) -> Value { return math::FmaOp::create(b, loc, x[0], x[1], x[2]); });
    Value shrunk = map(before.sums.getType(), {before.sums, shrink},
                       [&](ValueRange x) -> Value { return arith::MulFOp::create(b, loc, x[0], x[1]); });
    after.sums = emitValues(likely, shrunk);
    return after;
  }

  /// The keys of the step are there for all when it has passed, and all have left the last step.
  void beginStep(Value first) {
    if (isAhead()) {
      tile::WaitCopiesOp::create(b, loc, 0);
      tile::SyncOp::create(b, loc);
      value.bring(b, first);
      tile::CommitCopiesOp::create(b, loc);
      return;
    }
    tile::SyncOp::create(b, loc);
    key.bring(b, first);
    value.bring(b, first);
    tile::CommitCopiesOp::create(b, loc);
    tile::WaitCopiesOp::create(b, loc, 0);
    tile::SyncOp::create(b, loc);
  }

  /// sums + likely · values; in f32 the layouts of sums and of a left factor differ, and weights go through shared
  /// memory.
  Value emitValues(Value likely, Value sums) {
    Value left = weights;
    if (plan.isRounded()) {
      auto layout = tile::OperandAttr::get(b.getContext(), "a", kWarps, 1);
      auto type = tile::FragmentType::get(b.getContext(), {kQueries, keys}, plan.product, layout);
      left = tile::ConvertOp::create(b, loc, type, likely);
    } else {
      tile::StoreOp::create(b, loc, likely, weights, /*by_matrix=*/false);
    }
    if (isAhead())
      tile::WaitCopiesOp::create(b, loc, 1);
    if (isAhead() || !plan.isRounded())
      tile::SyncOp::create(b, loc);
    return tile::MmaOp::create(b, loc, left, value.buffer(), sums, /*a_transposed=*/false, /*b_transposed=*/false,
                               /*split=*/!plan.isRounded());
  }

  //===--------------------------------------------------------------------===//
  // The results
  //===--------------------------------------------------------------------===//

  void emitResults(State last) {
    Value whole = tile::CombineOp::create(b, loc, rowsType(false), "add", last.parts);
    Value inverse = map(rowsType(false), {whole}, [&](ValueRange x) -> Value {
      Value none = arith::CmpFOp::create(b, loc, arith::CmpFPredicate::OEQ, x[0], number(0));
      Value quotient = arith::DivFOp::create(b, loc, number(1), x[0]);
      return arith::SelectOp::create(b, loc, none, number(0), quotient);
    });
    Value results = map(last.sums.getType(), {last.sums, inverse},
                        [&](ValueRange x) -> Value { return arith::MulFOp::create(b, loc, x[0], x[1]); });
    Type element = getElementTypeOrSelf(op.getOutput().getType());
    if (!element.isF32())
      results = tile::ConvertOp::create(b, loc, matrixType(plan.valueColumns(), element), results);
    GlobalMatrix out = matrixOf(op.getOutputNumber());
    tile::StoreGlobalOp::create(b, loc, results, out.pointer, index(0), index(0), ValueRange{out.rows, out.columns},
                                out.stride, out.pairBytes(results.getType()), out.isEven);
    if (op.getLse())
      emitLogSumExp(whole, last.maxima);
  }

  /// maximum · unit · ln 2 + log(sum); −inf where no key was seen.
  void emitLogSumExp(Value whole, Value maxima) {
    Value lse = map(rowsType(false), {whole, maxima}, [&](ValueRange x) -> Value {
      Value least = number(-std::numeric_limits<float>::infinity());
      Value none = arith::CmpFOp::create(b, loc, arith::CmpFPredicate::OEQ, x[0], number(0));
      Value log = math::LogOp::create(b, loc, x[0]);
      Value highest = number(regions.unit() * kLn2);
      return arith::SelectOp::create(b, loc, none, least, math::FmaOp::create(b, loc, x[1], highest, log));
    });
    GlobalMatrix out = matrixOf(op.getLseNumber());
    tile::StoreGlobalOp::create(b, loc, lse, out.pointer, index(0), index(0), ValueRange{out.rows, index(1)},
                                out.stride, IntegerAttr(), false);
  }

  /// A result, one row for each query.
  GlobalMatrix matrixOf(unsigned operand) {
    AttentionOp attention = plan.op;
    unsigned row = *attention.getIndexingMap(operand).getResultPosition(b.getAffineDimExpr(AttentionOp::Query));
    return globalMatrix(b, loc, attention->getOperand(operand), mapping, row);
  }
};

bool isStoredAsMultiplied(const BlockAttention &plan) {
  AttentionOp op = plan.op;
  return getElementTypeOrSelf(op.getKey().getType()) == plan.product &&
         getElementTypeOrSelf(op.getValue().getType()) == plan.product;
}

/// Keys of a step: as many as leave registers enough to wide sums in f32, where each factor is two.
int64_t keysOf(const BlockAttention &plan) {
  if (plan.isRounded() || std::max(plan.headColumns(), plan.valueColumns()) <= 64)
    return 64;
  bool isWide = std::max(plan.headColumns(), plan.valueColumns()) > 128;
  return isWide && isStoredAsMultiplied(plan) ? 16 : 32;
}

/// Of queries, keys, values and, in f32, weights.
int64_t sharedBytesOf(const BlockAttention &plan) {
  int64_t keys = keysOf(plan), columns = keys * (plan.headColumns() + plan.valueColumns());
  int64_t numbers = kQueries * plan.headColumns() + columns + (plan.isRounded() ? 0 : kQueries * keys);
  return numbers * plan.product.getIntOrFloatBitWidth() / 8;
}

/// Blocks that share a multiprocessor, so that some compute while others wait: what the registers for sums, scores and
/// addresses leave, and in f32 shared memory. Rounding, a score region and what is read for a mask want registers, too.
int64_t blocksOf(const BlockAttention &plan) {
  AttentionOp op = plan.op;
  int64_t columns = std::max(plan.headColumns(), plan.valueColumns());
  if (!plan.isRounded() || columns > 128)
    return 2;
  int64_t blocks = columns <= 64 ? 4 : 3;
  bool isPlain = op.getScore().empty() && op.getExtras().empty();
  return blocks - (isPlain && isStoredAsMultiplied(plan) ? 0 : 1);
}

StringRef whyNotItem(ArrayRef<scf::ForallOp> loops, const BlockAttention &plan, TargetAttr target) {
  if (loops.size() != 1 || !isForBlocks(loops.front(), {plan.op}))
    return "its items are more than attention";
  if (!isItemOf(plan.op, kQueries))
    return "its items are more than a block of queries of a head";
  if (sharedBytesOf(plan) > weft::sharedBytesOf(target))
    return "the target's shared memory does not hold queries, keys and values of its heads";
  return "";
}

struct BlockAttentionPass : impl::BlockAttentionBase<BlockAttentionPass> {
  void runOnOperation() override {
    ModuleOp module = getOperation();
    FailureOr<TargetAttr> target = targetOf(module);
    if (failed(target))
      return signalPassFailure();
    LLVMTypeConverter types(&getContext());
    for (func::FuncOp kernel : kernelsOfHost(module)) {
      BlockAttentionMatch match = matchBlockAttention(kernel);
      if (!match.plan && match.obstacle.empty())
        continue;
      SmallVector<scf::ForallOp> loops = itemLoopsOf(kernel);
      if (match.plan)
        match.obstacle = whyNotItem(loops, *match.plan, *target);
      if (!match.obstacle.empty()) {
        remark::missed(kernel.getLoc(), remark::RemarkOpts::name("lane-attention").category("weft-block-attention"))
            << ("attention is computed on lanes, not on matrix units: " + match.obstacle).str();
        continue;
      }
      DeviceModule device = DeviceModule::findOrCreate(module);
      convert(loops.front(), *match.plan, types, device);
    }
  }

  static void convert(scf::ForallOp forall, const BlockAttention &plan, const LLVMTypeConverter &types,
                      DeviceModule &device) {
    BlockShape shape{kWarps * 32, 1, 0};
    outlineBlocks(forall, {plan.op}, shape, types, device, [&](OpBuilder &b, IRMapping &mapping) {
      AttentionOp attention = plan.op;
      auto op = cast<AttentionOp>(b.clone(*attention, mapping));
      b.getBlock()->getParentOp()->setAttr(NVVM::NVVMDialect::getMinctasmAttrName(),
                                           b.getI32IntegerAttr(static_cast<int32_t>(blocksOf(plan))));
      BlockEmitter(b, plan, op, mapping, keysOf(plan)).run();
      op.erase();
    });
  }
};

} // namespace
} // namespace weft
