// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Layouts against what the PTX ISA's figures say of them, element by element.
#include "dialects/tile/FragmentLayout.h"
#include "dialects/tile/LayoutAlgebra.h"
#include "dialects/tile/TileOps.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/MLIRContext.h"

#include <gtest/gtest.h>

#include <set>

namespace weft::tile {
namespace {

TEST(BitMatrix, IsLinear) {
  BitMatrix f(4, {0b0011, 0b0110, 0b1000});
  for (uint64_t x = 0; x < 8; ++x)
    for (uint64_t y = 0; y < 8; ++y)
      EXPECT_EQ(f(x ^ y), f(x) ^ f(y));
}

TEST(BitMatrix, ComposesInOrder) {
  BitMatrix f(3, {0b010, 0b100, 0b001}), g(3, {0b011, 0b001, 0b100});
  for (uint64_t x = 0; x < 8; ++x)
    EXPECT_EQ(f.after(g)(x), f(g(x)));
}

TEST(BitMatrix, InvertsWhatIsOneToOneAndOnto) {
  BitMatrix f(3, {0b011, 0b110, 0b100});
  ASSERT_TRUE(f.inverse());
  EXPECT_EQ(f.inverse()->after(f), BitMatrix::identity(3));
  EXPECT_EQ(f.after(*f.inverse()), BitMatrix::identity(3));
  EXPECT_FALSE(BitMatrix(3, {0b011, 0b110, 0b101}).inverse()); // the third is the sum of the others
}

TEST(BitMatrix, LeftInverseUndoesWhatIsOneToOne) {
  BitMatrix f(5, {0b00110, 0b10100});
  ASSERT_TRUE(f.leftInverse());
  EXPECT_EQ(f.leftInverse()->after(f), BitMatrix::identity(2));
  EXPECT_FALSE(f.inverse());
}

TEST(BitMatrix, StandsBesideAnother) {
  BitMatrix both = BitMatrix(2, {0b10, 0b01}).beside(BitMatrix(1, {0b1}));
  EXPECT_EQ(both(0b101), 0b110u);
}

TEST(VectorWidth, CountsNeighboursFromTheLowestBit) {
  EXPECT_EQ(vectorWidth(BitMatrix(4, {1, 2, 8}), 16), 4u);
  EXPECT_EQ(vectorWidth(BitMatrix(4, {1, 2, 8}), 2), 2u);
  EXPECT_EQ(vectorWidth(BitMatrix(4, {2, 1}), 16), 1u);
}

TEST(Swizzle, IsItsOwnInverseAndMovesChunksOnly) {
  for (unsigned bytes : {32u, 64u, 128u}) {
    BitMatrix swizzle = swizzleOfAddress(bytes, 12);
    EXPECT_EQ(swizzle.after(swizzle), BitMatrix::identity(12));
    for (uint64_t address = 0; address < 4096; ++address) {
      EXPECT_EQ(swizzle(address) % 16, address % 16);
      EXPECT_EQ(swizzle(address) / bytes, address / bytes);
    }
  }
}

/// A lane reads the 16-byte chunk of row `lane` mod 8 in a column: what ldmatrix does with eight lanes of a phase.
BitMatrix columnOfChunks(unsigned rowBytes, unsigned swizzle) {
  BitMatrix rows(12, {1u * rowBytes, 2u * rowBytes, 4u * rowBytes, 0, 0});
  return swizzleOfAddress(swizzle, 12).after(rows);
}

TEST(BankConflicts, AreAvoidedByTheSwizzleOfTheRow) {
  EXPECT_EQ(bankConflicts(columnOfChunks(128, 0), 16), 8u);
  EXPECT_EQ(bankConflicts(columnOfChunks(128, 128), 16), 1u);
  EXPECT_EQ(bankConflicts(columnOfChunks(64, 0), 16), 4u);
  EXPECT_EQ(bankConflicts(columnOfChunks(64, 64), 16), 1u);
  EXPECT_EQ(bankConflicts(columnOfChunks(32, 0), 16), 2u);
  EXPECT_EQ(bankConflicts(columnOfChunks(32, 32), 16), 1u);
}

class Fragments : public testing::Test {
protected:
  mlir::MLIRContext context;
  mlir::Builder b{&context};

  Fragments() { context.loadDialect<TileDialect>(); }

  FragmentLayout accumulator(int64_t rows, int64_t columns, int64_t down, int64_t across) {
    auto layout = AccumulatorAttr::get(&context, down, across);
    return FragmentLayout(FragmentType::get(&context, {rows, columns}, b.getF32Type(), layout));
  }
  FragmentLayout operand(llvm::StringRef side, int64_t rows, int64_t columns, mlir::Type element) {
    return FragmentLayout(
        FragmentType::get(&context, {rows, columns}, element, OperandAttr::get(&context, side, 1, 1)));
  }
};

// PTX ISA, "Matrix Fragments for mma.m16n8k16 with floating point type": c0, c1 at row groupID, c2, c3 eight below.
TEST_F(Fragments, AccumulatorIsThatOfThePtxIsa) {
  FragmentLayout layout = accumulator(16, 8, 1, 1);
  for (int64_t i = 0; i < 4; ++i)
    for (unsigned lane = 0; lane < 32; ++lane)
      EXPECT_EQ(layout.place(i, lane, 0), (Place{lane / 4 + (i < 2 ? 0 : 8), 2 * (lane % 4) + (i & 1)}));
}

// The same page: row = groupID for i in {0, 1, 4, 5}, else + 8; column = 2 · threadInGroup + (i & 1), + 8 from i = 4
// on.
TEST_F(Fragments, LeftFactorOf16BitsIsThatOfThePtxIsa) {
  FragmentLayout layout = operand("a", 16, 16, b.getBF16Type());
  ASSERT_EQ(layout.elementsPerLane(), 8);
  for (int64_t i = 0; i < 8; ++i)
    for (unsigned lane = 0; lane < 32; ++lane)
      EXPECT_EQ(layout.place(i, lane, 0),
                (Place{lane / 4 + (i & 2 ? 8 : 0), 2 * (lane % 4) + (i & 1) + (i >= 4 ? 8 : 0)}));
}

TEST_F(Fragments, RightFactorOf16BitsIsThatOfThePtxIsa) {
  FragmentLayout layout = operand("b", 16, 8, b.getBF16Type());
  for (int64_t i = 0; i < 4; ++i)
    for (unsigned lane = 0; lane < 32; ++lane)
      EXPECT_EQ(layout.place(i, lane, 0), (Place{2 * (lane % 4) + (i & 1) + (i >= 2 ? 8 : 0), lane / 4}));
}

// "Matrix Fragments for mma.m16n8k8" with .tf32: a0 (g, t), a1 (g + 8, t), a2 (g, t + 4), a3 (g + 8, t + 4).
TEST_F(Fragments, LeftFactorOfTf32IsThatOfThePtxIsa) {
  FragmentLayout layout = operand("a", 16, 8, b.getF32Type());
  for (int64_t i = 0; i < 4; ++i)
    for (unsigned lane = 0; lane < 32; ++lane)
      EXPECT_EQ(layout.place(i, lane, 0), (Place{lane / 4 + (i & 1 ? 8 : 0), lane % 4 + (i & 2 ? 4 : 0)}));
}

// "Matrix Fragments for mma.m16n8k32" with .s8: column = 4 t + (i & 3), + 16 from i = 8 on; row + 8 for i & 4.
TEST_F(Fragments, LeftFactorOf8BitsIsThatOfThePtxIsa) {
  FragmentLayout layout = operand("a", 16, 32, b.getI8Type());
  for (int64_t i = 0; i < 16; ++i)
    for (unsigned lane = 0; lane < 32; ++lane)
      EXPECT_EQ(layout.place(i, lane, 0),
                (Place{lane / 4 + (i & 4 ? 8 : 0), 4 * (lane % 4) + (i & 3) + (i >= 8 ? 16 : 0)}));
}

TEST_F(Fragments, EveryElementHasOnePlace) {
  FragmentLayout layout = accumulator(64, 48, 2, 2); // 3 tiles across: not a power of two
  std::set<std::pair<int64_t, int64_t>> places;
  for (int64_t warp = 0; warp < 4; ++warp)
    for (unsigned lane = 0; lane < 32; ++lane)
      for (int64_t i = 0; i < layout.elementsPerLane(); ++i) {
        Place place = layout.place(i, lane, warp);
        EXPECT_TRUE(place.row < 64 && place.column < 48);
        EXPECT_TRUE(places.emplace(place.row, place.column).second);
      }
  EXPECT_EQ(places.size(), 64u * 48u);
}

TEST_F(Fragments, AccumulatorsOf16BitsAreLeftFactors) {
  auto sum = FragmentType::get(&context, {64, 32}, b.getF32Type(), AccumulatorAttr::get(&context, 4, 1));
  auto left = FragmentType::get(&context, {64, 32}, b.getBF16Type(), OperandAttr::get(&context, "a", 4, 1));
  auto right = FragmentType::get(&context, {64, 32}, b.getBF16Type(), OperandAttr::get(&context, "b", 4, 1));
  EXPECT_TRUE(sameDistribution(sum, left));
  EXPECT_FALSE(sameDistribution(sum, right));
}

TEST_F(Fragments, NeighboursLieInNeighbouringElements) {
  EXPECT_EQ(accumulator(16, 8, 1, 1).vectorWidth(), 2u);
  EXPECT_EQ(operand("a", 16, 32, b.getI8Type()).vectorWidth(), 4u);
  EXPECT_TRUE(accumulator(16, 8, 1, 1).tile().isSumOfBits());
}

} // namespace
} // namespace weft::tile
