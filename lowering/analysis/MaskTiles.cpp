// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// arith.cmpi sle, %j, %i on i in [a, b], j in [c, d]   →   always: d <= a;  never: c > b;  keys: j <= b
#include "lowering/analysis/MaskTiles.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;

namespace weft {

/// Beyond this a number is larger than all indices and constants that it is compared with.
static constexpr int64_t kFarthest = int64_t(1) << 31;

IndexRange boundedRange(OpBuilder &b, Location loc, IndexRange range) {
  Type type = range.low.getType();
  if (!type.isIndex() && type.getIntOrFloatBitWidth() <= 32)
    return range;
  Value least = arith::ConstantOp::create(b, loc, b.getIntegerAttr(type, -kFarthest));
  Value most = arith::ConstantOp::create(b, loc, b.getIntegerAttr(type, kFarthest));
  Value isBelow = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::slt, range.low, least);
  Value isAbove = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::sgt, range.high, most);
  Value isFar = arith::OrIOp::create(b, loc, isBelow, isAbove);
  return {arith::SelectOp::create(b, loc, isFar, least, range.low),
          arith::SelectOp::create(b, loc, isFar, most, range.high)};
}

MaskTile::MaskTile(OpBuilder &builder, Block &mask, const MaskRanges &arguments)
    : builder(builder), loc(mask.getParentOp()->getLoc()), mask(mask) {
  for (auto [argument, range] : llvm::zip_equal(mask.getArguments(), arguments))
    ranges[argument] = range;
}

Value MaskTile::both(Value a, Value b) {
  return a && b ? arith::AndIOp::create(builder, loc, a, b).getResult() : Value();
}

Value MaskTile::either(Value a, Value b) {
  return a && b ? arith::OrIOp::create(builder, loc, a, b).getResult() : (a ? a : b);
}

// --- ranges of integers ---------------------------------------------------------------------------------------------

std::optional<IndexRange> MaskTile::rangeOf(Value value) {
  if (auto known = ranges.find(value); known != ranges.end())
    return known->second;
  Operation *op = value.getDefiningOp();
  if (!op || op->getBlock() != &mask)
    return IndexRange{value, value};
  std::optional<IndexRange> range = rangeOfOp(op);
  return ranges[value] = range;
}

bool MaskTile::isNonNegative(Value value) {
  if (auto argument = dyn_cast<BlockArgument>(value))
    return argument.getOwner() == &mask && isa<IndexType>(value.getType());
  APInt constant;
  if (matchPattern(value, m_ConstantInt(&constant)))
    return constant.isNonNegative();
  Operation *op = value.getDefiningOp();
  return op && isa<arith::AddIOp, arith::MulIOp, arith::DivUIOp, arith::IndexCastOp>(op) &&
         llvm::all_of(op->getOperands(), [&](Value operand) { return isNonNegative(operand); });
}

/// Quotients rounded down or to zero by a positive constant: they never decrease.
std::optional<IndexRange> MaskTile::quotientOf(Operation *op) {
  APInt divisor;
  if (!matchPattern(op->getOperand(1), m_ConstantInt(&divisor)) || !divisor.isStrictlyPositive() ||
      (isa<arith::DivUIOp>(op) && !isNonNegative(op->getOperand(0))))
    return std::nullopt;
  std::optional<IndexRange> range = rangeOf(op->getOperand(0)), by = rangeOf(op->getOperand(1));
  if (!range)
    return std::nullopt;
  auto divide = [&](Value end) {
    IRMapping mapping;
    mapping.map(op->getOperand(0), end);
    mapping.map(op->getOperand(1), by->low);
    return builder.clone(*op, mapping)->getResult(0);
  };
  return IndexRange{divide(range->low), divide(range->high)};
}

std::optional<IndexRange> MaskTile::rangeOfOp(Operation *op) {
  if (op->getNumResults() != 1 || op->getNumRegions() != 0 || !isPure(op))
    return std::nullopt;
  SmallVector<IndexRange> operands;
  for (Value operand : op->getOperands()) {
    std::optional<IndexRange> range = rangeOf(operand);
    if (!range)
      return std::nullopt;
    operands.push_back(*range);
  }
  auto apply = [&](ArrayRef<Value> values) {
    IRMapping mapping;
    mapping.map(op->getOperands(), values);
    return builder.clone(*op, mapping)->getResult(0);
  };
  if (llvm::all_of(operands, [](const IndexRange &range) { return range.isPoint(); })) {
    Value point = apply(llvm::map_to_vector(operands, [](const IndexRange &range) { return range.low; }));
    return IndexRange{point, point};
  }
  if (!op->getResult(0).getType().isIntOrIndex())
    return std::nullopt;
  if (isa<arith::AddIOp, arith::MinSIOp, arith::MaxSIOp>(op))
    return IndexRange{apply({operands[0].low, operands[1].low}), apply({operands[0].high, operands[1].high})};
  if (isa<arith::SubIOp>(op))
    return IndexRange{apply({operands[0].low, operands[1].high}), apply({operands[0].high, operands[1].low})};
  if (isa<arith::IndexCastOp, arith::ExtSIOp>(op))
    return IndexRange{apply({operands[0].low}), apply({operands[0].high})};
  if (isa<arith::FloorDivSIOp, arith::DivSIOp, arith::DivUIOp>(op))
    return quotientOf(op);
  APInt factor;
  if (isa<arith::MulIOp>(op) && matchPattern(op->getOperand(1), m_ConstantInt(&factor))) {
    Value atLow = apply({operands[0].low, operands[1].low}), atHigh = apply({operands[0].high, operands[1].low});
    return factor.isNegative() ? IndexRange{atHigh, atLow} : IndexRange{atLow, atHigh};
  }
  return std::nullopt;
}

// --- truth of conditions --------------------------------------------------------------------------------------------

TileTruth MaskTile::truthOfComparison(Operation *op) {
  auto comparison = cast<arith::CmpIOp>(op);
  if (!comparison.getLhs().getType().isIntOrIndex())
    return {};
  std::optional<IndexRange> lhs = rangeOf(comparison.getLhs()), rhs = rangeOf(comparison.getRhs());
  if (!lhs || !rhs)
    return {};
  using P = arith::CmpIPredicate;
  auto compare = [&](P predicate, Value a, Value b) {
    return arith::CmpIOp::create(builder, loc, predicate, a, b).getResult();
  };
  switch (comparison.getPredicate()) {
  case P::sle:
    return {compare(P::sle, lhs->high, rhs->low), compare(P::sgt, lhs->low, rhs->high)};
  case P::slt:
    return {compare(P::slt, lhs->high, rhs->low), compare(P::sge, lhs->low, rhs->high)};
  case P::sge:
    return {compare(P::sge, lhs->low, rhs->high), compare(P::slt, lhs->high, rhs->low)};
  case P::sgt:
    return {compare(P::sgt, lhs->low, rhs->high), compare(P::sle, lhs->high, rhs->low)};
  case P::eq:
  case P::ne: {
    Value apart = either(compare(P::slt, lhs->high, rhs->low), compare(P::sgt, lhs->low, rhs->high));
    Value same = both(compare(P::eq, lhs->low, rhs->high), compare(P::eq, lhs->high, rhs->low));
    return comparison.getPredicate() == P::eq ? TileTruth{same, apart} : TileTruth{apart, same};
  }
  default:
    return {};
  }
}

TileTruth MaskTile::truthOf(Value value) {
  if (auto known = truths.find(value); known != truths.end())
    return known->second;
  Operation *op = value.getDefiningOp();
  TileTruth truth;
  if (std::optional<IndexRange> range = rangeOf(value); range && range->isPoint()) {
    Value one = arith::ConstantIntOp::create(builder, loc, 1, 1);
    truth = {range->low, arith::XOrIOp::create(builder, loc, range->low, one)};
  } else if (isa_and_nonnull<arith::CmpIOp>(op)) {
    truth = truthOfComparison(op);
  } else if (isa_and_nonnull<arith::AndIOp, arith::OrIOp>(op)) {
    TileTruth a = truthOf(op->getOperand(0)), b = truthOf(op->getOperand(1));
    truth = isa<arith::AndIOp>(op) ? TileTruth{both(a.always, b.always), either(a.never, b.never)}
                                   : TileTruth{either(a.always, b.always), both(a.never, b.never)};
  } else if (isa_and_nonnull<arith::XOrIOp>(op) && matchPattern(op->getOperand(1), m_One())) {
    TileTruth a = truthOf(op->getOperand(0));
    truth = {a.never, a.always};
  }
  truths[value] = truth;
  return truth;
}

TileTruth MaskTile::truth() { return truthOf(mask.getTerminator()->getOperand(0)); }

void MaskTile::collectParts(Value value, SmallVectorImpl<Value> &parts) {
  if (truthOf(value).always) {
    if (!llvm::is_contained(parts, value))
      parts.push_back(value);
    return;
  }
  Operation *op = value.getDefiningOp();
  if (op && op->getBlock() == &mask && isa<arith::AndIOp, arith::OrIOp, arith::XOrIOp, arith::SelectOp>(op))
    for (Value operand : op->getOperands())
      if (operand.getType().isInteger(1))
        collectParts(operand, parts);
}

MaskTile::Parts MaskTile::knownParts() {
  Parts parts;
  collectParts(mask.getTerminator()->getOperand(0), parts.values);
  for (Value value : parts.values) {
    Value always = truthOf(value).always;
    parts.always = parts.always ? both(parts.always, always) : always;
  }
  return parts;
}

// --- keys that can be seen ------------------------------------------------------------------------------------------

std::optional<MaskTile::Linear> MaskTile::linearIn(Value value, Value key) {
  Value zero = arith::ConstantIndexOp::create(builder, loc, 0);
  if (value == key)
    return Linear{1, {zero, zero}};
  Operation *op = value.getDefiningOp();
  if (op && op->getBlock() == &mask && isa<IndexType>(value.getType()) && isa<arith::AddIOp, arith::SubIOp>(op)) {
    std::optional<Linear> a = linearIn(op->getOperand(0), key), b = linearIn(op->getOperand(1), key);
    if (!a || !b)
      return std::nullopt;
    bool minus = isa<arith::SubIOp>(op);
    auto combine = [&](Value x, Value y) -> Value {
      return minus ? arith::SubIOp::create(builder, loc, x, y).getResult()
                   : arith::AddIOp::create(builder, loc, x, y).getResult();
    };
    return Linear{a->factor + (minus ? -b->factor : b->factor),
                  {combine(a->rest.low, minus ? b->rest.high : b->rest.low),
                   combine(a->rest.high, minus ? b->rest.low : b->rest.high)}};
  }
  std::optional<IndexRange> range = rangeOf(value);
  if (!range || !isa<IndexType>(value.getType()))
    return std::nullopt;
  // A function of the key that is not followed is covered by its range.
  return Linear{0, *range};
}

/// Keeps the keys for which factor · key + rest <= 0 (or < 0) is possible.
void MaskTile::narrowToNonPositive(const Linear &difference, bool strict, IndexRange &keys) {
  Value least = difference.rest.low;
  Value one = arith::ConstantIndexOp::create(builder, loc, 1);
  if (strict)
    least = arith::AddIOp::create(builder, loc, least, one);
  if (difference.factor == 1) {
    Value zero = arith::ConstantIndexOp::create(builder, loc, 0);
    Value most = arith::SubIOp::create(builder, loc, zero, least);
    keys.high = arith::MinSIOp::create(builder, loc, keys.high, most);
  } else if (difference.factor == -1) {
    keys.low = arith::MaxSIOp::create(builder, loc, keys.low, least);
  }
}

void MaskTile::narrow(Value condition, Value key, IndexRange &keys) {
  Operation *op = condition.getDefiningOp();
  if (isa_and_nonnull<arith::AndIOp>(op)) {
    narrow(op->getOperand(0), key, keys);
    narrow(op->getOperand(1), key, keys);
    return;
  }
  auto comparison = dyn_cast_or_null<arith::CmpIOp>(op);
  if (!comparison || !isa<IndexType>(comparison.getLhs().getType()))
    return;
  std::optional<Linear> a = linearIn(comparison.getLhs(), key), b = linearIn(comparison.getRhs(), key);
  if (!a || !b)
    return;
  auto difference = [&](const Linear &x, const Linear &y) {
    return Linear{x.factor - y.factor,
                  {arith::SubIOp::create(builder, loc, x.rest.low, y.rest.high),
                   arith::SubIOp::create(builder, loc, x.rest.high, y.rest.low)}};
  };
  using P = arith::CmpIPredicate;
  P predicate = comparison.getPredicate();
  if (predicate == P::sle || predicate == P::slt || predicate == P::eq)
    narrowToNonPositive(difference(*a, *b), predicate == P::slt, keys);
  if (predicate == P::sge || predicate == P::sgt || predicate == P::eq)
    narrowToNonPositive(difference(*b, *a), predicate == P::sgt, keys);
}

IndexRange MaskTile::visibleKeys(unsigned argument) {
  BlockArgument key = mask.getArgument(argument);
  IndexRange keys = *ranges[key];
  narrow(mask.getTerminator()->getOperand(0), key, keys);
  return keys;
}

} // namespace weft
