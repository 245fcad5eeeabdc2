// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What is known of multiples: whether a tile starts where a panel or a group of heads does.
#include "dialects/weft/Tile.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Parser/Parser.h"

#include "gtest/gtest.h"

using namespace mlir;

/// Whether an affine.apply of a loop variable i and an unknown n may be a multiple of 16.
static bool mayBeMultipleOf16(const std::string &lower, const std::string &step, const std::string &map) {
  MLIRContext context;
  context.loadDialect<affine::AffineDialect, arith::ArithDialect, func::FuncDialect, scf::SCFDialect>();
  OwningOpRef<ModuleOp> module = parseSourceString<ModuleOp>(
      "func.func @f(%n: index) { %l = arith.constant " + lower + " : index  %s = arith.constant " + step +
          " : index  scf.for %i = %l to %n step %s { %x = affine.apply affine_map<(i, n) -> (" + map +
          ")>(%i, %n) } return }",
      &context);
  OpFoldResult value;
  module->walk([&](affine::AffineApplyOp op) { value = op.getResult(); });
  return weft::mayBeMultipleOf(value, 16);
}

TEST(MayBeMultipleOf, Constants) {
  MLIRContext context;
  Builder builder(&context);
  EXPECT_TRUE(weft::mayBeMultipleOf(builder.getIndexAttr(0), 16));
  EXPECT_TRUE(weft::mayBeMultipleOf(builder.getIndexAttr(48), 16));
  EXPECT_FALSE(weft::mayBeMultipleOf(builder.getIndexAttr(24), 16));
}

TEST(MayBeMultipleOf, LoopVariables) {
  EXPECT_TRUE(mayBeMultipleOf16("0", "32", "i"));
  EXPECT_FALSE(mayBeMultipleOf16("0", "24", "i"));
  EXPECT_FALSE(mayBeMultipleOf16("8", "16", "i"));
}

TEST(MayBeMultipleOf, AffineExpressions) {
  EXPECT_TRUE(mayBeMultipleOf16("0", "1", "i * 16"));
  EXPECT_FALSE(mayBeMultipleOf16("0", "1", "i * 8"));
  EXPECT_TRUE(mayBeMultipleOf16("0", "16", "i + 32"));
  EXPECT_FALSE(mayBeMultipleOf16("0", "16", "i + 8"));
}

// Of a function's argument nothing is known: it is trusted.
TEST(MayBeMultipleOf, ValuesOfUnknownOrigin) { EXPECT_TRUE(mayBeMultipleOf16("0", "16", "i + n")); }
