// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The ops of a kernel → a product with its epilogue, or why it is none.
#include "lowering/analysis/BlockProduct.h"

#include "lowering/analysis/KernelGroups.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;

namespace weft {

static Type elementOf(Value value) { return getElementTypeOrSelf(value.getType()); }

static bool isFloatOrHalf(Type type) { return type.isF32() || type.isBF16() || type.isF16(); }

SmallVector<Operation *, 2> BlockProduct::ops() {
  if (epilogue)
    return {product, epilogue};
  return {product};
}

int64_t BlockProduct::depth() {
  auto type = cast<ShapedType>(product.getRhs().getType());
  return type.getDimSize(1) * type.getDimSize(2);
}

bool BlockProduct::isForWarpGroups(TargetAttr target) {
  return target && target.getIsa().starts_with("sm_90a") && !elementOf(product.getRhs()).isF32();
}

bool BlockProduct::usesWarpGroups(TargetAttr target) {
  constexpr int64_t kUnit = 8; // 16-bit numbers of 16 bytes
  return isForWarpGroups(target) && depth() % kUnit == 0;
}

int64_t BlockProduct::itemColumns(TargetAttr target) {
  int64_t columns = cast<ShapedType>(product.getRhs().getType()).getDimSize(0), chosen = kColumns;
  if (!usesWarpGroups(target) || ShapedType::isDynamic(columns) || columns <= kColumns)
    return kColumns;
  auto padding = [&](int64_t width) { return llvm::alignTo(columns, width) - columns; };
  for (int64_t width : {2 * kColumns, 3 * kColumns, 4 * kColumns})
    if (chosen == kColumns || padding(width) <= padding(chosen))
      chosen = width;
  return chosen;
}

int64_t BlockProduct::itemColumns(scf::ForallOp forall) {
  int64_t columns = cast<ShapedType>(product.getRhs().getType()).getDimSize(0);
  if (!ShapedType::isDynamic(columns))
    return columns;
  return getConstantIntValue(forall.getMixedStep().back()).value_or(kColumns);
}

OpFoldResult BlockProduct::rows(scf::ForallOp forall) {
  Value lhs = product.getLhs();
  int64_t rows = cast<ShapedType>(lhs.getType()).getDimSize(0);
  if (forall.getRegion().isAncestor(lhs.getParentRegion()) || ShapedType::isDynamic(rows))
    return forall.getMixedUpperBound().front();
  return Builder(forall.getContext()).getIndexAttr(rows);
}

Value BlockProduct::destination() { return epilogue ? epilogue.getDpsInitOperand(0)->get() : Value(product.getInit()); }

bool hasBlockPanels(PackedMatmulOp product) {
  Type element = elementOf(product.getRhs());
  return isFloatOrHalf(element) && product.getPanelWidth() == kBlockPanelWidth;
}

/// Why a product is none for matrix instructions; empty: it is one.
static StringRef whyNotProduct(PackedMatmulOp op) {
  ArrayRef<int64_t> panels = op.getRhs().getType().getShape();
  if (op.hasBlocks() || op.getRows())
    return "the weight is block-diagonal, or rows are gathered";
  if (!elementOf(op.getLhs()).isF32() || !elementOf(op.getInit()).isF32())
    return "rows and sums are not f32";
  if (op.getBias() && !elementOf(op.getBias()).isF32())
    return "the bias is not f32";
  if (ShapedType::isDynamic(panels[1]))
    return "the length of the sum is not known";
  return "";
}

/// How an op of the epilogue's region may look: a number from numbers.
static bool isScalarOp(Operation &op) {
  bool ofDialect = isa<arith::ArithDialect, math::MathDialect>(op.getDialect());
  return ofDialect && op.getNumRegions() == 0 && op.getNumResults() == 1;
}

/// Whether a value comes from the region itself or is a constant.
static bool isKnown(Value value, Block *body) {
  Operation *definition = value.getDefiningOp();
  return value.getParentBlock() == body || (definition && definition->hasTrait<OpTrait::ConstantLike>());
}

/// A matrix as the result, a row or a column of numbers, or one number.
static bool isOperandOfBlock(linalg::GenericOp op, OpOperand *operand) {
  AffineMap map = op.getMatchingIndexingMap(operand);
  Type element = elementOf(operand->get());
  if (map.isIdentity())
    return isFloatOrHalf(element);
  return element.isF32() && (map.getNumResults() == 0 || (map.getNumResults() == 1 && map.isProjectedPermutation()));
}

/// Why a generic op is no epilogue of the product whose result is `product`; empty: it is one.
static StringRef whyNotEpilogue(linalg::GenericOp op, Value product) {
  if (!isElementwise(op) || op.getNumLoops() != 2)
    return "its reader is not elementwise on the same rows and columns";
  if (!isFloatOrHalf(elementOf(op.getDpsInits()[0])) || op.payloadUsesValueFromOperand(op.getDpsInitOperand(0)))
    return "its reader computes other numbers than floats, or reads what it overwrites";
  bool reads = false;
  for (OpOperand *operand : op.getDpsInputOperands()) {
    bool isProduct = operand->get() == product;
    reads |= isProduct;
    if (isProduct ? !op.getMatchingIndexingMap(operand).isIdentity() : !isOperandOfBlock(op, operand))
      return "its reader reads other things than floats of the same row and column, rows, columns and numbers";
  }
  if (!reads)
    return "its reader sees it through a view";
  Block *body = op.getBody();
  for (Operation &inner : body->without_terminator())
    if (!isScalarOp(inner) || !llvm::all_of(inner.getOperands(), [&](Value v) { return isKnown(v, body); }))
      return "its reader computes with more than its operands";
  if (!isKnown(body->getTerminator()->getOperand(0), body))
    return "its reader computes with more than its operands";
  return "";
}

BlockMatch matchBlockProduct(Operation *kernel) {
  SmallVector<Operation *> ops = computeOpsOf(kernel);
  auto found = llvm::find_if(ops, [](Operation *op) {
    auto product = dyn_cast<PackedMatmulOp>(op);
    return product && hasBlockPanels(product);
  });
  if (found == ops.end())
    return {};
  auto product = cast<PackedMatmulOp>(*found);
  if (StringRef obstacle = whyNotProduct(product); !obstacle.empty())
    return {std::nullopt, obstacle};
  if (ops.size() == 1)
    return {BlockProduct{product, {}}, ""};
  auto epilogue = dyn_cast<linalg::GenericOp>(ops.back());
  if (ops.size() != 2 || !epilogue)
    return {std::nullopt, "its kernel holds more than the product and one elementwise op"};
  Value result = product->getNumResults() ? product->getResult(0) : Value(product.getInit());
  if (StringRef obstacle = whyNotEpilogue(epilogue, result); !obstacle.empty())
    return {std::nullopt, obstacle};
  return {BlockProduct{product, epilogue}, ""};
}

} // namespace weft
