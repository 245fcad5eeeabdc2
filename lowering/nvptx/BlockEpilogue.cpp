// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lowering/nvptx/BlockEpilogue.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

using namespace mlir;

namespace weft {

Value BlockEpilogue::index(int64_t value) { return arith::ConstantIndexOp::create(b, loc, value); }

tile::FragmentType BlockEpilogue::matrixType(Type element) {
  return tile::FragmentType::get(b.getContext(), sums.getShape(), element, layout);
}

Value BlockEpilogue::loadMatrix(Value view) {
  GlobalMatrix matrix = globalMatrix(b, loc, view, mapping);
  auto type = matrixType(getElementTypeOrSelf(view.getType()));
  return tile::LoadGlobalOp::create(b, loc, type, matrix.pointer, place.row, place.column,
                                    ValueRange{endOf(matrix.rows), matrix.columns}, matrix.stride,
                                    matrix.pairBytes(type), matrix.isEven);
}

Value BlockEpilogue::loadColumns(const GlobalMatrix &row) {
  auto values = tile::ColumnValuesAttr::get(b.getContext(), layout.getRows(), layout.getColumns());
  auto type = tile::FragmentType::get(b.getContext(), {sums.getShape()[1]}, b.getF32Type(), values);
  return tile::LoadGlobalOp::create(b, loc, type, row.pointer, index(0), place.column,
                                    ValueRange{index(1), row.columns}, row.columns, IntegerAttr(), false);
}

Value BlockEpilogue::loadRowValues(Value vector) {
  GlobalMatrix column = globalMatrix(b, loc, vector, mapping);
  auto values = tile::RowValuesAttr::get(b.getContext(), layout.getRows(), layout.getColumns(), false);
  auto type = tile::FragmentType::get(b.getContext(), {sums.getShape()[0]}, b.getF32Type(), values);
  return tile::LoadGlobalOp::create(b, loc, type, column.pointer, place.row, index(0),
                                    ValueRange{endOf(column.columns), index(1)}, column.stride, IntegerAttr(), false);
}

Value BlockEpilogue::addBias(Value sum, const GlobalMatrix &bias) {
  return tile::emitMap(b, loc, sum.getType(), {sum, loadColumns(bias)},
                       [&](ValueRange x) -> Value { return arith::AddFOp::create(b, loc, x[0], x[1]); });
}

/// The op's region is the map's; numbers that are the same everywhere come from outside of it.
Value BlockEpilogue::apply(linalg::GenericOp op, ValueRange views, ValueRange results) {
  SmallVector<Value> inputs;
  SmallVector<unsigned> arguments;
  for (OpOperand *operand : op.getDpsInputOperands()) {
    auto found = llvm::find(views, operand->get());
    Value input = found != views.end() ? results[found - views.begin()] : load(op, operand);
    if (!isa<tile::FragmentType>(input.getType())) {
      mapping.map(op.getMatchingBlockArgument(operand), input);
      continue;
    }
    inputs.push_back(input);
    arguments.push_back(operand->getOperandNumber());
  }
  Type element = getElementTypeOrSelf(op.getDpsInits()[0].getType());
  auto map = tile::MapOp::create(b, loc, matrixType(element), inputs);
  OpBuilder::InsertionGuard guard(b);
  Block *body = b.createBlock(&map.getBody());
  for (unsigned number : arguments) {
    BlockArgument given = op.getBody()->getArgument(number);
    mapping.map(given, body->addArgument(given.getType(), loc));
  }
  for (Operation &inner : op.getBody()->without_terminator())
    b.clone(inner, mapping);
  tile::YieldOp::create(b, loc, mapping.lookupOrDefault(op.getBody()->getTerminator()->getOperand(0)));
  return map.getResult();
}

Value BlockEpilogue::load(linalg::GenericOp op, OpOperand *operand) {
  AffineMap map = op.getMatchingIndexingMap(operand);
  if (map.isIdentity())
    return loadMatrix(operand->get());
  GlobalMatrix numbers = globalMatrix(b, loc, operand->get(), mapping);
  if (map.getNumResults() == 0)
    return LLVM::LoadOp::create(b, loc, b.getF32Type(), numbers.pointer);
  return map.getDimPosition(0) == 1 ? loadColumns(numbers) : loadRowValues(operand->get());
}

void BlockEpilogue::store(Value fragment, Value view) {
  GlobalMatrix out = globalMatrix(b, loc, view, mapping);
  tile::StoreGlobalOp::create(b, loc, fragment, out.pointer, place.row, place.column,
                              ValueRange{endOf(out.rows), out.columns}, out.stride, out.pairBytes(fragment.getType()),
                              out.isEven);
}

} // namespace weft
