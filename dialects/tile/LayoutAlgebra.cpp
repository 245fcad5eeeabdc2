// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "dialects/tile/LayoutAlgebra.h"

#include "llvm/ADT/DenseSet.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/bit.h"
#include "llvm/Support/MathExtras.h"

#include <algorithm>
#include <array>
#include <cassert>

namespace weft::tile {

BitMatrix::BitMatrix(unsigned outputBits, llvm::ArrayRef<uint64_t> columns)
    : rows(outputBits), columns(columns.begin(), columns.end()) {
  assert(outputBits < 64 && columns.size() < 64 && "a word holds the bits");
  assert(llvm::all_of(columns, [&](uint64_t column) { return column >> outputBits == 0; }) && "images fit the output");
}

BitMatrix BitMatrix::identity(unsigned bits) {
  llvm::SmallVector<uint64_t> columns;
  for (unsigned bit = 0; bit < bits; ++bit)
    columns.push_back(uint64_t(1) << bit);
  return BitMatrix(bits, columns);
}

uint64_t BitMatrix::operator()(uint64_t x) const {
  assert(x >> columns.size() == 0 && "the input has so many bits");
  uint64_t image = 0;
  for (auto [bit, column] : llvm::enumerate(columns))
    if (x >> bit & 1)
      image ^= column;
  return image;
}

BitMatrix BitMatrix::after(const BitMatrix &inner) const {
  assert(inner.rows == columns.size() && "what the inner map gives, the outer one takes");
  return BitMatrix(rows, llvm::map_to_vector(inner.columns, [&](uint64_t column) { return (*this)(column); }));
}

BitMatrix BitMatrix::beside(const BitMatrix &high) const {
  llvm::SmallVector<uint64_t> both(columns);
  for (uint64_t column : high.columns)
    both.push_back(column << rows);
  return BitMatrix(rows + high.rows, both);
}

BitMatrix BitMatrix::restrictedTo(unsigned firstBit, unsigned count) const {
  return BitMatrix(rows, llvm::ArrayRef(columns).slice(firstBit, count));
}

unsigned BitMatrix::rank() const {
  llvm::SmallVector<uint64_t> basis; // each with a leading bit of its own
  for (uint64_t column : columns) {
    for (uint64_t known : basis)
      column = std::min(column, column ^ known);
    if (column)
      basis.push_back(column);
  }
  return basis.size();
}

bool BitMatrix::isSumOfBits() const {
  uint64_t taken = 0;
  for (uint64_t column : columns) {
    if (!llvm::has_single_bit(column) || (column & taken))
      return false;
    taken |= column;
  }
  return true;
}

std::optional<BitMatrix> BitMatrix::inverse() const { return rows == columns.size() ? leftInverse() : std::nullopt; }

std::optional<BitMatrix> BitMatrix::leftInverse() const {
  // Gauss–Jordan on pairs (image, input): afterwards each pair's image has a pivot bit that no other image has.
  llvm::SmallVector<std::pair<uint64_t, uint64_t>> pairs;
  for (auto [bit, column] : llvm::enumerate(columns)) {
    std::pair<uint64_t, uint64_t> next(column, uint64_t(1) << bit);
    for (auto [image, input] : pairs)
      if (next.first & llvm::bit_floor(image))
        next = {next.first ^ image, next.second ^ input};
    if (!next.first)
      return std::nullopt;
    for (auto &[image, input] : pairs)
      if (image & llvm::bit_floor(next.first))
        image ^= next.first, input ^= next.second;
    pairs.push_back(next);
  }
  llvm::SmallVector<uint64_t> inverse(rows, 0);
  for (auto [image, input] : pairs)
    inverse[llvm::Log2_64(image)] = input;
  return BitMatrix(columns.size(), inverse);
}

unsigned vectorWidth(const BitMatrix &registerToOffset, unsigned limit) {
  llvm::ArrayRef<uint64_t> images = registerToOffset.images();
  unsigned width = 1;
  for (unsigned bit = 0; bit < images.size() && width < limit && images[bit] == width; ++bit)
    width *= 2;
  return width;
}

unsigned bankConflicts(const BitMatrix &laneToByte, unsigned accessBytes) {
  assert(laneToByte.inputBits() == 5 && "a warp has 32 lanes");
  assert((accessBytes == 4 || accessBytes == 8 || accessBytes == 16) && "what one lane moves at once");
  unsigned lanesOfPhase = 128 / accessBytes, worst = 1;
  for (unsigned first = 0; first < 32; first += lanesOfPhase) {
    std::array<llvm::SmallDenseSet<uint64_t>, 32> words;
    for (unsigned lane = first; lane < first + lanesOfPhase; ++lane)
      for (unsigned byte = 0; byte < accessBytes; byte += 4) {
        uint64_t word = (laneToByte(lane) + byte) / 4;
        words[word % 32].insert(word);
      }
    for (const auto &ofBank : words)
      worst = std::max<unsigned>(worst, ofBank.size());
  }
  return worst;
}

BitMatrix swizzleOfAddress(unsigned bytes, unsigned addressBits) {
  llvm::SmallVector<uint64_t> columns;
  for (unsigned bit = 0; bit < addressBits; ++bit)
    columns.push_back(swizzled(uint64_t(1) << bit, bytes));
  return BitMatrix(addressBits, columns);
}

uint64_t swizzled(uint64_t address, unsigned bytes) {
  assert((bytes == 0 || bytes == 32 || bytes == 64 || bytes == 128) && "the swizzles of the hardware");
  uint64_t chunks = bytes ? bytes / 16 - 1 : 0; // mask of the bits of a chunk's number in its row
  return address ^ ((address >> 7 & chunks) << 4);
}

} // namespace weft::tile
