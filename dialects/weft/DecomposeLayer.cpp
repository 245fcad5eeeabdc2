// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// layer_norm, rms_norm, embedding and packed_matmul → their definitions as linalg.generic
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

/// Numbers of a row: the mean of its elements, and 1 / the square root of a mean of squares and epsilon: a quotient for
/// a row, not for each element.
class RowStatistics {
public:
  RowStatistics(Value input, const APFloat &epsilon, Def &def)
      : input(input), def(def), epsilon(epsilon.convertToFloat()),
        acc(accumulatorType(cast<ShapedType>(input.getType()).getElementType())),
        shape(tensor::getMixedSizes(def.b, def.loc, input)), all(def.b.getMultiDimIdentityMap(shape.size())),
        row(all.dropResult(shape.size() - 1)), eachRow(def.b.getMultiDimIdentityMap(shape.size() - 1)),
        n(def.count(shape.back(), acc)) {}

  Value mean();
  /// Of the distances to `mean`, where there is one. Two passes: squared distances lose no digits when the mean is
  /// large.
  Value inverseRoot(Value mean = {});

  Value input;
  Def &def;
  float epsilon;
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
  Value sum = def.compute(input, def.filled(rows(), acc, 0), {all, row}, [&](Def &d, ValueRange e) -> Value {
    return arith::AddFOp::create(d.b, d.loc, e[1], d.convert(e[0], acc));
  });
  return perRow(sum, [&](Def &d, ValueRange e) -> Value { return arith::DivFOp::create(d.b, d.loc, e[0], n); });
}

Value RowStatistics::inverseRoot(Value mean) {
  SmallVector<Value> inputs = {input};
  SmallVector<AffineMap> maps = {all};
  if (mean)
    inputs.push_back(mean), maps.push_back(row);
  maps.push_back(row);
  Value squares = def.compute(inputs, def.filled(rows(), acc, 0), maps, [&](Def &d, ValueRange e) -> Value {
    Value x = d.convert(e[0], acc);
    if (mean)
      x = arith::SubFOp::create(d.b, d.loc, x, e[1]);
    return arith::AddFOp::create(d.b, d.loc, e.back(), arith::MulFOp::create(d.b, d.loc, x, x));
  });
  return perRow(squares, [&](Def &d, ValueRange e) -> Value {
    Value meanSquare = arith::DivFOp::create(d.b, d.loc, e[0], n);
    Value sum = arith::AddFOp::create(d.b, d.loc, meanSquare, d.constant(acc, epsilon));
    Value root = math::SqrtOp::create(d.b, d.loc, sum);
    return arith::DivFOp::create(d.b, d.loc, d.constant(acc, 1.0f), root);
  });
}

FailureOr<SmallVector<Value>> LayerNormOp::decompose(OpBuilder &builder) {
  if (!hasPureTensorSemantics())
    return failure();
  Def def(builder, getLoc());
  RowStatistics rows(getInput(), getEpsilon(), def);
  Type out = getInit().getType().getElementType(), acc = rows.acc;
  AffineMap all = rows.all, row = rows.row;
  AffineMap column = all.getSubMap(all.getNumResults() - 1);
  Value mean = rows.mean();
  SmallVector<Value> inputs = {getInput(), mean, rows.inverseRoot(mean), getScale()};
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

FailureOr<SmallVector<Value>> RmsNormOp::decompose(OpBuilder &builder) {
  if (!hasPureTensorSemantics())
    return failure();
  Def def(builder, getLoc());
  RowStatistics rows(getInput(), getEpsilon(), def);
  Type out = getInit().getType().getElementType(), acc = rows.acc;
  SmallVector<Value> inputs = {getInput(), rows.inverseRoot()};
  SmallVector<AffineMap> maps = {rows.all, rows.row};
  if (getScale()) {
    inputs.push_back(getScale());
    maps.push_back(rows.all.getSubMap(rows.all.getNumResults() - 1));
  }
  maps.push_back(rows.all);
  Value result = def.compute(inputs, getInit(), maps, [&](Def &d, ValueRange e) -> Value {
    Value y = arith::MulFOp::create(d.b, d.loc, d.convert(e[0], acc), e[1]);
    if (getScale())
      y = arith::MulFOp::create(d.b, d.loc, y, d.convert(e[2], acc));
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
                       if (getTable().getType().getRank() == 2)
                         return tensor::ExtractOp::create(d.b, d.loc, getTable(), ValueRange{row, column});
                       Value width = arith::ConstantIndexOp::create(d.b, d.loc, getTable().getType().getDimSize(2));
                       Value panel = arith::DivUIOp::create(d.b, d.loc, row, width);
                       Value place = arith::RemUIOp::create(d.b, d.loc, row, width);
                       return tensor::ExtractOp::create(d.b, d.loc, getTable(), ValueRange{panel, column, place});
                     });
  return SmallVector<Value>{result};
}

static SmallVector<ReassociationIndices> blockGroups() { return {{0}, {1, 2}}; }

/// Columns [m, blocks · n] as [m, blocks, n].
static Value splitBlocks(Def &def, Value columns, int64_t blocks) {
  auto type = cast<RankedTensorType>(columns.getType());
  int64_t share = type.getDimSize(1) / blocks;
  auto split = RankedTensorType::get({type.getDimSize(0), blocks, share}, type.getElementType());
  SmallVector<OpFoldResult> sizes{tensor::getMixedSize(def.b, def.loc, columns, 0), def.b.getIndexAttr(blocks),
                                  def.b.getIndexAttr(share)};
  return tensor::ExpandShapeOp::create(def.b, def.loc, split, columns, blockGroups(), sizes);
}

FailureOr<SmallVector<Value>> PackedMatmulOp::decompose(OpBuilder &builder) {
  if (!hasPureTensorSemantics())
    return failure();
  Def def(builder, getLoc());
  Type out = getInit().getType().getElementType();
  MLIRContext *context = builder.getContext();
  SmallVector<OpFoldResult> shape = tensor::getMixedSizes(builder, getLoc(), getInit());
  AffineExpr row, column;
  bindDims(context, row, column);
  Value start = getBias() ? def.compute(getBias(), def.empty(shape, out),
                                        {AffineMap::get(2, 0, {column}, context), builder.getMultiDimIdentityMap(2)},
                                        [&](Def &d, ValueRange e) { return d.convert(e[0], out); })
                          : def.filled(shape, out, 0);
  // (m, n, k), or (m, g, n, k) with the block g.
  unsigned loops = hasBlocks() ? 4 : 3;
  AffineExpr m = builder.getAffineDimExpr(0), g = builder.getAffineDimExpr(1);
  AffineExpr n = builder.getAffineDimExpr(loops - 2), k = builder.getAffineDimExpr(loops - 1);
  int64_t width = getPanelWidth(), steps = getStepsPerWord();
  SmallVector<AffineExpr> lhsAt{m, k}, rhsAt{n.floorDiv(width), k.floorDiv(steps), n % width * steps + k % steps},
      outAt{m, n};
  Value lhs = getRows() ? def.rowsOf(getLhs(), getRows()) : getLhs();
  auto type = cast<RankedTensorType>(start.getType());
  if (hasBlocks()) {
    lhs = splitBlocks(def, lhs, getBlocks());
    start = splitBlocks(def, start, getBlocks());
    lhsAt = {m, g, k};
    outAt = {m, g, n};
    rhsAt.insert(rhsAt.begin(), g);
  }
  Value result = def.compute({lhs, getRhs()}, start,
                             {AffineMap::get(loops, 0, lhsAt, context), AffineMap::get(loops, 0, rhsAt, context),
                              AffineMap::get(loops, 0, outAt, context)},
                             [&](Def &d, ValueRange e) -> Value {
                               Value product =
                                   arith::MulFOp::create(d.b, d.loc, d.convert(e[0], out), d.convert(e[1], out));
                               return arith::AddFOp::create(d.b, d.loc, e[2], product);
                             });
  if (hasBlocks())
    result = tensor::CollapseShapeOp::create(builder, getLoc(), type, result, blockGroups());
  return SmallVector<Value>{result};
}
