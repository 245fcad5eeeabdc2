// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// weft.attention with few queries on memrefs → one kernel a head of the keys, for all query heads that share it:
//   for each block of keys: scores (DecodeTiles: dot products along the head dimension), the regions, running maximum
//   and sum (Milakov and Gimelshein 2018, arXiv:1805.02867), weights = exp2(scores − maximum), O = O · α + weights · V.
// A vector of scores holds rows × keys: lane r · (lanes / rows) + k is row r with key k. A row is a pair (head, query).
#include "lowering/vectorize/Passes.h"

#include "lowering/vectorize/DecodeRegions.h"
#include "lowering/vectorize/KeyPages.h"
#include "lowering/vectorize/OperandAccess.h"
#include "lowering/vectorize/StoredNumbers.h"
#include "lowering/vectorize/VectorBody.h"
#include "lowering/vectorize/VectorMath.h"

#include "mlir/Dialect/AMX/AMXDialect.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/Remarks.h"

namespace weft {
#define GEN_PASS_DEF_VECTORIZEDECODEATTENTION
#include "lowering/vectorize/Passes.h.inc"
} // namespace weft

using namespace mlir;

namespace weft {
namespace {

/// The running maximum's start: finite, so that a row without any visible key never computes inf − inf.
constexpr float kLowest = -1.7e38f;
constexpr float kLn2 = 0.6931471805599453f;

/// Emits a plan.
class DecodeEmitter : DecodeRegions {
public:
  DecodeEmitter(AttentionOp op, const DecodePlan &plan, const RegisterPlan &registers, TargetAttr target)
      : DecodeRegions(op, plan, registers, target) {}

  void emit(OpBuilder &b) {
    allocate(b);
    blocks = plan.groups * rowBlocks;
    maxima = scratch(b, {blocks, reg.lanes});
    sums = scratch(b, {blocks, reg.lanes});
    unsigned output = op.getOutputNumber();
    headCount = extentOf(b, output, AttentionOp::Head);
    Value keyCount = emitKeyCount(b, loc, op);
    forEach(b, constant(b, 0), extentOf(b, output, AttentionOp::Batch), 1, [&](OpBuilder &outer, Value item) {
      batch = item;
      forEach(outer, constant(outer, 0), headCount, plan.heads(), [&](OpBuilder &inner, Value first) {
        firstHead = first;
        emitSplits(inner, keyCount);
      });
    });
  }

private:
  /// The keys, split by split where the op has splits.
  void emitSplits(OpBuilder &b, Value keyCount) {
    firstKey = constant(b, 0);
    int64_t length = op.getSplitLength();
    if (!length)
      return emitItem(b, firstKey, keyCount);
    forEach(b, firstKey, keyCount, length, [&](OpBuilder &body, Value first) {
      firstKey = first;
      emitItem(body, first, arith::MinUIOp::create(body, loc, add(body, first, length), keyCount));
    });
  }

  /// The rows of an item's groups against keys [begin, end), of which those that the mask hides from all of them are
  /// left out; blocks stay where they are, since a key's place in its block decides the order of sums.
  void emitItem(OpBuilder &b, Value begin, Value end) {
    emitStart(b);
    auto [low, high] = visibleKeys(b, begin, end);
    Value skipped = arith::SubIOp::create(b, loc, low, begin);
    skipped = arith::SubIOp::create(b, loc, skipped, arith::RemUIOp::create(b, loc, skipped, constant(b, blockKeys)));
    begin = arith::AddIOp::create(b, loc, begin, skipped);
    end = arith::MaxSIOp::create(b, loc, begin, high);
    forEach(b, begin, end, blockKeys, [&](OpBuilder &body, Value first) {
      Value rest = arith::SubIOp::create(body, loc, end, first);
      Value count = arith::MinUIOp::create(body, loc, rest, constant(body, blockKeys));
      lastKey = add(body, end, -1);
      key = first;
      forEachRowBlock(body, [&](OpBuilder &inner) { emitBlock(inner, count); });
    });
    forEachRowBlock(b, [&](OpBuilder &body) { emitTotals(body); });
    forEachRow(b, [&](OpBuilder &body, Value row, Value inGroup) { emitRow(body, row, inGroup); });
  }

  /// Sets `block` and `head`.
  void forEachRowBlock(OpBuilder &b, function_ref<void(OpBuilder &)> body) {
    forEach(b, constant(b, 0), constant(b, blocks), 1, [&](OpBuilder &inner, Value number) {
      block = number;
      head = headOf(inner, number);
      body(inner);
    });
  }

  /// The first head of a row block's group.
  Value headOf(OpBuilder &b, Value number) {
    Value group = arith::DivUIOp::create(b, loc, number, constant(b, rowBlocks));
    return arith::AddIOp::create(b, loc, firstHead, arith::MulIOp::create(b, loc, group, constant(b, plan.group)));
  }

  /// Each row of each row block with its number in the scratch and in its group; sets `block` and `head`.
  void forEachRow(OpBuilder &b, function_ref<void(OpBuilder &, Value, Value)> body) {
    forEach(b, constant(b, 0), constant(b, blocks * tile.rows), 1, [&](OpBuilder &inner, Value row) {
      block = arith::DivUIOp::create(inner, loc, row, constant(inner, tile.rows));
      head = headOf(inner, block);
      body(inner, row, arith::RemUIOp::create(inner, loc, row, constant(inner, rowBlocks * tile.rows)));
    });
  }

  /// Packed queries, no output yet, maxima and sums of no key.
  void emitStart(OpBuilder &b) {
    float factor = op.getScale().convertToFloat() * (op.getScore().empty() ? kLog2e : 1.0f);
    forEachRow(b, [&](OpBuilder &body, Value row, Value inGroup) {
      // Rows beyond the last repeat it; nobody reads what they give.
      Value last = add(body, rowCount(body), -1);
      emitPackRow(body, row, rowDims(body, arith::MinUIOp::create(body, loc, inGroup, last)), factor);
    });
    forEachRowBlock(b, [&](OpBuilder &body) {
      storeVector(body, splat(body, kLowest), maxima, block);
      storeVector(body, splat(body, 0.0f), sums, block);
      emitPackBlock(body);
    });
  }

  /// A row block against a block of keys.
  void emitBlock(OpBuilder &b, Value count) {
    emitNext(b);
    emitBegin(b, count);
    Value oldMax = loadVector(b, maxima, block);
    Value newMax = emitScores(b, count, oldMax);
    newMax = emitAcrossKeys(b, newMax, [&](Value x, Value y) { return maximum(b, x, y); });
    Value change = arith::SubFOp::create(b, loc, oldMax, newMax);
    Value alpha = emitExp2(b, loc, reg, change, /*nonPositive=*/true);
    Value sum = arith::MulFOp::create(b, loc, loadVector(b, sums, block), alpha);
    auto [total, largest] = emitWeights(b, count, newMax, sum);
    storeVector(b, newMax, maxima, block);
    storeVector(b, total, sums, block);
    emitValues(b, count, alpha, largest);
  }

  /// What comes next: these keys for the next row block, or the next keys for the first.
  void emitNext(OpBuilder &b) {
    Value next = add(b, block, 1), after = add(b, key, blockKeys);
    Value more = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ult, next, constant(b, blocks));
    nextKey = arith::SelectOp::create(b, loc, more, key, after);
    nextHead = arith::SelectOp::create(b, loc, more, headOf(b, next), firstHead);
  }

  /// Scores of the block's keys into `weights`; returns the maxima lane by lane, the old ones included.
  Value emitScores(OpBuilder &b, Value count, Value oldMax) {
    Value rest = arith::RemUIOp::create(b, loc, count, constant(b, tile.keys));
    Value main = arith::SubIOp::create(b, loc, count, rest);
    auto loop =
        scf::ForOp::create(b, loc, constant(b, 0), main, constant(b, tile.keys), oldMax,
                           [&](OpBuilder &body, Location, Value first, ValueRange carried) {
                             scf::YieldOp::create(body, loc, emitScoreTile(body, first, Value(), carried.front()));
                           });
    Value some = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ne, rest, constant(b, 0));
    auto tail = scf::IfOp::create(
        b, loc, some,
        [&](OpBuilder &body, Location) {
          scf::YieldOp::create(body, loc, emitScoreTile(body, main, rest, loop.getResult(0)));
        },
        [&](OpBuilder &body, Location) { scf::YieldOp::create(body, loc, loop.getResults()); });
    return tail.getResult(0);
  }

  /// The tile of keys from the block's `first` on; with `count` only so many of them exist.
  Value emitScoreTile(OpBuilder &b, Value first, Value count, Value max) {
    for (auto [s, score] : llvm::enumerate(emitDotProducts(b, first, /*whole=*/!count))) {
      Value at = add(b, first, s * tile.keysInVector), left;
      if (count) {
        left = arith::SubIOp::create(b, loc, count, constant(b, s * tile.keysInVector));
        left = arith::MaxSIOp::create(b, loc, left, constant(b, 0));
      }
      Value from = arith::AddIOp::create(b, loc, key, at), result = score;
      if (op.getKeyScale())
        result = multiplied(b, result, emitExtra(b, op.getKeyScaleNumber(), from, left));
      result = emitRegions(b, result, from, left);
      max = maximum(b, result, max);
      vector::StoreOp::create(b, loc, result, weights,
                              ValueRange{arith::MulIOp::create(b, loc, at, constant(b, tile.rows))});
    }
    return max;
  }

  /// weights = exp2(scores − max), times the values' factors; returns the sums (of the exponentials) with the block's
  /// added, and the largest magnitudes of the weights lane by lane where they become digits.
  std::pair<Value, Value> emitWeights(OpBuilder &b, Value count, Value max, Value sum) {
    Value tiles = arith::CeilDivUIOp::create(b, loc, count, constant(b, tile.keys));
    Value end = arith::MulIOp::create(b, loc, tiles, constant(b, tile.keys * tile.rows));
    auto loop = scf::ForOp::create(
        b, loc, constant(b, 0), end, constant(b, reg.lanes), ValueRange{sum, splat(b, 0.0f)},
        [&](OpBuilder &body, Location, Value at, ValueRange carried) {
          Value score = vector::LoadOp::create(body, loc, lanes, weights, at);
          Value p = emitExp2(body, loc, reg, arith::SubFOp::create(body, loc, score, max), /*nonPositive=*/true);
          Value weight = p;
          if (op.getValueScale()) {
            Value place = arith::DivUIOp::create(body, loc, at, constant(body, tile.rows));
            Value left =
                arith::MaxSIOp::create(body, loc, arith::SubIOp::create(body, loc, count, place), constant(body, 0));
            Value from = arith::AddIOp::create(body, loc, key, place);
            weight = multiplied(body, p, emitExtra(body, op.getValueScaleNumber(), from, left));
          }
          vector::StoreOp::create(body, loc, weight, weights, at);
          Value total = arith::AddFOp::create(body, loc, carried[0], p);
          Value largest = carried[1];
          if (tile.bytes)
            largest = maximum(body, math::AbsFOp::create(body, loc, weight), largest);
          scf::YieldOp::create(body, loc, ValueRange{total, largest});
        });
    return {loop.getResult(0), loop.getResult(1)};
  }

  /// The sums of rows, inverted (0 for a row that saw nothing), in all its lanes; lse in place of the maxima.
  void emitTotals(OpBuilder &b) {
    Value sum = emitAcrossKeys(b, loadVector(b, sums, block),
                               [&](Value x, Value y) -> Value { return arith::AddFOp::create(b, loc, x, y); });
    Value zero = splat(b, 0.0f);
    Value none = arith::CmpFOp::create(b, loc, arith::CmpFPredicate::OEQ, sum, zero);
    Value inverse = arith::DivFOp::create(b, loc, splat(b, 1.0f), sum);
    storeVector(b, arith::SelectOp::create(b, loc, none, zero, inverse), sums, block);
    if (!op.getLse())
      return;
    Value scaled = arith::MulFOp::create(b, loc, loadVector(b, maxima, block), splat(b, kLn2));
    Value lse = arith::AddFOp::create(b, loc, scaled, math::LogOp::create(b, loc, sum));
    Value hidden = splat(b, -std::numeric_limits<float>::infinity());
    storeVector(b, arith::SelectOp::create(b, loc, none, hidden, lse), maxima, block);
  }

  /// A row from the scratch to the output, where it exists.
  void emitRow(OpBuilder &b, Value row, Value inGroup) {
    Value exists = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ult, inGroup, rowCount(b));
    scf::IfOp::create(b, loc, exists, [&](OpBuilder &body, Location) {
      Value lane = arith::RemUIOp::create(body, loc, row, constant(body, tile.rows));
      lane = arith::MulIOp::create(body, loc, lane, constant(body, tile.keysInVector));
      SmallVector<Value> dims = rowDims(body, inGroup);
      dims.push_back(firstKey); // the split
      dims.append(2, constant(body, 0));
      emitOutputRow(body, row, dims, memref::LoadOp::create(body, loc, sums, ValueRange{block, lane}));
      if (op.getLse()) {
        IterationPoint point;
        point.dims = dims;
        Value lse = memref::LoadOp::create(body, loc, maxima, ValueRange{block, lane});
        emitStore(body, loc, lse, op.getLse(), op.getIndexingMap(op.getLseNumber()), point);
      }
      scf::YieldOp::create(body, loc);
    });
  }

  int64_t blocks; ///< row blocks in all
  Value firstKey; ///< of the split
  Value maxima;   ///< [row block][lane] of scores so far; at the end the log-sum-exp
  Value sums;     ///< [row block][lane] of weights so far; at the end 1 / the row's
};

struct VectorizeDecodeAttentionPass : impl::VectorizeDecodeAttentionBase<VectorizeDecodeAttentionPass> {
  void runOnOperation() override {
    FailureOr<RegisterPlan> registers = registerPlanOf(getOperation());
    if (failed(registers))
      return signalPassFailure();
    SmallVector<AttentionOp> ops;
    getOperation()->walk([&](AttentionOp op) { ops.push_back(op); });
    for (AttentionOp op : ops) {
      DecodeMatch match = matchDecode(op);
      if (!match.obstacle.empty())
        remark::missed(op.getLoc(), remark::RemarkOpts::name("no-decode").category("weft-vectorize-decode-attention"))
            << match.obstacle.str();
      if (!match.plan || !hasVectorizableRegions(op) || !hasStoredNumbers(op))
        continue; // weft-vectorize-attention takes it, or says what is wrong
      OpBuilder builder(op);
      DecodeEmitter(op, *match.plan, *registers, *targetOf(getOperation())).emit(builder);
      op.erase();
    }
  }

  static bool hasStoredNumbers(AttentionOp op) {
    return llvm::all_of(ValueRange{op.getQuery(), op.getKey(), op.getValue(), op.getOutput()},
                        [](Value operand) { return isStoredNumber(getElementTypeOrSelf(operand.getType())); });
  }

  static bool hasVectorizableRegions(AttentionOp op) {
    return llvm::all_of(op->getRegions(),
                        [](Region &region) { return region.empty() || isVectorizableBody(region.front()); });
  }
};

} // namespace
} // namespace weft
