// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/emit/LaneStores.h"

#include "llvm/AsmParser/Parser.h"
#include "llvm/IR/LLVMContext.h"
#include "llvm/IR/Module.h"
#include "llvm/IR/Verifier.h"
#include "llvm/Support/SourceMgr.h"
#include "llvm/Support/raw_ostream.h"

#include "gtest/gtest.h"

namespace weft {
namespace {

/// The body of a function that stores `%v` of four i16 with the mask, after the rewrite.
std::string bodyWith(const std::string &mask) {
  llvm::LLVMContext context;
  llvm::SMDiagnostic error;
  std::unique_ptr<llvm::Module> module =
      llvm::parseAssemblyString("define void @f(<4 x i16> %v, ptr %p, <4 x i1> %given) {\n"
                                "  call void @llvm.masked.store.v4i16.p0(<4 x i16> %v, ptr align 8 %p, <4 x i1> " +
                                    mask + ")\n  ret void\n}\n",
                                error, context);
  if (!module)
    return error.getMessage().str();
  storeLanesAlone(*module);
  EXPECT_FALSE(llvm::verifyModule(*module, &llvm::errs()));
  std::string text;
  llvm::raw_string_ostream stream(text);
  for (llvm::Instruction &instruction : module->getFunction("f")->front())
    stream << instruction << "\n";
  return text;
}

TEST(LaneStoresTest, OneLaneIsAnElement) {
  EXPECT_EQ(bodyWith("<i1 true, i1 false, i1 false, i1 false>"), "  %1 = extractelement <4 x i16> %v, i64 0\n"
                                                                 "  %2 = getelementptr inbounds i16, ptr %p, i64 0\n"
                                                                 "  store i16 %1, ptr %2, align 8\n"
                                                                 "  ret void\n");
}

TEST(LaneStoresTest, AnyLane) {
  EXPECT_EQ(bodyWith("<i1 false, i1 false, i1 false, i1 true>"), "  %1 = extractelement <4 x i16> %v, i64 3\n"
                                                                 "  %2 = getelementptr inbounds i16, ptr %p, i64 3\n"
                                                                 "  store i16 %1, ptr %2, align 2\n"
                                                                 "  ret void\n");
}

TEST(LaneStoresTest, OthersStay) {
  for (const char *mask : {"<i1 true, i1 true, i1 false, i1 false>", "zeroinitializer", "splat (i1 true)", "%given"})
    EXPECT_NE(bodyWith(mask).find("llvm.masked.store"), std::string::npos) << mask;
}

} // namespace
} // namespace weft
