// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// quantize_rows and quantized_matmul → their definitions as linalg.generic on tensors.
#include "dialects/weft/Definition.h"
#include "dialects/weft/WeftDialect.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace weft;

namespace {
using Def = DefinitionBuilder;

constexpr int64_t kInfinityBits = 0x7f800000;
constexpr double kLeast = 0x1p-100; ///< rows below are rows of zeros
/// Adding it to |x| < 2^22 leaves round(x) in the low bits, half to even, as two's complement.
constexpr double kRounder = 0x1.8p23;

struct RowQuantizer {
  QuantizeRowsOp op;
  Def &def;
  AffineMap all, row, each;
  Type f32, i32, i8;

  RowQuantizer(QuantizeRowsOp op, Def &def)
      : op(op), def(def), all(def.b.getMultiDimIdentityMap(2)), row(all.dropResult(1)),
        each(def.b.getMultiDimIdentityMap(1)), f32(def.b.getF32Type()), i32(def.b.getI32Type()), i8(def.b.getI8Type()) {
  }

  static Value integer(Def &d, Type type, int64_t value) {
    return arith::ConstantOp::create(d.b, d.loc, d.b.getIntegerAttr(type, value));
  }

  /// The bits of a row's largest magnitude; those of a NaN are above those of infinity, which are above all others.
  Value largest() {
    SmallVector<OpFoldResult> rows = {tensor::getMixedSize(def.b, def.loc, op.getInput(), 0)};
    Value zero = linalg::FillOp::create(def.b, def.loc, integer(def, i32, 0), def.empty(rows, i32)).getResult(0);
    return def.compute(op.getInput(), zero, {all, row}, [&](Def &d, ValueRange e) -> Value {
      Value bits = arith::BitcastOp::create(d.b, d.loc, i32, e[0]);
      Value magnitude = arith::AndIOp::create(d.b, d.loc, bits, integer(d, i32, 0x7fffffff));
      return arith::MaxSIOp::create(d.b, d.loc, e[1], magnitude);
    });
  }

  /// One value a row from the bits of its largest magnitude: `normal` of it, 0 for a row of zeros, and `other` for one
  /// that holds a NaN or an infinity.
  Value perRow(Value bits, Value init, double other, llvm::function_ref<Value(Def &, Value)> normal) {
    return def.compute(bits, init, {each, each}, [&](Def &d, ValueRange e) -> Value {
      Value value = arith::BitcastOp::create(d.b, d.loc, f32, e[0]);
      Value isSmall = arith::CmpFOp::create(d.b, d.loc, arith::CmpFPredicate::OLT, value, d.constant(f32, kLeast));
      Value isFinite =
          arith::CmpIOp::create(d.b, d.loc, arith::CmpIPredicate::slt, e[0], integer(d, i32, kInfinityBits));
      Value result = arith::SelectOp::create(d.b, d.loc, isSmall, d.constant(f32, 0), normal(d, value));
      return arith::SelectOp::create(d.b, d.loc, isFinite, result, d.constant(f32, other));
    });
  }

  Value values(Value bits) {
    SmallVector<OpFoldResult> rows = {tensor::getMixedSize(def.b, def.loc, op.getInput(), 0)};
    Value inverse = perRow(bits, def.empty(rows, f32), 0, [&](Def &d, Value value) -> Value {
      return arith::DivFOp::create(d.b, d.loc, d.constant(f32, 127), value);
    });
    auto round = [&](Value init) {
      return def.compute({op.getInput(), inverse}, init, {all, row, all}, [&](Def &d, ValueRange e) -> Value {
        Value scaled = arith::MulFOp::create(d.b, d.loc, e[0], e[1]);
        Value rounded = arith::AddFOp::create(d.b, d.loc, scaled, d.constant(f32, kRounder));
        Value whole = arith::BitcastOp::create(d.b, d.loc, i32, rounded);
        return arith::TruncIOp::create(d.b, d.loc, i8, whole);
      });
    };
    int64_t depth = op.getInput().getType().getDimSize(1), padded = op.getValues().getType().getDimSize(1);
    if (depth == padded && !ShapedType::isDynamic(depth))
      return round(op.getValues());
    // The row's own columns, with zeros behind them.
    Value zeros = linalg::FillOp::create(def.b, def.loc, integer(def, i8, 0), ValueRange(op.getValues())).getResult(0);
    SmallVector<OpFoldResult> sizes = tensor::getMixedSizes(def.b, def.loc, op.getInput());
    SmallVector<OpFoldResult> offsets(2, def.b.getIndexAttr(0)), strides(2, def.b.getIndexAttr(1));
    Value own = tensor::ExtractSliceOp::create(def.b, def.loc, zeros, offsets, sizes, strides);
    return tensor::InsertSliceOp::create(def.b, def.loc, round(own), zeros, offsets, sizes, strides);
  }
};
} // namespace

FailureOr<SmallVector<Value>> QuantizeRowsOp::decompose(OpBuilder &builder) {
  if (!hasPureTensorSemantics())
    return failure();
  Def def(builder, getLoc());
  RowQuantizer rows(*this, def);
  Value bits = rows.largest();
  Value values = rows.values(bits);
  Value scales = rows.perRow(bits, getScales(), std::numeric_limits<double>::quiet_NaN(), [&](Def &d, Value value) {
    return arith::DivFOp::create(d.b, d.loc, value, d.constant(rows.f32, 127)).getResult();
  });
  return SmallVector<Value>{values, scales};
}

FailureOr<SmallVector<Value>> QuantizedMatmulOp::decompose(OpBuilder &builder) {
  if (!hasPureTensorSemantics())
    return failure();
  Def def(builder, getLoc());
  MLIRContext *context = builder.getContext();
  AffineExpr m, n, k;
  bindDims(context, m, n, k);
  Type i32 = builder.getI32Type(), f32 = builder.getF32Type();
  SmallVector<OpFoldResult> shape = tensor::getMixedSizes(builder, getLoc(), getInit());
  Value zero =
      linalg::FillOp::create(builder, getLoc(), RowQuantizer::integer(def, i32, 0), def.empty(shape, i32)).getResult(0);
  AffineMap panels =
      AffineMap::get(3, 0, {n.floorDiv(kWidth), k.floorDiv(kGroup), (n % kWidth) * kGroup + k % kGroup}, context);
  Value sums = def.compute({getLhs(), getRhs()}, zero,
                           {AffineMap::get(3, 0, {m, k}, context), panels, AffineMap::get(3, 0, {m, n}, context)},
                           [&](Def &d, ValueRange e) -> Value {
                             Value a = arith::ExtSIOp::create(d.b, d.loc, i32, e[0]);
                             Value b = arith::ExtSIOp::create(d.b, d.loc, i32, e[1]);
                             Value product = arith::MulIOp::create(d.b, d.loc, a, b);
                             return arith::AddIOp::create(d.b, d.loc, e[2], product);
                           });
  AffineMap all = builder.getMultiDimIdentityMap(2), row = all.dropResult(1), column = all.dropResult(0);
  SmallVector<Value> inputs = {sums, getLhsScales(), getRhsScales()};
  SmallVector<AffineMap> maps = {all, row, column};
  if (getBias()) {
    inputs.push_back(getBias());
    maps.push_back(column);
  }
  maps.push_back(all);
  Value result = def.compute(inputs, getInit(), maps, [&](Def &d, ValueRange e) -> Value {
    Value y = arith::SIToFPOp::create(d.b, d.loc, f32, e[0]);
    y = arith::MulFOp::create(d.b, d.loc, y, e[1]);
    y = arith::MulFOp::create(d.b, d.loc, y, e[2]);
    return getBias() ? arith::AddFOp::create(d.b, d.loc, y, e[3]).getResult() : y;
  });
  return SmallVector<Value>{result};
}
