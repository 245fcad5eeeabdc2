// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// groupwise_matmul → its definition as a linalg.generic on tensors, which takes each weight out of the bytes.
#include "dialects/weft/GroupwiseElement.h"
#include "dialects/weft/WeftDialect.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace weft;

namespace {
using Def = DefinitionBuilder;

/// Element [k, n] of a weight.
struct GroupwiseElement {
  Def &d;
  Value panels;
  ValueRange leading;
  GroupForm form;
  Value n, k;

  Value index(AffineExpr expr) {
    return affine::makeComposedAffineApply(d.b, d.loc, AffineMap::get(2, 0, expr), ArrayRef<OpFoldResult>{n, k});
  }
  Value integer(Type type, int64_t value) {
    return arith::ConstantOp::create(d.b, d.loc, d.b.getIntegerAttr(type, value));
  }
  AffineExpr column() { return d.b.getAffineDimExpr(0) % kPanelWidth; }
  Value byte(AffineExpr place) {
    AffineExpr panel = d.b.getAffineDimExpr(0).floorDiv(kPanelWidth),
               group = d.b.getAffineDimExpr(1).floorDiv(form.group);
    SmallVector<Value> indices(leading);
    indices.append({index(panel), index(group), index(place)});
    return tensor::ExtractOp::create(d.b, d.loc, panels, indices);
  }

  Value value() {
    AffineExpr step = d.b.getAffineDimExpr(1) % form.group, within = step % form.steps() * form.bits;
    AffineExpr word = step.floorDiv(form.steps()) * kPanelWidth + column();
    Value bits = byte(word * 4 + within.floorDiv(8));
    // To the top, then down with copies of the sign.
    Value up = index(8 - form.bits - within % 8);
    bits = arith::ShLIOp::create(d.b, d.loc, bits, arith::IndexCastOp::create(d.b, d.loc, d.b.getI8Type(), up));
    bits = arith::ShRSIOp::create(d.b, d.loc, bits, integer(d.b.getI8Type(), 8 - form.bits));
    return arith::SIToFPOp::create(d.b, d.loc, d.b.getF32Type(), bits);
  }

  Value scale() {
    Type half = d.b.getI16Type();
    Value low = arith::ExtUIOp::create(d.b, d.loc, half, byte(column() * 2 + form.wordBytes()));
    Value high = arith::ExtUIOp::create(d.b, d.loc, half, byte(column() * 2 + (form.wordBytes() + 1)));
    high = arith::ShLIOp::create(d.b, d.loc, high, integer(half, 8));
    Value bits = arith::OrIOp::create(d.b, d.loc, low, high);
    Value number = arith::BitcastOp::create(d.b, d.loc, d.b.getF16Type(), bits);
    return arith::ExtFOp::create(d.b, d.loc, d.b.getF32Type(), number);
  }
};
} // namespace

Value weft::groupwiseElement(DefinitionBuilder &d, Value panels, ValueRange leading, GroupForm form, Value k, Value n) {
  GroupwiseElement element{d, panels, leading, form, n, k};
  return arith::MulFOp::create(d.b, d.loc, element.value(), element.scale());
}

FailureOr<SmallVector<Value>> GroupwiseMatmulOp::decompose(OpBuilder &builder) {
  if (!hasPureTensorSemantics())
    return failure();
  Def def(builder, getLoc());
  AffineMap all = builder.getMultiDimIdentityMap(3), out = all.dropResult(2);
  SmallVector<OpFoldResult> shape = tensor::getMixedSizes(builder, getLoc(), getInit());
  Type f32 = builder.getF32Type();
  Value start = def.filled(shape, f32, 0);
  if (getBias()) {
    AffineMap matrix = builder.getMultiDimIdentityMap(2);
    start = def.compute(getBias(), def.empty(shape, f32), {matrix.dropResult(0), matrix},
                        [&](Def &, ValueRange e) -> Value { return e[0]; });
  }
  Value result = def.compute(getLhs(), start, {all.dropResult(1), out}, [&](Def &d, ValueRange e) -> Value {
    Value n = linalg::IndexOp::create(d.b, d.loc, 1), k = linalg::IndexOp::create(d.b, d.loc, 2);
    Value weight = groupwiseElement(d, getRhs(), {}, getForm(), k, n);
    Value product = arith::MulFOp::create(d.b, d.loc, e[0], weight);
    return arith::AddFOp::create(d.b, d.loc, e[1], product);
  });
  return SmallVector<Value>{result};
}
