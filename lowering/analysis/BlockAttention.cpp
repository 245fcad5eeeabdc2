// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The ops of a kernel → attention of many queries, or why it is none.
#include "lowering/analysis/BlockAttention.h"

#include "lowering/analysis/DecodePlan.h"
#include "lowering/analysis/KernelGroups.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/BuiltinOps.h"

using namespace mlir;

namespace weft {

static Type elementOf(Value value) { return getElementTypeOrSelf(value.getType()); }

static bool isHalf(Type type) { return type.isBF16() || type.isF16(); }

/// The extent of a dimension that the operand has as one of its own.
static int64_t extentOf(AttentionOp op, unsigned operand, unsigned dim) {
  std::optional<unsigned> position =
      op.getIndexingMap(operand).getResultPosition(getAffineDimExpr(dim, op.getContext()));
  return position ? cast<ShapedType>(op->getOperand(operand).getType()).getDimSize(*position) : ShapedType::kDynamic;
}

/// Whether an operand is a matrix of rows that lie in one piece, one for each `row`.
static bool isMatrix(AttentionOp op, unsigned operand, unsigned row, unsigned column) {
  AffineMap map = op.getIndexingMap(operand);
  MLIRContext *context = op.getContext();
  if (!map.getResultPosition(getAffineDimExpr(row, context)) || map.getNumResults() == 0 ||
      map.getResults().back() != getAffineDimExpr(column, context))
    return false;
  auto view = dyn_cast<MemRefType>(op->getOperand(operand).getType());
  SmallVector<int64_t> strides;
  int64_t offset;
  return !view || (succeeded(view.getStridesAndOffset(strides, offset)) && strides.back() == 1);
}

/// What both products round their factors to: what keys and values hold, or what the program allows.
static Type productTypeOf(AttentionOp op) {
  Type key = elementOf(op.getKey()), value = elementOf(op.getValue());
  if (key == value && isHalf(key))
    return key;
  if (std::optional<Type> type = op.getProductType())
    return *type;
  auto module = op->getParentOfType<ModuleOp>();
  auto dtype = module ? module->getAttrOfType<TypeAttr>("weft.dtype") : TypeAttr();
  return dtype && isHalf(dtype.getValue()) ? dtype.getValue() : Float32Type::get(op.getContext());
}

/// Numbers from numbers, which a thread can compute for each of its scores.
static bool isScalarRegion(Region &region) {
  return region.empty() || llvm::all_of(region.front().without_terminator(), [](Operation &op) {
           return isa<arith::ArithDialect, math::MathDialect>(op.getDialect()) && op.getNumRegions() == 0 &&
                  llvm::none_of(op.getResultTypes(), llvm::IsaPred<ShapedType>);
         });
}

/// Why an op is none for a block; empty: it is one.
static StringRef whyNotBlock(AttentionOp op, const BlockAttention &plan) {
  using Dim = AttentionOp::Dim;
  for (Value operand : {op.getQuery(), op.getKey(), op.getValue(), op.getOutput()})
    if (!elementOf(operand).isF32() && !isHalf(elementOf(operand)))
      return "queries, keys, values or the output hold other numbers than f32, bf16 and f16";
  if (op.getKeyScale() || op.getValueScale())
    return "keys or values have factors";
  if (op.getTable())
    return "keys and values lie in pages";
  if (ShapedType::isDynamic(plan.headDim) || ShapedType::isDynamic(plan.valueDim))
    return "the head dimension is not known";
  if (std::max(plan.headDim, plan.valueDim) > BlockAttention::kMostHeadDim)
    return "the head dimension is larger than what registers and shared memory hold";
  if (!isMatrix(op, 0, Dim::Query, Dim::HeadDim) || !isMatrix(op, 1, Dim::Key, Dim::HeadDim) ||
      !isMatrix(op, 2, Dim::Key, Dim::ValueDim) || !isMatrix(op, op.getOutputNumber(), Dim::Query, Dim::ValueDim))
    return "a query, a key, a value or a result does not lie in one piece";
  if (!isScalarRegion(op.getScore()) || !isScalarRegion(op.getMask()))
    return "a region does more than arithmetic on its arguments";
  return "";
}

BlockAttentionMatch matchBlockAttention(Operation *kernel) {
  SmallVector<Operation *> ops = computeOpsOf(kernel);
  auto found = llvm::find_if(ops, llvm::IsaPred<AttentionOp>);
  if (found == ops.end())
    return {};
  auto op = cast<AttentionOp>(*found);
  if (op.getSplitLength() != 0 || matchDecode(op).plan)
    return {};
  BlockAttention plan{op, extentOf(op, /*query*/ 0, AttentionOp::HeadDim),
                      extentOf(op, /*value*/ 2, AttentionOp::ValueDim), productTypeOf(op)};
  if (ops.size() != 1)
    return {std::nullopt, "its kernel holds more than the attention"};
  if (StringRef obstacle = whyNotBlock(op, plan); !obstacle.empty())
    return {std::nullopt, obstacle};
  return {plan, ""};
}

/// Whether an item has at most so many queries, which its view says.
static bool isOneBlock(AttentionOp op, int64_t queries) {
  unsigned dim = *op.getIndexingMap(0).getResultPosition(getAffineDimExpr(AttentionOp::Query, op.getContext()));
  int64_t known = cast<MemRefType>(op.getQuery().getType()).getDimSize(dim);
  if (!ShapedType::isDynamic(known))
    return known <= queries;
  auto part = op.getQuery().getDefiningOp<memref::SubViewOp>();
  if (!part || part.getDroppedDims().any())
    return false;
  auto size = dyn_cast<Value>(part.getMixedSizes()[dim]);
  auto least = size ? size.getDefiningOp<affine::AffineMinOp>() : affine::AffineMinOp();
  return least && llvm::any_of(least.getMap().getResults(), [&](AffineExpr result) {
           auto constant = dyn_cast<AffineConstantExpr>(result);
           return constant && constant.getValue() <= queries;
         });
}

/// Batch and head are of the item: every operand has one of each.
static bool isOneHead(AttentionOp op) {
  for (auto [number, operand] : llvm::enumerate(op->getOperands()))
    for (auto [dim, expr] : llvm::enumerate(op.getIndexingMap(number).getResults()))
      if (!expr.isFunctionOfDim(AttentionOp::Query) && !expr.isFunctionOfDim(AttentionOp::Key) &&
          !expr.isFunctionOfDim(AttentionOp::HeadDim) && !expr.isFunctionOfDim(AttentionOp::ValueDim) &&
          cast<MemRefType>(operand.getType()).getDimSize(dim) != 1)
        return false;
  return true;
}

bool isItemOf(AttentionOp op, int64_t queries) { return isOneBlock(op, queries) && isOneHead(op); }

bool BlockAttention::usesWarpGroups(TargetAttr target) const {
  constexpr int64_t kUnit = 8; // 16-bit numbers of 16 bytes
  AttentionOp attention = op;
  auto holdsFactors = [&](Value operand) { return elementOf(operand) == product; };
  int64_t queries = extentOf(op, /*query*/ 0, AttentionOp::Query);
  return target && target.getIsa().starts_with("sm_90a") && isRounded() && headDim % kUnit == 0 &&
         valueDim % kUnit == 0 && std::max(headDim, valueDim) <= kMostWarpGroupDim &&
         (ShapedType::isDynamic(queries) || queries > kQueries) && holdsFactors(attention.getQuery()) &&
         holdsFactors(attention.getKey()) && holdsFactors(attention.getValue());
}

} // namespace weft
