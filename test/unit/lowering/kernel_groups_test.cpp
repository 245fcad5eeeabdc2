// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Which ops share a kernel; the reasons for those that do not are in test/lowering/fuse/fuse-kernels-missed.mlir.
#include "lowering/analysis/KernelGroups.h"

#include "dialects/weft/WeftDialect.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Parser/Parser.h"
#include "gtest/gtest.h"

using namespace mlir;
using namespace weft;

namespace {

/// The kinds and sizes of a function's kernels, such as {"linear 2", "norm 1"}.
class KernelGroupsTest : public testing::Test {
protected:
  KernelGroupsTest() {
    context.loadDialect<WeftDialect, func::FuncDialect, linalg::LinalgDialect, tensor::TensorDialect,
                        arith::ArithDialect, math::MathDialect>();
  }

  std::vector<std::string> plan(const std::string &body) {
    std::string text =
        "#id = affine_map<(m, n) -> (m, n)>\n"
        "func.func @f(%x: tensor<4x16xf32>, %s: tensor<16xf32>, %w: tensor<1x16x16xf32>) -> tensor<4x16xf32> {\n"
        "  %e = tensor.empty() : tensor<4x16xf32>\n" +
        body + "  return %y : tensor<4x16xf32>\n}\n";
    module = parseSourceString<ModuleOp>(text, &context);
    std::vector<std::string> kinds;
    if (module)
      for (const KernelGroup &group : planKernels(*module->getOps<func::FuncOp>().begin()))
        kinds.push_back(kernelKind(group).str() + " " + std::to_string(group.ops.size()));
    return kinds;
  }

  static std::string norm(const std::string &result, const std::string &input) {
    return "  %" + result + " = weft.layer_norm {epsilon = 0.0 : f32} ins(%" + input +
           ", %s : tensor<4x16xf32>, tensor<16xf32>) outs(%e : tensor<4x16xf32>) -> tensor<4x16xf32>\n";
  }
  static std::string product(const std::string &result, const std::string &input) {
    return "  %" + result + " = weft.packed_matmul ins(%" + input +
           ", %w : tensor<4x16xf32>, tensor<1x16x16xf32>) outs(%e : tensor<4x16xf32>) -> tensor<4x16xf32>\n";
  }
  static std::string add(const std::string &result, const std::string &a, const std::string &b) {
    return "  %" + result +
           " = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = [\"parallel\", \"parallel\"]} ins(%" +
           a + ", %" + b +
           " : tensor<4x16xf32>, tensor<4x16xf32>) outs(%e : tensor<4x16xf32>) {\n"
           "  ^bb0(%lhs: f32, %rhs: f32, %out: f32):\n    %sum = arith.addf %lhs, %rhs : f32\n    linalg.yield %sum : "
           "f32\n"
           "  } -> tensor<4x16xf32>\n";
  }

  using Kinds = std::vector<std::string>;
  MLIRContext context;
  OwningOpRef<ModuleOp> module;
};

TEST_F(KernelGroupsTest, ElementwiseOpsAreAProductsEpilogue) {
  EXPECT_EQ(plan(product("p", "x") + add("a", "p", "x") + add("y", "a", "x")), Kinds{"linear 3"});
}

TEST_F(KernelGroupsTest, ResidualJoinsTheNorm) {
  EXPECT_EQ(plan(add("a", "x", "x") + norm("y", "a")), Kinds{"norm 2"});
}

TEST_F(KernelGroupsTest, NormTakesTheResidualFromTheProduct) {
  EXPECT_EQ(plan(product("p", "x") + add("a", "p", "x") + norm("y", "a")), (Kinds{"linear 1", "norm 2"}));
}

TEST_F(KernelGroupsTest, OneEpilogueTakesOneProduct) {
  EXPECT_EQ(plan(product("p", "x") + product("q", "x") + add("y", "p", "q")).size(), 2u);
}

TEST_F(KernelGroupsTest, TwoReadersKeepAValue) {
  EXPECT_EQ(plan(norm("a", "x") + norm("b", "a") + add("y", "a", "b")), (Kinds{"norm 3"}));
  EXPECT_EQ(plan(norm("a", "x") + product("b", "a") + add("y", "b", "a")), (Kinds{"norm 1", "linear 2"}));
}

TEST_F(KernelGroupsTest, GroupsAreInTheOrderOfTheProgram) {
  EXPECT_EQ(plan(norm("a", "x") + product("b", "a") + norm("y", "b")), (Kinds{"norm 1", "linear 1", "norm 1"}));
}

TEST_F(KernelGroupsTest, EveryComputingOpIsInOneGroup) {
  plan(norm("a", "x") + product("b", "a") + add("c", "b", "x") + norm("y", "c"));
  auto function = *module->getOps<func::FuncOp>().begin();
  DenseMap<Operation *, int> times;
  for (const KernelGroup &group : planKernels(function))
    for (Operation *op : group.ops)
      ++times[op];
  function.walk(
      [&](Operation *op) { EXPECT_EQ(times.lookup(op), isCompute(op) ? 1 : 0) << op->getName().getStringRef().str(); });
}

TEST_F(KernelGroupsTest, FillsAndViewsAreNoComputation) {
  plan("  %z = arith.constant 0.0 : f32\n  %f = linalg.fill ins(%z : f32) outs(%e : tensor<4x16xf32>) -> "
       "tensor<4x16xf32>\n"
       "  %c = tensor.cast %f : tensor<4x16xf32> to tensor<?x16xf32>\n" +
       add("y", "f", "x"));
  module->walk([](linalg::FillOp op) { EXPECT_TRUE(isRepeated(op) && !isCompute(op)); });
  module->walk([](tensor::CastOp op) { EXPECT_TRUE(isView(op) && !isCompute(op)); });
}

} // namespace
