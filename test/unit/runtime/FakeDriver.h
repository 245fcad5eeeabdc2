// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Tests on the fake driver: each begins with a whole one whose kernels are those of runtime/demo/kernels.
#ifndef WEFT_TEST_UNIT_RUNTIME_FAKEDRIVER_H
#define WEFT_TEST_UNIT_RUNTIME_FAKEDRIVER_H

#include "test/unit/runtime/FakeCuda.h"
#include "test/unit/runtime/GpuArtifact.h"

#include <cstdlib>

namespace weft::test {

/// What the kernels do.
inline void runSaxpy(const FakeLaunch &launch) {
  if (launch.kernel == "scale") {
    for (int64_t i = 0, n = launch.argument<int64_t>(3); i < n; ++i)
      launch.argument<float *>(2)[i] =
          *launch.argument<float *>(1) * launch.argument<float>(4) * launch.argument<float *>(0)[i];
    return;
  }
  if (launch.kernel == "scale_tiled") {
    const auto &x = *static_cast<const float *const *>(launch.arguments[0]); // a map begins with its address
    for (int64_t i = 0, n = launch.argument<int64_t>(3); i < n; ++i)
      launch.argument<float *>(2)[i] = *launch.argument<float *>(1) * x[i];
    return;
  }
  for (int64_t i = 0, n = launch.argument<int64_t>(5); i < n; ++i) {
    float out = launch.argument<float *>(0)[i] + launch.argument<float *>(1)[i];
    launch.argument<float *>(2)[i] = out;
    launch.argument<float *>(3)[i] += out;
  }
  ++*launch.argument<int64_t *>(4);
}

class Device : public testing::Test {
protected:
  static void SetUpTestSuite() { setenv("WEFT_LIBCUDA", WEFT_FAKE_CUDA, 1); }
  void SetUp() override {
    fakeCuda() = {};
    fakeCuda().run = runSaxpy;
  }

  static void expectError(const std::string &code, const std::string &part) {
    weft_error error;
    weft_last_error_parts(&error);
    EXPECT_EQ(error.code, code) << weft_last_error();
    EXPECT_NE(std::string(error.message).find(part), std::string::npos) << weft_last_error();
    EXPECT_STRNE(error.place, "");
    EXPECT_STRNE(error.help, "");
  }
};

} // namespace weft::test

#endif // WEFT_TEST_UNIT_RUNTIME_FAKEDRIVER_H
