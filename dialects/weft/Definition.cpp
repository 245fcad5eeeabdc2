// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "dialects/weft/Definition.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace weft;
using utils::IteratorType;

Type weft::accumulatorType(Type element) {
  return element.getIntOrFloatBitWidth() < 32 ? Float32Type::get(element.getContext()) : element;
}

Value DefinitionBuilder::compute(ValueRange inputs, Value init, ArrayRef<AffineMap> maps, Body body) {
  AffineMap out = maps.back();
  SmallVector<IteratorType> iterators(out.getNumDims(), IteratorType::reduction);
  for (AffineExpr expr : out.getResults())
    iterators[cast<AffineDimExpr>(expr).getPosition()] = IteratorType::parallel;
  auto generic = linalg::GenericOp::create(b, loc, init.getType(), inputs, init, maps, iterators,
                                           [&](OpBuilder &inner, Location innerLoc, ValueRange elements) {
                                             DefinitionBuilder definition(inner, innerLoc);
                                             linalg::YieldOp::create(inner, innerLoc, body(definition, elements));
                                           });
  return generic.getResult(0);
}

Value DefinitionBuilder::empty(ArrayRef<OpFoldResult> shape, Type element) {
  return tensor::EmptyOp::create(b, loc, shape, element);
}

Value DefinitionBuilder::filled(ArrayRef<OpFoldResult> shape, Type element, double value) {
  Value scalar = constant(element, value);
  return linalg::FillOp::create(b, loc, scalar, empty(shape, element)).getResult(0);
}

Value DefinitionBuilder::constant(Type type, double value) {
  return arith::ConstantOp::create(b, loc, b.getFloatAttr(type, value));
}

Value DefinitionBuilder::convert(Value value, Type type) {
  if (value.getType().isInteger())
    return arith::SIToFPOp::create(b, loc, type, value);
  unsigned from = value.getType().getIntOrFloatBitWidth();
  unsigned to = type.getIntOrFloatBitWidth();
  if (from < to)
    return arith::ExtFOp::create(b, loc, type, value);
  if (from > to)
    return arith::TruncFOp::create(b, loc, type, value);
  return value;
}

Value DefinitionBuilder::count(OpFoldResult elements, Type type) {
  if (std::optional<int64_t> constantCount = getConstantIntValue(elements))
    return constant(type, *constantCount);
  Value index = getValueOrCreateConstantIndexOp(b, loc, elements);
  Value integer = arith::IndexCastOp::create(b, loc, b.getI64Type(), index);
  return arith::SIToFPOp::create(b, loc, type, integer);
}

Value DefinitionBuilder::rowsOf(Value matrix, Value rows) {
  AffineMap all = b.getMultiDimIdentityMap(2);
  Value count = tensor::DimOp::create(b, loc, matrix, 0);
  Value last = arith::SubIOp::create(b, loc, count, arith::ConstantIndexOp::create(b, loc, 1));
  SmallVector<OpFoldResult> shape = {tensor::getMixedSize(b, loc, rows, 0), tensor::getMixedSize(b, loc, matrix, 1)};
  Value init = empty(shape, getElementTypeOrSelf(matrix));
  return compute(rows, init, {all.dropResult(1), all}, [&](DefinitionBuilder &d, ValueRange e) -> Value {
    // A negative row is a large one.
    Value row = arith::IndexCastUIOp::create(d.b, d.loc, d.b.getIndexType(), e[0]);
    row = arith::MinUIOp::create(d.b, d.loc, row, last);
    Value column = linalg::IndexOp::create(d.b, d.loc, 1);
    return tensor::ExtractOp::create(d.b, d.loc, matrix, ValueRange{row, column});
  });
}
