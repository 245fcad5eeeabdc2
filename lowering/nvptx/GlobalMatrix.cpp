// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lowering/nvptx/GlobalMatrix.h"

#include "dialects/tile/TileOps.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

using namespace mlir;

namespace weft {
namespace {

bool isEvenOffset(OpFoldResult column) {
  if (std::optional<int64_t> known = getConstantIntValue(column))
    return *known % 2 == 0;
  auto variable = cast<Value>(column);
  scf::ForallOp loop = scf::getForallOpThreadIndexOwner(variable);
  if (!loop)
    return false;
  unsigned dim = cast<BlockArgument>(variable).getArgNumber();
  return getConstantIntValue(loop.getMixedStep()[dim]).value_or(1) % 2 == 0 &&
         getConstantIntValue(loop.getMixedLowerBound()[dim]).value_or(1) % 2 == 0;
}

/// Whether rows and what a view begins with lie on multiples of two elements.
bool liesOnPairs(Value view) {
  auto type = cast<MemRefType>(view.getType());
  if (type.getRank() != 2 || type.isDynamicDim(1))
    return false;
  auto part = view.getDefiningOp<memref::SubViewOp>();
  if (!part)
    return type.getLayout().isIdentity() && type.getDimSize(1) % 2 == 0;
  return isEvenOffset(part.getMixedOffsets()[1]) &&
         llvm::all_of(part.getMixedStrides(), [](OpFoldResult s) { return isConstantIntValue(s, 1); }) &&
         liesOnPairs(part.getSource());
}

} // namespace

IntegerAttr GlobalMatrix::pairBytes(Type fragment) const {
  Type element = cast<tile::FragmentType>(fragment).getElement();
  Type i64 = IntegerType::get(fragment.getContext(), 64);
  return isEven ? IntegerAttr::get(i64, 2 * element.getIntOrFloatBitWidth() / 8) : IntegerAttr();
}

GlobalMatrix globalMatrix(OpBuilder &b, Location loc, Value view, const IRMapping &mapping) {
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
  made.stride = metadata.getStrides().front();
  made.rows = type.getRank() == 1 ? Value(arith::ConstantIndexOp::create(b, loc, 1)) : metadata.getSizes().front();
  made.isEven = liesOnPairs(view);
  return made;
}

} // namespace weft
