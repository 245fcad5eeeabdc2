// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Which device a model takes, and what it loads there: driver, GPUs, kernels, weights. The driver is a fake.
#include "test/unit/runtime/FakeDriver.h"

#include "runtime/cuda/Driver.h"

using namespace weft::test;
using Driver = weft::runtime::cuda::Driver;

// ---- Driver ----

TEST_F(Device, NoDriver) {
  Driver driver;
  EXPECT_EQ(driver.open("/nonexistent/libcuda.so.1"), WEFT_ERROR_DEVICE);
  expectError("W0423", "the CUDA driver cannot be loaded: /nonexistent/libcuda.so.1");
}

TEST_F(Device, AnotherLibrary) {
  Driver driver;
  EXPECT_EQ(driver.open("libm.so.6"), WEFT_ERROR_DEVICE);
  expectError("W0423", "lacks the function cuDriverGetVersion");
}

TEST_F(Device, OldDriver) {
  fakeCuda().version = 10020;
  Driver driver;
  EXPECT_EQ(driver.open(WEFT_FAKE_CUDA), WEFT_ERROR_DEVICE);
  expectError("W0423", "is for CUDA 10.2, version 11.0 or later is needed");
}

TEST_F(Device, DriverThatDoesNotStart) {
  Driver driver;
  fakeCuda().fail("cuInit", 100);
  EXPECT_EQ(driver.open(WEFT_FAKE_CUDA), WEFT_ERROR_DEVICE);
  expectError("W0424", "(for CUDA 13.0) finds no GPU");
  fakeCuda().fail("cuInit", 803);
  EXPECT_EQ(driver.open(WEFT_FAKE_CUDA), WEFT_ERROR_DEVICE);
  expectError("W0423", "does not start");
  EXPECT_EQ(driver.open(WEFT_FAKE_CUDA), WEFT_OK) << weft_last_error();
}

TEST_F(Device, IsShownByTheApi) {
  size_t count = 0;
  int32_t version = 0;
  ASSERT_EQ(weft_device_count(&count, &version), WEFT_OK) << weft_last_error();
  EXPECT_EQ(count, 1u);
  EXPECT_EQ(version, 13000);
  weft_device_info info;
  ASSERT_EQ(weft_device_describe(0, &info), WEFT_OK) << weft_last_error();
  EXPECT_STREQ(info.name, "Fake");
  EXPECT_STREQ(info.device, "cuda:0");
  EXPECT_EQ(info.architecture, 90);
  EXPECT_EQ(info.multiprocessors, 132);
  EXPECT_EQ(info.memory_bytes, uint64_t(1) << 30);
  EXPECT_EQ(weft_device_describe(1, &info), WEFT_ERROR_ARGUMENT);
  EXPECT_EQ(weft_device_describe(0, nullptr), WEFT_ERROR_ARGUMENT);
  EXPECT_EQ(weft_device_count(nullptr, nullptr), WEFT_ERROR_ARGUMENT);
}

// ---- Choice ----

/// The device and the code that a model takes: "cuda:0 sm_80".
static std::string taken(const GpuArtifact &artifact, const char *device) {
  weft_model *model = nullptr;
  if (artifact.open(device, model) != WEFT_OK) {
    weft_error error;
    weft_last_error_parts(&error);
    return std::string(error.code) + " " + error.message;
  }
  weft_entry_info entry;
  EXPECT_EQ(weft_model_entry(model, 0, &entry), WEFT_OK);
  std::string text = std::string(weft_model_device(model)) + " " + entry.variant;
  weft_close(model);
  return text;
}

TEST_F(Device, BestCodeOfTheFirstGpuThatRunsIt) {
  GpuArtifact artifact;
  EXPECT_EQ(taken(artifact, nullptr), "cuda:0 sm_90a");
  EXPECT_EQ(taken(artifact, "auto"), "cuda:0 sm_90a");
  EXPECT_EQ(taken(artifact, "cuda"), "cuda:0 sm_90a");
  EXPECT_EQ(taken(artifact, "cpu"), "cpu portable");
  for (int architecture : {80, 86, 100}) {
    fakeCuda().architecture = architecture;
    EXPECT_EQ(taken(artifact, "auto"), "cuda:0 sm_80");
  }
  fakeCuda().devices = 3;
  fakeCuda().architectures = {{0, 75}, {1, 90}};
  EXPECT_EQ(taken(artifact, "auto"), "cuda:1 sm_90a");
  EXPECT_EQ(taken(artifact, "cuda:2"), "cuda:2 sm_80");
}

TEST_F(Device, CpuWhereNoGpuRunsIt) {
  GpuArtifact artifact;
  fakeCuda().architecture = 75;
  EXPECT_EQ(taken(artifact, "auto"), "cpu portable");
  EXPECT_EQ(taken(artifact, "cuda"),
            "W0424 GPU 0 (Fake) has compute capability 7.5; entry 'saxpy' has code for sm_90a, "
            "sm_80");
  fakeCuda() = {};
  fakeCuda().devices = 0;
  EXPECT_EQ(taken(artifact, "auto"), "cpu portable");
  EXPECT_EQ(taken(artifact, "cuda:1"), "W0424 there is no GPU 1: the CUDA driver shows 0");
}

TEST_F(Device, ModelForGpusOnly) {
  GpuArtifact artifact("gpu_only");
  EXPECT_EQ(taken(artifact, "auto"), "cuda:0 sm_90a");
  EXPECT_EQ(taken(artifact, "cpu"), "W0406 entry 'saxpy' has code for GPUs only, the first for sm_90a");
  fakeCuda().devices = 0;
  EXPECT_EQ(taken(artifact, "auto"), "W0424 there is no GPU 0: the CUDA driver shows 0");
}

TEST_F(Device, ModelForCpusOnly) {
  Artifact artifact;
  weft_model *model = nullptr;
  weft_open_options options = {sizeof(options), 0, 0, "cuda"};
  EXPECT_EQ(weft_open(artifact.path.c_str(), &options, &model), WEFT_ERROR_DEVICE);
  expectError("W0424", "entry 'embed' has no code for GPUs");
  OpenModel open(artifact.path);
  EXPECT_STREQ(weft_model_device(open.model), "cpu");
  EXPECT_EQ(fakeCuda().calls["cuDeviceGet"], 0); // nobody asked the driver
}

TEST_F(Device, BadRequests) {
  GpuArtifact artifact;
  for (const char *device : {"", "gpu", "cuda:", "cuda:x", "cuda:0 ", "cuda:-1", "cuda:12345", "cudax"})
    EXPECT_EQ(taken(artifact, device), std::string("W0411 '") + device + "' is no device");
  weft_model *model = nullptr;
  weft_open_options options = {sizeof(options), 0, 1, "cuda"};
  EXPECT_EQ(weft_open(artifact.path.c_str(), &options, &model), WEFT_ERROR_ARGUMENT);
  expectError("W0411", "a GPU holds all weights");
  options.device = nullptr; // then the CPU, which can give experts back
  ASSERT_EQ(weft_open(artifact.path.c_str(), &options, &model), WEFT_OK) << weft_last_error();
  EXPECT_STREQ(weft_model_device(model), "cpu");
  weft_close(model);
}

TEST_F(Device, IsNotNeededToDescribeAModel) {
  GpuArtifact artifact("gpu_only");
  fakeCuda().devices = 0;
  weft_open_options options = {sizeof(options), WEFT_OPEN_DESCRIBE, 0, nullptr};
  weft_model *model = nullptr;
  ASSERT_EQ(weft_open(artifact.path.c_str(), &options, &model), WEFT_OK) << weft_last_error();
  weft_entry_info entry;
  ASSERT_EQ(weft_model_entry(model, 0, &entry), WEFT_OK);
  EXPECT_EQ(entry.variant, nullptr);
  weft_session *session = nullptr;
  EXPECT_EQ(weft_session_new(model, nullptr, &session), WEFT_ERROR_ARGUMENT);
  weft_close(model);
}

// ---- Kernels ----

TEST_F(Device, LoadsTheKernelsOfItsTargetOnce) {
  GpuArtifact artifact;
  {
    ModelOn open(artifact, "cuda");
    ASSERT_EQ(fakeCuda().images.size(), 2u);
    for (const std::string &image : fakeCuda().images)
      EXPECT_NE(image.find(".target sm_90a"), std::string::npos);
    SaxpySession first(open.model), second(open.model);
    EXPECT_EQ(fakeCuda().images.size(), 2u);
    EXPECT_EQ(fakeCuda().allocations.size(), 1u); // the weights
  }
  EXPECT_TRUE(fakeCuda().isClean());
}

TEST_F(Device, PtxThatTheDriverDoesNotKnow) {
  GpuArtifact artifact;
  fakeCuda().version = 11080;
  fakeCuda().newestPtx = 78;
  weft_model *model = nullptr;
  EXPECT_EQ(artifact.open("cuda", model), WEFT_ERROR_INCOMPATIBLE);
  // The version is that of the first driver that was loaded.
  expectError("W0425", "the kernel is in PTX 8.0, which the driver, for CUDA ");
  expectError("W0425", "it came with CUDA 12.0");
}

TEST_F(Device, KernelsThatAreRefused) {
  auto refusal = [](auto &&damage) {
    GpuArtifact artifact;
    damage(artifact.files, artifact.path);
    artifact.write();
    return taken(artifact, "cuda");
  };
  using Files = std::map<std::string, std::string>;
  const std::string kAdd = "kernels/sm_90a/add.ptx";
  EXPECT_EQ(
      refusal([&](Files &files, const auto &) { files[kAdd] += "reject\n"; }),
      "W0426 the driver does not take the kernel: CUDA_ERROR_INVALID_PTX (the driver says no more): ptxas fatal : "
      "line 7: parsing error near 'reject'");
  EXPECT_EQ(refusal([&](Files &files, const auto &) { files.erase(kAdd); }),
            "W0426 the artifact does not list the kernel");
  EXPECT_EQ(refusal([&](Files &files, const auto &) { files[kAdd] = files["kernels/sm_90a/scale.ptx"]; }),
            "W0426 the file has no entry 'add'");
  fakeCuda().threadsPerBlock = 64;
  EXPECT_EQ(refusal([&](Files &, const auto &) {}),
            "W0426 a block has 128 threads, GPU 0 (Fake) has registers for 64 of this kernel");
  EXPECT_TRUE(fakeCuda().isClean());
}

TEST_F(Device, KernelsThatWereChanged) {
  GpuArtifact artifact;
  std::string file = artifact.path + "/kernels/sm_90a/add.ptx", changed = artifact.files["kernels/sm_90a/add.ptx"];
  changed[changed.size() / 2] ^= 1;
  writeFile(file, changed);
  EXPECT_EQ(taken(artifact, "cuda"), "W0404 the file's content is not what the manifest's digest says");
  artifact.write();
  std::filesystem::rename(artifact.path + "/kernels/sm_90a", artifact.path + "/elsewhere");
  std::filesystem::create_directory_symlink("../elsewhere", artifact.path + "/kernels/sm_90a");
  EXPECT_EQ(taken(artifact, "cuda").substr(0, 5), "W0401");
}

TEST_F(Device, MachineCodeGoesBeforeText) {
  const std::string kCode = "\x7f"
                            "ELF add";
  GpuArtifact artifact;
  artifact.files["kernels/sm_90a/add.cubin"] = artifact.files["kernels/sm_80/add.cubin"] = kCode;
  artifact.write();
  auto isTaken = [&](int architecture) {
    fakeCuda().architecture = architecture;
    fakeCuda().images.clear();
    ModelOn open(artifact, "cuda");
    return std::count(fakeCuda().images.begin(), fakeCuda().images.end(), kCode) == 1;
  };
  EXPECT_TRUE(isTaken(90));
  EXPECT_TRUE(isTaken(86));   // of the same major number
  EXPECT_FALSE(isTaken(100)); // of another
  fakeCuda().takesMachineCode = false;
  EXPECT_FALSE(isTaken(90));
}

TEST_F(Device, SharedMemoryIsAskedForOnce) {
  GpuArtifact artifact("gpu_large_blocks"), tooLarge("gpu_too_large_blocks");
  ModelOn open(artifact, "cuda");
  SaxpySession session(open.model);
  session.expectRun(5);
  session.expectRun(5);
  EXPECT_EQ(fakeCuda().attributesSet["scale"], (std::map<int, int>{{8, 65536}}));
  EXPECT_TRUE(fakeCuda().attributesSet["add"].empty());
  EXPECT_EQ(fakeCuda().calls["cuFuncSetAttribute"], 1);
  EXPECT_EQ(fakeCuda().launches[0].sharedBytes, 65536u);
  EXPECT_EQ(taken(tooLarge, "cuda"), "W0426 a block needs 300000 bytes of shared memory, GPU 0 (Fake) has 232448");
}

// ---- Weights ----

TEST_F(Device, WeightsThatDoNotFit) {
  GpuArtifact artifact;
  fakeCuda().memory = 200;
  weft_model *model = nullptr;
  EXPECT_EQ(artifact.open("auto", model), WEFT_ERROR_MEMORY);
  expectError("W0430",
              "256 bytes of memory for the model's weights are needed, GPU 0 (Fake) has 200 bytes free of 200 bytes");
  EXPECT_EQ(fakeCuda().calls["cuMemAlloc"], 0);
  EXPECT_TRUE(fakeCuda().isClean());
  EXPECT_EQ(taken(artifact, "cpu"), "cpu portable");
}
