// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "dialects/weft/WeftDialect.h"

using namespace mlir;
using namespace weft;

LogicalResult LayerNormOp::verify() { return success(); }

LogicalResult EmbeddingOp::verify() { return success(); }

LogicalResult PackedMatmulOp::verify() { return success(); }
