// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A linked model whose dimensions have no useful bounds: y[n, m] is not computed, n · m · 64 bytes of scratch are
// touched at both ends.
#ifndef WEFT_TEST_UNIT_RUNTIME_UNBOUNDEDMODEL_H
#define WEFT_TEST_UNIT_RUNTIME_UNBOUNDEDMODEL_H

#include "runtime/include/weft/runtime.h"

#include "gtest/gtest.h"

#include <vector>

namespace weft::test {

class UnboundedModel {
public:
  explicit UnboundedModel(int64_t largestExtent = INT32_MAX) {
    for (weft_abi_dim &dim : dims)
      dim.max = largestExtent;
    EXPECT_EQ(weft_open_linked(&descriptor, nullptr, nullptr, &model), WEFT_OK) << weft_last_error();
  }
  ~UnboundedModel() { weft_close(model); }
  UnboundedModel(const UnboundedModel &) = delete;

  static int64_t arenaBytes(const int64_t *dims) {
    int64_t bytes;
    bool tooMany =
        __builtin_mul_overflow(dims[0], dims[1], &bytes) || __builtin_mul_overflow(bytes, int64_t(64), &bytes);
    return tooMany ? -1 : bytes;
  }

  /// The inputs' values are never read, so that extents need no memory.
  static weft_status run(weft_session *session, int64_t n, int64_t m) {
    static char nothing[64];
    weft_tensor inputs[] = {{"x", nothing, uint64_t(n), WEFT_I8, 1, {n}}, {"w", nothing, uint64_t(m), WEFT_I8, 1, {m}}};
    return weft_run(session, nullptr, inputs, 2, nullptr, 0);
  }

  weft_model *model = nullptr;

private:
  static int32_t touch(const weft_abi_call *call) {
    char *arena = static_cast<char *>(call->arena);
    arena[0] = arena[call->arena_bytes - 1] = 1;
    *static_cast<char *>(call->outputs[0]) = 1;
    return WEFT_ABI_OK;
  }

  weft_abi_dim dims[2] = {{"n", 1, 0}, {"m", 1, 0}};
  int64_t xShape[1] = {-1}, wShape[1] = {-2}, yShape[2] = {-1, -2};
  weft_abi_tensor inputs[2] = {{"x", WEFT_I8, 1, xShape, 0, 0, 0, 0}, {"w", WEFT_I8, 1, wShape, 0, 0, 0, 0}};
  weft_abi_tensor output = {"y", WEFT_I8, 2, yShape, 0, 0, 0, 0};
  weft_abi_variant variant = {"portable", 0, touch, arenaBytes, WEFT_DEVICE_CPU, 0, 0, 0};
  weft_abi_entry entry = {"f", 2, 2, 1, 1, dims, inputs, &output, &variant, nullptr, 0, 0};
  weft_abi_model descriptor = {WEFT_ABI_MAGIC, WEFT_ABI_MAJOR, WEFT_ABI_MINOR, "test", "unbounded", 1,       0, &entry,
                               nullptr,        nullptr,        nullptr,        0,      0,           nullptr, 0, 0};
};

} // namespace weft::test

#endif // WEFT_TEST_UNIT_RUNTIME_UNBOUNDEDMODEL_H
