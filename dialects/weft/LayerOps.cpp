// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The constraints of layer_norm, rms_norm, embedding and packed_matmul (docs/spec.md).
#include "dialects/weft/StructuredOp.h"
#include "dialects/weft/WeftDialect.h"

using namespace mlir;
using namespace weft;

/// The operands that are there hold floating-point numbers.
static LogicalResult verifyFloats(Operation *op, ValueRange operands) {
  for (Value operand : operands)
    if (operand && !isa<FloatType>(getElementTypeOrSelf(operand.getType())))
      return op->emitOpError("operands must hold floating-point numbers, got ") << operand.getType();
  return success();
}

LogicalResult LayerNormOp::verify() {
  ShapedType input = getInput().getType(), init = getInit().getType();
  if (input.getRank() < 1) // layer_norm_c1
    return emitOpError("input must have a dimension to normalise over");
  if (failed(verifyCompatibleShape(input, init)) || input.getElementType() != init.getElementType()) // layer_norm_c2
    return emitOpError("input and destination must have the same shape and "
                       "element type, got ")
           << input << " and " << init;
  int64_t n = input.getShape().back();
  if (failed(verifyVector(*this, "scale", getScale().getType(), n)))
    return failure(); // layer_norm_c3
  if (getBias() && failed(verifyVector(*this, "bias", getBias().getType(), n)))
    return failure(); // layer_norm_c4
  if (failed(verifyFloats(*this, getOperands())))
    return failure();                                        // layer_norm_c5
  if (!getEpsilon().isFinite() || getEpsilon().isNegative()) // layer_norm_c6
    return emitOpError("epsilon must be finite and not negative");
  return verifyStorage(*this); // layer_norm_c7
}

LogicalResult RmsNormOp::verify() {
  ShapedType input = getInput().getType(), init = getInit().getType();
  if (input.getRank() < 1) // rms_norm_c1
    return emitOpError("input must have a dimension to normalise over");
  if (failed(verifyCompatibleShape(input, init)) || input.getElementType() != init.getElementType()) // rms_norm_c2
    return emitOpError("input and destination must have the same shape and element type, got ")
           << input << " and " << init;
  if (getScale() && failed(verifyVector(*this, "scale", getScale().getType(), input.getShape().back())))
    return failure(); // rms_norm_c3
  if (failed(verifyFloats(*this, getOperands())))
    return failure();                                        // rms_norm_c4
  if (!getEpsilon().isFinite() || getEpsilon().isNegative()) // rms_norm_c5
    return emitOpError("epsilon must be finite and not negative");
  return verifyStorage(*this); // rms_norm_c6
}

LogicalResult EmbeddingOp::verify() {
  ShapedType ids = getIds().getType(), table = getTable().getType();
  ShapedType init = getInit().getType();
  if (!ids.getElementType().isIntOrIndex()) // embedding_c1
    return emitOpError("ids must be integers, got ") << ids;
  if (table.getRank() != 2 && (table.getRank() != 3 || table.isDynamicDim(2))) // embedding_c2
    return emitOpError("table must be [rows, n], or in panels [panels, n, width], is ") << table;
  if (init.getRank() != ids.getRank() + 1 || failed(verifyCompatibleShape(ids.getShape(), init.getShape().drop_back())))
    return emitOpError("destination must have the shape of ids and one "
                       "dimension more, got ")
           << ids << " and " << init; // embedding_c3
  if (!extentsAgree(init.getShape().back(), table.getDimSize(1)))
    return emitOpError("destination's last dimension must be the table's, ")
           << table.getDimSize(1) << ", is " << init.getShape().back(); // embedding_c4
  if (init.getElementType() != table.getElementType())                  // embedding_c5
    return emitOpError("destination must have the table's element type, got ")
           << init.getElementType() << " for " << table.getElementType();
  return verifyStorage(*this); // embedding_c6
}

int64_t weft::stepsPerWord(Type element) {
  return std::max<int64_t>(32 / std::max(element.getIntOrFloatBitWidth(), 1u), 1);
}

/// The panels of one block, of `depth` rows and n columns.
static LogicalResult verifyPanels(PackedMatmulOp op, int64_t depth, int64_t n) {
  ArrayRef<int64_t> panels = op.getRhs().getType().getShape().take_back(3);
  int64_t steps = op.getStepsPerWord(), width = op.getPanelWidth();
  if (!ShapedType::isDynamic(depth) && !extentsAgree(llvm::divideCeil(depth, steps), panels[1]))
    return op.emitOpError("lhs is summed over ")
           << depth << " elements, rhs over " << panels[1] << (steps > 1 ? " pairs" : ""); // packed_matmul_c3
  if (ShapedType::isDynamic(panels[2]) || width < 1 || panels[2] % steps != 0)             // packed_matmul_c4
    return op.emitOpError("rhs must have a static, positive panel width")
           << (steps > 1 ? ", its last extent twice that" : "");
  if (!ShapedType::isDynamic(n) && !extentsAgree(panels[0], llvm::divideCeil(n, width)))
    return op.emitOpError() << n << " columns need " << llvm::divideCeil(n, width) << " panels of " << width
                            << ", rhs has " << panels[0]; // packed_matmul_c5
  return success();
}

LogicalResult PackedMatmulOp::verify() {
  ShapedType lhs = getLhs().getType(), rhs = getRhs().getType();
  ShapedType init = getInit().getType();
  if (lhs.getRank() != 2 || (rhs.getRank() != 3 && rhs.getRank() != 4) || init.getRank() != 2)
    return emitOpError("takes lhs [m, k], rhs [panels, k, width] or [blocks, panels, k, width] and a "
                       "destination [m, n]"); // packed_matmul_c1
  if (!getRows() && !extentsAgree(lhs.getDimSize(0), init.getDimSize(0)))
    return emitOpError("lhs has ") << lhs.getDimSize(0) << " rows, the destination "
                                   << init.getDimSize(0); // packed_matmul_c2
  if (getRows() && (failed(verifyVector(*this, "rows", getRows().getType(), init.getDimSize(0))) || hasBlocks() ||
                    !getElementTypeOrSelf(getRows().getType()).isSignlessInteger(32)))
    return emitOpError("rows must be i32, one for each row of the destination, and the weight without blocks, got ")
           << getRows().getType(); // packed_matmul_c10
  if (failed(verifyFloats(*this, {getLhs(), getRhs(), getBias(), getInit()})))
    return failure(); // packed_matmul_c7
  int64_t blocks = getBlocks(), depth = lhs.getDimSize(1), n = init.getDimSize(1);
  if (hasBlocks()) {
    bool isStatic = rhs.hasStaticShape() && !ShapedType::isDynamic(depth) && !ShapedType::isDynamic(n);
    bool isEven = isStatic && blocks > 0 && depth % blocks == 0 && n % blocks == 0;
    if (!isEven) // packed_matmul_c9
      return emitOpError("blocks of a weight share columns of lhs and of the destination evenly, all static; they are ")
             << getRhs().getType() << ", " << lhs << " and " << init;
    depth /= blocks;
    n /= blocks;
  }
  if (failed(verifyPanels(*this, depth, n)))
    return failure();
  if (getBias() && failed(verifyVector(*this, "bias", getBias().getType(), init.getDimSize(1))))
    return failure();          // packed_matmul_c6
  return verifyStorage(*this); // packed_matmul_c8
}
