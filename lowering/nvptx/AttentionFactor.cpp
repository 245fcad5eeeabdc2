// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Rows of a view → a buffer: tile.copy_async where numbers stay as they are, else tile.load_global, convert, store.
#include "lowering/nvptx/AttentionFactor.h"

#include "lowering/analysis/ViewMultiples.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

#include <numeric>

using namespace mlir;

namespace weft {
namespace {

constexpr int64_t kWarps = 4;
constexpr int64_t kMostPiece = 16, kLeastPiece = 4;

/// The widest swizzle whose panels the columns fill.
tile::BufferType bufferType(int64_t rows, int64_t columns, Type element) {
  int64_t bytes = columns * element.getIntOrFloatBitWidth() / 8, swizzle = 128;
  while (bytes % swizzle != 0)
    swizzle /= 2;
  return tile::BufferType::get(rows, columns, element, swizzle);
}

/// Rows cut over as many warps as there are tiles of 16, columns over the others.
Attribute layoutFor(MLIRContext *context, int64_t rows) {
  int64_t down = std::min<int64_t>(kWarps, rows / 16);
  return tile::AccumulatorAttr::get(context, down, kWarps / down);
}

} // namespace

AttentionFactor::AttentionFactor(OpBuilder &b, const BlockAttention &plan, unsigned operand, int64_t rows,
                                 const IRMapping &mapping)
    : loc(AttentionOp(plan.op).getLoc()), product(plan.product) {
  AttentionOp op = plan.op;
  Value view = op->getOperand(operand);
  stored = getElementTypeOrSelf(view.getType());
  unsigned dim = operand == 0 ? AttentionOp::Query : AttentionOp::Key;
  unsigned row = *op.getIndexingMap(operand).getResultPosition(b.getAffineDimExpr(dim));
  matrix = globalMatrix(b, loc, view, mapping, row);
  type = bufferType(rows, operand == 2 ? plan.valueColumns() : plan.headColumns(), product);
  place = tile::AllocOp::create(b, loc, type, IntegerAttr());
  if (stored != product)
    return;
  int64_t columns = operand == 2 ? plan.valueDim : plan.headDim;
  int64_t aligned = std::gcd(alignmentOfRows(view, row, kMostPiece), columns * type.elementBytes());
  piece = aligned >= kLeastPiece ? aligned : 0;
}

void AttentionFactor::bring(OpBuilder &b, Value row) const {
  if (isCopied()) {
    Value zero = arith::ConstantIndexOp::create(b, loc, 0);
    tile::CopyAsyncOp::create(b, loc, matrix.pointer, row, zero, ValueRange{matrix.rows, matrix.columns}, matrix.stride,
                              place, kWarps, piece);
    return;
  }
  int64_t panel = type.rowBytes() / type.elementBytes();
  for (int64_t column = 0; column < type.getColumns(); column += panel)
    bringPanel(b, row, column);
}

void AttentionFactor::bringPanel(OpBuilder &b, Value row, int64_t column) const {
  MLIRContext *context = b.getContext();
  int64_t columns = type.rowBytes() / type.elementBytes();
  Attribute layout = layoutFor(context, type.getRows());
  auto fragment = [&](Type element) {
    return tile::FragmentType::get(context, {type.getRows(), columns}, element, layout);
  };
  Value first = arith::ConstantIndexOp::create(b, loc, column), zero = arith::ConstantIndexOp::create(b, loc, 0);
  Value numbers = tile::LoadGlobalOp::create(b, loc, fragment(stored), matrix.pointer, row, first,
                                             ValueRange{matrix.rows, matrix.columns}, matrix.stride,
                                             matrix.pairBytes(fragment(stored)), matrix.isEven);
  if (stored != product && !stored.isF32())
    numbers = tile::ConvertOp::create(b, loc, fragment(b.getF32Type()), numbers);
  if (numbers.getType() != fragment(product))
    numbers = tile::ConvertOp::create(b, loc, fragment(product), numbers);
  auto part = tile::BufferType::get(context, type.getRows(), columns, product, type.getSwizzle(), 1, type.getPitch());
  Value target = tile::SliceOp::create(b, loc, part, place, zero, column);
  tile::StoreOp::create(b, loc, numbers, target, /*by_matrix=*/false);
}

} // namespace weft
