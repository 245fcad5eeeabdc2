// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Counts of work, and the cycles that the model makes of them.
#include "lowering/analysis/CostModel.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Parser/Parser.h"
#include "gtest/gtest.h"

using namespace mlir;
using namespace weft;

namespace {

class CostModelTest : public testing::Test {
protected:
  CostModelTest() {
    context.loadDialect<WeftDialect, func::FuncDialect, linalg::LinalgDialect, tensor::TensorDialect,
                        arith::ArithDialect, math::MathDialect>();
  }

  CostModel model(StringRef isa, int64_t lanes, int64_t registers) {
    return CostModel(TargetAttr::get(&context, isa, lanes, registers, "x86-64", ""));
  }

  /// The work of the first op whose name ends so.
  Work workOf(StringRef suffix, const std::string &text) {
    module = parseSourceString<ModuleOp>(text, &context);
    Work work;
    if (module)
      module->walk([&](Operation *op) {
        if (op->getName().getStringRef().ends_with(suffix))
          work = Work::ofOp(op);
      });
    return work;
  }

  MLIRContext context;
  OwningOpRef<ModuleOp> module;
};

TEST_F(CostModelTest, Product) {
  Work work = workOf("packed_matmul", R"(
    func.func @f(%x: tensor<?x64xf32>, %w: tensor<3x64x16xf32>, %e: tensor<?x48xf32>) -> tensor<?x48xf32> {
      %y = weft.packed_matmul ins(%x, %w : tensor<?x64xf32>, tensor<3x64x16xf32>) outs(%e : tensor<?x48xf32>) -> tensor<?x48xf32>
      return %y : tensor<?x48xf32>
    })");
  EXPECT_EQ(work.multiplyAdds, 128 * 48 * 64); // a dynamic extent counts as 128
  EXPECT_EQ(work.transcendental, 0);
  EXPECT_EQ(work.bytesRead, 4 * (128 * 64 + 48 * 64));
  EXPECT_EQ(work.bytesWritten, 4 * 128 * 48);
  // At the rate of the FMA units: 2 × 16, 2 × 8, and 4 in a cycle.
  EXPECT_EQ(model("v4", 16, 32).arithmetic(work), work.multiplyAdds / 32);
  EXPECT_EQ(model("v3", 8, 16).arithmetic(work), work.multiplyAdds / 16);
  EXPECT_EQ(model("portable", 4, 16).arithmetic(work), work.multiplyAdds / 4);
}

TEST_F(CostModelTest, Elementwise) {
  Work work = workOf("generic", R"(
    #id = affine_map<(m, n) -> (m, n)>
    func.func @f(%x: tensor<4x16xf32>, %e: tensor<4x16xf32>) -> tensor<4x16xf32> {
      %y = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
          ins(%x : tensor<4x16xf32>) outs(%e : tensor<4x16xf32>) {
      ^bb0(%a: f32, %out: f32):
        %one = arith.constant 1.0 : f32
        %b = math.erf %a : f32
        %c = arith.addf %b, %one : f32
        %d = arith.divf %c, %a : f32
        linalg.yield %d : f32
      } -> tensor<4x16xf32>
      return %y : tensor<4x16xf32>
    })");
  EXPECT_EQ(work.transcendental, 64);
  EXPECT_EQ(work.simple, 64);
  EXPECT_EQ(work.divide, 64);
  EXPECT_EQ(work.bytesRead, 256);
  EXPECT_EQ(work.bytesWritten, 256);
}

/// Attention of 64 queries and 256 keys in two heads of 32, its keys and values stored in `element`.
static std::string attention(const std::string &element) {
  std::string keys = "tensor<1x256x2x32x" + element + ">";
  return R"(
    #q = affine_map<(b, h, i, j, d, e) -> (b, i, h, d)>
    #k = affine_map<(b, h, i, j, d, e) -> (b, j, h, d)>
    #v = affine_map<(b, h, i, j, d, e) -> (b, j, h, e)>
    #y = affine_map<(b, h, i, j, d, e) -> (b, i, h, e)>
    func.func @f(%q: tensor<1x64x2x32xf32>, %k: )" +
         keys + ", %v: " + keys + R"(, %e: tensor<1x64x2x32xf32>) -> tensor<1x64x2x32xf32> {
      %y = weft.attention {scale = 0.5 : f32, indexing_maps = [#q, #k, #v, #y]}
        ins(%q, %k, %v : tensor<1x64x2x32xf32>, )" +
         keys + ", " + keys + R"() outs(%e : tensor<1x64x2x32xf32>) -> tensor<1x64x2x32xf32>
      return %y : tensor<1x64x2x32xf32>
    })";
}

TEST_F(CostModelTest, AttentionOnTiles) {
  Work plain = workOf("attention", attention("f32")), half = workOf("attention", attention("bf16"));
  double scores = 2 * 64 * 256;
  EXPECT_EQ(plain.multiplyAdds, scores * 64);
  EXPECT_EQ(plain.transcendental, scores);
  EXPECT_EQ(half.tiledProducts, scores * 64);
  EXPECT_EQ(half.roundedExps, scores);
  EXPECT_EQ(half.multiplyAdds, 0);
  // What it is stored in counts where there are tiles.
  CostModel v4 = model("v4", 16, 32), amx = model("amx", 16, 32);
  EXPECT_EQ(v4.arithmetic(half), v4.arithmetic(plain));
  EXPECT_EQ(amx.arithmetic(plain), v4.arithmetic(plain));
  // 18 vectors of products and a quarter of a vector of exp in a cycle, beside two of other arithmetic.
  EXPECT_EQ(amx.arithmetic(half), scores * (64.0 / 18 + 4 + 2) / 16);
  // Dot products of two bf16: twice the multiply-adds.
  CostModel dots = model("v4-bf16", 16, 32), emulated = model("v4-bf16-vectors", 16, 32);
  EXPECT_EQ(dots.arithmetic(half), scores * (64.0 / 4 + 4 + 2) / 16);
  EXPECT_EQ(dots.arithmetic(plain), v4.arithmetic(plain));
  EXPECT_EQ(emulated.arithmetic(half), v4.arithmetic(half));
}

TEST_F(CostModelTest, TableLookup) {
  Work work = workOf("embedding", R"(
    func.func @f(%i: tensor<4xi64>, %t: tensor<1000x16xf32>, %e: tensor<4x16xf32>) -> tensor<4x16xf32> {
      %y = weft.embedding ins(%i, %t : tensor<4xi64>, tensor<1000x16xf32>) outs(%e : tensor<4x16xf32>) -> tensor<4x16xf32>
      return %y : tensor<4x16xf32>
    })");
  EXPECT_EQ(work.bytesRead, 4 * 8 + 4 * 16 * 4);
  EXPECT_EQ(work.bytesWritten, 4 * 16 * 4);
}

TEST_F(CostModelTest, TrafficIsDearerFartherAway) {
  for (const CostModel &cost : {model("v4", 16, 32), model("v3", 8, 16), model("portable", 4, 16)}) {
    double previous = 0;
    for (int64_t footprint : {int64_t(1) << 10, int64_t(1) << 18, int64_t(3) << 19, int64_t(1) << 30}) {
      EXPECT_GT(cost.traffic(1024, footprint), previous) << footprint;
      previous = cost.traffic(1024, footprint);
    }
  }
}

// What more work costs is never less.
TEST_F(CostModelTest, Monotonous) {
  CostModel v4 = model("v4", 16, 32);
  Work work;
  work.multiplyAdds = work.bytesRead = 1;
  for (double times = 1, previous = 0; times < 1e12; times *= 3) {
    double cycles = v4.cycles(work * times);
    EXPECT_GT(cycles, previous);
    previous = cycles;
  }
}

// A product with an elementwise op behind it, and two elementwise ops, over a grid of shapes: one kernel is never
// estimated slower than two.
TEST_F(CostModelTest, FusedIsNeverSlower) {
  for (const CostModel &cost : {model("v4", 16, 32), model("v3", 8, 16), model("portable", 4, 16)})
    for (double rows : {1, 7, 64, 512, 4096})
      for (double columns : {8, 384, 1536, 4096})
        for (double depth : {0, 8, 384, 4096})
          for (double functions : {0, 1, 3}) {
            double between = 4 * rows * columns;
            Work producer, reader;
            producer.multiplyAdds = rows * columns * depth;
            producer.bytesRead = 4 * (rows * depth + columns * depth);
            producer.bytesWritten = reader.bytesRead = reader.bytesWritten = between;
            reader.simple = rows * columns;
            reader.transcendental = functions * rows * columns;
            double fused = cost.fusedCycles(producer, reader, between);
            EXPECT_LE(fused, cost.apartCycles(producer, reader, between))
                << rows << " x " << columns << " x " << depth << ", functions " << functions;
          }
}

// A function of a row vector that each of many rows would compute again.
TEST_F(CostModelTest, WhatIsComputedAgainCosts) {
  CostModel v3 = model("v3", 8, 16);
  double between = 4 * 400;
  Work producer, reader;
  producer.transcendental = 400;
  producer.bytesRead = producer.bytesWritten = between;
  reader.simple = 128 * 400;
  reader.bytesRead = reader.bytesWritten = 128 * between;
  EXPECT_LT(v3.fusedCycles(producer, reader, between, 1), v3.apartCycles(producer, reader, between, 1));
  EXPECT_GT(v3.fusedCycles(producer, reader, between, 128), v3.apartCycles(producer, reader, between, 128));
}

} // namespace
