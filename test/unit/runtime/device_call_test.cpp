// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Calls on a GPU: launches, copies, memory, states. The driver is a fake, the kernels are done by the test.
#include "test/unit/runtime/FakeDriver.h"

using namespace weft::test;

TEST_F(Device, CallsOfAnyLength) {
  GpuArtifact artifact;
  ModelOn open(artifact, "cuda");
  SaxpySession session(open.model);
  EXPECT_STREQ(weft_session_variant(session.session, nullptr), "sm_90a");
  for (int64_t n : {1, 127, 128, 129, 1009}) {
    fakeCuda().launches.clear();
    session.total.clear();
    ASSERT_EQ(weft_session_reset(session.session), WEFT_OK);
    session.expectRun(n);
    session.expectStates(1);
    ASSERT_EQ(fakeCuda().launches.size(), 2u);
    const FakeLaunch &scale = fakeCuda().launches[0], &add = fakeCuda().launches[1];
    EXPECT_EQ(scale.kernel, "scale");
    EXPECT_EQ(add.kernel, "add");
    EXPECT_EQ(scale.grid[0], unsigned((n + 127) / 128));
    EXPECT_EQ(scale.grid[1], 1u);
    EXPECT_EQ(scale.threads, 128u);
    EXPECT_EQ(scale.sharedBytes, 512u);
  }
}

// Triton's convention: two pointers behind a kernel's own parameters.
TEST_F(Device, LaunchesEndWithTwoNullPointers) {
  GpuArtifact artifact;
  ModelOn open(artifact, "cuda");
  SaxpySession session(open.model);
  int seen = 0;
  fakeCuda().run = [&](const FakeLaunch &launch) {
    int own = launch.kernel == "scale" ? 5 : 6;
    seen += launch.argument<void *>(own) == nullptr && launch.argument<void *>(own + 1) == nullptr;
    runSaxpy(launch);
  };
  session.expectRun(3);
  EXPECT_EQ(seen, 2);
}

// Each block has its part of a buffer that all launches share, one after the other.
TEST_F(Device, BlocksHaveScratchOfTheirOwn) {
  GpuArtifact artifact("gpu_scratch");
  ModelOn open(artifact, "cuda");
  SaxpySession session(open.model);
  std::vector<unsigned char *> scratch;
  fakeCuda().run = [&](const FakeLaunch &launch) {
    if (launch.kernel == "scale") {
      scratch.push_back(launch.argument<unsigned char *>(5));
      std::memset(scratch.back(), 0x5a, launch.grid[0] * 4096u);
    }
    EXPECT_EQ(launch.argument<void *>(6), nullptr);
    runSaxpy(launch);
  };
  session.expectRun(3 * 128);
  ASSERT_EQ(weft_session_reset(session.session), WEFT_OK);
  session.total.clear();
  session.expectRun(128);
  ASSERT_EQ(scratch.size(), 2u);
  EXPECT_NE(scratch[0], nullptr);
  EXPECT_EQ(scratch[0], scratch[1]);
}

TEST_F(Device, ArraysAreApartAndAligned) {
  GpuArtifact artifact;
  ModelOn open(artifact, "cuda");
  SaxpySession session(open.model);
  fakeCuda().run = [&](const FakeLaunch &launch) {
    for (int pointer = 0; pointer < 3; ++pointer)
      EXPECT_EQ(launch.argument<uint64_t>(pointer) % 256, 0u);
    runSaxpy(launch);
  };
  session.expectRun(65);
}

TEST_F(Device, TensorMapsAreEncodedByTheDriver) {
  GpuArtifact artifact("gpu_tensor_map");
  ModelOn open(artifact, "cuda");
  SaxpySession session(open.model);
  session.expectRun(300);
  session.expectRun(300);
  ASSERT_EQ(fakeCuda().maps.size(), 2u);
  const FakeMap &map = fakeCuda().maps[0];
  EXPECT_EQ(map.type, 7); // f32
  EXPECT_EQ(map.extents, std::vector<uint64_t>{300});
  EXPECT_TRUE(map.strides.empty());
  EXPECT_EQ(map.box, std::vector<uint32_t>{128});
  EXPECT_EQ(map.swizzle, 0);
}

// A call that is no larger than one before allocates nothing; larger ones seldom.
TEST_F(Device, MemoryGrowsGeometrically) {
  GpuArtifact artifact;
  ModelOn open(artifact, "cuda");
  SaxpySession session(open.model);
  auto runAfresh = [&](int64_t n) {
    EXPECT_EQ(weft_session_reset(session.session), WEFT_OK);
    session.total.clear();
    session.expectRun(n);
  };
  runAfresh(1000);
  int first = fakeCuda().calls["cuMemAlloc"];
  for (int64_t n : {1000, 1, 999, 1000})
    runAfresh(n);
  EXPECT_EQ(fakeCuda().calls["cuMemAlloc"], first);
  for (int64_t n = 1001; n < 1400; ++n)
    runAfresh(n);
  EXPECT_LE(fakeCuda().calls["cuMemAlloc"], first + 4);
  weft_session_info info;
  ASSERT_EQ(weft_session_describe(session.session, &info), WEFT_OK);
  EXPECT_EQ(info.threads, 1);
  EXPECT_GE(info.reserved_bytes, 4u * 1400 * 4);
  EXPECT_EQ(info.state_bytes, 1399u * 4 + 8);
}

TEST_F(Device, AbsentInputsAreCopiedOnce) {
  GpuArtifact artifact;
  ModelOn open(artifact, "cuda");
  SaxpySession session(open.model);
  session.expectRun(100, false);
  int before = fakeCuda().calls["cuMemcpyHtoDAsync"];
  session.expectRun(100, false);
  EXPECT_EQ(fakeCuda().calls["cuMemcpyHtoDAsync"], before + 1); // x
  ASSERT_EQ(weft_session_reset(session.session), WEFT_OK);
  session.expectRun(300, false);
  session.expectRun(300, true);
}

TEST_F(Device, OutputsThatNobodyWantsAreNotCopied) {
  GpuArtifact artifact;
  ModelOn open(artifact, "cuda");
  SaxpySession session(open.model);
  float x = 4;
  weft_tensor input = {"x", &x, 4, WEFT_F32, 1, {1}};
  ASSERT_EQ(weft_run(session.session, nullptr, &input, 1, nullptr, 0), WEFT_OK) << weft_last_error();
  EXPECT_EQ(fakeCuda().calls["cuMemcpyDtoHAsync"], 1);   // the state that is checked
  EXPECT_EQ(fakeCuda().calls["cuStreamSynchronize"], 2); // of the weights, of the call
}

// ---- States ----

TEST_F(Device, StatesLiveOnTheDevice) {
  GpuArtifact artifact;
  ModelOn open(artifact, "cuda");
  SaxpySession session(open.model), other(open.model);
  session.expectRun(200);
  other.expectRun(7);
  session.expectRun(200);
  session.expectRun(200);
  session.expectStates(3);
  other.expectStates(1);
  EXPECT_EQ(session.run(201), WEFT_ERROR_SHAPE);
  expectError("W0421", "holds state for n 200");
  ASSERT_EQ(weft_session_reset(session.session), WEFT_OK);
  session.total.clear();
  session.expectRun(201);
  session.expectStates(1);
}

TEST_F(Device, StatesAreSetAndRead) {
  GpuArtifact artifact;
  ModelOn open(artifact, "cuda");
  SaxpySession session(open.model);
  session.total = {10, 20, 30};
  std::vector<float> begin = session.total;
  weft_tensor total = {"total", begin.data(), 12, WEFT_F32, 1, {3}};
  ASSERT_EQ(weft_session_set_state(session.session, &total), WEFT_OK) << weft_last_error();
  session.expectStates(0); // the other state is zeros, and has not been touched
  session.expectRun(3);
  session.expectStates(1);
}

// The host knows the values of states that the model uses as indices, without asking the device before a call.
TEST_F(Device, StatesAreCheckedBeforeACall) {
  GpuArtifact artifact;
  ModelOn open(artifact, "cuda");
  SaxpySession session(open.model);
  int64_t count = 1000;
  weft_tensor steps = {"steps", &count, 8, WEFT_I64, 1, {1}};
  EXPECT_EQ(weft_session_set_state(session.session, &steps), WEFT_ERROR_INDEX);
  count = 998;
  ASSERT_EQ(weft_session_set_state(session.session, &steps), WEFT_OK) << weft_last_error();
  session.expectRun(3);
  session.expectRun(3);
  session.expectStates(1000);
  EXPECT_EQ(session.run(3), WEFT_ERROR_INDEX);
  expectError("W0416", "element 0 of the state is 1000, it must lie in [0, 1000)");
  session.expectStates(1000);
  ASSERT_EQ(weft_session_reset(session.session), WEFT_OK);
  session.total.clear();
  session.expectRun(4);
}

TEST_F(Device, ReadingWhatNoCallHasTouched) {
  GpuArtifact artifact;
  ModelOn open(artifact, "cuda");
  SaxpySession session(open.model);
  int64_t count = -1;
  weft_tensor state = {"steps", &count, 8, WEFT_I64, 0, {}};
  ASSERT_EQ(weft_session_get_state(session.session, &state), WEFT_OK) << weft_last_error();
  EXPECT_EQ(count, 0);
  state = {"total", &count, 8, WEFT_F32, 0, {}};
  EXPECT_EQ(weft_session_get_state(session.session, &state), WEFT_ERROR_SHAPE);
}

// ---- Options ----

TEST_F(Device, VariantsOfASession) {
  GpuArtifact artifact;
  ModelOn open(artifact, "cuda"), onCpu(artifact, "cpu");
  weft_session_options options = {};
  options.size = sizeof(options);
  auto refusal = [&](weft_model *model, const char *variant) {
    weft_session *session = nullptr;
    options.variant = variant;
    EXPECT_EQ(weft_session_new(model, &options, &session), WEFT_ERROR_INCOMPATIBLE);
    weft_error error;
    weft_last_error_parts(&error);
    return std::string(error.message);
  };
  EXPECT_EQ(refusal(open.model, "portable"), "the code variant 'portable' is for CPUs, the model was opened on a GPU");
  EXPECT_EQ(refusal(open.model, "sm_80"), "the entry has no code variant 'sm_80'; this GPU runs its sm_90a");
  EXPECT_EQ(refusal(onCpu.model, "sm_80"), "the code variant 'sm_80' is for GPUs, the model was opened on the CPU");
  OpenSession named(open.model, 0, "sm_90a");
}

TEST_F(Device, CpuGivesTheSame) {
  GpuArtifact artifact;
  ModelOn open(artifact, "cpu");
  SaxpySession session(open.model);
  session.expectRun(77);
  session.expectRun(77, false);
  session.expectStates(2);
  EXPECT_TRUE(fakeCuda().launches.empty());
}
