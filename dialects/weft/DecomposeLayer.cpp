// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// layer_norm, embedding and packed_matmul → their definitions as linalg.generic
// on tensors.
#include "dialects/weft/Definition.h"
#include "dialects/weft/WeftDialect.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace weft;

namespace {
using Def = DefinitionBuilder;

/// The mean of a row's elements, and 1 / the square root of their variance and
/// epsilon: a quotient for a row, not for each element. Two passes: the variance
/// is the mean of squared distances to the mean, which loses no digits when the
/// mean is large.
class RowStatistics {
public:
  RowStatistics(LayerNormOp op, Def &def)
      : op(op), def(def), acc(accumulatorType(op.getInput().getType().getElementType())),
        shape(tensor::getMixedSizes(def.b, def.loc, op.getInput())), all(def.b.getMultiDimIdentityMap(shape.size())),
        row(all.dropResult(shape.size() - 1)), eachRow(def.b.getMultiDimIdentityMap(shape.size() - 1)),
        n(def.count(shape.back(), acc)) {}

  Value mean();
  Value inverseDeviation(Value mean);

  LayerNormOp op;
  Def &def;
  Type acc;
  SmallVector<OpFoldResult> shape;
  AffineMap all, row;

private:
  Value perRow(Value sums, Def::Body body) {
    return def.compute(sums, def.empty(rows(), acc), {eachRow, eachRow}, body);
  }
  ArrayRef<OpFoldResult> rows() { return ArrayRef(shape).drop_back(); }
  AffineMap eachRow;
  Value n;
};
} // namespace

Value RowStatistics::mean() {
  Value sum = def.compute(op.getInput(), def.filled(rows(), acc, 0), {all, row}, [&](Def &d, ValueRange e) -> Value {
    return arith::AddFOp::create(d.b, d.loc, e[1], d.convert(e[0], acc));
  });
  return perRow(sum, [&](Def &d, ValueRange e) -> Value { return arith::DivFOp::create(d.b, d.loc, e[0], n); });
}

Value RowStatistics::inverseDeviation(Value mean) {
  Value squares = def.compute({op.getInput(), mean}, def.filled(rows(), acc, 0), {all, row, row},
                              [&](Def &d, ValueRange e) -> Value {
                                Value distance = arith::SubFOp::create(d.b, d.loc, d.convert(e[0], acc), e[1]);
                                Value square = arith::MulFOp::create(d.b, d.loc, distance, distance);
                                return arith::AddFOp::create(d.b, d.loc, e[2], square);
                              });
  return perRow(squares, [&](Def &d, ValueRange e) -> Value {
    Value variance = arith::DivFOp::create(d.b, d.loc, e[0], n);
    Value epsilon = d.constant(acc, op.getEpsilon().convertToFloat());
    Value sum = arith::AddFOp::create(d.b, d.loc, variance, epsilon);
    Value deviation = math::SqrtOp::create(d.b, d.loc, sum);
    return arith::DivFOp::create(d.b, d.loc, d.constant(acc, 1.0f), deviation);
  });
}

FailureOr<SmallVector<Value>> LayerNormOp::decompose(OpBuilder &builder) {
  if (!hasPureTensorSemantics())
    return failure();
  Def def(builder, getLoc());
  RowStatistics rows(*this, def);
  Type out = getInit().getType().getElementType(), acc = rows.acc;
  AffineMap all = rows.all, row = rows.row;
  AffineMap column = all.getSubMap(all.getNumResults() - 1);
  Value mean = rows.mean();
  SmallVector<Value> inputs = {getInput(), mean, rows.inverseDeviation(mean), getScale()};
  SmallVector<AffineMap> maps = {all, row, row, column};
  if (getBias()) {
    inputs.push_back(getBias());
    maps.push_back(column);
  }
  maps.push_back(all);
  Value result = def.compute(inputs, getInit(), maps, [&](Def &d, ValueRange e) -> Value {
    Value y = arith::SubFOp::create(d.b, d.loc, d.convert(e[0], acc), e[1]);
    y = arith::MulFOp::create(d.b, d.loc, y, e[2]);
    y = arith::MulFOp::create(d.b, d.loc, y, d.convert(e[3], acc));
    if (getBias())
      y = arith::AddFOp::create(d.b, d.loc, y, d.convert(e[4], acc));
    return d.convert(y, out);
  });
  return SmallVector<Value>{result};
}

FailureOr<SmallVector<Value>> EmbeddingOp::decompose(OpBuilder &builder) {
  if (!hasPureTensorSemantics())
    return failure();
  int64_t last = getInit().getType().getRank() - 1;
  AffineMap all = builder.getMultiDimIdentityMap(last + 1);
  Value result = Def(builder, getLoc())
                     .compute(getIds(), getInit(), {all.dropResult(last), all}, [&](Def &d, ValueRange e) -> Value {
                       Value row = e[0];
                       if (!row.getType().isIndex())
                         row = arith::IndexCastOp::create(d.b, d.loc, d.b.getIndexType(), row);
                       Value column = linalg::IndexOp::create(d.b, d.loc, last);
                       return tensor::ExtractOp::create(d.b, d.loc, getTable(), ValueRange{row, column});
                     });
  return SmallVector<Value>{result};
}

FailureOr<SmallVector<Value>> PackedMatmulOp::decompose(OpBuilder &builder) {
  if (!hasPureTensorSemantics())
    return failure();
  Def def(builder, getLoc());
  Type out = getInit().getType().getElementType();
  MLIRContext *context = builder.getContext();
  AffineExpr m, n, k;
  bindDims(context, m, n, k);
  SmallVector<OpFoldResult> shape = tensor::getMixedSizes(builder, getLoc(), getInit());

  Value start = getBias() ? def.compute(getBias(), def.empty(shape, out),
                                        {AffineMap::get(2, 0, {n}, context), builder.getMultiDimIdentityMap(2)},
                                        [&](Def &d, ValueRange e) { return d.convert(e[0], out); })
                          : def.filled(shape, out, 0);
  int64_t width = getPanelWidth(), steps = getStepsPerWord();
  Value result =
      def.compute({getLhs(), getRhs()}, start,
                  {AffineMap::get(3, 0, {m, k}, context),
                   AffineMap::get(3, 0, {n.floorDiv(width), k.floorDiv(steps), n % width * steps + k % steps}, context),
                   AffineMap::get(3, 0, {m, n}, context)},
                  [&](Def &d, ValueRange e) -> Value {
                    Value product = arith::MulFOp::create(d.b, d.loc, d.convert(e[0], out), d.convert(e[1], out));
                    return arith::AddFOp::create(d.b, d.loc, e[2], product);
                  });
  return SmallVector<Value>{result};
}
