// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the runtime asks of the system: nothing during a call, and when a request is refused, an error that leaves
// nothing behind. The linker sends the runtime's requests through the functions below (--wrap).
#include "test/unit/runtime/Artifact.h"
#include "test/unit/runtime/FakeDriver.h"
#include "test/unit/runtime/StatefulModel.h"
#include "test/unit/runtime/UnboundedModel.h"

#include <atomic>
#include <memory>
#include <sys/mman.h>

using namespace weft::test;

namespace {
std::atomic<int> requests{0};
std::atomic<int> refusedRequest{-1}; // counts down; the request that meets 0 is refused

bool grant() {
  ++requests;
  return refusedRequest < 0 || refusedRequest-- != 0;
}
} // namespace

extern "C" {
void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *data, size_t size);
void *__real_aligned_alloc(size_t alignment, size_t size);
void *__real_mmap(void *address, size_t size, int protection, int flags, int file, off_t offset);
void *__real_mremap(void *address, size_t from, size_t to, int flags, ...);

void *__wrap_malloc(size_t size) { return grant() ? __real_malloc(size) : nullptr; }
void *__wrap_calloc(size_t count, size_t size) { return grant() ? __real_calloc(count, size) : nullptr; }
void *__wrap_realloc(void *data, size_t size) { return grant() ? __real_realloc(data, size) : nullptr; }
void *__wrap_aligned_alloc(size_t alignment, size_t size) {
  return grant() ? __real_aligned_alloc(alignment, size) : nullptr;
}
void *__wrap_mmap(void *address, size_t size, int protection, int flags, int file, off_t offset) {
  return grant() ? __real_mmap(address, size, protection, flags, file, offset) : MAP_FAILED;
}
void *__wrap_mremap(void *address, size_t from, size_t to, int flags, ...) {
  return grant() ? __real_mremap(address, from, to, flags) : MAP_FAILED;
}
}

TEST(Allocation, NoneDuringACall) {
  Artifact artifact;
  OpenModel open(artifact.path);
  OpenSession s(open.model, 2);
  DemoCall small(1, 4), large(64, 512), wrong(2, 4);
  wrong.ids[1] = 99;
  weft_tensor ids = large.idsTensor(), rows = large.rowsTensor();
  int before = requests;
  weft_status statuses[] = {small.run(s.session), large.run(s.session), small.run(s.session), wrong.run(s.session),
                            weft_run(s.session, "embed", &ids, 1, &rows, 1)};
  EXPECT_EQ(requests, before);
  EXPECT_EQ(statuses[0], WEFT_OK);
  EXPECT_EQ(statuses[1], WEFT_OK);
  EXPECT_EQ(statuses[3], WEFT_ERROR_INDEX);
  EXPECT_EQ(statuses[4], WEFT_OK);
}

// Beyond what is reserved at once, a call that needs more than all before asks once; refused, it leaves the session as
// it was.
TEST(Allocation, OnlyWhereACallNeedsMoreThanAllBefore) {
  constexpr int64_t kRows = int64_t(1) << 24; // a gigabyte of scratch for each column
  UnboundedModel unbounded;
  OpenSession s(unbounded.model, 1);
  int before = requests;
  refusedRequest = 0;
  EXPECT_EQ(UnboundedModel::run(s.session, kRows, 2), WEFT_ERROR_MEMORY);
  refusedRequest = -1;
  EXPECT_EQ(requests, before + 1);
  EXPECT_EQ(UnboundedModel::run(s.session, kRows, 2), WEFT_OK) << weft_last_error();
  EXPECT_EQ(requests, before + 2);
  for (int64_t columns : {2, 1, 2})
    EXPECT_EQ(UnboundedModel::run(s.session, kRows, columns), WEFT_OK) << weft_last_error();
  EXPECT_EQ(requests, before + 2);
}

// Each request of opening and of making a session is refused once: an error, and the next try works.
TEST(Allocation, AnyRefusalIsAnError) {
  Artifact artifact;
  artifact.replaceInManifest("\"format\"", "\"f\\u006frmat\""); // an escape takes a buffer, too
  int failures = 0;
  for (int request = 0;; ++request) {
    weft_model *model = nullptr;
    weft_session *session = nullptr;
    weft_session_options options = {};
    options.size = sizeof(options);
    options.threads = 2;
    weft_open_options opening = {sizeof(opening), 0, 1, nullptr};
    refusedRequest = request;
    weft_status status = weft_open(artifact.path.c_str(), &opening, &model);
    if (status == WEFT_OK)
      status = weft_session_new(model, &options, &session);
    bool refused = refusedRequest < 0;
    refusedRequest = -1;
    weft_session_free(session);
    weft_close(model);
    if (!refused) {
      EXPECT_EQ(status, WEFT_OK) << weft_last_error();
      break;
    }
    ++failures;
    EXPECT_TRUE(status == WEFT_ERROR_MEMORY || status == WEFT_ERROR_CORRUPT) << request << ": " << weft_last_error();
    ASSERT_LT(request, 1000);
  }
  EXPECT_GE(failures, 15);
  OpenModel again(artifact.path);
}

// Memory for a state comes with the first call; refused, the call fails and tells no extents. Later calls ask for
// nothing.
TEST(Allocation, OfAState) {
  StatefulModel stateful;
  OpenSession s(stateful.model, 1);
  refusedRequest = 0;
  std::vector<float> refused = StatefulModel::add(s.session, {1, 2});
  refusedRequest = -1;
  EXPECT_TRUE(refused.empty());
  weft_error error;
  weft_last_error_parts(&error);
  EXPECT_EQ(error.status, WEFT_ERROR_MEMORY);
  EXPECT_NE(std::string(error.message).find("memory that lives from call to call"), std::string::npos);
  EXPECT_EQ(StatefulModel::add(s.session, {1, 2, 3}), std::vector<float>({1, 2, 3}));
  int before = requests;
  EXPECT_EQ(StatefulModel::add(s.session, {1, 2, 3}), std::vector<float>({2, 4, 6}));
  EXPECT_EQ(requests, before);
}

// On a GPU, too: the driver is a fake, whose own requests are not counted.
TEST_F(Device, NoRequestsDuringACall) {
  GpuArtifact artifact;
  ModelOn open(artifact, "cuda");
  OpenSession s(open.model, 0);
  float x[100] = {}, out[100];
  weft_tensor input = {"x", x, sizeof(x), WEFT_F32, 1, {100}}, output = {"out", out, sizeof(out), WEFT_F32, 0, {}};
  fakeCuda().run = nullptr;
  ASSERT_EQ(weft_run(s.session, nullptr, &input, 1, &output, 1), WEFT_OK) << weft_last_error();
  int before = requests, onDevice = fakeCuda().calls["cuMemAlloc"];
  weft_status status = weft_run(s.session, nullptr, &input, 1, &output, 1);
  EXPECT_EQ(requests, before);
  EXPECT_EQ(status, WEFT_OK) << weft_last_error();
  EXPECT_EQ(fakeCuda().calls["cuMemAlloc"], onDevice);
}

TEST_F(Device, AnyRefusalOfMemoryIsAnError) {
  GpuArtifact artifact;
  int failures = 0;
  for (int request = 0;; ++request) {
    weft_model *model = nullptr;
    weft_session *session = nullptr;
    refusedRequest = request;
    weft_status status = artifact.open("cuda", model);
    if (status == WEFT_OK)
      status = weft_session_new(model, nullptr, &session);
    bool refused = refusedRequest < 0;
    refusedRequest = -1;
    weft_session_free(session);
    weft_close(model);
    EXPECT_TRUE(fakeCuda().isClean()) << request << ": " << weft_last_error();
    if (!refused) {
      EXPECT_EQ(status, WEFT_OK) << weft_last_error();
      break;
    }
    ++failures;
    EXPECT_TRUE(status == WEFT_ERROR_MEMORY || status == WEFT_ERROR_CORRUPT) << request << ": " << weft_last_error();
    ASSERT_LT(request, 1000);
  }
  EXPECT_GE(failures, 25);
}
