// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Failures on a GPU: each is a status, nothing is left behind, and a lost device stays lost. The driver is a fake.
#include "test/unit/runtime/FakeDriver.h"

using namespace weft::test;

/// Opens, runs twice, closes; the first failure.
static weft_status useAll(const GpuArtifact &artifact, SaxpySession *&session) {
  weft_model *model = nullptr;
  session = nullptr;
  if (weft_status status = artifact.open("cuda", model))
    return status;
  weft_session *made = nullptr;
  weft_status status = weft_session_new(model, nullptr, &made);
  weft_close(model);
  if (status)
    return status;
  session = new SaxpySession(nullptr, made);
  weft_status first = session->run(9, false);
  return first ? first : session->run(9);
}

// Each call of the driver fails once: an error, all is given back, and outputs are written only where all went well.
TEST_F(Device, AnyFailureIsAnError) {
  constexpr int kInvalidValue = 1;
  GpuArtifact artifact;
  int failures = 0;
  for (int call = 0;; ++call) {
    fakeCuda().fail("*", kInvalidValue, false, call);
    SaxpySession *session = nullptr;
    weft_status status = useAll(artifact, session);
    bool hasFailed = fakeCuda().failing.empty();
    fakeCuda().failing.clear();
    // Where the driver fails behind the copies, these have been made.
    if (status != WEFT_OK && session && fakeCuda().failed != "cuStreamSynchronize")
      EXPECT_EQ(session->out, std::vector<float>(9, -1)) << call << ": " << weft_last_error();
    delete session;
    EXPECT_TRUE(fakeCuda().isClean()) << call << ": " << weft_last_error();
    if (!hasFailed) {
      EXPECT_EQ(status, WEFT_OK) << weft_last_error();
      break;
    }
    // What fails when a context is put back or freed has nothing to tell.
    failures += status != WEFT_OK;
    if (status != WEFT_OK)
      EXPECT_TRUE(status == WEFT_ERROR_DEVICE || status == WEFT_ERROR_KERNEL) << weft_last_error();
    ASSERT_LT(call, 1000);
  }
  EXPECT_GE(failures, 35);
}

TEST_F(Device, LaunchThatTheDriverRefuses) {
  GpuArtifact artifact;
  ModelOn open(artifact, "cuda");
  SaxpySession session(open.model);
  session.expectRun(5);
  fakeCuda().fail("cuLaunchKernel", 701);
  EXPECT_EQ(session.run(5), WEFT_ERROR_KERNEL);
  expectError("W0427", "the CUDA driver cannot launch a kernel");
  EXPECT_EQ(session.out, std::vector<float>(5, -1));
  session.expectRun(5);
  session.expectStates(2);
}

// A kernel that ran before the failure has changed a state: the host knows it.
TEST_F(Device, CheckedStatesAreKnownAfterAFailure) {
  GpuArtifact artifact;
  ModelOn open(artifact, "cuda");
  SaxpySession session(open.model);
  fakeCuda().fail("cuMemcpyDtoHAsync", 1, false, 1); // the output's, behind the state's
  EXPECT_EQ(session.run(5), WEFT_ERROR_DEVICE);
  int64_t count = 0;
  weft_tensor state = {"steps", &count, 8, WEFT_I64, 0, {}};
  ASSERT_EQ(weft_session_get_state(session.session, &state), WEFT_OK);
  EXPECT_EQ(count, 1);
}

TEST_F(Device, GridsThatAreTooLarge) {
  GpuArtifact artifact("gpu_too_many_blocks");
  ModelOn open(artifact, "cuda");
  SaxpySession session(open.model);
  EXPECT_EQ(session.run(300), WEFT_ERROR_KERNEL);
  expectError("W0427", "the launch has a grid of 3 x 65536 x 1 blocks; at most 2147483647 x 65535 x 65535");
  EXPECT_TRUE(fakeCuda().launches.empty());
}

TEST_F(Device, GridsOfNothing) {
  GpuArtifact artifact("gpu_no_blocks");
  ModelOn open(artifact, "cuda");
  SaxpySession session(open.model);
  EXPECT_EQ(session.run(3), WEFT_OK) << weft_last_error();
  ASSERT_EQ(fakeCuda().launches.size(), 1u);
  EXPECT_EQ(fakeCuda().launches[0].kernel, "add");
}

TEST_F(Device, KernelsThatAreNotOfTheTarget) {
  GpuArtifact artifact("gpu_other_kernel");
  ModelOn open(artifact, "cuda");
  SaxpySession session(open.model);
  fakeCuda().run = nullptr;
  EXPECT_EQ(session.run(3), WEFT_ERROR_MODEL);
  expectError("W0420", "a kernel that is not among those of its target");
}

TEST_F(Device, TensorMapsThatAreRefused) {
  GpuArtifact artifact("gpu_tensor_map"), odd("gpu_odd_tensor_map");
  ModelOn open(artifact, "cuda"), openOdd(odd, "cuda");
  SaxpySession session(open.model), oddSession(openOdd.model);
  fakeCuda().fail("cuTensorMapEncodeTiled", 1);
  EXPECT_EQ(session.run(3), WEFT_ERROR_KERNEL);
  expectError("W0427", "the CUDA driver cannot encode a tensor map");
  session.expectRun(3);
  EXPECT_EQ(oddSession.run(3), WEFT_ERROR_MODEL);
  expectError("W0420", "a tensor map of element type unknown, swizzled over 0 bytes");
}

TEST_F(Device, CallsThatDoNotFit) {
  GpuArtifact artifact;
  fakeCuda().memory = 100000;
  ModelOn open(artifact, "cuda");
  SaxpySession session(open.model);
  session.expectRun(100);
  ASSERT_EQ(weft_session_reset(session.session), WEFT_OK);
  int before = fakeCuda().calls["cuMemAlloc"];
  EXPECT_EQ(session.run(20000), WEFT_ERROR_MEMORY);
  expectError("W0430", "320.5 kB of memory for the call's arrays are needed, GPU 0 (Fake) has ");
  EXPECT_EQ(fakeCuda().calls["cuMemAlloc"], before);
  session.total.clear();
  session.expectRun(100);
  session.expectStates(1);
}

TEST_F(Device, ScratchThatDoesNotFitIsSaidBeforeTheLaunch) {
  GpuArtifact artifact("gpu_scratch");
  fakeCuda().memory = 1 << 20;
  ModelOn open(artifact, "cuda");
  SaxpySession session(open.model);
  EXPECT_EQ(session.run(200 * 128), WEFT_ERROR_MEMORY);
  expectError("W0430", "819.2 kB of scratch for a kernel's blocks are needed, GPU 0 (Fake) has ");
  EXPECT_TRUE(fakeCuda().launches.empty());
  ASSERT_EQ(weft_session_reset(session.session), WEFT_OK);
  session.total.clear();
  session.expectRun(100);
}

// What the driver says is free may be in pieces.
TEST_F(Device, MemoryThatTheDriverRefuses) {
  GpuArtifact artifact;
  ModelOn open(artifact, "cuda");
  SaxpySession session(open.model);
  fakeCuda().fail("cuMemAlloc", 2);
  EXPECT_EQ(session.run(100), WEFT_ERROR_MEMORY);
  expectError("W0430", "of memory for the call's arrays are needed");
  session.expectRun(100);
}

// ---- Lost devices: each test takes a GPU of its own, as one stays lost while the process lives ----

TEST_F(Device, LostDevicesStayLost) {
  constexpr int kIllegalAddress = 700;
  fakeCuda().devices = 10;
  GpuArtifact artifact;
  ModelOn lost(artifact, "cuda:8"), same(artifact, "cuda:8"), another(artifact, "cuda:0");
  SaxpySession session(lost.model), neighbour(same.model), safe(another.model);
  session.expectRun(5);
  fakeCuda().fail("cuStreamSynchronize", kIllegalAddress);
  EXPECT_EQ(session.run(5), WEFT_ERROR_DEVICE_LOST);
  const std::string kText = "GPU 8 (Fake) is lost: CUDA_ERROR_ILLEGAL_ADDRESS (an illegal memory access was "
                            "encountered), found when it was to "
                            "finish the call's kernels and copies";
  expectError("W0429", kText);
  // The driver has no more to say: what is known is kept.
  int calls = fakeCuda().calls["cuLaunchKernel"];
  EXPECT_EQ(session.run(5), WEFT_ERROR_DEVICE_LOST);
  EXPECT_EQ(neighbour.run(5), WEFT_ERROR_DEVICE_LOST);
  expectError("W0429", kText);
  EXPECT_EQ(weft_session_reset(neighbour.session), WEFT_ERROR_DEVICE_LOST);
  int64_t count = 1;
  weft_tensor state = {"steps", &count, 8, WEFT_I64, 1, {1}};
  EXPECT_EQ(weft_session_get_state(session.session, &state), WEFT_ERROR_DEVICE_LOST);
  EXPECT_EQ(weft_session_set_state(neighbour.session, &state), WEFT_ERROR_DEVICE_LOST);
  weft_session *third = nullptr;
  EXPECT_EQ(weft_session_new(same.model, nullptr, &third), WEFT_ERROR_DEVICE_LOST);
  weft_model *again = nullptr;
  EXPECT_EQ(artifact.open("cuda:8", again), WEFT_ERROR_DEVICE_LOST);
  EXPECT_EQ(fakeCuda().calls["cuLaunchKernel"], calls);
  safe.expectRun(5);
}

TEST_F(Device, LostDevicesCanBeClosed) {
  fakeCuda().devices = 10;
  {
    GpuArtifact artifact;
    ModelOn open(artifact, "cuda:9");
    SaxpySession session(open.model);
    session.expectRun(5);
    fakeCuda().fail("cuLaunchKernel", 719, true); // from now on every call says so
    EXPECT_EQ(session.run(5), WEFT_ERROR_DEVICE_LOST);
    expectError("W0429", "found when it was to launch a kernel");
    EXPECT_EQ(session.out, std::vector<float>(5, -1));
  }
  EXPECT_EQ(fakeCuda().contexts, 0);
}
