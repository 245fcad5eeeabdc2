// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "HandLowered.h"
#include "compiler/emit/PtxEmitter.h"
#include "compiler/jit/JitEngine.h"

#include <nlohmann/json.hpp>

namespace weft {
namespace {

constexpr const char *kKernels = R"mlir(
gpu.module @kernels {
  llvm.func @zero(%to: !llvm.ptr<1>) attributes {nvvm.kernel, nvvm.reqntid = array<i32: 64, 1, 1>} {
    %zero = llvm.mlir.constant(0.0 : f32) : f32
    llvm.store %zero, %to : f32, !llvm.ptr<1>
    llvm.return
  }
  llvm.func @one(%to: !llvm.ptr<1>, %value: f32, %n: i64) attributes
      {nvvm.kernel, nvvm.reqntid = array<i32: 96, 1, 1>, weft.shared_bytes = 512 : i64} {
    llvm.store %value, %to : f32, !llvm.ptr<1>
    llvm.return
  }
}
)mlir";

/// The hand-lowered model with kernels beside its host code.
struct WithKernels : HandLowered {
  WithKernels() { module = mlir::parseSourceString<mlir::ModuleOp>(std::string(kLowered) + kKernels, &context); }

  std::vector<Kernel> kernels(const char *target) {
    Result<std::vector<Kernel>> kernels = emitKernels(*module, *findTarget(target));
    EXPECT_TRUE(kernels) << kernels.error().format();
    return *kernels;
  }

  mlir::OwningOpRef<mlir::ModuleOp> module;
};

TEST(KernelsTest, SayWhatTheirLauncherNeeds) {
  WithKernels model;
  std::vector<Kernel> kernels = model.kernels("sm_80");
  ASSERT_EQ(kernels.size(), 2u);
  EXPECT_EQ(kernels[0].name, "zero");
  EXPECT_EQ(kernels[1].target, "sm_80");
  EXPECT_EQ(kernels[1].threads, 96);
  EXPECT_EQ(kernels[1].sharedBytes, 512);
  EXPECT_EQ(kernels[1].parameters, (std::vector<std::string>{"*i8", "fp32", "i64"}));
  auto metadata = nlohmann::json::parse(metadataText(kernels[1]));
  EXPECT_EQ(metadata["num_warps"], 3);
  EXPECT_EQ(metadata["target"]["arch"], 80);
}

TEST(KernelsTest, AreTheSameBytesAgain) {
  WithKernels first, second;
  EXPECT_EQ(first.kernels("sm_90a")[1].ptx, second.kernels("sm_90a")[1].ptx);
}

TEST(KernelsTest, LeaveTheHostsPart) {
  WithKernels model;
  ASSERT_TRUE(takeKernels(*model.module, *findTarget("sm_90a")));
  Result<Object> object = emitObject(*model.module, *findTarget("sm_90a"), {"encode"});
  ASSERT_TRUE(object) << object.error().format();
  EXPECT_NE(object->bytes.find("weft_encode_run_sm_90a"), std::string::npos);
}

TEST(KernelsTest, AreListedInTheDescriptorTargetByTarget) {
  WithKernels model;
  std::vector<const Target *> targets = {findTarget("sm_90a"), findTarget("sm_80")};
  std::vector<Object> objects;
  std::vector<Kernel> kernels;
  for (const Target *target : targets) {
    llvm::append_range(kernels, model.kernels(target->isa));
    objects.push_back(*emitObject(*model.lowered, *target, {"encode"}));
  }
  objects.push_back(*emitDescriptor(model.description(), targets, kernels));
  Result<JitEngine> engine = JitEngine::link(objects);
  ASSERT_TRUE(engine) << engine.error().format();
  const weft_abi_model &descriptor = *engine->descriptor();
  ASSERT_EQ(descriptor.kernel_count, 4);
  EXPECT_STREQ(descriptor.kernels[1].name, "one");
  EXPECT_STREQ(descriptor.kernels[1].target, "sm_90a");
  EXPECT_STREQ(descriptor.kernels[3].target, "sm_80");
  EXPECT_EQ(descriptor.kernels[3].threads, 96);
  EXPECT_EQ(descriptor.kernels[3].shared_bytes, 512);
  EXPECT_EQ(descriptor.kernels[3].parameter_count, 3);
  const weft_abi_variant *variants = descriptor.entries[0].variants;
  EXPECT_STREQ(variants[0].target, "sm_90a");
  EXPECT_EQ(variants[0].device, WEFT_DEVICE_CUDA);
  EXPECT_EQ(variants[0].architecture, 90);
  EXPECT_EQ(variants[0].architecture_specific, 1);
  EXPECT_EQ(variants[1].architecture, 80);
  EXPECT_EQ(variants[1].architecture_specific, 0);
}

} // namespace
} // namespace weft
