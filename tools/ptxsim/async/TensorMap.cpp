// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/ptxsim/async/TensorMap.h"

#include <algorithm>

namespace weft::ptxsim {

int TensorMap::elementBytes() const {
  switch (element) {
  case TensorElement::U8:
    return 1;
  case TensorElement::U16:
  case TensorElement::F16:
  case TensorElement::BF16:
    return 2;
  case TensorElement::U64:
  case TensorElement::S64:
  case TensorElement::F64:
    return 8;
  default:
    return 4;
  }
}

int TensorMap::swizzleSpan() const { return swizzle == TensorSwizzle::None ? 0 : 16 << int(swizzle); }

int TensorMap::tileExtent(int dimension) const {
  int stride = dimension == 0 ? 1 : elementStrides[dimension]; // the first stride is not read
  return (box[dimension] + stride - 1) / stride;
}

uint32_t TensorMap::tileBytes() const {
  uint32_t bytes = uint32_t(elementBytes());
  for (int dimension = 0; dimension < rank(); ++dimension)
    bytes *= uint32_t(tileExtent(dimension));
  return bytes;
}

static std::string problemOfDimension(const TensorMap &map, int dimension) {
  std::string name = "dimension " + std::to_string(dimension);
  if (map.sizes[dimension] == 0)
    return name + " has size 0";
  if (map.box[dimension] == 0 || map.box[dimension] > 256)
    return "box of " + name + " is " + std::to_string(map.box[dimension]) + ", not 1 to 256";
  if (map.elementStrides[dimension] == 0 || map.elementStrides[dimension] > 8)
    return "element stride of " + name + " is " + std::to_string(map.elementStrides[dimension]) + ", not 1 to 8";
  if (dimension > 0 && (map.strides[dimension - 1] % 16 || map.strides[dimension - 1] >> 40))
    return "stride of " + name + " is " + std::to_string(map.strides[dimension - 1]) +
           " bytes, not a multiple of 16 below 2^40";
  return {};
}

std::string TensorMap::problem() const {
  if (rank() > kMaxRank)
    return "rank " + std::to_string(rank()) + " is above 5";
  if (address == 0 || address % 16)
    return "global address is null or not a multiple of 16";
  if (element > TensorElement::TF32Ftz)
    return "element type " + std::to_string(int(element)) + " is unknown";
  if (interleave)
    return "interleaved layouts are not supported";
  if (swizzle > TensorSwizzle::Bytes128)
    return "swizzle mode " + std::to_string(int(swizzle)) + " is not supported";
  for (int dimension = 0; dimension < rank(); ++dimension)
    if (std::string text = problemOfDimension(*this, dimension); !text.empty())
      return text;
  int inner = box[0] * elementBytes();
  if (inner % 16)
    return "a row of the box has " + std::to_string(inner) + " bytes, not a multiple of 16";
  if (swizzleSpan() && inner > swizzleSpan())
    return "a row of the box has " + std::to_string(inner) + " bytes, more than the swizzle's " +
           std::to_string(swizzleSpan());
  return {};
}

bool TensorMap::replace(std::string_view field, int ordinal, uint64_t value) {
  if (ordinal < 0 || ordinal >= kMaxRank || (field == "global_stride" && ordinal >= kMaxRank - 1))
    return false;
  if (field == "global_address")
    address = value;
  else if (field == "rank")
    rankMinusOne = uint8_t(value);
  else if (field == "box_dim")
    box[ordinal] = uint16_t(value);
  else if (field == "global_dim")
    sizes[ordinal] = uint32_t(value);
  else if (field == "global_stride")
    strides[ordinal] = value;
  else if (field == "element_stride")
    elementStrides[ordinal] = uint8_t(value);
  else if (field == "elemtype")
    element = TensorElement(value);
  else if (field == "interleave_layout")
    interleave = uint8_t(value);
  else if (field == "swizzle_mode")
    swizzle = TensorSwizzle(value);
  else if (field == "fill_mode")
    fillNan = uint8_t(value);
  else
    return false;
  return true;
}

uint64_t TensorMap::fillPattern() const {
  if (!fillNan)
    return 0;
  switch (element) {
  case TensorElement::F16:
  case TensorElement::BF16:
    return 0x7fff;
  case TensorElement::F32:
  case TensorElement::F32Ftz:
  case TensorElement::TF32:
  case TensorElement::TF32Ftz:
    return 0x7fffffff;
  case TensorElement::F64:
    return 0x7fffffffffffffff;
  default:
    return 0;
  }
}

int tensorElementOfDriver(int number) {
  using enum TensorElement;
  constexpr TensorElement kElements[] = {U8, U16, U32, S32, U64, S64, F16, F32, F64, BF16, F32Ftz, TF32, TF32Ftz};
  return number >= 0 && number < int(std::size(kElements)) ? int(kElements[number]) : -1;
}

/// Cuts one row of the tile, whose global row begins at `row` and which is in bounds in all other dimensions if
/// `inside`, into what lies before, in and after the tensor.
static void visitRow(const TensorMap &map, int64_t first, uint64_t row, uint32_t offset, bool inside,
                     const std::function<void(const TensorRun &)> &visit) {
  int64_t bytes = map.elementBytes(), last = first + map.box[0], size = map.sizes[0];
  int64_t begin = inside ? std::clamp<int64_t>(0, first, last) : last;
  int64_t end = inside ? std::clamp<int64_t>(size, begin, last) : last;
  auto run = [&](int64_t from, int64_t to, bool in) {
    if (from < to)
      visit(
          {row + uint64_t(from * bytes), offset + uint32_t((from - first) * bytes), uint32_t((to - from) * bytes), in});
  };
  run(first, begin, false);
  run(begin, end, true);
  run(end, last, false);
}

void forEachRun(const TensorMap &map, const int32_t *at, const std::function<void(const TensorRun &)> &visit) {
  int index[TensorMap::kMaxRank] = {}, rank = map.rank();
  uint32_t rowBytes = uint32_t(map.box[0] * map.elementBytes());
  for (uint32_t offset = 0;; offset += rowBytes) {
    uint64_t row = map.address;
    bool inside = true;
    for (int dimension = 1; dimension < rank; ++dimension) {
      int64_t place = at[dimension] + int64_t(index[dimension]) * map.elementStrides[dimension];
      inside &= place >= 0 && place < int64_t(map.sizes[dimension]);
      row += uint64_t(place) * map.strides[dimension - 1];
    }
    visitRow(map, at[0], row, offset, inside, visit);
    int dimension = 1;
    while (dimension < rank && ++index[dimension] == map.tileExtent(dimension))
      index[dimension++] = 0;
    if (dimension >= rank)
      return;
  }
}

} // namespace weft::ptxsim
