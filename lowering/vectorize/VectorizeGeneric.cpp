// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// linalg ops on memrefs (what a tile holds beside products and attention) → loops with one dimension in vectors:
//   parallel, contiguous in the output: scf.for %i step lanes { vector.load …; body; vector.store }, a masked tail
//   reduction, contiguous in the inputs: partial sums in lanes, then halves of the lanes together
//   anything else: scalar loops, and a missed-optimisation remark
#include "lowering/vectorize/Passes.h"

#include "lowering/analysis/RegisterPlan.h"
#include "lowering/vectorize/OperandAccess.h"
#include "lowering/vectorize/VectorBody.h"

#include "mlir/Analysis/SliceAnalysis.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/Dialect/Linalg/Utils/Utils.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/Remarks.h"

namespace weft {
#define GEN_PASS_DEF_VECTORIZEGENERIC
#include "lowering/vectorize/Passes.h.inc"
} // namespace weft

using namespace mlir;

namespace weft {
namespace {

/// Which loop becomes vectors, and how.
struct LoopPlan {
  linalg::GenericOp op;
  int64_t vectorDim;
  bool reduction;
  vector::CombiningKind kind = vector::CombiningKind::ADD; ///< of a vectorised reduction
  int64_t lanes;
};

/// How partial results of a reduction's body combine; fails when the body is not one combining op at its end.
FailureOr<vector::CombiningKind> matchCombiner(linalg::GenericOp op) {
  if (op.getNumDpsInits() != 1)
    return failure();
  SmallVector<Operation *> combiners;
  if (!matchReduction(op.getRegionOutputArgs(), 0, combiners) || combiners.size() != 1)
    return failure();
  std::optional<vector::CombiningKind> kind = linalg::getCombinerOpKind(combiners.front());
  if (!kind)
    return failure();
  return *kind;
}

/// Whether all operands can be read, and outputs written, with `dim` in lanes.
bool allAccessible(linalg::GenericOp op, int64_t dim, AccessKind output) {
  for (OpOperand &operand : op->getOpOperands()) {
    AccessKind kind = classifyAccess(operand.get(), op.getMatchingIndexingMap(&operand), dim);
    if (op.isDpsInit(&operand) ? kind != output : kind == AccessKind::Unsupported || kind == AccessKind::Strided)
      return false;
  }
  return true;
}

FailureOr<LoopPlan> planLoops(linalg::GenericOp op, const RegisterPlan &registers) {
  if (!isVectorizableBody(*op.getBody()) || op.getNumLoops() == 0)
    return failure();
  SmallVector<utils::IteratorType> iterators = op.getIteratorTypesArray();
  for (int64_t dim = op.getNumLoops() - 1; dim >= 0; --dim) {
    bool reduction = iterators[dim] == utils::IteratorType::reduction;
    LoopPlan plan{op, dim, reduction, vector::CombiningKind::ADD, registers.lanes};
    if (!reduction && allAccessible(op, dim, AccessKind::Contiguous))
      return plan;
    if (!reduction || !allAccessible(op, dim, AccessKind::Uniform))
      continue;
    FailureOr<vector::CombiningKind> kind = matchCombiner(op);
    if (failed(kind))
      continue;
    plan.kind = *kind;
    return plan;
  }
  return failure();
}

/// The element that a combining kind leaves alone, for f32 and integers.
TypedAttr neutralElement(OpBuilder &b, vector::CombiningKind kind, Type type) {
  using Kind = vector::CombiningKind;
  if (auto floating = dyn_cast<FloatType>(type)) {
    bool isMax = kind == Kind::MAXIMUMF || kind == Kind::MAXNUMF,
         isMin = kind == Kind::MINIMUMF || kind == Kind::MINNUMF;
    if (isMax || isMin)
      return b.getFloatAttr(type, APFloat::getInf(floating.getFloatSemantics(), /*Negative=*/isMax));
    return b.getFloatAttr(type, kind == Kind::MUL ? 1.0 : 0.0);
  }
  unsigned width = type.getIntOrFloatBitWidth();
  switch (kind) {
  case Kind::MUL:
    return b.getIntegerAttr(type, 1);
  case Kind::AND:
    return b.getIntegerAttr(type, APInt::getAllOnes(width));
  case Kind::MAXSI:
    return b.getIntegerAttr(type, APInt::getSignedMinValue(width));
  case Kind::MINSI:
    return b.getIntegerAttr(type, APInt::getSignedMaxValue(width));
  case Kind::MINUI:
    return b.getIntegerAttr(type, APInt::getMaxValue(width));
  default:
    return b.getIntegerAttr(type, 0);
  }
}

/// Vectors that a reduction over a known extent keeps apart: each waits four cycles for its own addition only.
constexpr int64_t kPartialSums = 4;

/// All lanes of a vector combined, each half with the other: log2 lanes steps in an order that the target's width alone
/// decides. (vector.reduction of floats goes lane by lane.)
Value emitLaneTotal(OpBuilder &b, vector::CombiningKind kind, Value vector) {
  Location loc = vector.getLoc();
  for (int64_t half = cast<VectorType>(vector.getType()).getNumElements() / 2; half > 0; half /= 2) {
    auto part = [&](int64_t first) -> Value {
      return vector::ExtractStridedSliceOp::create(b, loc, vector, first, half, 1);
    };
    Value lower = part(0), upper = part(half);
    vector = vector::makeArithReduction(b, loc, kind, lower, upper);
  }
  return vector::ExtractOp::create(b, loc, vector, 0);
}

class LoopEmitter {
public:
  LoopEmitter(const LoopPlan &plan) : plan(plan), op(plan.op), loc(op.getLoc()) {}

  void emit(OpBuilder &b) {
    for (Range range : cast<linalg::LinalgOp>(op.getOperation()).createLoopRanges(b, loc))
      extents.push_back(getValueOrCreateConstantIndexOp(b, loc, range.size));
    SmallVector<utils::IteratorType> iterators = op.getIteratorTypesArray();
    for (int64_t dim = 0; dim < op.getNumLoops(); ++dim) {
      if (dim == plan.vectorDim)
        continue;
      (iterators[dim] == utils::IteratorType::parallel ? outer : inner).push_back(dim);
    }
    point.dims.resize(op.getNumLoops());
    point.vectorDim = plan.vectorDim;
    point.lanes = plan.lanes;
    emitOuter(b, 0);
  }

private:
  Value constant(OpBuilder &b, int64_t value) { return arith::ConstantIndexOp::create(b, loc, value); }

  /// Loops over the parallel dimensions that are not in lanes.
  void emitOuter(OpBuilder &b, size_t depth) {
    if (depth == outer.size())
      return plan.reduction ? emitReduction(b) : emitParallel(b);
    int64_t dim = outer[depth];
    scf::ForOp::create(b, loc, constant(b, 0), extents[dim], constant(b, 1), ValueRange(),
                       [&](OpBuilder &body, Location, Value index, ValueRange) {
                         point.dims[dim] = index;
                         emitOuter(body, depth + 1);
                         scf::YieldOp::create(body, loc);
                       });
  }

  /// `chunk` for each vector of the vector dimension from `first` on; the last, partial one with a mask. Values are
  /// carried.
  SmallVector<Value> emitChunks(OpBuilder &b, int64_t first, ValueRange carried,
                                function_ref<SmallVector<Value>(OpBuilder &, ValueRange)> chunk) {
    Value extent = extents[plan.vectorDim], lanes = constant(b, plan.lanes);
    std::optional<int64_t> fixed = getConstantIntValue(extent);
    Value rest = arith::RemUIOp::create(b, loc, extent, lanes);
    Value main = arith::SubIOp::create(b, loc, extent, rest);
    auto loop = scf::ForOp::create(b, loc, constant(b, first), main, lanes, carried,
                                   [&](OpBuilder &body, Location, Value base, ValueRange values) {
                                     point.dims[plan.vectorDim] = base;
                                     point.mask = nullptr;
                                     scf::YieldOp::create(body, loc, chunk(body, values));
                                   });
    if (fixed && *fixed % plan.lanes == 0)
      return SmallVector<Value>(loop.getResults());
    Value some = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ne, rest, constant(b, 0));
    auto tail = [&](OpBuilder &body, Location) {
      point.dims[plan.vectorDim] = main;
      point.mask = vector::CreateMaskOp::create(body, loc, VectorType::get({plan.lanes}, body.getI1Type()), rest);
      scf::YieldOp::create(body, loc, chunk(body, loop.getResults()));
    };
    if (carried.empty()) {
      scf::IfOp::create(b, loc, some, tail);
      return {};
    }
    auto branch = scf::IfOp::create(
        b, loc, some, tail, [&](OpBuilder &body, Location) { scf::YieldOp::create(body, loc, loop.getResults()); });
    return SmallVector<Value>(branch.getResults());
  }

  /// The body at the present point, with the outputs' arguments given.
  SmallVector<Value> emitBody(OpBuilder &b, ValueRange outputs) {
    IRMapping mapping;
    for (OpOperand *input : op.getDpsInputOperands()) {
      BlockArgument argument = op.getMatchingBlockArgument(input);
      if (!argument.use_empty())
        mapping.map(argument, emitLoad(b, loc, input->get(), op.getMatchingIndexingMap(input), point));
    }
    mapping.map(op.getRegionOutputArgs(), outputs);
    auto index = [&](unsigned dim) -> Value {
      if (dim != static_cast<unsigned>(plan.vectorDim))
        return point.dims[dim];
      Value step = vector::StepOp::create(b, loc, VectorType::get({plan.lanes}, b.getIndexType()));
      return arith::AddIOp::create(b, loc, widen(b, loc, point.dims[dim], plan.lanes), step);
    };
    SmallVector<Value> results = emitVectorBody(b, *op.getBody(), mapping, plan.lanes, index);
    for (Value &result : results)
      result = widen(b, loc, result, plan.lanes);
    return results;
  }

  SmallVector<Value> emitOutputs(OpBuilder &b) {
    SmallVector<Value> values;
    for (OpOperand &init : op.getDpsInitsMutable()) {
      // A body that does not read its output must not: the memory may hold anything.
      if (op.getMatchingBlockArgument(&init).use_empty())
        values.push_back(arith::ConstantOp::create(
            b, loc, b.getZeroAttr(VectorType::get({plan.lanes}, getElementTypeOrSelf(init.get().getType())))));
      else
        values.push_back(
            widen(b, loc, emitLoad(b, loc, init.get(), op.getMatchingIndexingMap(&init), point), plan.lanes));
    }
    return values;
  }

  /// Loops over the remaining reduction dimensions around `leaf`, carrying values.
  SmallVector<Value> emitInner(OpBuilder &b, size_t depth, ValueRange carried,
                               function_ref<SmallVector<Value>(OpBuilder &, ValueRange)> leaf) {
    if (depth == inner.size())
      return leaf(b, carried);
    int64_t dim = inner[depth];
    auto loop = scf::ForOp::create(b, loc, constant(b, 0), extents[dim], constant(b, 1), carried,
                                   [&](OpBuilder &body, Location, Value index, ValueRange values) {
                                     point.dims[dim] = index;
                                     scf::YieldOp::create(body, loc, emitInner(body, depth + 1, values, leaf));
                                   });
    return SmallVector<Value>(loop.getResults());
  }

  void emitParallel(OpBuilder &b) {
    emitChunks(b, 0, {}, [&](OpBuilder &body, ValueRange) {
      auto leaf = [&](OpBuilder &k, ValueRange outputs) { return emitBody(k, outputs); };
      SmallVector<Value> results = emitInner(body, 0, emitOutputs(body), leaf);
      for (auto [result, init] : llvm::zip_equal(results, op.getDpsInitsMutable()))
        emitStore(body, loc, result, init.get(), op.getMatchingIndexingMap(&init), point);
      return SmallVector<Value>();
    });
  }

  /// kPartialSums vectors at a time as long as whole ones are left; `done` elements then. Only where the extent is
  /// known: the order of a sum whose length varies must not depend on that length, or padding would change it.
  Value emitPartials(OpBuilder &b, Value start, Value neutral, int64_t &done,
                     function_ref<SmallVector<Value>(OpBuilder &, ValueRange)> chunk) {
    int64_t step = kPartialSums * plan.lanes;
    done = getConstantIntValue(extents[plan.vectorDim]).value_or(0) / step * step;
    if (done == 0)
      return start;
    SmallVector<Value> sums(kPartialSums, neutral);
    sums.front() = start;
    auto loop = scf::ForOp::create(b, loc, constant(b, 0), constant(b, done), constant(b, step), sums,
                                   [&](OpBuilder &body, Location, Value base, ValueRange values) {
                                     SmallVector<Value> results;
                                     point.mask = nullptr;
                                     for (auto [i, value] : llvm::enumerate(values)) {
                                       point.dims[plan.vectorDim] =
                                           arith::AddIOp::create(body, loc, base, constant(body, i * plan.lanes));
                                       results.push_back(chunk(body, value).front());
                                     }
                                     scf::YieldOp::create(body, loc, results);
                                   });
    sums.assign(loop.result_begin(), loop.result_end());
    for (size_t half = sums.size() / 2; half > 0; half /= 2)
      for (size_t i = 0; i < half; ++i)
        sums[i] = vector::makeArithReduction(b, loc, plan.kind, sums[i], sums[i + half]);
    return sums.front();
  }

  void emitReduction(OpBuilder &b) {
    OpOperand *init = op.getDpsInitOperand(0);
    Type element = getElementTypeOrSelf(init->get().getType());
    auto type = VectorType::get({plan.lanes}, element);
    Value neutral = arith::ConstantOp::create(
        b, loc, DenseElementsAttr::get(type, Attribute(neutralElement(b, plan.kind, element))));
    auto chunk = [&](OpBuilder &body, ValueRange values) {
      SmallVector<Value> results = emitBody(body, values);
      if (point.mask)
        results.front() = arith::SelectOp::create(body, loc, point.mask, results.front(), values.front());
      return results;
    };
    auto leaf = [&](OpBuilder &k, ValueRange carried) {
      int64_t done = 0;
      Value partial = emitPartials(k, carried.front(), neutral, done, chunk);
      return emitChunks(k, done, partial, chunk);
    };
    Value partial = emitInner(b, 0, neutral, leaf).front();
    IterationPoint scalar;
    scalar.dims = point.dims;
    Value start = emitLoad(b, loc, init->get(), op.getMatchingIndexingMap(init), scalar);
    Value total = vector::makeArithReduction(b, loc, plan.kind, start, emitLaneTotal(b, plan.kind, partial));
    emitStore(b, loc, total, init->get(), op.getMatchingIndexingMap(init), scalar);
  }

  LoopPlan plan;
  linalg::GenericOp op;
  Location loc;
  SmallVector<Value> extents;
  SmallVector<int64_t> outer, inner;
  IterationPoint point;
};

struct VectorizeGenericPass : impl::VectorizeGenericBase<VectorizeGenericPass> {
  void runOnOperation() override {
    FailureOr<RegisterPlan> registers = registerPlanOf(getOperation());
    if (failed(registers))
      return signalPassFailure();
    SmallVector<linalg::LinalgOp> ops;
    getOperation()->walk([&](linalg::LinalgOp op) { ops.push_back(op); });
    IRRewriter rewriter(&getContext());
    for (linalg::LinalgOp op : ops)
      if (failed(lower(op, *registers, rewriter)))
        return signalPassFailure();
  }

  LogicalResult lower(linalg::LinalgOp op, const RegisterPlan &registers, IRRewriter &rewriter) {
    if (!op.hasPureBufferSemantics())
      return op->emitError("must work on memrefs here: run the bufferize phase first");
    rewriter.setInsertionPoint(op);
    FailureOr<linalg::GenericOp> generic = linalg::generalizeNamedOp(rewriter, op);
    linalg::GenericOp target = succeeded(generic) ? *generic : cast<linalg::GenericOp>(op.getOperation());
    rewriter.setInsertionPoint(target);
    FailureOr<LoopPlan> plan = planLoops(target, registers);
    if (succeeded(plan)) {
      LoopEmitter(*plan).emit(rewriter);
      rewriter.eraseOp(target);
      return success();
    }
    remark::missed(target.getLoc(), remark::RemarkOpts::name("scalar-loop").category("weft-vectorize-generic"))
        << "no dimension is contiguous in all operands of a body that works lane by lane";
    if (failed(linalg::linalgOpToLoops(rewriter, cast<linalg::LinalgOp>(target.getOperation()))))
      return target.emitError("cannot be lowered to loops");
    rewriter.eraseOp(target);
    return success();
  }
};

} // namespace
} // namespace weft
