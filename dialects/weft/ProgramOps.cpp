// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "dialects/weft/WeftDialect.h"

using namespace mlir;
using namespace weft;

SmallVector<StringRef> ParameterOp::getSourceNames() {
  if (std::optional<ArrayAttr> sources = getSources())
    return llvm::to_vector(sources->getAsValueRange<StringAttr>());
  return {getName()};
}

LogicalResult ParameterOp::verify() { return success(); }

LogicalResult KernelOp::verify() { return success(); }
