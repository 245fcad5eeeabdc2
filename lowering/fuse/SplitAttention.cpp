// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Attention of few queries over many keys → attention over splits of the keys, which are independent items, and the few
// linalg ops that combine them:
//   P[s, …, e], λ[s, b, i, h] = weft.attention with (j floordiv l) in the maps of its results
//   m = max_s λ;  n = Σ_s exp(λ − m);  w = exp(λ − m) / n;  output = Σ_s w · P;  lse = m + log n
// The length of a split depends on shapes only, never on the number of threads: the same bits for any number.
#include "lowering/fuse/Passes.h"

#include "dialects/weft/Definition.h"
#include "dialects/weft/WeftDialect.h"
#include "lowering/analysis/DecodePlan.h"
#include "lowering/analysis/TensorExtents.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Remarks.h"

namespace weft {
#define GEN_PASS_DEF_SPLITATTENTION
#include "lowering/fuse/Passes.h.inc"
} // namespace weft

using namespace mlir;

namespace weft {
namespace {

/// Keys and values in a split, about: long enough that what is combined is a small part of what is read.
constexpr int64_t kSplitBytes = 1 << 20;
constexpr int64_t kShortest = 128, kLongest = 1024;
/// On a GPU, whose hundreds of blocks want splits enough of a single sequence.
constexpr int64_t kSplitBytesOfDevice = 64 << 10, kShortestOfDevice = 64, kLongestOfDevice = 256;

struct SplitPlan {
  AttentionOp op;
  int64_t length;
};

FailureOr<SplitPlan> planSplit(AttentionOp op) {
  std::optional<DecodePlan> decode = matchDecode(op).plan;
  if (!decode || op.getSplitLength() || !op.hasPureTensorSemantics())
    return failure();
  AffineExpr last = op.getIndexingMap(op.getOutputNumber()).getResults().back();
  bool rows = last == getAffineDimExpr(AttentionOp::ValueDim, op.getContext());
  if (!rows || !getElementTypeOrSelf(op.getOutput().getType()).isF32()) {
    remark::missed(op.getLoc(), remark::RemarkOpts::name("keys-not-split").category("weft-split-attention"))
        << "the keys stay in one piece: only outputs that are rows of f32 are combined from splits";
    return failure();
  }
  auto keyType = cast<ShapedType>(op.getKey().getType());
  int64_t width = llvm::divideCeil(keyType.getElementTypeBitWidth(), 8);
  int64_t keyBytes = decode->groups * (decode->headDim + decode->valueDim) * width;
  bool isDevice = op->getParentOfType<ModuleOp>()->hasAttr("weft.device");
  uint64_t keysOfSplit = llvm::bit_floor<uint64_t>((isDevice ? kSplitBytesOfDevice : kSplitBytes) / keyBytes);
  SplitPlan plan{op, std::clamp<int64_t>(keysOfSplit, isDevice ? kShortestOfDevice : kShortest,
                                         isDevice ? kLongestOfDevice : kLongest)};
  if (int64_t page = op.getPageLength()) { // a split has whole pages
    plan.length = std::max(page, plan.length / page * page);
    return plan;
  }
  std::optional<unsigned> j =
      op.getIndexingMap(1).getResultPosition(getAffineDimExpr(AttentionOp::Key, op.getContext()));
  int64_t keys = keyType.getDimSize(*j);
  if (!ShapedType::isDynamic(keys) && keys <= plan.length)
    return failure();
  return plan;
}

/// Emits a plan.
class SplitEmitter {
public:
  SplitEmitter(SplitPlan split, OpBuilder &builder)
      : plan(split), op(split.op), b(builder), def(builder, split.op.getLoc()), f32(builder.getF32Type()) {
    outputMap = op.getIndexingMap(op.getOutputNumber());
  }

  SmallVector<Value> emit() {
    emitExtents();
    auto [partial, lses] = emitParts();
    Value none = def.filled(rowSizes(false), f32, -std::numeric_limits<double>::infinity());
    Value largest =
        def.compute(lses, none, {selectRows(true), selectRows(false)}, [&](DefinitionBuilder &d, ValueRange e) {
          return arith::MaximumFOp::create(d.b, d.loc, e[1], e[0]).getResult();
        });
    Value sum =
        def.compute({lses, largest}, def.filled(rowSizes(false), f32, 0),
                    {selectRows(true), selectRows(false), selectRows(false)}, [&](DefinitionBuilder &d, ValueRange e) {
                      return arith::AddFOp::create(d.b, d.loc, e[2], weight(d, e[0], e[1])).getResult();
                    });
    SmallVector<Value> results = {emitOutput(partial, emitWeights(lses, largest, sum))};
    if (op.getLse())
      results.push_back(emitLse(largest, sum));
    return results;
  }

private:
  /// The rows' loops, after the split's: batch, query, head, so that heads, of which there are many, are contiguous.
  static constexpr unsigned kRows[] = {AttentionOp::Batch, AttentionOp::Query, AttentionOp::Head};

  void emitExtents() {
    extents.resize(AttentionOp::NumDims);
    for (unsigned operand : {op.getOutputNumber(), 1u}) // the output's dimensions, and the keys
      for (auto [expr, extent] :
           llvm::zip_equal(op.getIndexingMap(operand).getResults(), extentsOfTensor(b, op->getOperand(operand))))
        if (auto dim = dyn_cast<AffineDimExpr>(expr); dim && !extents[dim.getPosition()])
          extents[dim.getPosition()] = extent;
    AffineExpr keys = b.getAffineDimExpr(0);
    if (op.getTable())
      extents[AttentionOp::Key] = affine::makeComposedFoldedAffineApply(b, op.getLoc(), keys * op.getPageLength(),
                                                                        {extentsOfTensor(b, op.getTable())[1]});
    splits =
        affine::makeComposedFoldedAffineApply(b, op.getLoc(), keys.ceilDiv(plan.length), {extents[AttentionOp::Key]});
  }

  SmallVector<OpFoldResult> rowSizes(bool withSplits) {
    SmallVector<OpFoldResult> sizes;
    if (withSplits)
      sizes.push_back(splits);
    for (unsigned dim : kRows)
      sizes.push_back(extents[dim]);
    return sizes;
  }

  /// Loops (s, b, i, h) → rows, with the split or without it.
  AffineMap selectRows(bool withSplits) {
    AffineMap all = b.getMultiDimIdentityMap(4);
    return withSplits ? all : all.dropResult(0);
  }

  /// The attention op over splits: its outputs and their log-sum-exps.
  std::pair<Value, Value> emitParts() {
    AffineExpr split = b.getAffineDimExpr(AttentionOp::Key).floorDiv(plan.length);
    SmallVector<AffineExpr> ofOutput = {split}, ofLse = {split};
    SmallVector<OpFoldResult> sizes = {splits};
    for (AffineExpr expr : outputMap.getResults()) {
      ofOutput.push_back(expr);
      sizes.push_back(extents[cast<AffineDimExpr>(expr).getPosition()]);
    }
    for (unsigned dim : kRows)
      ofLse.push_back(b.getAffineDimExpr(dim));
    Value output = def.empty(sizes, f32), lse = def.empty(rowSizes(true), f32);
    SmallVector<Attribute> maps(op.getIndexingMaps().getValue().take_front(op.getOutputNumber()));
    for (ArrayRef<AffineExpr> exprs : {ArrayRef(ofOutput), ArrayRef(ofLse)})
      maps.push_back(AffineMapAttr::get(AffineMap::get(AttentionOp::NumDims, 0, exprs, b.getContext())));
    auto parts =
        AttentionOp::create(b, op.getLoc(), TypeRange{output.getType(), lse.getType()}, op.getQuery(), op.getKey(),
                            op.getValue(), op.getExtras(), op.getKeyScale(), op.getValueScale(), op.getTable(), output,
                            lse, op.getScaleAttr(), b.getArrayAttr(maps), op.getProductTypeAttr());
    parts.getScore().takeBody(op.getScore());
    parts.getMask().takeBody(op.getMask());
    return {parts.getResult(0), parts.getResult(1)};
  }

  /// exp(lse − max), 0 for a split that sees nothing (where the maximum may be −∞ too).
  static Value weight(DefinitionBuilder &d, Value lse, Value max) {
    Value hidden = d.constant(lse.getType(), -std::numeric_limits<double>::infinity());
    Value unseen = arith::CmpFOp::create(d.b, d.loc, arith::CmpFPredicate::OEQ, lse, hidden);
    Value power = math::ExpOp::create(d.b, d.loc, arith::SubFOp::create(d.b, d.loc, lse, max));
    return arith::SelectOp::create(d.b, d.loc, unseen, d.constant(lse.getType(), 0), power);
  }

  Value emitWeights(Value lses, Value largest, Value sum) {
    AffineMap rows = selectRows(false), all = selectRows(true);
    return def.compute({lses, largest, sum}, def.empty(rowSizes(true), f32), {all, rows, rows, all},
                       [&](DefinitionBuilder &d, ValueRange e) -> Value {
                         Value part = weight(d, e[0], e[1]);
                         Value zero = d.constant(f32, 0);
                         // A row that sees nothing has the sum 0: its weights stay 0.
                         Value unseen = arith::CmpFOp::create(d.b, d.loc, arith::CmpFPredicate::OEQ, part, zero);
                         Value quotient = arith::DivFOp::create(d.b, d.loc, part, e[2]);
                         return arith::SelectOp::create(d.b, d.loc, unseen, zero, quotient);
                       });
  }

  /// Σ_s weights · partial, over the loops (the output's dimensions, s).
  Value emitOutput(Value partial, Value weights) {
    unsigned rank = outputMap.getNumResults();
    AffineExpr s = b.getAffineDimExpr(rank);
    SmallVector<AffineExpr> ofOutput, ofPartial = {s}, ofWeights = {s};
    for (unsigned dim = 0; dim < rank; ++dim) {
      ofOutput.push_back(b.getAffineDimExpr(dim));
      ofPartial.push_back(b.getAffineDimExpr(dim));
    }
    for (unsigned dim : kRows)
      ofWeights.push_back(b.getAffineDimExpr(*outputMap.getResultPosition(b.getAffineDimExpr(dim))));
    auto map = [&](ArrayRef<AffineExpr> exprs) { return AffineMap::get(rank + 1, 0, exprs, b.getContext()); };
    Value start = linalg::FillOp::create(b, op.getLoc(), def.constant(f32, 0), op.getOutput()).getResult(0);
    return def.compute({partial, weights}, start, {map(ofPartial), map(ofWeights), map(ofOutput)},
                       [&](DefinitionBuilder &d, ValueRange e) -> Value {
                         return arith::AddFOp::create(d.b, d.loc, e[2], arith::MulFOp::create(d.b, d.loc, e[0], e[1]));
                       });
  }

  /// max + log sum; −∞ + −∞ where nothing is seen.
  Value emitLse(Value largest, Value sum) {
    // Loops in the order of lse's own dimensions.
    AffineMap map = op.getIndexingMap(op.getLseNumber());
    SmallVector<AffineExpr> ofRows;
    for (unsigned dim : kRows)
      ofRows.push_back(b.getAffineDimExpr(*map.getResultPosition(b.getAffineDimExpr(dim))));
    AffineMap rows = AffineMap::get(3, 0, ofRows, b.getContext());
    return def.compute({largest, sum}, op.getLse(), {rows, rows, b.getMultiDimIdentityMap(3)},
                       [&](DefinitionBuilder &d, ValueRange e) -> Value {
                         return arith::AddFOp::create(d.b, d.loc, e[0], math::LogOp::create(d.b, d.loc, e[1]));
                       });
  }

  SplitPlan plan;
  AttentionOp op;
  OpBuilder &b;
  DefinitionBuilder def;
  Type f32;
  AffineMap outputMap;
  SmallVector<OpFoldResult> extents;
  OpFoldResult splits;
};

struct SplitAttentionPass : impl::SplitAttentionBase<SplitAttentionPass> {
  void runOnOperation() override {
    SmallVector<AttentionOp> ops;
    getOperation()->walk([&](AttentionOp op) { ops.push_back(op); });
    for (AttentionOp op : ops) {
      FailureOr<SplitPlan> plan = planSplit(op);
      if (failed(plan))
        continue;
      OpBuilder builder(op);
      op->replaceAllUsesWith(SplitEmitter(*plan, builder).emit());
      op.erase();
    }
  }
};

} // namespace
} // namespace weft
