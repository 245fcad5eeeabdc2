// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A format's description into float32. Places of bits are computed once for each format.
#include "frontends/gguf/BlockFormat.h"

#include "frontends/weights/FloatValues.h"

#include <cassert>
#include <cstring>

namespace weft::gguf {
namespace {

float readReal(const std::byte *block, Real real) {
  uint32_t bits = 0;
  switch (real.type) {
  case Real::Type::None:
    return 1;
  case Real::Type::F32:
    std::memcpy(&bits, block + real.byte, 4);
    return std::bit_cast<float>(bits);
  case Real::Type::E8M0:
    return floatFromE8M0(std::to_integer<uint8_t>(block[real.byte]));
  case Real::Type::F16:
  case Real::Type::BF16:
    std::memcpy(&bits, block + real.byte, 2);
    return real.type == Real::Type::F16 ? floatFromF16(bits) : floatFromBF16(bits);
  }
  return 1;
}

} // namespace

uint32_t BitField::bitOf(uint32_t index) const {
  uint32_t bit = first;
  for (Digit digit : digits) {
    bit += index % digit.count * digit.step;
    index /= digit.count;
  }
  return bit;
}

BlockDecoder::Reader::Reader(const Integers &integers, size_t count) : integers(integers) {
  auto place = [&](const BitField &field, std::vector<Place> &places) {
    for (uint32_t index = 0; field.width && index < count; ++index) {
      uint32_t bit = field.bitOf(index);
      assert(bit % 8 + field.width <= 8 && "a field lies within a byte");
      places.push_back({static_cast<uint16_t>(bit / 8), static_cast<uint8_t>(bit % 8)});
    }
  };
  place(integers.low, low);
  place(integers.high, high);
}

float BlockDecoder::Reader::at(const std::byte *block, size_t index) const {
  auto read = [&](const BitField &field, Place place) {
    uint32_t byte = std::to_integer<uint32_t>(block[place.byte]);
    return (byte >> place.shift & ((1u << field.width) - 1)) << field.shift;
  };
  uint32_t bits = read(integers.low, low[index]);
  if (!high.empty())
    bits |= read(integers.high, high[index]);
  if (!integers.table.empty())
    return integers.table[bits];
  int32_t value = static_cast<int32_t>(bits);
  if (integers.isSigned && value >> (integers.low.width - 1))
    value -= 1 << integers.low.width;
  return static_cast<float>(value - integers.offset);
}

BlockDecoder::BlockDecoder(const BlockFormat &format)
    : format(format), code(format.code, format.elements),
      subScale(format.subScale, format.group ? format.elements / format.group : 0),
      subMinimum(format.subMinimum, format.group ? format.elements / format.group : 0) {}

void BlockDecoder::decodeBlock(const std::byte *block, float *out) const {
  const float whole = readReal(block, format.scale);
  const bool hasMinimum = format.minimum.type != Real::Type::None;
  const float wholeMinimum = hasMinimum ? readReal(block, format.minimum) : 0;
  const size_t group = format.group ? format.group : format.elements;
  for (size_t begin = 0, index = 0; begin < format.elements; begin += group, ++index) {
    float scale = format.subScale.present() ? whole * subScale.at(block, index) : whole;
    float minimum = format.subMinimum.present() ? wholeMinimum * subMinimum.at(block, index) : wholeMinimum;
    for (size_t element = begin; element < begin + group; ++element) {
      float value = format.code.present() ? scale * code.at(block, element) : scale;
      out[element] = hasMinimum ? value + format.sign * minimum : value;
    }
  }
}

void BlockDecoder::decode(std::span<const std::byte> bytes, std::span<float> out) const {
  assert(out.size() % format.elements == 0 && bytes.size() == out.size() / format.elements * format.bytes);
  const std::byte *block = bytes.data();
  for (size_t at = 0; at < out.size(); at += format.elements, block += format.bytes)
    decodeBlock(block, out.data() + at);
}

} // namespace weft::gguf
