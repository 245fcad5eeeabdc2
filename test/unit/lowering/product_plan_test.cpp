// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Tiles, items and blocks of products: as docs/rationale/register-tiles.md says.
#include "lowering/analysis/ProductPlan.h"

#include "gtest/gtest.h"

using namespace weft;

namespace {

class ProductPlanTest : public testing::Test {
protected:
  ProductPlanTest() { context.loadDialect<WeftDialect>(); }

  ProductPlan plan(llvm::StringRef isa, int64_t lanes, int64_t registers) {
    return ProductPlan::forTarget(TargetAttr::get(&context, isa, lanes, registers, "x86-64", ""));
  }

  mlir::MLIRContext context;
};

TEST_F(ProductPlanTest, V4) {
  ProductPlan v4 = plan("v4", 16, 32);
  EXPECT_EQ(v4.tall.rows, 9);
  EXPECT_EQ(v4.tall.columns(), 48);
  EXPECT_EQ(v4.few.rows, 6);
  EXPECT_EQ(v4.few.columns(), 48);
  EXPECT_EQ(v4.columnUnit(), 48);
  EXPECT_EQ(v4.itemRows, 108);
  EXPECT_EQ(v4.leastTallRows(), 5);
}

TEST_F(ProductPlanTest, V3) {
  ProductPlan v3 = plan("v3", 8, 16);
  EXPECT_EQ(v3.tall.rows, 6);
  EXPECT_EQ(v3.tall.columns(), 16);
  EXPECT_EQ(v3.few.rows, 2);
  EXPECT_EQ(v3.few.columns(), 32);
  EXPECT_EQ(v3.itemRows, 54);
  EXPECT_EQ(v3.leastTallRows(), 3);
}

TEST_F(ProductPlanTest, NarrowResultsTakeNarrowTiles) {
  ProductPlan v4 = plan("v4", 16, 32);
  EXPECT_EQ(v4.narrowedTo(8).tall.columns(), 16);
  EXPECT_EQ(v4.narrowedTo(33).few.columns(), 48);
  EXPECT_EQ(v4.narrowedTo(1000).tall.columns(), 48);
  EXPECT_EQ(v4.narrowedTo(mlir::ShapedType::kDynamic).few.columns(), 48);
}

// Eight items across a result where it has room for them; from 1536 columns on they are 192 wide.
TEST_F(ProductPlanTest, ItemsAcrossAResult) {
  ProductPlan v4 = plan("v4", 16, 32), v3 = plan("v3", 8, 16);
  EXPECT_EQ(v4.itemColumns(384), 48);
  EXPECT_EQ(v4.itemColumns(768), 96);
  EXPECT_EQ(v4.itemColumns(3072), 192);
  EXPECT_EQ(v4.itemColumns(40), 0);
  EXPECT_EQ(v4.itemColumns(mlir::ShapedType::kDynamic), 192);
  EXPECT_EQ(v3.itemColumns(384), 64);
  EXPECT_EQ(v3.itemColumns(3072), 192);
}

TEST_F(ProductPlanTest, EveryCountOfRowsIsCutIntoHeightsThatAreEmitted) {
  for (const ProductPlan &shapes : {plan("v4", 16, 32), plan("v3", 8, 16), plan("portable", 4, 16)})
    for (int64_t rows = shapes.few.rows + 1; rows < 300; ++rows) {
      int64_t tiles = (rows + shapes.tall.rows - 1) / shapes.tall.rows;
      EXPECT_GE(rows / tiles, shapes.leastTallRows()) << rows;
      EXPECT_LE((rows + tiles - 1) / tiles, shapes.tall.rows) << rows;
    }
}

TEST_F(ProductPlanTest, ItemsOfRowsAreEven) {
  EXPECT_EQ(ProductPlan::evenRows(128, 108, 9), 72); // and 56
  EXPECT_EQ(ProductPlan::evenRows(256, 108, 9), 90);
  EXPECT_EQ(ProductPlan::evenRows(512, 108, 9), 108);
  EXPECT_EQ(ProductPlan::evenRows(128, 48, 6), 48);
  EXPECT_EQ(ProductPlan::evenRows(0, 108, 9), 9);
  for (int64_t rows = 1; rows < 1000; ++rows) {
    int64_t share = ProductPlan::evenRows(rows, 108, 9);
    EXPECT_LE(share, 108);
    EXPECT_EQ((rows + share - 1) / share, (rows + 107) / 108) << rows; // no more items than before
  }
}

TEST_F(ProductPlanTest, LongSumsAreCutIntoEvenBlocks) {
  EXPECT_EQ(ProductPlan::depthBlock(384), 384);
  EXPECT_EQ(ProductPlan::depthBlock(1536), 1536);
  EXPECT_EQ(ProductPlan::depthBlock(3072), 1024);
  EXPECT_EQ(ProductPlan::depthBlock(4096), 1024);
  EXPECT_EQ(ProductPlan::depthBlock(2000), 1000);
  EXPECT_EQ(ProductPlan::depthBlock(1537), 776); // two blocks, a whole number of eight steps
}

} // namespace
