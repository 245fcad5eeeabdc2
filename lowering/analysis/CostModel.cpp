// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// #weft.target → facts of the machine; ops → counts of work; both → cycles.
#include "lowering/analysis/CostModel.h"

#include "dialects/weft/CacheOps.h"
#include "dialects/weft/RecurrenceOps.h"
#include "dialects/weft/RoutingOps.h"
#include "dialects/weft/SequenceOps.h"
#include "lowering/analysis/AmxPlan.h"
#include "lowering/analysis/KernelGroups.h"
#include "lowering/analysis/RecurrencePlan.h"
#include "lowering/analysis/RegisterPlan.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;

namespace weft {

MachineFacts MachineFacts::forTarget(TargetAttr target) {
  double lanes = target.getLanes();
  bool fused = target.getIsa() != "portable";
  MachineFacts facts;
  facts.lanes = lanes;
  facts.multiplyAdds = fused ? 2 : 1; // without FMA a product and a sum share the two ports
  facts.simple = 2;
  facts.transcendental = fused ? 16 : 30; // a polynomial of degree 6 to 11, some of it serial
  // Both products of attention: 900 cycles for 2^18, storing tiles included; dot products of two bf16 are as many as
  // multiply-adds. exp: a polynomial of degree 3.
  RegisterPlan registers = RegisterPlan::forTarget(target);
  bool tiles = hasTileInstructions(target), dots = registers.halfDots && registers.bfloat;
  facts.tiledProducts = tiles ? 18 : dots ? 2 * facts.multiplyAdds : facts.multiplyAdds;
  facts.roundedExp = tiles || dots ? 4 : facts.transcendental;
  facts.divide = lanes >= 16 ? 16 : lanes >= 8 ? 5 : 4;
  // 32 KiB, 1 MiB (v4) or 512 KiB, a core's 2 MiB of the third level.
  facts.cacheBytes[0] = 32 << 10;
  facts.cacheBytes[1] = lanes >= 16 ? 1 << 20 : 512 << 10;
  facts.cacheBytes[2] = 2 << 20;
  facts.bytesPerCycle[0] = 2 * 4 * lanes;
  facts.bytesPerCycle[1] = lanes >= 16 ? 48 : 24;
  facts.bytesPerCycle[2] = 10;
  facts.bytesPerCycle[3] = 5;
  facts.kernel = 300;
  return facts;
}

Work &Work::operator+=(const Work &other) {
  multiplyAdds += other.multiplyAdds;
  simple += other.simple;
  transcendental += other.transcendental;
  tiledProducts += other.tiledProducts;
  roundedExps += other.roundedExps;
  divide += other.divide;
  bytesRead += other.bytesRead;
  bytesWritten += other.bytesWritten;
  return *this;
}

Work Work::operator*(double times) const {
  Work product = *this;
  for (double Work::*count : {&Work::multiplyAdds, &Work::simple, &Work::transcendental, &Work::tiledProducts,
                              &Work::roundedExps, &Work::divide, &Work::bytesRead, &Work::bytesWritten})
    product.*count *= times;
  return product;
}

/// Shifts, additions and a selection of a rounding to 16 bits, on targets without an instruction for it.
static constexpr double kRounding = 8;

Work Work::ofOpInRegion(Operation *op) {
  Work work;
  if (op->hasTrait<OpTrait::ConstantLike>() || op->hasTrait<OpTrait::IsTerminator>())
    return work;
  if (isa<arith::DivFOp, math::SqrtOp, math::RsqrtOp>(op))
    work.divide += 1;
  else if (isa<math::FmaOp>(op))
    work.multiplyAdds += 1;
  else if (isa<arith::TruncFOp>(op) && op->getResult(0).getType().getIntOrFloatBitWidth() == 16)
    work.simple += kRounding;
  else if (isa<math::AbsFOp, math::FloorOp, math::CeilOp, math::RoundEvenOp>(op) ||
           isa<arith::ArithDialect>(op->getDialect()))
    work.simple += 1;
  else if (isa<math::MathDialect>(op->getDialect()))
    work.transcendental += 1;
  return work;
}

Work Work::ofRegion(Region &region) {
  Work work;
  region.walk([&](Operation *op) { work += ofOpInRegion(op); });
  return work;
}

static double elementsOf(ShapedType type) {
  double elements = 1;
  for (int64_t extent : type.getShape())
    elements *= assumedExtent(extent);
  return elements;
}

static double bytesOf(ShapedType type) {
  Type element = type.getElementType();
  return elementsOf(type) * (element.isIntOrFloat() ? std::max(1u, element.getIntOrFloatBitWidth() / 8) : 8);
}

/// The extents of attention's loops, from the operands that a dimension alone indexes.
static SmallVector<int64_t> attentionExtents(AttentionOp op) {
  SmallVector<int64_t> extents(AttentionOp::NumDims, 1);
  SmallVector<Value> operands = {op.getQuery(), op.getKey(), op.getValue()};
  for (auto [i, operand] : llvm::enumerate(operands))
    for (auto [dim, expr] : llvm::enumerate(op.getIndexingMap(i).getResults()))
      if (auto loop = dyn_cast<AffineDimExpr>(expr))
        if (!op.isPaged(i) || (loop.getPosition() != AttentionOp::Batch && loop.getPosition() != AttentionOp::Key))
          extents[loop.getPosition()] = cast<ShapedType>(operand.getType()).getDimSize(dim);
  if (op.getTable())
    extents[AttentionOp::Key] = ShapedType::kDynamic;
  return extents;
}

/// Products that each sum of a product has.
static int64_t depthOfProduct(Operation *op) {
  int64_t depth = cast<ShapedType>(op->getOperand(0).getType()).getDimSize(1);
  auto packed = dyn_cast<PackedMatmulOp>(op);
  return packed && packed.hasBlocks() ? depth / packed.getBlocks() : depth;
}

SmallVector<int64_t> loopExtents(Operation *op) {
  if (auto recurrence = dyn_cast<RecurrenceOp>(op))
    return recurrence.getStaticExtents();
  if (auto attention = dyn_cast<AttentionOp>(op))
    return attentionExtents(attention);
  SmallVector<int64_t> known;
  if (auto update = dyn_cast<CacheUpdateOp>(op))
    return llvm::to_vector(update.getRows().getType().getShape());
  if (isa<CombineOp, DispatchOp, RouteOp>(op)) // rows, experts or scores
    return llvm::to_vector(cast<ShapedType>(op->getOperand(0).getType()).getShape());
  if (auto scan = dyn_cast<ScanOp>(op)) {
    for (unsigned dim : llvm::seq(scan.getNumLoops())) {
      auto [input, place] = scan.getOperandWith(dim);
      known.push_back(cast<ShapedType>(input.getType()).getDimSize(place));
    }
    return known;
  }
  if (auto linalgOp = dyn_cast<linalg::LinalgOp>(op))
    known = linalgOp.getStaticLoopRanges();
  else
    llvm::append_range(known, cast<ShapedType>(op->getResult(0).getType()).getShape());
  if (isProduct(op))
    known.push_back(depthOfProduct(op));
  return known;
}

static double pointsOf(Operation *op) {
  double points = 1;
  for (int64_t extent : loopExtents(op))
    points *= assumedExtent(extent);
  return points;
}

/// The step region at each point; what does not depend on n, once for all n. Then decay, key times value, query, and
/// the two products of a term of low rank.
static Work recurrenceWork(RecurrenceOp op) {
  double points = pointsOf(op), shared = points / assumedExtent(op.getStaticExtents()[RecurrenceOp::Key]);
  StepDependence dependence(op);
  Work work;
  for (Operation &inner : op.getStep().front().without_terminator()) {
    bool onKey = inner.getNumResults() && dependence.onKey.contains(inner.getResult(0));
    work += Work::ofOpInRegion(&inner) * (onKey ? points : shared);
  }
  if (!op.getOutput().empty())
    work += Work::ofRegion(op.getOutput()) * shared;
  double products = (op.getOutputs().empty() ? 2 : 3) + (op.getStepOp().getLowRank().empty() ? 0 : 2);
  work.multiplyAdds += points * products * (op.isComplex() ? 4 : 1);
  return work;
}

static Work arithmeticOf(Operation *op) {
  Work work;
  if (isa<PackedMatmulOp, GroupwiseMatmulOp, GroupedMatmulOp, CombineOp>(op)) {
    work.multiplyAdds = pointsOf(op);
  } else if (isa<QuantizedMatmulOp>(op)) {
    work.multiplyAdds = pointsOf(op) / 4; // four in a lane
  } else if (auto attention = dyn_cast<AttentionOp>(op)) {
    double depth = 0, scores = 1;
    for (auto [dim, extent] : llvm::enumerate(attentionExtents(attention)))
      if (dim == AttentionOp::HeadDim || dim == AttentionOp::ValueDim)
        depth += assumedExtent(extent);
      else
        scores *= assumedExtent(extent);
    bool tiles = wantsTiles(attention);
    (tiles ? work.tiledProducts : work.multiplyAdds) = scores * depth;
    (tiles ? work.roundedExps : work.transcendental) = scores;
    work.simple = 4 * scores; // scale, maximum, difference, sum
  } else if (auto scan = dyn_cast<ScanOp>(op)) {
    work = Work::ofRegion(scan.getCombine()) * pointsOf(op);
  } else if (auto conv = dyn_cast<CausalConvOp>(op)) {
    work = Work::ofRegion(conv.getOutput()) * pointsOf(op);
    work.multiplyAdds += conv.getTaps() * pointsOf(op);
  } else if (auto recurrence = dyn_cast<RecurrenceOp>(op)) {
    work = recurrenceWork(recurrence);
  } else if (isa<LayerNormOp, RmsNormOp, QuantizeRowsOp>(op)) {
    // Sum, difference, square, sum, scale, bias; or magnitude, maximum, scale, round, clamp, pack.
    work.simple = 6 * pointsOf(op);
  } else if (isa<RouteOp>(op)) {
    // Each score is looked at once for each choice.
    work.simple = 4 * pointsOf(op) * assumedExtent(cast<ShapedType>(op->getResult(0).getType()).getDimSize(1));
  } else if (isa<linalg::LinalgOp>(op)) {
    work = Work::ofRegion(op->getRegion(0)) * pointsOf(op);
  }
  return work;
}

Work Work::ofOp(Operation *op) {
  Work work = arithmeticOf(op);
  if (auto update = dyn_cast<CacheUpdateOp>(op)) { // only the slots of its rows
    work.bytesRead = work.bytesWritten = bytesOf(update.getRows().getType());
    return work;
  }
  for (Value operand : op->getOperands())
    if (auto type = dyn_cast<ShapedType>(operand.getType()))
      work.bytesRead += bytesOf(type);
  for (Value result : op->getResults())
    if (auto type = dyn_cast<ShapedType>(result.getType())) {
      work.bytesWritten += bytesOf(type);
      work.bytesRead -= bytesOf(type); // the destination is not read
    }
  // Of a table only the rows that were asked for.
  if (auto lookup = dyn_cast<EmbeddingOp>(op))
    work.bytesRead +=
        bytesOf(cast<ShapedType>(op->getResult(0).getType())) - bytesOf(cast<ShapedType>(lookup.getTable().getType()));
  return work;
}

double CostModel::arithmetic(const Work &work) const {
  return (work.multiplyAdds / facts.multiplyAdds + work.tiledProducts / facts.tiledProducts +
          work.simple / facts.simple + work.transcendental * facts.transcendental +
          work.roundedExps * facts.roundedExp + work.divide * facts.divide) /
         facts.lanes;
}

double CostModel::traffic(double bytes, double footprint) const {
  for (int level = 0; level < 3; ++level)
    if (footprint <= facts.cacheBytes[level])
      return bytes / facts.bytesPerCycle[level];
  return bytes / facts.bytesPerCycle[3];
}

double CostModel::cycles(const Work &work) const {
  double bytes = work.bytesRead + work.bytesWritten;
  return std::max(arithmetic(work), traffic(bytes, bytes));
}

double CostModel::fusedCycles(const Work &producer, const Work &reader, double between, double times) const {
  // Each part's own tensors come from where they would without the other.
  double read = producer.bytesRead + producer.bytesWritten - between;
  double own = reader.bytesRead + reader.bytesWritten - between;
  double outer = traffic(read * times, read + between) + traffic(own, own + between);
  return kernelCycles(arithmetic(producer) * times + arithmetic(reader), outer + traffic(2 * between * times, 0));
}

double CostModel::apartCycles(const Work &producer, const Work &reader, double between, double times) const {
  double own = reader.bytesRead + reader.bytesWritten;
  double again = traffic(between * (times - 1), between);
  return cycles(producer) + facts.kernel + kernelCycles(arithmetic(reader), traffic(own, own) + again);
}

double CostModel::kernelCycles(double arithmetic, double memory) const {
  return std::max(arithmetic, memory) + facts.kernel;
}

} // namespace weft
