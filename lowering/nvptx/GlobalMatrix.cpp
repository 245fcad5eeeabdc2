// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lowering/nvptx/GlobalMatrix.h"

#include "dialects/tile/TileOps.h"
#include "lowering/analysis/ViewMultiples.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

using namespace mlir;

namespace weft {
/// Whether rows and their ends lie on multiples of two elements.
static bool liesOnPairs(Value view, unsigned row) {
  auto type = cast<MemRefType>(view.getType());
  int64_t columns = type.getShape().back(), bytes = type.getElementTypeBitWidth() / 8;
  return type.getRank() > 1 && !ShapedType::isDynamic(columns) && columns % 2 == 0 &&
         multiplesOf(view).strides.back() == 1 && alignmentOfRows(view, row, 2 * bytes) == 2 * bytes;
}

IntegerAttr GlobalMatrix::pairBytes(Type fragment) const {
  Type element = cast<tile::FragmentType>(fragment).getElement();
  Type i64 = IntegerType::get(fragment.getContext(), 64);
  return isEven ? IntegerAttr::get(i64, 2 * element.getIntOrFloatBitWidth() / 8) : IntegerAttr();
}

GlobalMatrix globalMatrix(OpBuilder &b, Location loc, Value view, const IRMapping &mapping, unsigned row) {
  Value mapped = mapping.lookupOrDefault(view);
  auto type = cast<MemRefType>(mapped.getType());
  auto metadata = memref::ExtractStridedMetadataOp::create(b, loc, mapped);
  Value address = memref::ExtractAlignedPointerAsIndexOp::create(b, loc, mapped);
  Value bytes = arith::ConstantIndexOp::create(b, loc, type.getElementTypeBitWidth() / 8);
  Value offset = arith::MulIOp::create(b, loc, metadata.getOffset(), bytes);
  Value place = arith::IndexCastOp::create(b, loc, b.getI64Type(), arith::AddIOp::create(b, loc, address, offset));
  GlobalMatrix made;
  auto space = static_cast<unsigned>(NVVM::NVVMMemorySpace::Global);
  made.pointer = LLVM::IntToPtrOp::create(b, loc, LLVM::LLVMPointerType::get(b.getContext(), space), place);
  if (type.getRank() == 0)
    return made;
  made.columns = metadata.getSizes().back();
  made.stride = metadata.getStrides()[row];
  made.rows = type.getRank() == 1 ? Value(arith::ConstantIndexOp::create(b, loc, 1)) : metadata.getSizes()[row];
  made.isEven = liesOnPairs(view, row);
  return made;
}

} // namespace weft
