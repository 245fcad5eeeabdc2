// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The constraints of quantize_rows and quantized_matmul (docs/spec.md).
#include "dialects/weft/StructuredOp.h"
#include "dialects/weft/WeftDialect.h"

using namespace mlir;
using namespace weft;

static LogicalResult verifyElement(Operation *op, StringRef operand, ShapedType type, bool isInteger) {
  Type element = type.getElementType();
  if (isInteger ? element.isSignlessInteger(8) : element.isF32())
    return success();
  return op->emitOpError() << operand << " must hold " << (isInteger ? "i8" : "f32") << ", got " << type;
}

LogicalResult QuantizeRowsOp::verify() {
  ShapedType input = getInput().getType(), values = getValues().getType(), scales = getScales().getType();
  if (input.getRank() != 2 || values.getRank() != 2) // quantize_rows_c1
    return emitOpError("takes input [m, k] and destinations [m, k'] and [m]");
  int64_t rows = input.getDimSize(0), depth = input.getDimSize(1);
  if (!extentsAgree(rows, values.getDimSize(0))) // quantize_rows_c2
    return emitOpError("input has ") << rows << " rows, the destination " << values.getDimSize(0);
  int64_t padded = ShapedType::isDynamic(depth) ? depth : llvm::alignTo(depth, QuantizedMatmulOp::kGroup);
  if (!extentsAgree(padded, values.getDimSize(1))) // quantize_rows_c3
    return emitOpError("rows of ") << depth << " elements need " << padded << " columns, the destination has "
                                   << values.getDimSize(1);
  if (failed(verifyVector(*this, "scales", scales, rows)))
    return failure(); // quantize_rows_c4
  if (failed(verifyElement(*this, "input", input, false)) || failed(verifyElement(*this, "values", values, true)) ||
      failed(verifyElement(*this, "scales", scales, false)))
    return failure(); // quantize_rows_c5
  if (getNumResults() != 0 && getNumResults() != 2)
    return emitOpError("has two results on tensors, none on memrefs"); // quantize_rows_c6
  return verifyStorage(*this);                                         // quantize_rows_c7
}

/// The four matrices' and vectors' extents.
static LogicalResult verifyShapes(QuantizedMatmulOp op) {
  ShapedType lhs = op.getLhs().getType(), rhs = op.getRhs().getType(), init = op.getInit().getType();
  if (lhs.getRank() != 2 || rhs.getRank() != 3 || init.getRank() != 2) // quantized_matmul_c1
    return op.emitOpError("takes lhs [m, k], rhs [panels, k / 4, 64] and a destination [m, n]");
  if (!extentsAgree(lhs.getDimSize(0), init.getDimSize(0))) // quantized_matmul_c2
    return op.emitOpError("lhs has ") << lhs.getDimSize(0) << " rows, the destination " << init.getDimSize(0);
  constexpr int64_t kGroup = QuantizedMatmulOp::kGroup, kWidth = QuantizedMatmulOp::kWidth;
  if (rhs.getDimSize(2) != kWidth * kGroup) // quantized_matmul_c3
    return op.emitOpError("rhs must have panels of 16 columns by 4 steps, 64 values, got ") << rhs;
  int64_t groups = rhs.getDimSize(1), n = init.getDimSize(1);
  if (!ShapedType::isDynamic(groups) && !extentsAgree(lhs.getDimSize(1), groups * kGroup)) // quantized_matmul_c4
    return op.emitOpError("lhs is summed over ")
           << lhs.getDimSize(1) << " elements, rhs over " << groups << " groups of 4";
  if (!ShapedType::isDynamic(n) && !extentsAgree(rhs.getDimSize(0), llvm::divideCeil(n, kWidth)))
    return op.emitOpError() << n << " columns need " << llvm::divideCeil(n, kWidth) << " panels, rhs has "
                            << rhs.getDimSize(0); // quantized_matmul_c5
  return success();
}

LogicalResult QuantizedMatmulOp::verify() {
  if (failed(verifyShapes(*this)))
    return failure();
  ShapedType lhs = getLhs().getType(), init = getInit().getType();
  if (failed(verifyVector(*this, "lhs_scales", getLhsScales().getType(), lhs.getDimSize(0))))
    return failure(); // quantized_matmul_c6
  if (failed(verifyVector(*this, "rhs_scales", getRhsScales().getType(), init.getDimSize(1))))
    return failure(); // quantized_matmul_c7
  if (getBias() && failed(verifyVector(*this, "bias", getBias().getType(), init.getDimSize(1))))
    return failure(); // quantized_matmul_c8
  for (Value integers : {getLhs(), getRhs()})
    if (failed(verifyElement(*this, integers == getLhs() ? "lhs" : "rhs", cast<ShapedType>(integers.getType()), true)))
      return failure(); // quantized_matmul_c9
  for (Value floats : {Value(getLhsScales()), Value(getRhsScales()), Value(getBias()), Value(getInit())})
    if (floats &&
        failed(verifyElement(*this, "scales, bias and destination", cast<ShapedType>(floats.getType()), false)))
      return failure();                                                           // quantized_matmul_c10
  if (!ShapedType::isDynamic(lhs.getDimSize(1)) && lhs.getDimSize(1) > kMaxDepth) // quantized_matmul_c11
    return emitOpError("a sum over ") << lhs.getDimSize(1) << " products may not fit 32 bits, at most " << kMaxDepth;
  return verifyStorage(*this); // quantized_matmul_c12
}
