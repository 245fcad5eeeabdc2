// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The constraints of what is done to fragments (docs/spec.md).
#include "dialects/tile/FragmentLayout.h"
#include "dialects/tile/TileOps.h"

using namespace mlir;
using namespace weft::tile;

LogicalResult SplatOp::verify() {
  FragmentType fragment = getFragment().getType();
  if (getValue().getType() != fragment.getElement()) // tile_splat_c1
    return emitOpError("has elements of the value's type, got ") << fragment.getElement();
  return verifyGroup(*this, warpsOf(fragment.getLayout()));
}

LogicalResult CoordinateOp::verify() {
  FragmentType fragment = getFragment().getType();
  if (getDimension() > 1 || !fragment.getElement().isInteger(32)) // tile_coordinate_c1
    return emitOpError("gives rows (0) or columns (1) as i32");
  return verifyGroup(*this, warpsOf(fragment.getLayout()));
}

/// Whether an element of `input` can be found where one of `result` is.
static bool fits(FragmentType input, FragmentType result) {
  if (input.getLayout() == result.getLayout())
    return input.getShape() == result.getShape();
  MLIRContext *context = result.getContext();
  // Each of the lanes that share a row takes its whole value to its part.
  if (auto part = dyn_cast<RowValuesAttr>(result.getLayout()); part && part.getPartial())
    return input.getShape() == result.getShape() &&
           input.getLayout() == RowValuesAttr::get(context, part.getRows(), part.getColumns(), false);
  auto accumulator = dyn_cast<AccumulatorAttr>(result.getLayout());
  if (!accumulator)
    return false;
  int64_t rows = accumulator.getRows(), columns = accumulator.getColumns();
  if (input.getLayout() == RowValuesAttr::get(context, rows, columns, false))
    return input.getShape()[0] == result.getShape()[0];
  return input.getLayout() == ColumnValuesAttr::get(context, rows, columns) &&
         input.getShape()[0] == result.getShape()[1];
}

LogicalResult MapOp::verifyRegions() {
  FragmentType result = getResult().getType();
  for (Type input : getInputs().getTypes())
    if (!fits(cast<FragmentType>(input), result)) // tile_map_c1
      return emitOpError("has inputs of the result's shape and layout, or of its rows or columns, got ")
             << input << " for " << result;
  auto elements =
      llvm::map_range(getInputs().getTypes(), [](Type type) { return cast<FragmentType>(type).getElement(); });
  if (!llvm::equal(getBody().getArgumentTypes(), elements)) // tile_map_c2
    return emitOpError("has a region that takes one element of each input");
  auto yield = dyn_cast<YieldOp>(getBody().front().back());
  if (!yield || yield.getValue().getType() != result.getElement()) // tile_map_c3
    return emitOpError("has a region that yields an element of the result, ") << result.getElement();
  return success();
}

static LogicalResult verifyKind(Operation *op, StringRef kind) {
  if (kind == "add" || kind == "max")
    return success();
  return op->emitOpError("knows add and max, not ") << kind; // tile_reduce_c1
}

LogicalResult ReduceOp::verify() {
  FragmentType input = getInput().getType(), result = getResult().getType();
  if (failed(verifyKind(*this, getKind())))
    return failure();
  auto accumulator = dyn_cast<AccumulatorAttr>(input.getLayout());
  if (!accumulator || accumulator.getColumns() != 1 || !input.getElement().isF32()) // tile_reduce_c2
    return emitOpError("takes an f32 accumulator whose rows lie in one warp each");
  auto rows = dyn_cast<RowValuesAttr>(result.getLayout());
  if (!rows || rows.getRows() != accumulator.getRows() || rows.getColumns() != 1 || !result.getElement().isF32() ||
      result.getShape()[0] != input.getShape()[0]) // tile_reduce_c3
    return emitOpError("gives f32 row values of the input's rows and warps");
  return success();
}

LogicalResult CombineOp::verify() {
  FragmentType input = getInput().getType(), result = getResult().getType();
  if (failed(verifyKind(*this, getKind())))
    return failure();
  auto part = dyn_cast<RowValuesAttr>(input.getLayout());
  if (!part || !part.getPartial() || input.getShape() != result.getShape() ||
      input.getElement() != result.getElement() ||
      result.getLayout() != RowValuesAttr::get(getContext(), part.getRows(), part.getColumns(), false))
    return emitOpError("completes partial row values"); // tile_combine_c1
  return success();
}

LogicalResult ColumnsOp::verify() {
  constexpr int64_t kTileColumns = 8;
  FragmentType whole = getWhole().getType(), part = getPart().getType();
  auto accumulator = dyn_cast<AccumulatorAttr>(whole.getLayout());
  if (!accumulator || accumulator.getColumns() != 1) // tile_columns_c1
    return emitOpError("takes an accumulator whose rows lie in one warp each");
  if (part.getLayout() != accumulator || part.getElement() != whole.getElement() ||
      part.getShape()[0] != whole.getShape()[0]) // tile_columns_c2
    return emitOpError("keeps all but the number of columns");
  int64_t first = getFirst();
  if (first < 0 || first % kTileColumns != 0 || first + part.getShape()[1] > whole.getShape()[1]) // tile_columns_c3
    return emitOpError("begins at a multiple of 8 and ends within the whole");
  return success();
}

LogicalResult ConvertOp::verify() {
  FragmentType input = getInput().getType(), result = getResult().getType();
  Type from = input.getElement(), to = result.getElement();
  auto half = [](Type type) { return type.isBF16() || type.isF16(); };
  if (!((from.isF32() && half(to)) || (half(from) && to.isF32()))) // tile_convert_c1
    return emitOpError("converts f32 to bf16 or f16, or back, got ") << from << " and " << to;
  if (input.getShape() != result.getShape() || !sameDistribution(input, result)) // tile_convert_c2
    return emitOpError("keeps every element in its lane, which these layouts do not");
  return success();
}

Value weft::tile::emitMap(OpBuilder &b, Location loc, Type result, ValueRange inputs,
                          function_ref<Value(ValueRange)> emit) {
  auto op = MapOp::create(b, loc, result, inputs);
  OpBuilder::InsertionGuard guard(b);
  SmallVector<Type> elements =
      llvm::map_to_vector(inputs.getTypes(), [](Type type) { return cast<FragmentType>(type).getElement(); });
  Block *body = b.createBlock(&op.getBody(), {}, elements, SmallVector<Location>(elements.size(), loc));
  YieldOp::create(b, loc, emit(body->getArguments()));
  return op.getResult();
}
