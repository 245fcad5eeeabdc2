// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What is said of a tile of a mask, against the mask on each of the tile's elements.
#include "lowering/analysis/MaskTiles.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/Matchers.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"

#include "gtest/gtest.h"

#include <functional>

using namespace weft;

namespace {

/// A mask as a function body over %b, %h, %i, %j and %p, an i1 that nothing is known of, and in C++.
struct Mask {
  const char *name;
  const char *body; ///< ends with the i1 value %v
  std::function<bool(int64_t i, int64_t j)> visible;
};

const Mask kMasks[] = {
    {"causal", "%v = arith.cmpi sle, %j, %i : index", [](int64_t i, int64_t j) { return j <= i; }},
    {"causal with an offset",
     "%c = arith.constant 5 : index\n %s = arith.addi %i, %c : index\n %v = arith.cmpi sge, %s, %j : index",
     [](int64_t i, int64_t j) { return i + 5 >= j; }},
    {"window",
     "%c = arith.constant 7 : index\n %d = arith.subi %i, %j : index\n %x = arith.cmpi slt, %d, %c : index\n"
     "%y = arith.cmpi sle, %j, %i : index\n %v = arith.andi %x, %y : i1",
     [](int64_t i, int64_t j) { return i - j < 7 && j <= i; }},
    {"both sides",
     "%c = arith.constant 4 : index\n %d = arith.subi %i, %j : index\n %e = arith.subi %j, %i : index\n"
     "%x = arith.cmpi sle, %d, %c : index\n %y = arith.cmpi sle, %e, %c : index\n %v = arith.andi %x, %y : i1",
     [](int64_t i, int64_t j) { return std::abs(i - j) <= 4; }},
    {"chunks",
     "%c = arith.constant 6 : index\n %x = arith.divui %i, %c : index\n %y = arith.divui %j, %c : index\n"
     "%v = arith.cmpi eq, %x, %y : index",
     [](int64_t i, int64_t j) { return i / 6 == j / 6; }},
    {"prefix or causal",
     "%c = arith.constant 9 : index\n %x = arith.cmpi slt, %j, %c : index\n %y = arith.cmpi sle, %j, %i : index\n"
     "%v = arith.ori %x, %y : i1",
     [](int64_t i, int64_t j) { return j < 9 || j <= i; }},
    {"outside of a band",
     "%c = arith.constant 3 : index\n %t = arith.constant true\n %d = arith.subi %i, %j : index\n"
     "%x = arith.cmpi sle, %d, %c : index\n %y = arith.cmpi sle, %j, %i : index\n %z = arith.andi %x, %y : i1\n"
     "%v = arith.xori %z, %t : i1",
     [](int64_t i, int64_t j) { return !(i - j <= 3 && j <= i); }},
    {"not the diagonal", "%v = arith.cmpi ne, %i, %j : index", [](int64_t i, int64_t j) { return i != j; }},
    {"twice the query, at most 12",
     "%c = arith.constant 2 : index\n %m = arith.constant 12 : index\n %x = arith.muli %i, %c : index\n"
     "%y = arith.minsi %x, %m : index\n %v = arith.cmpi slt, %j, %y : index",
     [](int64_t i, int64_t j) { return j < std::min<int64_t>(2 * i, 12); }},
};

class MaskTilesTest : public testing::Test {
protected:
  MaskTilesTest() { context.loadDialect<mlir::arith::ArithDialect, mlir::func::FuncDialect>(); }

  /// What MaskTile says of a tile: constants, or nothing.
  struct Answer {
    std::optional<bool> always, never, rest;
    int64_t low, high;
  };

  Answer ask(const std::string &body, int64_t i0, int64_t i1, int64_t j0, int64_t j1) {
    std::string text = "func.func @mask(%b: index, %h: index, %i: index, %j: index, %p: i1) -> i1 {\n" + body +
                       "\n return %v : i1\n}\nfunc.func private @answer()";
    auto module = mlir::parseSourceString<mlir::ModuleOp>(text, &context);
    EXPECT_TRUE(module) << text;
    auto mask = *module->getOps<mlir::func::FuncOp>().begin();
    // Values are emitted into a function of their own, and folded there.
    mlir::OpBuilder b(&context);
    auto loc = b.getUnknownLoc();
    auto holder = mlir::func::FuncOp::create(loc, "holder", b.getFunctionType({}, {}));
    b.setInsertionPointToStart(holder.addEntryBlock());
    auto range = [&](int64_t low, int64_t high) {
      auto at = [&](int64_t value) { return mlir::arith::ConstantIndexOp::create(b, loc, value).getResult(); };
      return IndexRange{at(low), at(high)};
    };
    IndexRange zero = range(0, 0), point{zero.low, zero.low};
    MaskTile tile(b, mask.front(), {point, point, range(i0, i1), range(j0, j1), std::nullopt});
    TileTruth truth = tile.truth();
    IndexRange keys = tile.visibleKeys(3);
    mlir::Value parts = tile.knownParts().always;
    llvm::SmallVector<mlir::Value> results{keys.low, keys.high};
    for (mlir::Value value : {truth.always, truth.never, parts})
      results.push_back(value ? value : zero.low);
    mlir::func::ReturnOp::create(b, loc, results);
    holder.setType(b.getFunctionType({}, mlir::ValueRange(results).getTypes()));
    module->push_back(holder);
    mlir::PassManager passes(&context);
    passes.addPass(mlir::createCanonicalizerPass());
    EXPECT_TRUE(mlir::succeeded(passes.run(*module)));
    auto operands = holder.front().getTerminator()->getOperands();
    auto constant = [&](unsigned index) {
      llvm::APInt value;
      EXPECT_TRUE(mlir::matchPattern(operands[index], mlir::m_ConstantInt(&value)));
      return value;
    };
    auto truthAt = [&](unsigned index, mlir::Value asked) {
      return asked ? std::optional<bool>(constant(index).getBoolValue()) : std::nullopt;
    };
    return {truthAt(2, truth.always), truthAt(3, truth.never), truthAt(4, parts), constant(0).getSExtValue(),
            constant(1).getSExtValue()};
  }

  mlir::MLIRContext context;
};

TEST_F(MaskTilesTest, EveryTileIsWhatItsElementsSay) {
  for (const Mask &mask : kMasks)
    for (auto [i0, i1] : {std::pair(0, 0), std::pair(0, 3), std::pair(4, 7), std::pair(6, 11), std::pair(12, 17)})
      for (auto [j0, j1] : {std::pair(0, 0), std::pair(0, 5), std::pair(6, 11), std::pair(8, 15), std::pair(15, 20)}) {
        Answer answer = ask(mask.body, i0, i1, j0, j1);
        int64_t seen = 0, least = j1 + 1, most = -1;
        for (int64_t i = i0; i <= i1; ++i)
          for (int64_t j = j0; j <= j1; ++j)
            if (mask.visible(i, j))
              ++seen, least = std::min(least, j), most = std::max(most, j);
        int64_t all = (i1 - i0 + 1) * (j1 - j0 + 1);
        std::string where = std::string(mask.name) + " on " + std::to_string(i0) + " " + std::to_string(j0);
        // What is claimed must hold; ranges may be wide.
        EXPECT_TRUE(!answer.always.value_or(false) || seen == all) << where;
        EXPECT_TRUE(!answer.never.value_or(false) || seen == 0) << where;
        EXPECT_GE(answer.low, j0) << where;
        EXPECT_LE(answer.high, j1) << where;
        if (seen) {
          EXPECT_LE(answer.low, least) << where;
          EXPECT_GE(answer.high, most) << where;
        }
      }
}

TEST_F(MaskTilesTest, CausalTilesAreDecidedExactly) {
  EXPECT_EQ(ask(kMasks[0].body, 8, 15, 0, 8).always, true);
  EXPECT_EQ(ask(kMasks[0].body, 8, 15, 0, 9).always, false);
  EXPECT_EQ(ask(kMasks[0].body, 8, 15, 16, 20).never, true);
  EXPECT_EQ(ask(kMasks[0].body, 8, 15, 15, 20).never, false);
  EXPECT_EQ(ask(kMasks[0].body, 8, 15, 0, 99).high, 15);
}

TEST_F(MaskTilesTest, WindowsBoundTheKeysOnBothSides) {
  Answer answer = ask(kMasks[3].body, 20, 27, 0, 99);
  EXPECT_EQ(answer.low, 16);
  EXPECT_EQ(answer.high, 31);
}

TEST_F(MaskTilesTest, BesideAnUnknownPartTheKnownOneIsDecided) {
  std::string padded = "%x = arith.cmpi sle, %j, %i : index\n %v = arith.andi %x, %p : i1";
  Answer below = ask(padded, 8, 15, 0, 8), above = ask(padded, 8, 15, 16, 20);
  EXPECT_EQ(below.always, std::nullopt);
  EXPECT_EQ(below.rest, true);
  EXPECT_EQ(above.never, true);
}

TEST_F(MaskTilesTest, NothingIsSaidOfAnUnknownMask) {
  Answer answer = ask("%v = arith.andi %p, %p : i1", 0, 3, 0, 3);
  EXPECT_EQ(answer.always, std::nullopt);
  EXPECT_EQ(answer.never, std::nullopt);
  EXPECT_EQ(answer.rest, std::nullopt);
  EXPECT_EQ(answer.high, 3);
}

} // namespace
