// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lowering/fuse/RoundedWeight.h"

#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace weft {

Value roundedWeight(OpBuilder &b, ParameterOp weight, const Twine &suffix, RankedTensorType type, PanelsAttr layout) {
  SmallVector<StringRef> sources = weight.getSourceNames();
  return ParameterOp::create(b, weight.getLoc(), type, b.getStringAttr(weight.getName() + suffix),
                             b.getStrArrayAttr(sources), layout);
}

Value roundedInGroups(OpBuilder &b, ParameterOp weight, const NamedGroupForm &named) {
  SmallVector<int64_t> shape(cast<ShapedType>(weight.getType()).getShape());
  int64_t depth = shape.end()[-2];
  shape.end()[-2] = llvm::divideCeilSigned(depth, named.form.group);
  shape.back() = named.form.bytes();
  auto layout = PanelsAttr::get(b.getContext(), kPanelWidth, weight.getLayout()->getOutByIn(), false, named.name);
  return roundedWeight(b, weight, "." + named.name, RankedTensorType::get(shape, b.getI8Type()), layout);
}

} // namespace weft
