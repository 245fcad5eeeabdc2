// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/Target.h"
#include "runtime/include/weft/abi.h"

#include "gtest/gtest.h"

namespace weft {
namespace {

std::string isas(const std::vector<std::string> &names) {
  Result<std::vector<const Target *>> targets = parseTargets(names);
  if (!targets)
    return targets.error().code;
  std::string text;
  for (const Target *target : *targets)
    text += (text.empty() ? "" : " ") + std::string(target->isa);
  return text;
}

TEST(TargetTest, CpuStandsForAllLevelsBestFirst) { EXPECT_EQ(isas({"cpu"}), "amx v4-bf16 v4-vnni v4 v3 portable"); }

TEST(TargetTest, LevelsAreSortedAndNamedOnce) {
  EXPECT_EQ(isas({"cpu:portable,v3,v3"}), "v3 portable");
  EXPECT_EQ(isas({"portable", "v4"}), "v4 portable");
  EXPECT_EQ(isas({"cpu:amx-vectors,portable,amx"}), "amx portable amx-vectors");
}

TEST(TargetTest, GpusAreSortedAndNamedOnce) {
  EXPECT_EQ(isas({"nvptx:sm_80"}), "sm_80");
  EXPECT_EQ(isas({"nvptx:sm_80,sm_90a", "sm_90", "sm_80"}), "sm_90a sm_90 sm_80");
}

TEST(TargetTest, UnknownGpusAreRefusedWithThoseThatThereAre) {
  for (const char *name : {"nvptx:sm_70", "nvptx", "nvptx:", "nvptx:v4", "cpu:sm_80", "nvptx:sm_80,sm_100a"}) {
    Result<std::vector<const Target *>> targets = parseTargets({name});
    ASSERT_FALSE(targets) << name;
    EXPECT_EQ(targets.error().code, "W0610");
    EXPECT_NE(targets.error().help.find("sm_90a, sm_90, sm_89, sm_86, sm_80"), std::string::npos) << name;
  }
}

TEST(TargetTest, ProcessorsAndGpusAreRefusedTogether) {
  EXPECT_EQ(isas({"cpu:v3", "nvptx:sm_80"}), "W0609");
  EXPECT_EQ(isas({"sm_90a", "cpu"}), "W0609");
}

TEST(TargetTest, EveryGpuHasAnAttribute) {
  mlir::MLIRContext context;
  context.loadDialect<WeftDialect>();
  for (const Target &target : gpuTargets()) {
    TargetAttr attribute = target.attribute(&context);
    EXPECT_EQ(attribute.getIsa(), target.isa);
    EXPECT_EQ(attribute.getLanes(), 16); // half a warp stands for a vector
    EXPECT_EQ(findTarget(target.isa), &target);
  }
}

TEST(TargetTest, NativeIsOneLevel) { EXPECT_EQ(isas({"cpu:native"}), nativeTarget().isa); }

TEST(TargetTest, UnknownLevelsAreRefused) {
  for (const char *name : {"cpu:v5", "cpu:", "cpu:v3,,v4", "gpu", ""})
    EXPECT_EQ(isas({name}), "W0610") << name;
}

std::string levelsFor(unsigned products) {
  Result<std::vector<const Target *>> targets = parseTargets({"cpu", "amx-vectors", "v4-bf16-vectors"});
  std::string names;
  for (const Target *target : *targets)
    names += std::string(levelFor(*target, products).isa) + " ";
  return names;
}

TEST(TargetTest, ProgramsAreMadeForTheLevelsThatTheirProductsUse) {
  EXPECT_EQ(levelsFor(kNoProducts), "v4 v4 v4 v4 v3 portable v3 v4-vectors ");
  EXPECT_EQ(levelsFor(kByteProducts), "amx v4-vnni v4-vnni v4 v3 portable amx-vectors v4-bf16-vectors ");
  EXPECT_EQ(levelsFor(kHalfProducts), "amx v4-bf16 v4 v4 v3 portable amx-vectors v4-bf16-vectors ");
}

TEST(TargetTest, BetterLevelsNeedMoreFeatures) {
  std::span<const Target> targets = allTargets();
  EXPECT_EQ(targets.back().requiredFeatures, 0u);
  for (size_t index = 1; index < targets.size(); ++index) {
    uint64_t better = targets[index - 1].requiredFeatures, worse = targets[index].requiredFeatures;
    // How fast an instruction is, is no condition of those who have better ones.
    EXPECT_EQ((better | WEFT_CPU_FAST_BF16) & worse, worse);
    EXPECT_NE(better, worse);
  }
}

TEST(TargetTest, AttributeCarriesTheRegisterFile) {
  mlir::MLIRContext context;
  context.loadDialect<WeftDialect>();
  TargetAttr attribute = allTargets().front().attribute(&context);
  EXPECT_EQ(attribute.getIsa(), "amx");
  EXPECT_EQ(attribute.getLanes(), 16);
  EXPECT_EQ(attribute.getRegisters(), 32);
}

} // namespace
} // namespace weft
