// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// module {weft.dtype = bf16}: weft.attention {…} → weft.attention {…, product_type = bf16}
#include "lowering/normalize/Passes.h"

#include "dialects/weft/WeftDialect.h"

namespace weft {
#define GEN_PASS_DEF_NORMALIZEATTENTION
#include "lowering/normalize/Passes.h.inc"
} // namespace weft

using namespace mlir;

namespace weft {
namespace {

struct NormalizeAttentionPass : impl::NormalizeAttentionBase<NormalizeAttentionPass> {
  void runOnOperation() override {
    auto dtype = getOperation()->getAttrOfType<TypeAttr>("weft.dtype");
    if (!dtype || !dtype.getValue().isBF16())
      return;
    getOperation()->walk([&](AttentionOp op) {
      if (!op.getProductType())
        op.setProductTypeAttr(dtype);
    });
  }
};

} // namespace
} // namespace weft
