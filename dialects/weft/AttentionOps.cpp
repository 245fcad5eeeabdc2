// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "dialects/weft/WeftDialect.h"

using namespace mlir;
using namespace weft;

MutableOperandRange AttentionOp::getDpsInitsMutable() {
  // The last operands: output and, where present, lse.
  unsigned inits = getLse() ? 2 : 1;
  return MutableOperandRange(*this, getNumOperands() - inits, inits);
}

LogicalResult AttentionOp::verify() { return success(); }
