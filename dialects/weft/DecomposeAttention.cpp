// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// weft.attention → its definition: scores, regions, stable softmax, product,
// each a linalg.generic over all of [b, h, i, j]. Meant to be read and checked
// against, not to be fast: the score matrix is stored.
#include "dialects/weft/Definition.h"
#include "dialects/weft/WeftDialect.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/IRMapping.h"

#include <limits>

using namespace mlir;
using namespace weft;

namespace {
using Def = DefinitionBuilder;

class AttentionDefinition {
public:
  AttentionDefinition(AttentionOp op, OpBuilder &builder)
      : op(op), def(builder, op.getLoc()), f32(builder.getF32Type()) {
    for (Range range : op.getIterationDomain(builder))
      extents.push_back(range.size);
  }

  SmallVector<Value> build();

private:
  using Dims = ArrayRef<unsigned>;

  Value scores();
  Value maskedScores(Value scores);
  Value rowMaxima(Value scores);
  Value weights(Value scores, Value maxima);
  Value rowSums(Value weights);
  Value weightedValues(Value weights);
  Value output(Value products, Value sums);
  Value logSumExp(Value sums, Value maxima);

  Value inlined(Def &d, Region &region, ValueRange arguments);
  /// (all loops) -> (these dims); dims are numbered by their place in `loops`.
  AffineMap select(Dims loops, Dims dims);
  /// The map of an operand, over these loops.
  AffineMap operandMap(Dims loops, unsigned operand);
  SmallVector<OpFoldResult> shape(Dims dims);
  /// The operand, out of its pages where it lies in some.
  Value inOnePiece(unsigned operand);

  static constexpr unsigned b = AttentionOp::Batch, h = AttentionOp::Head, i = AttentionOp::Query, j = AttentionOp::Key,
                            d = AttentionOp::HeadDim, e = AttentionOp::ValueDim;
  AttentionOp op;
  Def def;
  Type f32;
  SmallVector<OpFoldResult> extents;
};
} // namespace

AffineMap AttentionDefinition::select(Dims loops, Dims dims) {
  SmallVector<AffineExpr> results;
  for (unsigned dim : dims)
    results.push_back(def.b.getAffineDimExpr(llvm::find(loops, dim) - loops.begin()));
  return AffineMap::get(loops.size(), 0, results, def.b.getContext());
}

AffineMap AttentionDefinition::operandMap(Dims loops, unsigned operand) {
  SmallVector<AffineExpr> place(AttentionOp::NumDims, def.b.getAffineConstantExpr(0));
  for (auto [position, dim] : llvm::enumerate(loops))
    place[dim] = def.b.getAffineDimExpr(position);
  return op.getIndexingMap(operand).replaceDimsAndSymbols(place, {}, loops.size(), 0);
}

SmallVector<OpFoldResult> AttentionDefinition::shape(Dims dims) {
  return llvm::map_to_vector(dims, [&](unsigned dim) { return extents[dim]; });
}

Value AttentionDefinition::inOnePiece(unsigned operand) {
  Value pages = op->getOperand(operand);
  if (!op.isPaged(operand))
    return pages;
  AffineMap map = op.getIndexingMap(operand);
  SmallVector<OpFoldResult> sizes = tensor::getMixedSizes(def.b, def.loc, pages);
  unsigned page = *map.getResultPosition(def.b.getAffineDimExpr(b)),
           key = *map.getResultPosition(def.b.getAffineDimExpr(j));
  sizes[page] = extents[b];
  sizes[key] = extents[j];
  Value count = tensor::DimOp::create(def.b, def.loc, pages, page);
  Value last = arith::SubIOp::create(def.b, def.loc, count, arith::ConstantIndexOp::create(def.b, def.loc, 1));
  Type element = getElementTypeOrSelf(pages.getType());
  return def.compute(
      {}, def.empty(sizes, element), {def.b.getMultiDimIdentityMap(sizes.size())}, [&](Def &d, ValueRange) -> Value {
        SmallVector<Value> place;
        for (unsigned dim : llvm::seq(sizes.size()))
          place.push_back(linalg::IndexOp::create(d.b, d.loc, dim));
        Value length = arith::ConstantIndexOp::create(d.b, d.loc, op.getPageLength());
        Value column = arith::DivUIOp::create(d.b, d.loc, place[key], length);
        Value number = tensor::ExtractOp::create(d.b, d.loc, op.getTable(), ValueRange{place[page], column});
        if (!number.getType().isIndex())
          number = arith::IndexCastOp::create(d.b, d.loc, d.b.getIndexType(), number);
        place[page] = arith::MinUIOp::create(d.b, d.loc, number, last);
        place[key] = arith::RemUIOp::create(d.b, d.loc, place[key], length);
        return tensor::ExtractOp::create(d.b, d.loc, pages, place);
      });
}

Value AttentionDefinition::inlined(Def &d, Region &region, ValueRange arguments) {
  IRMapping mapping;
  mapping.map(region.getArguments(), arguments);
  for (Operation &inner : region.front().without_terminator())
    d.b.clone(inner, mapping);
  return mapping.lookupOrDefault(region.front().getTerminator()->getOperand(0));
}

/// s = scale · key_scale · Σ_d query · key; the scales are applied by maskedScores.
Value AttentionDefinition::scores() {
  unsigned loops[] = {b, h, i, j, d};
  return def.compute({op.getQuery(), inOnePiece(1)}, def.filled(shape({b, h, i, j}), f32, 0),
                     {operandMap(loops, 0), operandMap(loops, 1), select(loops, {b, h, i, j})},
                     [&](Def &d, ValueRange e) -> Value {
                       Value product = arith::MulFOp::create(d.b, d.loc, d.convert(e[0], f32), d.convert(e[1], f32));
                       return arith::AddFOp::create(d.b, d.loc, e[2], product);
                     });
}

/// The score region's value where the mask region lets through, else −∞.
Value AttentionDefinition::maskedScores(Value scores) {
  unsigned loops[] = {b, h, i, j};
  SmallVector<Value> inputs = {scores};
  SmallVector<AffineMap> maps = {select(loops, loops)};
  for (auto [number, extra] : llvm::enumerate(op.getExtras())) {
    inputs.push_back(extra);
    maps.push_back(operandMap(loops, 3 + number));
  }
  if (op.getKeyScale()) {
    inputs.push_back(inOnePiece(op.getKeyScaleNumber()));
    maps.push_back(operandMap(loops, op.getKeyScaleNumber()));
  }
  maps.push_back(select(loops, loops));
  return def.compute(inputs, def.empty(shape(loops), f32), maps, [&](Def &d, ValueRange e) -> Value {
    Value s = arith::MulFOp::create(d.b, d.loc, e[0], d.constant(f32, op.getScale().convertToFloat()));
    if (op.getKeyScale())
      s = arith::MulFOp::create(d.b, d.loc, s, e[e.size() - 2]);
    SmallVector<Value> arguments;
    for (unsigned dim : loops)
      arguments.push_back(linalg::IndexOp::create(d.b, d.loc, dim));
    llvm::append_range(arguments, e.slice(1, op.getExtras().size()));
    if (!op.getMask().empty() || !op.getScore().empty())
      arguments.insert(arguments.begin(), s);
    if (!op.getScore().empty())
      s = inlined(d, op.getScore(), arguments);
    if (op.getMask().empty())
      return s;
    Value visible = inlined(d, op.getMask(), ValueRange(arguments).drop_front());
    Value hidden = d.constant(f32, -std::numeric_limits<double>::infinity());
    return arith::SelectOp::create(d.b, d.loc, visible, s, hidden);
  });
}

/// The largest score of a row; 0 for a row of −∞, so that exp(−∞ − 0) = 0.
Value AttentionDefinition::rowMaxima(Value scores) {
  unsigned loops[] = {b, h, i, j}, rows[] = {b, h, i};
  double infinity = std::numeric_limits<double>::infinity();
  Value largest =
      def.compute(scores, def.filled(shape(rows), f32, -infinity), {select(loops, loops), select(loops, rows)},
                  [&](Def &d, ValueRange e) -> Value { return arith::MaximumFOp::create(d.b, d.loc, e[1], e[0]); });
  return def.compute(largest, def.empty(shape(rows), f32), {select(rows, rows), select(rows, rows)},
                     [&](Def &d, ValueRange e) -> Value {
                       Value hidden = arith::CmpFOp::create(d.b, d.loc, arith::CmpFPredicate::OEQ, e[0],
                                                            d.constant(f32, -infinity));
                       return arith::SelectOp::create(d.b, d.loc, hidden, d.constant(f32, 0), e[0]);
                     });
}

Value AttentionDefinition::weights(Value scores, Value maxima) {
  unsigned loops[] = {b, h, i, j};
  return def.compute({scores, maxima}, def.empty(shape(loops), f32),
                     {select(loops, loops), select(loops, {b, h, i}), select(loops, loops)},
                     [&](Def &d, ValueRange e) -> Value {
                       return math::ExpOp::create(d.b, d.loc, arith::SubFOp::create(d.b, d.loc, e[0], e[1]));
                     });
}

Value AttentionDefinition::rowSums(Value weights) {
  unsigned loops[] = {b, h, i, j}, rows[] = {b, h, i};
  return def.compute(weights, def.filled(shape(rows), f32, 0), {select(loops, loops), select(loops, rows)},
                     [&](Def &d, ValueRange e) -> Value { return arith::AddFOp::create(d.b, d.loc, e[1], e[0]); });
}

Value AttentionDefinition::weightedValues(Value weights) {
  unsigned loops[] = {b, h, i, e, j}, kept[] = {b, h, i, e};
  SmallVector<Value> inputs = {weights, inOnePiece(2)};
  SmallVector<AffineMap> maps = {select(loops, {b, h, i, j}), operandMap(loops, 2)};
  if (op.getValueScale()) {
    inputs.push_back(inOnePiece(op.getValueScaleNumber()));
    maps.push_back(operandMap(loops, op.getValueScaleNumber()));
  }
  maps.push_back(select(loops, kept));
  return def.compute(inputs, def.filled(shape(kept), f32, 0), maps, [&](Def &d, ValueRange e) -> Value {
    Value weight = e[0];
    if (op.getValueScale())
      weight = arith::MulFOp::create(d.b, d.loc, weight, e[2]);
    Value product = arith::MulFOp::create(d.b, d.loc, weight, d.convert(e[1], f32));
    return arith::AddFOp::create(d.b, d.loc, e.back(), product);
  });
}

/// The weighted mean of the values; 0 where no key is visible.
Value AttentionDefinition::output(Value products, Value sums) {
  unsigned loops[] = {b, h, i, e};
  unsigned operand = op.getDpsInitOperand(0)->getOperandNumber();
  return def.compute({products, sums}, op.getOutput(),
                     {select(loops, loops), select(loops, {b, h, i}), operandMap(loops, operand)},
                     [&](Def &d, ValueRange e) -> Value {
                       Value zero = d.constant(f32, 0);
                       Value unseen = arith::CmpFOp::create(d.b, d.loc, arith::CmpFPredicate::OEQ, e[1], zero);
                       Value mean = arith::DivFOp::create(d.b, d.loc, e[0], e[1]);
                       mean = arith::SelectOp::create(d.b, d.loc, unseen, zero, mean);
                       return d.convert(mean, e[2].getType());
                     });
}

/// log Σ exp: −∞ where no key is visible, since log 0 + 0 = −∞.
Value AttentionDefinition::logSumExp(Value sums, Value maxima) {
  unsigned loops[] = {b, h, i};
  unsigned operand = op.getDpsInitOperand(1)->getOperandNumber();
  return def.compute({sums, maxima}, op.getLse(),
                     {select(loops, loops), select(loops, loops), operandMap(loops, operand)},
                     [&](Def &d, ValueRange e) -> Value {
                       Value log = math::LogOp::create(d.b, d.loc, e[0]);
                       return arith::AddFOp::create(d.b, d.loc, log, e[1]);
                     });
}

SmallVector<Value> AttentionDefinition::build() {
  Value masked = maskedScores(scores());
  Value maxima = rowMaxima(masked);
  Value rowWeights = weights(masked, maxima);
  Value sums = rowSums(rowWeights);
  SmallVector<Value> results = {output(weightedValues(rowWeights), sums)};
  if (op.getLse())
    results.push_back(logSumExp(sums, maxima));
  return results;
}

FailureOr<SmallVector<Value>> AttentionOp::decompose(OpBuilder &builder) {
  // Splits are defined by their tiles, each an attention over its own keys.
  if (!hasPureTensorSemantics() || getSplitLength())
    return failure();
  return AttentionDefinition(*this, builder).build();
}
