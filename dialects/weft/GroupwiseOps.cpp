// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The constraints of groupwise_matmul (docs/spec.md).
#include "dialects/weft/StructuredOp.h"
#include "dialects/weft/WeftDialect.h"

using namespace mlir;
using namespace weft;

/// The extents of the matrices.
static LogicalResult verifyShapes(GroupwiseMatmulOp op) {
  ShapedType lhs = op.getLhs().getType(), rhs = op.getRhs().getType(), init = op.getInit().getType();
  if (lhs.getRank() != 2 || rhs.getRank() != 3 || init.getRank() != 2) // groupwise_matmul_c1
    return op.emitOpError("takes lhs [m, k], rhs [panels, groups, bytes] and a destination [m, n]");
  if (!extentsAgree(lhs.getDimSize(0), init.getDimSize(0))) // groupwise_matmul_c2
    return op.emitOpError("lhs has ") << lhs.getDimSize(0) << " rows, the destination " << init.getDimSize(0);
  GroupForm form = op.getForm();
  if ((form.bits != 4 && form.bits != 8) || form.group < 8 || form.group % 8 != 0) // groupwise_matmul_c3
    return op.emitOpError("takes values of 4 or 8 bits in groups of a multiple of 8, got ")
           << form.bits << " bits in groups of " << form.group;
  if (rhs.getDimSize(2) != form.bytes()) // groupwise_matmul_c4
    return op.emitOpError("a group of 16 columns has ") << form.bytes() << " bytes, got " << rhs;
  int64_t depth = lhs.getDimSize(1), n = init.getDimSize(1);
  if (ShapedType::isDynamic(depth) || !extentsAgree(rhs.getDimSize(1), llvm::divideCeil(depth, form.group)))
    return op.emitOpError("lhs must have a known number of columns, one to ")
           << form.group << " for each group: got " << lhs << " and " << rhs; // groupwise_matmul_c5
  if (!ShapedType::isDynamic(n) && !extentsAgree(rhs.getDimSize(0), llvm::divideCeil(n, kPanelWidth)))
    return op.emitOpError() << n << " columns need " << llvm::divideCeil(n, kPanelWidth) << " panels, rhs has "
                            << rhs.getDimSize(0); // groupwise_matmul_c6
  return success();
}

LogicalResult GroupwiseMatmulOp::verify() {
  if (failed(verifyShapes(*this)))
    return failure();
  if (getBias() && failed(verifyVector(*this, "bias", getBias().getType(), getInit().getType().getDimSize(1))))
    return failure();                                            // groupwise_matmul_c7
  if (!getRhs().getType().getElementType().isSignlessInteger(8)) // groupwise_matmul_c8
    return emitOpError("rhs must hold i8, got ") << getRhs().getType();
  for (Value floats : {Value(getLhs()), Value(getBias()), Value(getInit())})
    if (floats && !getElementTypeOrSelf(floats).isF32()) // groupwise_matmul_c9
      return emitOpError("lhs, bias and destination must hold f32, got ") << floats.getType();
  return verifyStorage(*this); // groupwise_matmul_c10
}
