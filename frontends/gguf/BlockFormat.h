// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The block formats of GGUF as data: where in a block each element's bits lie, and how they make a number. One decoder
// reads them all. The layouts are those of ggml (ggml-common.h, ggml-quants.c); a number is
//
//   value(i) = scale · subScale(i / group) · code(i)  +  sign · minimum · subMinimum(i / group)
#ifndef WEFT_FRONTENDS_GGUF_BLOCKFORMAT_H
#define WEFT_FRONTENDS_GGUF_BLOCKFORMAT_H

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace weft::gguf {

/// A digit of an index in a mixed radix, and how many bits a field moves with it.
struct Digit {
  uint16_t count = 1;
  uint16_t step = 0;
};

/// Some bits of each of many small integers. Those of integer i lie from bit `first` + Σ digit(i) · step of the block,
/// within one byte, and are bits `shift` and up of the integer.
struct BitField {
  uint16_t first = 0;
  uint8_t width = 0; ///< 1 to 8; 0: there is no such field
  uint8_t shift = 0;
  std::array<Digit, 3> digits = {}; ///< the fastest first

  uint32_t bitOf(uint32_t index) const;
};

/// Small integers: the bits of two fields, then less `offset`, or with a sign, or looked up.
struct Integers {
  BitField low;
  BitField high = {};
  int16_t offset = 0;
  bool isSigned = false;             ///< two's complement of `low.width` bits
  std::span<const float> table = {}; ///< a value for each integer; empty: the integer itself

  bool present() const { return low.width > 0; }
};

/// A real number of the whole block.
struct Real {
  enum class Type { None, F32, F16, BF16, E8M0 };

  Type type = Type::None;
  uint16_t byte = 0;
};

struct BlockFormat {
  const char *name; ///< as ggml spells it: "Q4_K"
  uint32_t id;      ///< in the file
  uint16_t elements;
  uint16_t bytes;
  Real scale;
  Integers code = {}; ///< absent: 1
  uint16_t group = 0; ///< elements that share a sub-scale and a sub-minimum
  Integers subScale = {};
  Real minimum = {};
  Integers subMinimum = {};
  float sign = -1; ///< of the minimum
};

/// F32, F16 and BF16 are formats of one element.
std::span<const BlockFormat> blockFormats();

/// Null when Weft does not read the format of this number.
const BlockFormat *findBlockFormat(uint32_t id);

/// What ggml calls the number; empty when nobody knows it.
std::string blockFormatName(uint32_t id);

/// Blocks of one format into float32, with each product and sum rounded once, in the order of the formula.
class BlockDecoder {
public:
  explicit BlockDecoder(const BlockFormat &format);

  /// out.size() is a multiple of format.elements, and bytes has as many blocks.
  void decode(std::span<const std::byte> bytes, std::span<float> out) const;

private:
  /// Where one integer's bits are: a byte, and how far they are up in it.
  struct Place {
    uint16_t byte;
    uint8_t shift;
  };
  struct Reader {
    Reader(const Integers &integers, size_t count);
    float at(const std::byte *block, size_t index) const;

    Integers integers;
    std::vector<Place> low, high;
  };

  void decodeBlock(const std::byte *block, float *out) const;

  BlockFormat format;
  Reader code, subScale, subMinimum;
};

} // namespace weft::gguf

#endif // WEFT_FRONTENDS_GGUF_BLOCKFORMAT_H
