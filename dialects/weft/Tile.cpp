// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A structured op and a box of its iteration space → tensor.extract_slice of
// each operand and the same op on the slices.
#include "dialects/weft/Tile.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Interfaces/LoopLikeInterface.h"
#include "mlir/Interfaces/ShapedOpInterfaces.h"
#include "mlir/Interfaces/ValueBoundsOpInterface.h"

using namespace mlir;
using weft::Tile;

SmallVector<Range> weft::wholeRanges(OpBuilder &builder, Location loc, Value shaped) {
  SmallVector<Range> ranges;
  OpFoldResult zero = builder.getIndexAttr(0), one = builder.getIndexAttr(1);
  for (int64_t dim : llvm::seq(cast<ShapedType>(shaped.getType()).getRank()))
    ranges.push_back({zero, linalg::createFoldedDimOp(builder, loc, shaped, dim), one});
  return ranges;
}

bool weft::coversDimension(Value shaped, int64_t dimension, OpFoldResult offset, OpFoldResult size) {
  if (!isConstantIntValue(offset, 0))
    return false;
  int64_t extent = cast<ShapedType>(shaped.getType()).getDimSize(dimension);
  if (std::optional<int64_t> constant = getConstantIntValue(size); constant && !ShapedType::isDynamic(extent))
    return *constant == extent;
  if (auto value = dyn_cast<Value>(size))
    if (auto dim = value.getDefiningOp<ShapedDimOpInterface>())
      if (dim.getShapedValue() == shaped && isConstantIntValue(dim.getDimension(), dimension))
        return true;
  FailureOr<bool> equal = ValueBoundsConstraintSet::areEqual({size}, {shaped, dimension});
  return succeeded(equal) && *equal;
}

/// A loop variable runs over lowerBound + n · step.
static bool runsOverMultiplesOf(BlockArgument variable, LoopLikeOpInterface loop, int64_t factor) {
  auto variables = loop.getLoopInductionVars();
  auto lowerBounds = loop.getLoopLowerBounds();
  auto steps = loop.getLoopSteps();
  if (!variables || !lowerBounds || !steps)
    return true;
  for (auto [candidate, lower, step] : llvm::zip_equal(*variables, *lowerBounds, *steps))
    if (candidate == variable)
      return weft::mayBeMultipleOf(lower, factor) && weft::mayBeMultipleOf(step, factor);
  return true;
}

bool weft::mayBeMultipleOf(OpFoldResult value, int64_t factor) {
  if (std::optional<int64_t> constant = getConstantIntValue(value))
    return *constant % factor == 0;
  auto variable = cast<Value>(value);
  if (auto argument = dyn_cast<BlockArgument>(variable)) {
    auto loop = dyn_cast<LoopLikeOpInterface>(argument.getOwner()->getParentOp());
    return !loop || runsOverMultiplesOf(argument, loop, factor);
  }
  auto apply = variable.getDefiningOp<affine::AffineApplyOp>();
  if (!apply)
    return true;
  // An operand that may be a multiple stands for factor · something.
  AffineMap map = apply.getAffineMap();
  SmallVector<AffineExpr> dims, symbols;
  for (auto [index, operand] : llvm::enumerate(apply.getMapOperands())) {
    bool isDim = index < map.getNumDims();
    AffineExpr expr = isDim ? getAffineDimExpr(index, map.getContext())
                            : getAffineSymbolExpr(index - map.getNumDims(), map.getContext());
    if (mayBeMultipleOf(operand, factor))
      expr = expr * factor;
    (isDim ? dims : symbols).push_back(expr);
  }
  return map.getResult(0).replaceDimsAndSymbols(dims, symbols).isMultipleOf(factor);
}

bool weft::keepsGroups(OpFoldResult offset, OpFoldResult size, int64_t group) {
  if (weft::mayBeMultipleOf(offset, group))
    return true;
  FailureOr<int64_t> heads = ValueBoundsConstraintSet::computeConstantBound(
      presburger::BoundType::UB, {size}, /*stopCondition=*/nullptr, /*closedUB=*/true);
  return succeeded(heads) && *heads > 0 && group % *heads == 0 && weft::mayBeMultipleOf(offset, *heads);
}

SmallVector<Range> weft::productDomain(OpBuilder &builder, Location loc, Value lhs, Value result) {
  SmallVector<Range> domain = wholeRanges(builder, loc, result);
  domain.push_back(wholeRanges(builder, loc, lhs)[1]);
  return domain;
}

void weft::productTileOfResult(OpBuilder &builder, Location loc, Value lhs, const Tile &result,
                               SmallVectorImpl<OpFoldResult> &offsets, SmallVectorImpl<OpFoldResult> &sizes) {
  Range depth = wholeRanges(builder, loc, lhs)[1];
  offsets.assign(result.offsets.begin(), result.offsets.end());
  sizes.assign(result.sizes.begin(), result.sizes.end());
  offsets.push_back(depth.offset);
  sizes.push_back(depth.size);
}

Tile weft::panelTile(OpBuilder &builder, Value panels, int64_t width, OpFoldResult offset, OpFoldResult size) {
  Location loc = panels.getLoc();
  AffineExpr column = builder.getAffineDimExpr(0);
  auto apply = [&](AffineExpr expr, OpFoldResult value) {
    return affine::makeComposedFoldedAffineApply(builder, loc, expr, {value});
  };
  Tile tile;
  tile.append(apply(column.floorDiv(width), offset), apply(column.ceilDiv(width), size));
  for (Range whole : llvm::drop_begin(wholeRanges(builder, loc, panels)))
    tile.append(whole.offset, whole.size);
  return tile;
}

FailureOr<TilingResult> weft::cloneOntoTiles(DestinationStyleOpInterface op, OpBuilder &builder, ArrayRef<Tile> tiles) {
  if (!op.hasPureTensorSemantics())
    return failure();
  TilingResult result;
  SmallVector<Value> operands;
  OpFoldResult one = builder.getIndexAttr(1);
  for (auto [operand, tile] : llvm::zip_equal(op->getOperands(), tiles)) {
    operands.push_back(operand);
    if (tile.offsets.empty())
      continue;
    SmallVector<OpFoldResult> strides(tile.offsets.size(), one);
    auto slice = tensor::ExtractSliceOp::create(builder, op.getLoc(), operand, tile.offsets, tile.sizes, strides);
    result.generatedSlices.push_back(slice);
    operands.back() = slice;
  }
  SmallVector<Type> types;
  for (OpResult opResult : op->getResults())
    types.push_back(operands[op.getTiedOpOperand(opResult)->getOperandNumber()].getType());
  // Not mlir::clone (22.1.8), which looks for the first block of regions that have none when somebody listens.
  Operation *tiled = mlir::cloneWithoutRegions(builder, op, types, operands);
  for (auto [from, to] : llvm::zip_equal(op->getRegions(), tiled->getRegions()))
    if (!from.empty())
      builder.cloneRegionBefore(from, to, to.begin());
  result.tiledOps.push_back(tiled);
  result.tiledValues.assign(tiled->result_begin(), tiled->result_end());
  return result;
}

FailureOr<TilingResult> weft::tileForResult(TilingInterface op, OpBuilder &builder, unsigned result, const Tile &tile) {
  Tile domain;
  if (failed(op.getIterationDomainTileFromResultTile(builder, result, tile.offsets, tile.sizes, domain.offsets,
                                                     domain.sizes)))
    return failure();
  FailureOr<TilingResult> tiled = op.getTiledImplementation(builder, domain.offsets, domain.sizes);
  if (succeeded(tiled))
    tiled->tiledValues = {tiled->tiledValues[result]};
  return tiled;
}
