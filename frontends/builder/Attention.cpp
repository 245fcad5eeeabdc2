// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// An AttentionSpec into weft.attention: masks and biases become its regions, never tensors of scores.
#include "frontends/builder/GraphBuilder.h"
#include "frontends/builder/Scalars.h"

#include "dialects/weft/WeftDialect.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;

namespace weft {

/// x ≥ 0, f32, as the nearest bfloat16; ties to even.
static Value roundedToBfloat16(OpBuilder &b, Location l, Value x) {
  Type bits = b.getI32Type();
  auto constant = [&](int64_t value) -> Value {
    return arith::ConstantOp::create(b, l, b.getIntegerAttr(bits, value));
  };
  Value whole = arith::BitcastOp::create(b, l, bits, x);
  Value last = arith::AndIOp::create(b, l, arith::ShRUIOp::create(b, l, whole, constant(16)), constant(1));
  Value up = arith::AddIOp::create(b, l, whole, arith::AddIOp::create(b, l, last, constant(0x7fff)));
  Value kept = arith::AndIOp::create(b, l, up, constant(-0x10000));
  return arith::BitcastOp::create(b, l, b.getF32Type(), kept);
}

/// score − slope · (the query's position − the key's), the slope being the first of the extras, what counts positions
/// the last.
Value GraphBuilder::slopedScore(Value score, const AttentionSpec &spec, Block &block) {
  constexpr unsigned kFirstExtra = 5;
  Scalars s{builder, location};
  Value i = block.getArgument(3), j = block.getArgument(4), slope = block.getArgument(kFirstExtra);
  auto toFloat = [&](Value index) -> Value {
    Value narrow = arith::IndexCastOp::create(builder, location, builder.getI32Type(), index);
    return arith::SIToFPOp::create(builder, location, builder.getF32Type(), narrow);
  };
  auto minus = [&](Value a, Value b) -> Value { return arith::SubIOp::create(builder, location, a, b); };
  Value counted = arith::IndexCastOp::create(builder, location, builder.getIndexType(), block.getArguments().back());
  Value distance = spec.last ? minus(counted, j) : minus(i, j); // of a key that is seen, at least 0
  if (!spec.roundsSlopes)
    return s.sub(score, s.mul(slope, toFloat(distance)));
  // Keys that are not seen may come after the query, or before the text: their scores count for nothing.
  Value zero = arith::ConstantIndexOp::create(builder, location, 0);
  auto biasAt = [&](Value position) {
    Value place = toFloat(arith::MaxSIOp::create(builder, location, position, zero));
    Value product = s.mul(slope, roundedToBfloat16(builder, location, place));
    return roundedToBfloat16(builder, location, product);
  };
  Value difference = s.sub(biasAt(minus(counted, distance)), biasAt(counted));
  return s.add(score, s.mul(difference, s.constant(spec.scale)));
}

/// Scores get the bias added, or are capped: score(s, b, h, i, j, extras…), of which the bias is the last.
void GraphBuilder::buildScoreRegion(Region &region, const AttentionSpec &spec, TypeRange extras) {
  OpBuilder::InsertionGuard guard(builder);
  llvm::SmallVector<Type> types{builder.getF32Type()};
  types.append(4, builder.getIndexType());
  types.append(extras.begin(), extras.end());
  Block *block = builder.createBlock(&region, {}, types, llvm::SmallVector<Location>(types.size(), location));
  Value score = block->getArgument(0);
  if (spec.cap > 0)
    score = buildSoftCap(builder, location, score, spec.cap);
  if (spec.slopes)
    score = slopedScore(score, spec, *block);
  if (spec.bias)
    score = arith::AddFOp::create(builder, location, score, block->getArguments().back());
  YieldOp::create(builder, location, score);
}

/// A key is visible when it is no padding and within reach: mask(b, h, i, j, mask?, bias?).
void GraphBuilder::buildMaskRegion(Region &region, const AttentionSpec &spec, TypeRange extras) {
  OpBuilder::InsertionGuard guard(builder);
  llvm::SmallVector<Type> types(4, builder.getIndexType());
  types.append(extras.begin(), extras.end());
  Block *block = builder.createBlock(&region, {}, types, llvm::SmallVector<Location>(types.size(), location));
  Value visible;
  auto require = [&](arith::CmpIPredicate predicate, Value a, Value b) {
    Value condition = arith::CmpIOp::create(builder, location, predicate, a, b);
    visible = visible ? arith::AndIOp::create(builder, location, visible, condition).getResult() : condition;
  };
  Value i = block->getArgument(2), j = block->getArgument(3);
  if (spec.lead > 0)
    i = arith::AddIOp::create(builder, location, i, arith::ConstantIndexOp::create(builder, location, spec.lead));
  if (spec.reach) {
    Value reach = arith::ConstantIndexOp::create(builder, location, *spec.reach);
    require(arith::CmpIPredicate::sle, arith::SubIOp::create(builder, location, i, j), reach);
    require(arith::CmpIPredicate::sle, arith::SubIOp::create(builder, location, j, i), reach);
  }
  if (spec.paddingMask) {
    Value zero = arith::ConstantOp::create(builder, location, builder.getIntegerAttr(extras.front(), 0));
    require(arith::CmpIPredicate::ne, block->getArgument(4), zero);
  }
  auto indexOf = [&](Value number) -> Value {
    return arith::IndexCastOp::create(builder, location, builder.getIndexType(), number);
  };
  if (spec.ages) {
    Value distance = arith::AddIOp::create(builder, location, i, indexOf(block->getArguments().back()));
    require(arith::CmpIPredicate::sle, distance, indexOf(*(block->getArguments().end() - 2)));
  } else if (spec.past) {
    Value distance = arith::SubIOp::create(builder, location, i, j);
    Value limit = indexOf(block->getArguments().back());
    require(arith::CmpIPredicate::sle, j, i);
    require(arith::CmpIPredicate::sle, distance, limit);
  }
  if (spec.last) {
    Value last = indexOf(block->getArguments().back());
    require(arith::CmpIPredicate::sle, j, last);
    if (spec.window) {
      Value window = arith::ConstantIndexOp::create(builder, location, spec.window);
      require(arith::CmpIPredicate::slt, arith::SubIOp::create(builder, location, last, j), window);
    }
  }
  YieldOp::create(builder, location, visible);
}

std::pair<Value, Value> GraphBuilder::attentionWithSum(const AttentionSpec &spec, bool sum) {
  Scope scope(*this, spec.name);
  // Iteration space (b, h, i, j, d, e); tensors lie as [batch, sequence, heads, head dimension].
  AffineExpr group = builder.getAffineDimExpr(1).floorDiv(spec.headsPerGroup);
  auto ofGroup = [&](unsigned last) {
    AffineExpr b = builder.getAffineDimExpr(0), j = builder.getAffineDimExpr(3),
               element = builder.getAffineDimExpr(last);
    return AffineMap::get(6, 0, {b, j, group, element}, builder.getContext());
  };
  llvm::SmallVector<AffineMap> maps{dimsMap(6, {0, 2, 1, 4}), ofGroup(4), ofGroup(5)};
  llvm::SmallVector<Value> extras;
  llvm::SmallVector<Type> scalars;
  auto addExtra = [&](Value extra, llvm::ArrayRef<unsigned> dims) {
    extras.push_back(extra);
    scalars.push_back(cast<RankedTensorType>(extra.getType()).getElementType());
    maps.push_back(dimsMap(6, dims));
  };
  assert((!spec.slopes || ((spec.past || spec.last) && !spec.paddingMask && !spec.bias && !spec.ages)) &&
         "slopes are the first extra, what counts positions the last");
  if (spec.slopes)
    addExtra(spec.slopes, {1});
  if (spec.paddingMask)
    addExtra(spec.paddingMask, {0, 3});
  if (spec.bias)
    addExtra(spec.bias, {1, 2, 3});
  if (spec.past)
    addExtra(spec.past, {0, 2});
  assert((!spec.ages || spec.past) && "ages are compared with how far a query sees");
  if (spec.ages)
    addExtra(spec.ages, {0, 3});
  if (spec.last)
    addExtra(spec.last, {0, 2});
  if (spec.table) {
    int64_t length = cast<RankedTensorType>(spec.key.getType()).getDimSize(1);
    AffineExpr column = builder.getAffineDimExpr(3).floorDiv(length);
    maps.push_back(AffineMap::get(6, 0, {builder.getAffineDimExpr(0), column}, builder.getContext()));
  }
  maps.push_back(dimsMap(6, {0, 2, 1, 5}));

  Sizes result(sizes(spec.query));
  result.back() = sizes(spec.value).back();
  Value init = empty(result, builder.getF32Type()), lse;
  llvm::SmallVector<Type> types{init.getType()};
  Sizes rows(llvm::ArrayRef(result).drop_back());
  if (sum) {
    maps.push_back(dimsMap(6, {0, 2, 1}));
    lse = empty(rows, builder.getF32Type());
    types.push_back(lse.getType());
  }
  auto op =
      AttentionOp::create(builder, location, types, spec.query, spec.key, spec.value, extras,
                          /*key_scale=*/Value(), /*value_scale=*/Value(), spec.table, init, lse,
                          builder.getF32FloatAttr(static_cast<float>(spec.scale)), builder.getAffineMapArrayAttr(maps),
                          /*product_type=*/TypeAttr());
  if (spec.bias || spec.cap > 0 || spec.slopes)
    buildScoreRegion(op.getScore(), spec, scalars);
  if (spec.paddingMask || spec.reach || spec.past || spec.last)
    buildMaskRegion(op.getMask(), spec, scalars);
  return {known(op->getResult(0), result), sum ? known(op->getResult(1), rows) : Value()};
}

Value GraphBuilder::joinAttention(std::pair<Value, Value> a, std::pair<Value, Value> b) {
  AffineMap all = dimsMap(4, {0, 1, 2, 3}), head = dimsMap(4, {0, 1, 2});
  return map(sizes(a.first), builder.getF32Type(), {a.first, b.first, a.second, b.second}, {all, all, head, head},
             [](OpBuilder &nested, Location l, ValueRange v) -> Value {
               Scalars s{nested, l};
               Value greatest = s.max(v[2], v[3]);
               Value p = s.exp(s.sub(v[2], greatest)), q = s.exp(s.sub(v[3], greatest));
               return s.div(s.add(s.mul(v[0], p), s.mul(v[1], q)), s.add(p, q));
             });
}

} // namespace weft
