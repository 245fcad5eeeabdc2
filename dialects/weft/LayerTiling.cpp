// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Tiles of layer_norm, rms_norm, embedding and packed_matmul.
#include "dialects/weft/Tile.h"
#include "dialects/weft/WeftDialect.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace weft;
using utils::IteratorType;

//===----------------------------------------------------------------------===//
// layer_norm, rms_norm: the iteration space is the shape; a row is never cut
//===----------------------------------------------------------------------===//

/// All dimensions but the last are parallel.
static SmallVector<IteratorType> rowIterators(ShapedType type) {
  SmallVector<IteratorType> types(type.getRank(), IteratorType::parallel);
  types.back() = IteratorType::reduction;
  return types;
}

/// Whole rows of the first operand and of the last; the vectors between them stay whole.
static FailureOr<TilingResult> tileRows(OpBuilder &builder, DestinationStyleOpInterface op,
                                        ArrayRef<OpFoldResult> offsets, ArrayRef<OpFoldResult> sizes) {
  Value input = op->getOperand(0);
  int64_t last = cast<ShapedType>(input.getType()).getRank() - 1;
  if (!coversDimension(input, last, offsets[last], sizes[last]))
    return failure();
  SmallVector<Tile> tiles(op->getNumOperands());
  tiles.front() = tiles.back() = {offsets, sizes};
  return cloneOntoTiles(op, builder, tiles);
}

SmallVector<IteratorType> LayerNormOp::getLoopIteratorTypes() { return rowIterators(getInit().getType()); }

SmallVector<Range> LayerNormOp::getIterationDomain(OpBuilder &builder) {
  return wholeRanges(builder, getLoc(), getInit());
}

FailureOr<TilingResult> LayerNormOp::getTiledImplementation(OpBuilder &builder, ArrayRef<OpFoldResult> offsets,
                                                            ArrayRef<OpFoldResult> sizes) {
  return tileRows(builder, *this, offsets, sizes);
}

SmallVector<IteratorType> RmsNormOp::getLoopIteratorTypes() { return rowIterators(getInit().getType()); }

SmallVector<Range> RmsNormOp::getIterationDomain(OpBuilder &builder) {
  return wholeRanges(builder, getLoc(), getInit());
}

FailureOr<TilingResult> RmsNormOp::getTiledImplementation(OpBuilder &builder, ArrayRef<OpFoldResult> offsets,
                                                          ArrayRef<OpFoldResult> sizes) {
  return tileRows(builder, *this, offsets, sizes);
}

//===----------------------------------------------------------------------===//
// embedding: the iteration space is the shape of the result
//===----------------------------------------------------------------------===//

SmallVector<IteratorType> EmbeddingOp::getLoopIteratorTypes() {
  return SmallVector<IteratorType>(getInit().getType().getRank(), IteratorType::parallel);
}

SmallVector<Range> EmbeddingOp::getIterationDomain(OpBuilder &builder) {
  return wholeRanges(builder, getLoc(), getInit());
}

FailureOr<TilingResult> EmbeddingOp::getTiledImplementation(OpBuilder &builder, ArrayRef<OpFoldResult> offsets,
                                                            ArrayRef<OpFoldResult> sizes) {
  Tile ids(offsets.drop_back(), sizes.drop_back());
  Tile table; // all rows, for any id may come
  table.append(builder.getIndexAttr(0), linalg::createFoldedDimOp(builder, getLoc(), getTable(), 0));
  table.append(offsets.back(), sizes.back());
  if (getTable().getType().getRank() == 3) // the columns of a panel
    table.append(builder.getIndexAttr(0), builder.getIndexAttr(getTable().getType().getDimSize(2)));
  return cloneOntoTiles(*this, builder, {ids, table, Tile(offsets, sizes)});
}

//===----------------------------------------------------------------------===//
// packed_matmul: (m, n, k); a column tile starts where a panel does and lies in one block, k is whole
//===----------------------------------------------------------------------===//

SmallVector<IteratorType> PackedMatmulOp::getLoopIteratorTypes() {
  return {IteratorType::parallel, IteratorType::parallel, IteratorType::reduction};
}

SmallVector<Range> PackedMatmulOp::getIterationDomain(OpBuilder &builder) {
  return productDomain(builder, getLoc(), getLhs(), getInit());
}

static Value sliceOf(OpBuilder &builder, Value tensor, const Tile &tile, RankedTensorType type = {}) {
  if (!type)
    type = tensor::ExtractSliceOp::inferResultType(cast<RankedTensorType>(tensor.getType()), tile.sizes);
  SmallVector<OpFoldResult> strides(tile.offsets.size(), builder.getIndexAttr(1));
  return tensor::ExtractSliceOp::create(builder, tensor.getLoc(), type, tensor, tile.offsets, tile.sizes, strides);
}

/// Columns that lie in one block of a block-diagonal weight, as a product with that block's panels: a tile's columns
/// are a whole block, or as many of it as divide it and fill panels.
static FailureOr<TilingResult> tileOfBlock(OpBuilder &builder, PackedMatmulOp op, ArrayRef<OpFoldResult> offsets,
                                           ArrayRef<OpFoldResult> sizes) {
  int64_t width = op.getPanelWidth(), block = op.getInit().getType().getDimSize(1) / op.getBlocks();
  int64_t depth = op.getLhs().getType().getDimSize(1) / op.getBlocks();
  std::optional<int64_t> columns = getConstantIntValue(sizes[1]);
  bool isPart = columns && *columns > 0 && block % *columns == 0 && (*columns == block || *columns % width == 0);
  if (!isPart || !mayBeMultipleOf(offsets[1], *columns))
    return failure();
  AffineExpr column = builder.getAffineDimExpr(0);
  auto place = [&](AffineExpr expr) {
    return affine::makeComposedFoldedAffineApply(builder, op.getLoc(), expr, {offsets[1]});
  };
  auto index = [&](int64_t value) -> OpFoldResult { return builder.getIndexAttr(value); };
  Tile lhs({offsets[0], place(column.floorDiv(block) * depth)}, {sizes[0], index(depth)}), rhs;
  auto weight = cast<RankedTensorType>(op.getRhs().getType());
  SmallVector<int64_t> panels{llvm::divideCeilSigned(*columns, width), weight.getDimSize(2), weight.getDimSize(3)};
  rhs.append(place(column.floorDiv(block)), index(1));
  rhs.append(place((column % block).floorDiv(width)), index(panels[0]));
  for (int64_t whole : ArrayRef(panels).drop_front())
    rhs.append(index(0), index(whole));
  SmallVector<Value> operands{
      sliceOf(builder, op.getLhs(), lhs),
      sliceOf(builder, op.getRhs(), rhs, RankedTensorType::get(panels, weight.getElementType()))};
  if (op.getBias())
    operands.push_back(sliceOf(builder, op.getBias(), Tile(offsets[1], sizes[1])));
  operands.push_back(sliceOf(builder, op.getInit(), Tile(offsets.take_front(2), sizes.take_front(2))));
  TilingResult result;
  for (Value operand : operands)
    result.generatedSlices.push_back(operand.getDefiningOp());
  Operation *tiled = mlir::cloneWithoutRegions(builder, op, TypeRange{operands.back().getType()}, operands);
  result.tiledOps.push_back(tiled);
  result.tiledValues.assign(tiled->result_begin(), tiled->result_end());
  return result;
}

FailureOr<TilingResult> PackedMatmulOp::getTiledImplementation(OpBuilder &builder, ArrayRef<OpFoldResult> offsets,
                                                               ArrayRef<OpFoldResult> sizes) {
  int64_t width = getPanelWidth();
  if (!hasPureTensorSemantics() || !coversDimension(getLhs(), 1, offsets[2], sizes[2]))
    return failure();
  if (hasBlocks())
    return tileOfBlock(builder, *this, offsets, sizes);
  if (!mayBeMultipleOf(offsets[1], width))
    return failure();
  AffineExpr column = builder.getAffineDimExpr(0);
  auto apply = [&](AffineExpr expr, OpFoldResult value) {
    return affine::makeComposedFoldedAffineApply(builder, getLoc(), expr, {value});
  };
  Tile rhs;
  rhs.append(apply(column.floorDiv(width), offsets[1]), apply(column.ceilDiv(width), sizes[1]));
  int64_t steps = getStepsPerWord();
  rhs.append(offsets[2], apply(column.ceilDiv(steps), sizes[2]));
  rhs.append(builder.getIndexAttr(0), builder.getIndexAttr(width * steps));
  Tile rows(offsets[0], sizes[0]), lhs({offsets[0], offsets[2]}, {sizes[0], sizes[2]});
  SmallVector<Tile> tiles = {getRows() ? Tile() : lhs, rhs}; // any row of lhs may be asked for
  if (getBias())
    tiles.push_back({offsets[1], sizes[1]});
  if (getRows())
    tiles.push_back(rows);
  tiles.push_back({offsets.take_front(2), sizes.take_front(2)});
  return cloneOntoTiles(*this, builder, tiles);
}
