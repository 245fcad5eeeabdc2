// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The constraints of route, dispatch, grouped_matmul and combine (docs/spec.md).
#include "dialects/weft/RoutingOps.h"

#include "dialects/weft/StructuredOp.h"

#include "llvm/Support/MathExtras.h"

#include <cmath>

using namespace mlir;
using namespace weft;

static bool holdsF32(Value value) { return !value || getElementTypeOrSelf(value.getType()).isF32(); }
static bool holdsI32(Value value) { return !value || getElementTypeOrSelf(value.getType()).isSignlessInteger(32); }

//===----------------------------------------------------------------------===//
// route
//===----------------------------------------------------------------------===//

static LogicalResult verifyShapes(RouteOp op) {
  ShapedType scores = op.getScores().getType(), experts = op.getExperts().getType(),
             weights = op.getWeights().getType();
  if (scores.getRank() != 2 || experts.getRank() != 2 || weights.getRank() != 2) // route_c1
    return op.emitOpError("takes scores [t, e] and destinations [t, k], got ")
           << scores << ", " << experts << " and " << weights;
  if (!extentsAgree(scores.getDimSize(0), experts.getDimSize(0)) ||
      failed(verifyCompatibleShape(experts, weights))) // route_c2
    return op.emitOpError("needs an expert and a weight for each choice of each token, got ")
           << experts << " and " << weights << " for " << scores;
  int64_t count = scores.getDimSize(1), top = experts.getDimSize(1);
  if (!ShapedType::isDynamic(count) && !ShapedType::isDynamic(top) && top > count) // route_c3
    return op.emitOpError("cannot choose ") << top << " of " << count << " experts";
  if (op.getBias() && failed(verifyVector(op, "bias", op.getBias().getType(), count)))
    return failure(); // route_c4
  if (!holdsF32(op.getScores()) || !holdsF32(op.getBias()) || !holdsF32(op.getWeights()) || !holdsI32(op.getExperts()))
    return op.emitOpError("takes scores, bias and weights of f32 and experts of i32, got ")
           << scores << ", " << weights << " and " << experts; // route_c5
  return success();
}

/// Groups of experts, and that there are enough to choose from.
static LogicalResult verifyGroups(RouteOp op) {
  int64_t count = op.getScores().getType().getDimSize(1), groups = op.getGroups(), chosen = op.getTopGroups();
  if (groups < 1 || chosen < 1 || chosen > groups) // route_c6
    return op.emitOpError("cannot choose ") << chosen << " of " << groups << " groups";
  if (op.getGroupRank() != 1 && op.getGroupRank() != 2) // route_c7
    return op.emitOpError("ranks a group by the sum of its 1 or 2 largest numbers, not of ") << op.getGroupRank();
  if (groups == 1)
    return success();
  if (ShapedType::isDynamic(count) || count % groups != 0) // route_c8
    return op.emitOpError("needs a known number of experts that ") << groups << " groups divide, got " << count;
  int64_t top = op.getExperts().getType().getDimSize(1), available = count / groups * chosen;
  if (ShapedType::isDynamic(top) || top > available || count / groups < int64_t(op.getGroupRank())) // route_c9
    return op.emitOpError("chooses ") << top << " experts of the " << available << " in " << chosen << " groups";
  return success();
}

LogicalResult RouteOp::verify() {
  if (failed(verifyShapes(*this)) || failed(verifyGroups(*this)))
    return failure();
  if (!llvm::is_contained({"none", "softmax", "sigmoid"}, getScoring())) // route_c10
    return emitOpError("scoring is \"none\", \"softmax\" or \"sigmoid\", not \"") << getScoring() << "\"";
  if (!llvm::is_contained({"none", "sum", "softmax", "sparsemixer"}, getNormalize())) // route_c11
    return emitOpError("normalize is \"none\", \"sum\", \"softmax\" or \"sparsemixer\", not \"")
           << getNormalize() << "\"";
  if (getNormalize() == "sparsemixer" && (getScoring() != "none" || getBias() || hasGroups())) // route_c12
    return emitOpError("sparsemixer weighs the scores themselves, without bias and groups");
  if (!getScale().isFinite() || !getJitter().isFinite() || getJitter().isNegative()) // route_c13
    return emitOpError("scale must be finite, jitter finite and not negative");
  return verifyStorage(*this); // route_c14
}

//===----------------------------------------------------------------------===//
// dispatch
//===----------------------------------------------------------------------===//

LogicalResult DispatchOp::verify() {
  ShapedType experts = getExperts().getType(), weights = getWeights().getType();
  ShapedType tokens = getTokens().getType(), sorted = getSorted().getType(), offsets = getOffsets().getType();
  if (experts.getRank() != 2 || failed(verifyCompatibleShape(experts, weights))) // dispatch_c1
    return emitOpError("needs an expert and a weight for each choice of each token, [t, k], got ")
           << experts << " and " << weights;
  int64_t rows =
      experts.hasStaticShape() ? experts.getDimSize(0) * experts.getDimSize(1) : int64_t(ShapedType::kDynamic);
  if (failed(verifyVector(*this, "tokens", tokens, rows)) || failed(verifyVector(*this, "sorted", sorted, rows)))
    return failure();                                                                 // dispatch_c2
  if (offsets.getRank() != 1 || offsets.isDynamicDim(0) || offsets.getDimSize(0) < 2) // dispatch_c3
    return emitOpError("offsets must have one dimension, one more than there are experts, known, got ") << offsets;
  if (!holdsI32(getExperts()) || !holdsI32(getTokens()) || !holdsI32(getOffsets()) || !holdsF32(getWeights()) ||
      !holdsF32(getSorted())) // dispatch_c4
    return emitOpError("takes experts, tokens and offsets of i32 and weights of f32");
  if (getCapacity() && static_cast<int64_t>(*getCapacity()) < 0) // dispatch_c5
    return emitOpError("capacity must not be negative, is ") << static_cast<int64_t>(*getCapacity());
  return verifyStorage(*this); // dispatch_c6
}

//===----------------------------------------------------------------------===//
// grouped_matmul
//===----------------------------------------------------------------------===//

/// A weight in panels: of numbers, or of bytes of groups along k.
static LogicalResult verifyPanels(GroupedMatmulOp op, int64_t depth, int64_t n) {
  ArrayRef<int64_t> panels = op.getRhs().getType().getShape().drop_front();
  int64_t steps = op.getStepsPerWord(), width = op.getPanelWidth();
  if (std::optional<GroupForm> form = op.getForm()) {
    if ((form->bits != 4 && form->bits != 8) || form->group < 8 || form->group % 8 != 0 || panels[2] != form->bytes())
      return op.emitOpError("a group of 16 columns of ")
             << form->group << " values of " << form->bits << " bits does not have " << panels[2] << " bytes";
    steps = form->group;
  }
  if (ShapedType::isDynamic(panels[2]) || width < 1) // grouped_matmul_c6
    return op.emitOpError("a packed weight must have a known, positive panel width");
  if (!ShapedType::isDynamic(depth) && !extentsAgree(panels[1], llvm::divideCeilSigned(depth, steps)))
    return op.emitOpError("lhs is summed over ")
           << depth << " elements, the panels have " << panels[1] << " steps of " << steps; // grouped_matmul_c7
  if (!ShapedType::isDynamic(n) && !extentsAgree(panels[0], llvm::divideCeilSigned(n, width)))
    return op.emitOpError() << n << " columns need " << llvm::divideCeilSigned(n, width) << " panels, rhs has "
                            << panels[0]; // grouped_matmul_c8
  return success();
}

static LogicalResult verifyShapes(GroupedMatmulOp op) {
  ShapedType lhs = op.getLhs().getType(), rhs = op.getRhs().getType(), init = op.getInit().getType();
  if (lhs.getRank() != 2 || (rhs.getRank() != 3 && rhs.getRank() != 4) || init.getRank() != 2)
    return op.emitOpError("takes lhs [t, k], rhs [groups, n, k] or in panels, and a destination [r, n], got ")
           << lhs << ", " << rhs << " and " << init; // grouped_matmul_c1
  int64_t groups = rhs.getDimSize(0), depth = lhs.getDimSize(1), n = init.getDimSize(1);
  if (ShapedType::isDynamic(groups) || groups < 1) // grouped_matmul_c2
    return op.emitOpError("needs a known number of groups, at least one, got ") << rhs;
  if (failed(verifyVector(op, "offsets", op.getOffsets().getType(), groups + 1)))
    return failure(); // grouped_matmul_c3
  int64_t rows = init.getDimSize(0);
  if (op.getRows() ? failed(verifyVector(op, "rows", op.getRows().getType(), rows))
                   : !extentsAgree(lhs.getDimSize(0), rows)) // grouped_matmul_c4
    return op.getRows()
               ? failure()
               : LogicalResult(op.emitOpError("lhs has ") << lhs.getDimSize(0) << " rows, the destination " << rows);
  if (op.isPacked())
    return verifyPanels(op, depth, n);
  if (!extentsAgree(rhs.getDimSize(2), depth) || !extentsAgree(rhs.getDimSize(1), n)) // grouped_matmul_c5
    return op.emitOpError("weights must be [groups, ") << n << ", " << depth << "], are " << rhs;
  return success();
}

/// Rows and weights of 8-bit integers, with a scale for each row and each column.
static LogicalResult verifyScales(GroupedMatmulOp op) {
  if (!op.getLhsScales() && !op.getRhsScales())
    return success();
  if (!op.getLhsScales() || !op.getRhsScales() || op.getForm() || !op.isPacked()) // grouped_matmul_c14
    return op.emitOpError("scales are of rows and of a packed weight's columns, without bits and group");
  auto columns = cast<ShapedType>(op.getRhsScales().getType());
  if (failed(verifyVector(op, "scales of rows", cast<ShapedType>(op.getLhsScales().getType()),
                          op.getLhs().getType().getDimSize(0))))
    return failure(); // grouped_matmul_c15
  if (columns.getRank() != 2 || !extentsAgree(columns.getDimSize(0), op.getRhs().getType().getDimSize(0)) ||
      !extentsAgree(columns.getDimSize(1), op.getInit().getType().getDimSize(1)))
    return op.emitOpError("scales of columns must be [groups, n], are ") << columns; // grouped_matmul_c15
  int64_t depth = op.getLhs().getType().getDimSize(1);
  if (ShapedType::isDynamic(depth) || depth % QuantizedMatmulOp::kGroup != 0 || depth > QuantizedMatmulOp::kMaxDepth)
    return op.emitOpError("rows of 8-bit integers must have a known multiple of ")
           << QuantizedMatmulOp::kGroup << " columns, at most " << QuantizedMatmulOp::kMaxDepth << ", have "
           << depth; // grouped_matmul_c16
  return success();
}

LogicalResult GroupedMatmulOp::verify() {
  if (failed(verifyShapes(*this)) || failed(verifyScales(*this)))
    return failure();
  if (getBits().has_value() != getGroup().has_value() || (getForm() && !isPacked())) // grouped_matmul_c9
    return emitOpError("bits and group say how a packed weight's bytes lie: both or none");
  if (Value bias = getBias()) { // grouped_matmul_c10
    auto type = cast<ShapedType>(bias.getType());
    if (type.getRank() != 2 || !extentsAgree(type.getDimSize(0), getRhs().getType().getDimSize(0)) ||
        !extentsAgree(type.getDimSize(1), getInit().getType().getDimSize(1)))
      return emitOpError("bias must be [groups, n], is ") << type;
  }
  Type weight = getRhs().getType().getElementType(), lhs = getLhs().getType().getElementType();
  auto isNumber = [](Type type) { return type.isF32() || type.isBF16() || type.isF16(); };
  bool areBytes = getForm() || getLhsScales();
  bool isStored = areBytes ? weight.isSignlessInteger(8) : isNumber(weight);
  bool isRow = getLhsScales() ? lhs.isSignlessInteger(8) : getForm() ? lhs.isF32() : isNumber(lhs);
  bool areFloats = holdsF32(getBias()) && holdsF32(getInit()) && holdsF32(getLhsScales()) && holdsF32(getRhsScales());
  if (!isStored || !isRow || !areFloats) // grouped_matmul_c11
    return emitOpError(
        "takes lhs and weights of f32, bf16 or f16, or lhs of f32 and bytes of groups, or i8 with scales, "
        "and scales, bias and destination of f32");
  if (!holdsI32(getOffsets()) || !holdsI32(getRows())) // grouped_matmul_c12
    return emitOpError("offsets and rows must be i32");
  return verifyStorage(*this); // grouped_matmul_c13
}

//===----------------------------------------------------------------------===//
// combine
//===----------------------------------------------------------------------===//

LogicalResult CombineOp::verify() {
  ShapedType input = getInput().getType(), init = getInit().getType();
  if (input.getRank() != 2 || init.getRank() != 2 || !extentsAgree(input.getDimSize(1), init.getDimSize(1)))
    return emitOpError("takes rows [r, n] and a destination [t, n], got ") << input << " and " << init; // combine_c1
  if (failed(verifyVector(*this, "tokens", getTokens().getType(), input.getDimSize(0))) ||
      failed(verifyVector(*this, "weights", getWeights().getType(), input.getDimSize(0))))
    return failure(); // combine_c2
  if (!holdsF32(getInput()) || !holdsF32(getWeights()) || !holdsF32(getInit()) || !holdsI32(getTokens()))
    return emitOpError("takes rows, weights and a destination of f32 and tokens of i32"); // combine_c3
  return verifyStorage(*this);                                                            // combine_c4
}
