// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Layouts as linear functions over bits, after Zhou et al., "Linear Layouts: Robust Code Generation of Efficient Tensor
// Computation Using F2" (arXiv 2505.23819): where a number lies is a matrix over the field of two elements times the
// bits of who asks. Composition is a product of matrices, and what one wants to know of a layout (is it one to one?
// which accesses are vectors? how many conflicts of banks?) is a rank or a count of columns.
#ifndef WEFT_DIALECTS_TILE_LAYOUTALGEBRA_H
#define WEFT_DIALECTS_TILE_LAYOUTALGEBRA_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"

#include <cstdint>
#include <optional>

namespace weft::tile {

/// A matrix over F2. Column c holds the image of input bit c as bits of a word; f(x ^ y) = f(x) ^ f(y).
class BitMatrix {
public:
  BitMatrix(unsigned outputBits, llvm::ArrayRef<uint64_t> columns);

  static BitMatrix identity(unsigned bits);

  unsigned inputBits() const { return columns.size(); }
  unsigned outputBits() const { return rows; }
  llvm::ArrayRef<uint64_t> images() const { return columns; }

  /// The image of `x`, whose bits above `inputBits` are zero.
  uint64_t operator()(uint64_t x) const;
  /// First `inner`, then this.
  BitMatrix after(const BitMatrix &inner) const;
  /// Both side by side: the low bits of input and output are this one's, the high bits `high`'s.
  BitMatrix beside(const BitMatrix &high) const;
  /// The map restricted to some of the input's bits.
  BitMatrix restrictedTo(unsigned firstBit, unsigned count) const;

  unsigned rank() const;
  bool isInjective() const { return rank() == inputBits(); }
  bool isSurjective() const { return rank() == outputBits(); }
  /// Every input bit moves one output bit of its own: then f(x | y) = f(x) + f(y) where x and y share no bits, and an
  /// address may be summed from parts.
  bool isSumOfBits() const;
  /// The inverse of a map that is one to one and onto; nothing otherwise.
  std::optional<BitMatrix> inverse() const;
  /// A map g with g(f(x)) = x, which is zero outside f's image; nothing where f is not one to one.
  std::optional<BitMatrix> leftInverse() const;

  bool operator==(const BitMatrix &other) const = default;

private:
  unsigned rows;
  llvm::SmallVector<uint64_t> columns;
};

/// How many neighbours one access may take: the largest power of two v such that the low log2(v) bits of `registers`
/// (input bits from 0) are the low bits of the offset and nothing else, at most `limit`.
unsigned vectorWidth(const BitMatrix &registerToOffset, unsigned limit);

/// How often the worst of the 32 banks of four bytes is asked for different words when the lanes of one phase access
/// `accessBytes` (4, 8 or 16) each: 1 is free of conflicts. The map goes from the lane's five bits to the byte's
/// offset. A phase is the 32, 16 or 8 lanes that move 128 bytes together.
unsigned bankConflicts(const BitMatrix &laneToByte, unsigned accessBytes);

/// What a swizzle of `bytes` (128, 64, 32; 0: none) does to the bits of an address, as TMA and wgmma define it: bits
/// 4 … 4 + n − 1 (16-byte chunks in the row) are XORed with bits 7 … 7 + n − 1, n = log2(bytes / 16).
/// PTX ISA 8.5, "Swizzling modes" of tensor copies. It is its own inverse.
BitMatrix swizzleOfAddress(unsigned bytes, unsigned addressBits);
/// The same on a number.
uint64_t swizzled(uint64_t address, unsigned bytes);

} // namespace weft::tile

#endif // WEFT_DIALECTS_TILE_LAYOUTALGEBRA_H
