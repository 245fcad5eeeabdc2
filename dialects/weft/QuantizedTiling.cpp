// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Tiles of quantize_rows and quantized_matmul.
#include "dialects/weft/Tile.h"
#include "dialects/weft/WeftDialect.h"

using namespace mlir;
using namespace weft;
using utils::IteratorType;

//===----------------------------------------------------------------------===//
// quantize_rows: (m, k); a row is never cut
//===----------------------------------------------------------------------===//

SmallVector<IteratorType> QuantizeRowsOp::getLoopIteratorTypes() {
  return {IteratorType::parallel, IteratorType::reduction};
}

SmallVector<Range> QuantizeRowsOp::getIterationDomain(OpBuilder &builder) {
  return wholeRanges(builder, getLoc(), getInput());
}

FailureOr<TilingResult> QuantizeRowsOp::getTiledImplementation(OpBuilder &builder, ArrayRef<OpFoldResult> offsets,
                                                               ArrayRef<OpFoldResult> sizes) {
  if (!coversDimension(getInput(), 1, offsets[1], sizes[1]))
    return failure();
  Range columns = wholeRanges(builder, getLoc(), getValues())[1];
  return cloneOntoTiles(*this, builder,
                        {Tile(offsets, sizes), Tile({offsets[0], columns.offset}, {sizes[0], columns.size}),
                         Tile(offsets.take_front(), sizes.take_front())});
}

LogicalResult QuantizeRowsOp::getResultTilePosition(OpBuilder &builder, unsigned result, ArrayRef<OpFoldResult> offsets,
                                                    ArrayRef<OpFoldResult> sizes,
                                                    SmallVector<OpFoldResult> &resultOffsets,
                                                    SmallVector<OpFoldResult> &resultSizes) {
  resultOffsets = {offsets[0]};
  resultSizes = {sizes[0]};
  if (result == 0) {
    Range columns = wholeRanges(builder, getLoc(), getValues())[1];
    resultOffsets.push_back(columns.offset);
    resultSizes.push_back(columns.size);
  }
  return success();
}

LogicalResult QuantizeRowsOp::getIterationDomainTileFromResultTile(OpBuilder &builder, unsigned result,
                                                                   ArrayRef<OpFoldResult> offsets,
                                                                   ArrayRef<OpFoldResult> sizes,
                                                                   SmallVectorImpl<OpFoldResult> &domainOffsets,
                                                                   SmallVectorImpl<OpFoldResult> &domainSizes) {
  if (result == 0 && !coversDimension(getValues(), 1, offsets[1], sizes[1]))
    return failure();
  Range depth = wholeRanges(builder, getLoc(), getInput())[1];
  domainOffsets.assign({offsets[0], depth.offset});
  domainSizes.assign({sizes[0], depth.size});
  return success();
}

//===----------------------------------------------------------------------===//
// quantized_matmul: (m, n, k); a column tile starts where a panel does, k is whole
//===----------------------------------------------------------------------===//

SmallVector<IteratorType> QuantizedMatmulOp::getLoopIteratorTypes() {
  return {IteratorType::parallel, IteratorType::parallel, IteratorType::reduction};
}

SmallVector<Range> QuantizedMatmulOp::getIterationDomain(OpBuilder &builder) {
  return productDomain(builder, getLoc(), getLhs(), getInit());
}

FailureOr<TilingResult> QuantizedMatmulOp::getTiledImplementation(OpBuilder &builder, ArrayRef<OpFoldResult> offsets,
                                                                  ArrayRef<OpFoldResult> sizes) {
  if (!coversDimension(getLhs(), 1, offsets[2], sizes[2]) || !mayBeMultipleOf(offsets[1], kWidth))
    return failure();
  Tile rhs = panelTile(builder, getRhs(), kWidth, offsets[1], sizes[1]);
  Tile rows({offsets[0]}, {sizes[0]}), columns({offsets[1]}, {sizes[1]});
  SmallVector<Tile> tiles = {{{offsets[0], offsets[2]}, {sizes[0], sizes[2]}}, rows, rhs, columns};
  if (getBias())
    tiles.push_back(columns);
  tiles.push_back({offsets.take_front(2), sizes.take_front(2)});
  return cloneOntoTiles(*this, builder, tiles);
}
