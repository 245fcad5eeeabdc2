// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "HandLowered.h"
#include "TemporaryFolder.h"
#include "compiler/emit/Assembler.h"
#include "compiler/emit/PtxEmitter.h"
#include "compiler/jit/JitEngine.h"

#include <nlohmann/json.hpp>

#include <atomic>
#include <thread>

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

/// sm_90 has no such instruction, which the check before LLVM does not know.
constexpr const char *kUnselectable = R"mlir(
gpu.module @kernels {
  llvm.func @most(%p: !llvm.ptr<1>) attributes {nvvm.kernel, nvvm.reqntid = array<i32: 32, 1, 1>} {
    %x = llvm.load %p : !llvm.ptr<1> -> f32
    %all = llvm.mlir.constant(-1 : i32) : i32
    %y = llvm.call_intrinsic "llvm.nvvm.redux.sync.fmax"(%x, %all) : (f32, i32) -> f32
    llvm.store %y, %p : f32, !llvm.ptr<1>
    llvm.return
  }
}
)mlir";

/// Emits a module of its own, so that threads share nothing but LLVM.
Result<std::vector<Kernel>> emitText(const char *text, const char *target) {
  WithKernels model;
  model.module = mlir::parseSourceString<mlir::ModuleOp>(text, &model.context);
  return emitKernels(*model.module, *findTarget(target));
}

TEST(KernelsTest, WhatLlvmCannotSelectEndsNoProcessAndDisturbsNoOtherThread) {
  std::string expected = WithKernels().kernels("sm_90")[1].ptx;
  std::atomic<int> refused = 0, right = 0;
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 4; ++thread)
    threads.emplace_back([&, thread] {
      for (int round = 0; round < 5; ++round) {
        Result<std::vector<Kernel>> kernels = emitText(thread % 2 ? kKernels : kUnselectable, "sm_90");
        right += kernels && (*kernels)[1].ptx == expected;
        refused += !kernels && kernels.error().code == "W0690" &&
                   kernels.error().message.find("Cannot select") != std::string::npos;
      }
    });
  for (std::thread &thread : threads)
    thread.join();
  EXPECT_EQ(refused, 10);
  EXPECT_EQ(right, 10);
}

/// A program that prints what ptxas prints.
std::string fakePtxas(const TemporaryFolder &folder, int status) {
  std::string path = folder.write("ptxas", "#!/bin/sh\n"
                                           "cat <<'LOG'\n"
                                           "ptxas info    : 0 bytes gmem\n"
                                           "ptxas info    : Compiling entry function 'one' for 'sm_80'\n"
                                           "ptxas info    : Function properties for one\n"
                                           "    16 bytes stack frame, 8 bytes spill stores, 12 bytes spill loads\n"
                                           "ptxas info    : Used 40 registers, used 1 barriers, 1024 bytes smem\n"
                                           "LOG\n"
                                           "while [ \"$1\" != -o ]; do shift; done; printf code > \"$2\"\n"
                                           "exit " +
                                               std::to_string(status) + "\n");
  std::filesystem::permissions(path, std::filesystem::perms::owner_all);
  return path;
}

TEST(KernelsTest, AreAssembledByPtxas) {
  WithKernels model;
  TemporaryFolder folder;
  Result<AssembledKernel> assembled = assembleKernel(model.kernels("sm_80")[1], fakePtxas(folder, 0));
  ASSERT_TRUE(assembled) << assembled.error().format();
  EXPECT_EQ(assembled->cubin, "code");
  EXPECT_EQ(assembled->registers, 40);
  EXPECT_EQ(assembled->spillBytes, 20);
  EXPECT_EQ(assembled->stackBytes, 16);
  EXPECT_EQ(assembled->sharedBytes, 1024);
}

TEST(KernelsTest, WhatPtxasRefusesIsADiagnostic) {
  WithKernels model;
  TemporaryFolder folder;
  for (const std::string &ptxas : {fakePtxas(folder, 255), std::string("/nowhere/ptxas")}) {
    Result<AssembledKernel> assembled = assembleKernel(model.kernels("sm_80")[0], ptxas);
    ASSERT_FALSE(assembled) << ptxas;
    EXPECT_EQ(assembled.error().code, "W0623");
    EXPECT_EQ(assembled.error().place, "zero, sm_80");
  }
}

} // namespace
} // namespace weft
