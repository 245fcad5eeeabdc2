// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The register tile of each target: as docs/rationale/register-tiles.md says.
#include "lowering/analysis/RegisterPlan.h"

#include "gtest/gtest.h"

using namespace weft;

namespace {

class RegisterPlanTest : public testing::Test {
protected:
  RegisterPlanTest() { context.loadDialect<WeftDialect>(); }

  TargetAttr target(llvm::StringRef isa, int64_t lanes, int64_t registers) {
    return TargetAttr::get(&context, isa, lanes, registers, "x86-64", "");
  }

  /// Accumulators, the right operand's vectors and one broadcast.
  static int64_t registersUsed(const RegisterPlan &plan) { return plan.rows * plan.vectors + plan.vectors + 1; }

  mlir::MLIRContext context;
};

TEST_F(RegisterPlanTest, V4) {
  RegisterPlan plan = RegisterPlan::forTarget(target("v4", 16, 32));
  EXPECT_EQ(plan.rows, 14);
  EXPECT_EQ(plan.columns(), 32);
  EXPECT_EQ(plan.unroll, 1);
  EXPECT_TRUE(plan.fused);
}

TEST_F(RegisterPlanTest, V3) {
  RegisterPlan plan = RegisterPlan::forTarget(target("v3", 8, 16));
  EXPECT_EQ(plan.rows, 6);
  EXPECT_EQ(plan.columns(), 16);
  EXPECT_EQ(plan.unroll, 4);
  EXPECT_TRUE(plan.fused);
}

TEST_F(RegisterPlanTest, Portable) {
  RegisterPlan plan = RegisterPlan::forTarget(target("portable", 4, 16));
  EXPECT_EQ(plan.rows, 6);
  EXPECT_EQ(plan.columns(), 8);
  EXPECT_FALSE(plan.fused);
}

TEST_F(RegisterPlanTest, TilesFitTheRegisters) {
  for (auto [isa, lanes, registers] :
       {std::tuple("v4", 16, 32), std::tuple("v3", 8, 16), std::tuple("portable", 4, 16)})
    EXPECT_LE(registersUsed(RegisterPlan::forTarget(target(isa, lanes, registers))), registers) << isa;
}

TEST_F(RegisterPlanTest, TargetIsTheModules) {
  mlir::OwningOpRef<mlir::ModuleOp> module = mlir::ModuleOp::create(mlir::UnknownLoc::get(&context));
  std::string error;
  mlir::ScopedDiagnosticHandler handler(&context, [&](mlir::Diagnostic &diagnostic) { error = diagnostic.str(); });
  EXPECT_TRUE(mlir::failed(registerPlanOf(*module)));
  EXPECT_NE(error.find("weft.target"), std::string::npos);
  module->getOperation()->setAttr("weft.target", target("v3", 8, 16));
  mlir::FailureOr<RegisterPlan> plan = registerPlanOf(*module);
  ASSERT_TRUE(mlir::succeeded(plan));
  EXPECT_EQ(plan->lanes, 8);
}

} // namespace
