// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The ops of a kernel → attention of few queries for a block of threads, or why it is none.
#include "lowering/analysis/BlockDecode.h"

#include "lowering/analysis/KernelGroups.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"

#include <numeric>

using namespace mlir;

namespace weft {
namespace {

constexpr int64_t kWarp = 32;
/// Numbers of a row of queries, or of the output, that a thread holds for all rows together.
constexpr int64_t kHeld = 64;
/// Keys of a chunk at most: their scores, for up to 16 rows, are 16 KiB.
constexpr int64_t kChunk = 256;

Type elementOf(Value value) { return getElementTypeOrSelf(value.getType()); }

bool isStored(Type type) { return type.isF32() || type.isBF16() || type.isF16(); }

bool isPlainDim(AttentionOp op, unsigned operand, unsigned dim) {
  AffineExpr expr = getAffineDimExpr(dim, op.getContext());
  return llvm::is_contained(op.getIndexingMap(operand).getResults(), expr);
}

/// Numbers from numbers, and what is the same everywhere.
bool isScalarRegion(Region &region) {
  if (region.empty())
    return true;
  return llvm::all_of(region.front().without_terminator(), [](Operation &op) {
    return isa<arith::ArithDialect, math::MathDialect>(op.getDialect()) && op.getNumRegions() == 0;
  });
}

StringRef whyNot(AttentionOp op) {
  for (Value rows : {op.getKey(), op.getValue()})
    if (!isStored(elementOf(rows)) && !elementOf(rows).isInteger(8))
      return "keys and values are not f32, bf16, f16 or 8-bit integers";
  if (!isStored(elementOf(op.getQuery())) || !isStored(elementOf(op.getOutput())))
    return "queries or outputs are not floats";
  for (Value scale : {op.getKeyScale(), op.getValueScale()})
    if (scale && !isStored(elementOf(scale)))
      return "factors of keys or values are not floats";
  if (!isPlainDim(op, 1, AttentionOp::Key) || !isPlainDim(op, 2, AttentionOp::Key))
    return "keys do not lie one beside the other";
  if (op.getIndexingMap(0).getResults().back() != getAffineDimExpr(AttentionOp::HeadDim, op.getContext()))
    return "a query is not contiguous in memory";
  if (!isScalarRegion(op.getScore()) || !isScalarRegion(op.getMask()))
    return "the score or the mask is more than arithmetic on numbers";
  return "";
}

} // namespace

RowPieces::RowPieces(int64_t extent, Type element, int64_t mostLanes) {
  constexpr int64_t kBytes = 16;
  elements = std::gcd(extent, kBytes * 8 / element.getIntOrFloatBitWidth());
  pieces = extent / elements;
  lanes = std::min<int64_t>(mostLanes, llvm::PowerOf2Ceil(pieces));
  turns = llvm::divideCeilSigned(pieces, lanes);
}

BlockDecodeMatch matchBlockDecode(Operation *kernel) {
  SmallVector<Operation *> ops = computeOpsOf(kernel);
  auto found = llvm::find_if(ops, llvm::IsaPred<AttentionOp>);
  if (found == ops.end())
    return {};
  auto op = cast<AttentionOp>(*found);
  DecodeMatch match = matchDecode(op);
  if (!match.plan || match.plan->headDim == 0 || match.plan->valueDim == 0)
    return {};
  if (ops.size() != 1)
    return {std::nullopt, "its kernel holds more than the attention"};
  if (StringRef obstacle = whyNot(op); !obstacle.empty())
    return {std::nullopt, obstacle};
  DecodePlan decode = *match.plan;
  RowPieces key(decode.headDim, elementOf(op.getKey()), kWarp);
  RowPieces value(decode.valueDim, elementOf(op.getValue()), BlockDecode::kThreads);
  int64_t held = std::max(key.turns * key.elements, value.elements), most = kHeld / held;
  if (value.turns > 1 || most == 0)
    return {std::nullopt, "a head is wider than a block holds"};
  // As even as whole turns over the rows allow.
  int64_t turns = llvm::divideCeilSigned(decode.rows(), most);
  int64_t rows = llvm::divideCeilSigned(decode.rows(), turns);
  int64_t split = op.getSplitLength(), chunk = split && split % kWarp == 0 ? std::min(split, kChunk) : kChunk;
  return {BlockDecode{op, decode, key, value, rows, chunk, split == chunk}, ""};
}

} // namespace weft
