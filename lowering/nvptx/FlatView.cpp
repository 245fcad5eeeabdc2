// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lowering/nvptx/FlatView.h"

#include "lowering/nvptx/LaneGroup.h"

#include "mlir/Conversion/LLVMCommon/MemRefBuilder.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

using namespace mlir;

namespace weft {

FlatView::FlatView(MemRefType type, const LLVMTypeConverter &types) : type(type), types(types) {
  (void)type.getStridesAndOffset(strides, offset);
}

SmallVector<Type> FlatView::argumentTypes() const {
  SmallVector<Type> all = {LLVM::LLVMPointerType::get(type.getContext(), kGlobalSpace)};
  all.append(ShapedType::isDynamic(offset) + llvm::count_if(type.getShape(), ShapedType::isDynamic) +
                 llvm::count_if(strides, ShapedType::isDynamic),
             IntegerType::get(type.getContext(), 64));
  return all;
}

void FlatView::flatten(OpBuilder &b, Location loc, Value view, SmallVectorImpl<Value> &values) const {
  auto integer = [&](Value index) -> Value { return arith::IndexCastOp::create(b, loc, b.getI64Type(), index); };
  Value address = integer(memref::ExtractAlignedPointerAsIndexOp::create(b, loc, view));
  values.push_back(LLVM::IntToPtrOp::create(b, loc, LLVM::LLVMPointerType::get(b.getContext(), kGlobalSpace), address));
  auto metadata = memref::ExtractStridedMetadataOp::create(b, loc, view);
  if (ShapedType::isDynamic(offset))
    values.push_back(integer(metadata.getOffset()));
  for (auto [extent, value] : llvm::zip_equal(type.getShape(), metadata.getSizes()))
    if (ShapedType::isDynamic(extent))
      values.push_back(integer(value));
  for (auto [stride, value] : llvm::zip_equal(strides, metadata.getStrides()))
    if (ShapedType::isDynamic(stride))
      values.push_back(integer(value));
}

Value FlatView::rebuild(OpBuilder &b, Location loc, ValueRange arguments, int64_t root) const {
  Value pointer = LLVM::AddrSpaceCastOp::create(b, loc, LLVM::LLVMPointerType::get(b.getContext()), arguments[0]);
  MemRefDescriptor descriptor = MemRefDescriptor::poison(b, loc, types.convertType(type));
  descriptor.setAllocatedPtr(b, loc, pointer);
  descriptor.setAlignedPtr(b, loc, pointer);
  size_t next = 1;
  auto number = [&](int64_t known) -> Value {
    if (ShapedType::isDynamic(known))
      return arguments[next++];
    return LLVM::ConstantOp::create(b, loc, b.getI64Type(), known);
  };
  descriptor.setOffset(b, loc, number(offset));
  for (auto [i, extent] : llvm::enumerate(type.getShape()))
    descriptor.setSize(b, loc, i, number(extent));
  for (auto [i, stride] : llvm::enumerate(strides))
    descriptor.setStride(b, loc, i, number(stride));
  return castToView(b, loc, type, descriptor, root);
}

Value FlatView::castToView(OpBuilder &b, Location loc, MemRefType type, Value descriptor, int64_t root) {
  auto cast = UnrealizedConversionCastOp::create(b, loc, type, descriptor);
  cast->setAttr(kRootAttribute, b.getI64IntegerAttr(root));
  return cast.getResult(0);
}

} // namespace weft
