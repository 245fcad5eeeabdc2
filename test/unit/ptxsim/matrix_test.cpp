// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/ptxsim/matrix/Element.h"
#include "tools/ptxsim/matrix/Fragment.h"
#include "tools/ptxsim/matrix/Product.h"
#include "tools/ptxsim/matrix/SharedMatrix.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <set>
#include <vector>

namespace weft::ptxsim {
namespace {

TEST(Element, DecodesTheFormatsAtTheirEnds) {
  EXPECT_EQ(decodeElement(Element::F16, 0x3c00), 1.0f);
  EXPECT_EQ(decodeElement(Element::F16, 0x7bff), 65504.0f);
  EXPECT_EQ(decodeElement(Element::F16, 0x8001), -std::ldexp(1.0f, -24));
  EXPECT_EQ(decodeElement(Element::F16, 0xfc00), -std::numeric_limits<float>::infinity());
  EXPECT_EQ(decodeElement(Element::BF16, 0xc040), -3.0f);
  EXPECT_EQ(decodeElement(Element::TF32, 0x3f801fff), 1.0f); // 13 bits are not read
  EXPECT_EQ(decodeElement(Element::E4M3, 0x38), 1.0f);
  EXPECT_EQ(decodeElement(Element::E4M3, 0xfe), -448.0f);
  EXPECT_EQ(decodeElement(Element::E4M3, 0x01), std::ldexp(1.0f, -9));
  EXPECT_TRUE(std::isnan(decodeElement(Element::E4M3, 0x7f)));
  EXPECT_EQ(decodeElement(Element::E5M2, 0x7b), 57344.0f);
  EXPECT_EQ(decodeElement(Element::E5M2, 0x01), std::ldexp(1.0f, -16));
  EXPECT_EQ(decodeElement(Element::S8, 0x80), -128.0f);
  EXPECT_EQ(decodeElement(Element::U8, 0x80), 128.0f);
  EXPECT_EQ(decodeElement(Element::S4, 0xf), -1.0f);
  EXPECT_EQ(decodeElement(Element::U4, 0xf), 15.0f);
}

TEST(Element, EncodesEveryHalfToItself) {
  for (uint32_t bits = 0; bits < 0x10000; ++bits)
    if (float value = decodeElement(Element::F16, bits); !std::isnan(value)) {
      EXPECT_EQ(encodeF16(value), bits);
    }
}

TEST(Element, RoundsHalvesAndBrainFloatsToEven) {
  EXPECT_EQ(encodeF16(1 + 0x1p-11f), 0x3c00);
  EXPECT_EQ(encodeF16(1 + 3 * 0x1p-11f), 0x3c02);
  EXPECT_EQ(encodeF16(65519.996f), 0x7bff);
  EXPECT_EQ(encodeF16(65520.0f), 0x7c00);
  EXPECT_EQ(encodeF16(0x1p-25f), 0x0000);
  EXPECT_EQ(encodeF16(0x1.8p-25f), 0x0001);
  EXPECT_EQ(encodeF16(std::nanf("")), 0x7fff);
  EXPECT_EQ(encodeBF16(1 + 0x1p-8f), 0x3f80);
  EXPECT_EQ(encodeBF16(1 + 3 * 0x1p-8f), 0x3f82);
  EXPECT_EQ(encodeBF16(std::nanf("")), 0x7fff);
}

// The formulas as PTX writes them for each shape, with i the number of the element in the lane.
TEST(Fragment, FollowsTheTablesOfHalves) {
  for (int lane = 0; lane < 32; ++lane) {
    int group = lane >> 2, place = lane % 4;
    for (int i = 0; i < 8; ++i) { // m16n8k16, A
      Coordinate at = coordinateOfA(lane, i / 2, i % 2, 16, 2);
      EXPECT_EQ(at.row, (i < 2 || (4 <= i && i < 6)) ? group : group + 8);
      EXPECT_EQ(at.column, i < 4 ? place * 2 + (i & 1) : place * 2 + (i & 1) + 8);
    }
    for (int i = 0; i < 4; ++i) { // m16n8k16, B and C
      Coordinate b = coordinateOfB(lane, i / 2, i % 2, 2), c = coordinateOfC(lane, i, 16);
      EXPECT_EQ(b.row, i < 2 ? place * 2 + (i & 1) : place * 2 + (i & 1) + 8);
      EXPECT_EQ(b.column, group);
      EXPECT_EQ(c.row, i < 2 ? group : group + 8);
      EXPECT_EQ(c.column, place * 2 + (i & 1));
    }
  }
}

TEST(Fragment, FollowsTheTablesOfWordsAndBytes) {
  for (int lane = 0; lane < 32; ++lane) {
    int group = lane >> 2, place = lane % 4;
    for (int i = 0; i < 4; ++i) { // m16n8k8 of tf32, A
      Coordinate at = coordinateOfA(lane, i, 0, 16, 1);
      EXPECT_EQ(at.row, i % 2 == 0 ? group : group + 8);
      EXPECT_EQ(at.column, i < 2 ? place : place + 4);
    }
    for (int i = 0; i < 16; ++i) { // m16n8k32 of s8, A
      Coordinate at = coordinateOfA(lane, i / 4, i % 4, 16, 4);
      EXPECT_EQ(at.row, (i < 4 || (8 <= i && i < 12)) ? group : group + 8);
      EXPECT_EQ(at.column, i < 8 ? place * 4 + (i & 3) : place * 4 + (i & 3) + 16);
    }
    for (int i = 0; i < 8; ++i) { // m16n8k32 of s8, B; m16n8k16 of f64, A
      Coordinate b = coordinateOfB(lane, i / 4, i % 4, 4), a = coordinateOfA(lane, i, 0, 16, 1);
      EXPECT_EQ(b.row, i < 4 ? place * 4 + (i & 3) : place * 4 + (i & 3) + 16);
      EXPECT_EQ(a.row, i % 2 ? group + 8 : group);
      EXPECT_EQ(a.column, i % 2 ? i * 2 - 2 + place : i * 2 + place);
    }
    for (int i = 0; i < 64; ++i) { // wgmma m64n128, D of one warp
      Coordinate d = coordinateOfC(lane, i, 16);
      EXPECT_EQ(d.row, group + 8 * ((i / 2) % 2));
      EXPECT_EQ(d.column, 8 * (i / 4) + place * 2 + (i & 1));
    }
  }
}

TEST(Fragment, GivesMatricesByRowsOrByColumns) {
  EXPECT_EQ(coordinateOfMatrix(13, 1, false).row, 3);
  EXPECT_EQ(coordinateOfMatrix(13, 1, false).column, 3);
  EXPECT_EQ(coordinateOfMatrix(14, 0, false).column, 4);
  EXPECT_EQ(coordinateOfMatrix(14, 0, true).row, 4);
  EXPECT_EQ(coordinateOfMatrix(14, 0, true).column, 3);
}

TEST(Product, AddsFromTheFirstKToTheLast) {
  // 1 + 2^-24 + 2^-24 is 1 in this order, and would be 1 + 2^-23 if the small ones came first.
  float a[] = {1, 0x1p-24f, 0x1p-24f}, b[] = {1, 1, 1}, d[] = {0};
  accumulateF32(d, a, b, 1, 1, 3);
  EXPECT_EQ(d[0], 1.0f);
  float reversed[] = {0x1p-24f, 0x1p-24f, 1};
  d[0] = 0;
  accumulateF32(d, reversed, b, 1, 1, 3);
  EXPECT_EQ(d[0], 1 + 0x1p-23f);
}

TEST(Product, SaturatesOrWrapsIntegers) {
  int32_t a[] = {127}, b[] = {127}, d[] = {std::numeric_limits<int32_t>::max() - 1};
  accumulateS32(d, a, b, 1, 1, 1, true);
  EXPECT_EQ(d[0], std::numeric_limits<int32_t>::max());
  accumulateS32(d, a, b, 1, 1, 1, false);
  EXPECT_EQ(d[0], std::numeric_limits<int32_t>::min() + 127 * 127 - 1);
}

TEST(SharedMatrix, DecodesADescriptor) {
  // Triton's for 128-byte swizzles: stride 1024 bytes, leading offset not used, mode 1.
  SharedMatrix matrix = SharedMatrix::decode(4611686293305294848u | 0x140);
  EXPECT_EQ(matrix.start, 0x1400u);
  EXPECT_EQ(matrix.leadingBytes, 0u);
  EXPECT_EQ(matrix.strideBytes, 1024u);
  EXPECT_EQ(matrix.base, 0u);
  EXPECT_EQ(matrix.span, 128);
}

TEST(SharedMatrix, SwizzlesRowsAlongK) {
  SharedMatrix matrix{0x400, 16, 1024, 0, 128};
  EXPECT_EQ(matrix.address(0, 0, 2, false), 0x400u);
  EXPECT_EQ(matrix.address(3, 10, 2, false), 0x400u + 3 * 128 + (1 ^ 3) * 16 + 4); // chunk 1 of line 3
  EXPECT_EQ(matrix.address(8 + 7, 15, 2, false), 0x400u + 1024 + 7 * 128 + (1 ^ 7) * 16 + 14);
  matrix.start += 32; // the next k16 of the same tile
  EXPECT_EQ(matrix.address(3, 0, 2, false), 0x400u + 3 * 128 + (2 ^ 3) * 16);
  SharedMatrix narrow{0x400, 16, 512, 0, 64}; // two rows of 64 bytes in a line of 128
  EXPECT_EQ(narrow.address(3, 8, 2, false), 0x400u + 3 * 64 + (1 ^ 1) * 16);
  SharedMatrix plain{0x400, 128, 256, 0, 0}; // core matrices of 8 rows of 16 bytes
  EXPECT_EQ(plain.address(9, 12, 2, false), 0x400u + 256 + 16 + 128 + 8);
}

TEST(SharedMatrix, SwizzlesRowsAlongN) {
  SharedMatrix matrix{0, 8192, 1024, 0, 128}; // 64 halves of n in a line, 8 k in a pattern
  EXPECT_EQ(matrix.address(70, 9, 2, true), 8192u + 1024 + 128 + (0 ^ 1) * 16 + 12);
  SharedMatrix plain{0, 4096, 128, 0, 0}; // 8 k of 16 bytes; the next n: a stride, the next k: a leading offset
  EXPECT_EQ(plain.address(9, 10, 2, true), 128u + 4096 + 2 * 16 + 2);
}

TEST(SharedMatrix, StartsThePatternAtTheBaseOffset) {
  SharedMatrix matrix{0x480, 16, 1024, 1, 128}; // the pattern starts one line after a multiple of 1024
  EXPECT_EQ(matrix.address(0, 8, 2, false), 0x480u + 16);
  EXPECT_EQ(matrix.address(1, 8, 2, false), 0x500u + (1 ^ 1) * 16);
}

TEST(SharedMatrix, PutsEveryElementInAPlaceOfItsOwn) {
  for (int span : {0, 32, 64, 128})
    for (bool outerMajor : {false, true}) {
      uint32_t line = span ? uint32_t(span) : 16;
      // A dense 64 × 16 operand of halves: along k two chunks, else lines of m times 16 k.
      SharedMatrix matrix =
          outerMajor ? SharedMatrix{0, line * 16, line * 8, 0, span} : SharedMatrix{0, 128, line * 8, 0, span};
      if (span == 0)
        matrix = outerMajor ? SharedMatrix{0, 128, 256, 0, 0} : SharedMatrix{0, 128, 256, 0, 0};
      std::set<uint32_t> places;
      for (int outer = 0; outer < 64; ++outer)
        for (int k = 0; k < 16; ++k)
          places.insert(matrix.address(outer, k, 2, outerMajor));
      EXPECT_EQ(places.size(), 64u * 16) << "span " << span << ", " << outerMajor;
    }
}

} // namespace
} // namespace weft::ptxsim
