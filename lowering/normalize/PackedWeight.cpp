// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lowering/normalize/PackedWeight.h"

#include "mlir/IR/BuiltinOps.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace weft {

Type storedTypeOf(ParameterOp weight) {
  auto chosen = weight->getParentOfType<ModuleOp>()->getAttrOfType<TypeAttr>("weft.dtype");
  return chosen ? chosen.getValue() : getElementTypeOrSelf(weight.getType());
}

Value packWeight(OpBuilder &builder, ParameterOp weight, bool outByIn, Type element, int64_t width) {
  ArrayRef<int64_t> shape = cast<ShapedType>(weight.getType()).getShape(), matrix = shape.take_back(2);
  int64_t columns = matrix[outByIn ? 0 : 1], depth = matrix[outByIn ? 1 : 0];
  auto layout = PanelsAttr::get(builder.getContext(), width, outByIn);
  int64_t steps = stepsPerWord(element);
  SmallVector<int64_t> panels(shape.drop_back(2));
  panels.append({llvm::divideCeilSigned(columns, width), llvm::divideCeilSigned(depth, steps), width * steps});
  SmallVector<StringRef> sources = weight.getSourceNames();
  StringRef suffix = width == kPanelWidth ? ".packed" : ".rows", transposed = outByIn ? "" : "_in_by_out";
  return ParameterOp::create(builder, weight.getLoc(), RankedTensorType::get(panels, element),
                             builder.getStringAttr(weight.getName() + suffix + transposed),
                             builder.getStrArrayAttr(sources), layout);
}

} // namespace weft
