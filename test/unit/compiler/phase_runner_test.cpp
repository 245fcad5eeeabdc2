// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What becomes of passes that refuse, break a module, or crash.
#include "HandLowered.h"
#include "TemporaryFolder.h"
#include "compiler/PhaseRunner.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Pass/Pass.h"

#include <csignal>

namespace weft {
namespace {

template <class Body> struct TestPass : mlir::PassWrapper<TestPass<Body>, mlir::OperationPass<mlir::ModuleOp>> {
  llvm::StringRef getArgument() const override { return "weft-test"; }
  void runOnOperation() override {
    if (failed(Body()(this->getOperation())))
      this->signalPassFailure();
  }
};

mlir::Location layer(mlir::ModuleOp module) {
  return mlir::NameLoc::get(mlir::StringAttr::get(module.getContext(), "encoder.layer.3"));
}

struct Refuse {
  mlir::LogicalResult operator()(mlir::ModuleOp module) { return mlir::emitError(layer(module), "cannot be tiled"); }
};

struct BreakModule {
  mlir::LogicalResult operator()(mlir::ModuleOp module) {
    auto function = *module.getOps<mlir::func::FuncOp>().begin();
    function.getBody().front().getTerminator()->erase();
    return mlir::success();
  }
};

struct Crash {
  mlir::LogicalResult operator()(mlir::ModuleOp) {
    std::raise(SIGSEGV);
    return mlir::success();
  }
};

struct Speak {
  mlir::LogicalResult operator()(mlir::ModuleOp module) {
    mlir::emitRemark(layer(module), "not fused");
    return mlir::success();
  }
};

template <class Body> Phase phaseOf() {
  return {5, "tile", PhaseRuns::once, 1,
          [](mlir::OpPassManager &passes) { passes.addPass(std::make_unique<TestPass<Body>>()); }};
}

class PhaseRunnerTest : public testing::Test {
protected:
  template <class Body> Diagnostic failure(bool handWritten) {
    IsolatedModule copy(*model.outlined, true);
    PhaseRunner runner{"", folder.path("").string(), handWritten};
    Result<void> ran = runner.run(phaseOf<Body>(), copy, "v3");
    EXPECT_FALSE(ran);
    return ran ? Diagnostic{} : ran.takeError();
  }

  HandLowered model;
  TemporaryFolder folder;
};

TEST_F(PhaseRunnerTest, RefusalOfAnImportedModelIsOurMistake) {
  Diagnostic error = failure<Refuse>(false);
  EXPECT_EQ(error.code, "W0601");
  EXPECT_TRUE(isInternalError(error));
  EXPECT_EQ(error.place, "encoder.layer.3");
  EXPECT_NE(error.message.find("cannot be tiled"), std::string::npos);
}

TEST_F(PhaseRunnerTest, RefusalOfHandWrittenTextIsTheUsersMistake) {
  Diagnostic error = failure<Refuse>(true);
  EXPECT_EQ(error.code, "W0603");
  EXPECT_FALSE(isInternalError(error));
}

TEST_F(PhaseRunnerTest, ReproducerIsWrittenAndNamed) {
  Diagnostic error = failure<Refuse>(false);
  std::vector<std::string> names = folder.names();
  ASSERT_EQ(names.size(), 1u);
  EXPECT_TRUE(names[0].starts_with("weft-crash-tile-v3-")) << names[0];
  EXPECT_NE(error.help.find(names[0]), std::string::npos) << error.help;
  EXPECT_NE(folder.read(names[0]).find("weft-test"), std::string::npos) << "the reproducer holds the pipeline";
}

TEST_F(PhaseRunnerTest, VerifierRunsAfterEveryPass) { EXPECT_EQ(failure<BreakModule>(false).code, "W0601"); }

TEST_F(PhaseRunnerTest, CrashOfAPassIsADiagnostic) {
  Diagnostic error = failure<Crash>(false);
  EXPECT_EQ(error.code, "W0601");
  EXPECT_EQ(folder.names().size(), 1u);
}

TEST_F(PhaseRunnerTest, ModuleThatCannotBeEmittedIsWritten) {
  PhaseRunner runner{"", folder.path("").string(), false};
  Phase emit = {8, "emit", PhaseRuns::once, 1, nullptr};
  Diagnostic error = runner.withReproducer({"W0690", "no code", "", "report it"}, emit, *model.lowered, "v3");
  std::vector<std::string> names = folder.names();
  ASSERT_EQ(names.size(), 1u);
  EXPECT_NE(error.help.find(names[0]), std::string::npos) << error.help;
  EXPECT_NE(folder.read(names[0]).find("weft_encode_run"), std::string::npos);
}

TEST_F(PhaseRunnerTest, RemarksCarryPhaseAndLayer) {
  IsolatedModule copy(*model.outlined, true);
  PhaseRunner runner{"", "", false};
  ASSERT_TRUE(runner.run(phaseOf<Speak>(), copy, "v3"));
  std::vector<Remark> remarks = copy.takeRemarks();
  ASSERT_EQ(remarks.size(), 1u);
  EXPECT_EQ(remarks[0].phase, "tile");
  EXPECT_EQ(remarks[0].place, "encoder.layer.3");
  EXPECT_EQ(remarks[0].message, "not fused");
}

} // namespace
} // namespace weft
