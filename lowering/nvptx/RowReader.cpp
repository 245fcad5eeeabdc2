// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lowering/nvptx/RowReader.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

#include <numeric>

using namespace mlir;

namespace weft {
namespace {

constexpr int64_t kPieceBytes = 16;

/// Multiples of which a row begins on, from the view that it is a part of.
int64_t alignmentOf(Value view, int64_t most) {
  auto type = cast<MemRefType>(view.getType());
  int64_t width = type.getRank() ? type.getShape().back() : 1;
  if (ShapedType::isDynamic(width))
    return 1;
  if (type.getLayout().isIdentity()) // arguments and views of whole ones
    return std::gcd(most, width);
  if (auto part = view.getDefiningOp<memref::SubViewOp>()) {
    if (!llvm::all_of(part.getMixedStrides(), [](OpFoldResult s) { return isConstantIntValue(s, 1); }))
      return 1;
    std::optional<int64_t> first = getConstantIntValue(part.getMixedOffsets().back());
    return first ? std::gcd(alignmentOf(part.getSource(), most), *first) : 1;
  }
  if (auto expanded = view.getDefiningOp<memref::ExpandShapeOp>())
    return std::gcd(alignmentOf(expanded.getSrc(), most), width);
  if (auto collapsed = view.getDefiningOp<memref::CollapseShapeOp>())
    return alignmentOf(collapsed.getSrc(), most);
  if (auto cast = view.getDefiningOp<memref::CastOp>())
    return alignmentOf(cast.getSource(), most);
  return 1;
}

Value constant(OpBuilder &b, Location loc, int64_t value) { return arith::ConstantIntOp::create(b, loc, value, 32); }

/// The four bytes of a word, which are signed: 2²³ + 128 + x has x + 128 as the low bits of its fraction.
void appendBytes(OpBuilder &b, Location loc, Value word, SmallVectorImpl<Value> &numbers) {
  constexpr int64_t kFlip = 0x80808080, kTwoTo23 = 0x4b000000;
  Value flipped = arith::XOrIOp::create(b, loc, word, constant(b, loc, static_cast<int32_t>(kFlip)));
  Value excess = arith::ConstantOp::create(b, loc, b.getF32FloatAttr(8388608.0f + 128.0f));
  Value above = constant(b, loc, kTwoTo23);
  for (int64_t byte = 0; byte < 4; ++byte) {
    // Bytes 7, 6 and 5 are the upper three of 2²³.
    Value selector = constant(b, loc, 0x7650 + byte);
    Value bits = NVVM::PermuteOp::create(b, loc, b.getI32Type(), flipped, above, selector, NVVM::PermuteMode::DEFAULT);
    Value number = arith::BitcastOp::create(b, loc, b.getF32Type(), bits);
    numbers.push_back(arith::SubFOp::create(b, loc, number, excess));
  }
}

/// The numbers of a word of 32 bits.
void appendWord(OpBuilder &b, Location loc, Type element, Value word, SmallVectorImpl<Value> &numbers) {
  Type f32 = b.getF32Type();
  if (element.isInteger(8))
    return appendBytes(b, loc, word, numbers);
  if (element.isF32()) {
    numbers.push_back(arith::BitcastOp::create(b, loc, f32, word));
  } else if (element.isBF16()) {
    Value low = arith::ShLIOp::create(b, loc, word, constant(b, loc, 16));
    Value high = arith::AndIOp::create(b, loc, word, constant(b, loc, static_cast<int32_t>(0xffff0000)));
    numbers.push_back(arith::BitcastOp::create(b, loc, f32, low));
    numbers.push_back(arith::BitcastOp::create(b, loc, f32, high));
  } else {
    Value pair = LLVM::BitcastOp::create(b, loc, VectorType::get(2, element), word);
    for (int64_t half = 0; half < 2; ++half) {
      Value number = LLVM::ExtractElementOp::create(b, loc, pair, constant(b, loc, half));
      numbers.push_back(arith::ExtFOp::create(b, loc, f32, number));
    }
  }
}

} // namespace

int64_t rowAlignment(Value view) {
  int64_t bits = cast<MemRefType>(view.getType()).getElementTypeBitWidth();
  return alignmentOf(view, kPieceBytes * 8 / bits);
}

RowReader::RowReader(OpBuilder &b, Location loc, Value view, Value aligned, AffineMap map)
    : loc(loc), map(map), element(cast<MemRefType>(view.getType()).getElementType()), alignment(rowAlignment(aligned)) {
  auto metadata = memref::ExtractStridedMetadataOp::create(b, loc, view);
  Value address = memref::ExtractAlignedPointerAsIndexOp::create(b, loc, view);
  Value bytes = arith::ConstantIndexOp::create(b, loc, element.getIntOrFloatBitWidth() / 8);
  Value start = arith::AddIOp::create(b, loc, address, arith::MulIOp::create(b, loc, metadata.getOffset(), bytes));
  auto space = LLVM::LLVMPointerType::get(b.getContext(), static_cast<unsigned>(NVVM::NVVMMemorySpace::Global));
  Value place = arith::IndexCastOp::create(b, loc, b.getI64Type(), start);
  base = LLVM::IntToPtrOp::create(b, loc, space, place);
  llvm::append_range(strides, metadata.getStrides());
}

Value RowReader::row(OpBuilder &b, ArrayRef<Value> dims) const {
  SmallVector<OpFoldResult> operands(dims.begin(), dims.end());
  Value place = arith::ConstantIndexOp::create(b, loc, 0);
  for (unsigned i = 0; i + 1 < map.getNumResults(); ++i) {
    OpFoldResult at = affine::makeComposedFoldedAffineApply(b, loc, map.getSubMap({i}), operands);
    Value step = arith::MulIOp::create(b, loc, getValueOrCreateConstantIndexOp(b, loc, at), strides[i]);
    place = arith::AddIOp::create(b, loc, place, step);
  }
  Value index = arith::IndexCastOp::create(b, loc, b.getI64Type(), place);
  return LLVM::GEPOp::create(b, loc, base.getType(), element, base, ArrayRef<LLVM::GEPArg>{index});
}

SmallVector<Value> RowReader::load(OpBuilder &b, Value row, Value first, int64_t count) const {
  Value index = arith::IndexCastOp::create(b, loc, b.getI64Type(), first);
  Value start = LLVM::GEPOp::create(b, loc, row.getType(), element, row, ArrayRef<LLVM::GEPArg>{index});
  int64_t together = std::gcd(count, alignment), bits = together * element.getIntOrFloatBitWidth();
  Type type = element;
  if (bits % 32 == 0)
    type = bits == 32 ? Type(b.getI32Type()) : VectorType::get(bits / 32, b.getI32Type());
  else
    together = 1, bits = element.getIntOrFloatBitWidth();
  SmallVector<Value> loaded;
  for (int64_t done = 0; done < count; done += together) {
    Value at = LLVM::GEPOp::create(b, loc, start.getType(), element, start,
                                   ArrayRef<LLVM::GEPArg>{static_cast<int32_t>(done)});
    auto load = LLVM::LoadOp::create(b, loc, type, at, bits / 8);
    load.setInvariant(true);
    loaded.push_back(load);
  }
  return loaded;
}

SmallVector<Value> RowReader::numbers(OpBuilder &b, ValueRange loaded) const {
  SmallVector<Value> numbers;
  for (Value value : loaded) {
    auto vector = dyn_cast<VectorType>(value.getType());
    for (int64_t word = 0; vector && word < vector.getNumElements(); ++word)
      appendWord(b, loc, element, LLVM::ExtractElementOp::create(b, loc, value, constant(b, loc, word)), numbers);
    if (vector)
      continue;
    if (value.getType().isInteger(32))
      appendWord(b, loc, element, value, numbers);
    else if (value.getType().isInteger(8))
      numbers.push_back(arith::SIToFPOp::create(b, loc, b.getF32Type(), value));
    else
      numbers.push_back(element.isF32() ? value : arith::ExtFOp::create(b, loc, b.getF32Type(), value).getResult());
  }
  return numbers;
}

} // namespace weft
