// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A linked model with states, written by hand:
//   add(x[n]):  sum[n] += x, steps[1] += 1, y[n] = sum          (steps must lie below 1000)
//   note(x[n]): cache[n, capacity][steps] = x, steps[1] += 1    (no input has the capacity)
#ifndef WEFT_TEST_UNIT_RUNTIME_STATEFULMODEL_H
#define WEFT_TEST_UNIT_RUNTIME_STATEFULMODEL_H

#include "runtime/include/weft/runtime.h"

#include "gtest/gtest.h"

#include <string>
#include <vector>

namespace weft::test {

class StatefulModel {
public:
  StatefulModel() { EXPECT_EQ(weft_open_linked(&descriptor, nullptr, nullptr, &model), WEFT_OK) << weft_last_error(); }
  ~StatefulModel() { weft_close(model); }
  StatefulModel(const StatefulModel &) = delete;

  /// y of add, or nothing where the call fails.
  static std::vector<float> add(weft_session *session, const std::vector<float> &x) {
    std::vector<float> y(x.size());
    auto n = int64_t(x.size());
    weft_tensor input = {"x", const_cast<float *>(x.data()), x.size() * 4, WEFT_F32, 1, {n}};
    weft_tensor output = {"y", y.data(), y.size() * 4, WEFT_F32, 0, {}};
    bool ran = weft_run(session, "add", &input, 1, &output, 1) == WEFT_OK;
    return ran ? y : std::vector<float>();
  }
  static weft_status note(weft_session *session, const std::vector<float> &x) {
    weft_tensor input = {"x", const_cast<float *>(x.data()), x.size() * 4, WEFT_F32, 1, {int64_t(x.size())}};
    return weft_run(session, "note", &input, 1, nullptr, 0);
  }
  static weft_tensor sumTensor(std::vector<float> &values) {
    return {"sum", values.data(), values.size() * 4, WEFT_F32, 1, {int64_t(values.size())}};
  }
  static std::vector<float> sum(weft_session *session, size_t n) {
    std::vector<float> values(n, -1);
    weft_tensor state = sumTensor(values);
    EXPECT_EQ(weft_session_get_state(session, &state), WEFT_OK) << weft_last_error();
    return values;
  }

  weft_model *model = nullptr;

  static int32_t runAdd(const weft_abi_call *call) {
    auto *sum = static_cast<float *>(call->states[0]);
    for (int64_t i = 0; i < call->dims[0]; ++i)
      static_cast<float *>(call->outputs[0])[i] = sum[i] += static_cast<const float *>(call->inputs[0])[i];
    ++*static_cast<int64_t *>(call->states[1]);
    return WEFT_ABI_OK;
  }
  static int32_t runNote(const weft_abi_call *call) {
    int64_t &steps = *static_cast<int64_t *>(call->states[1]);
    for (int64_t i = 0; i < call->dims[1]; ++i)
      static_cast<float *>(call->states[0])[i * call->dims[0] + steps] = static_cast<const float *>(call->inputs[0])[i];
    ++steps;
    return WEFT_ABI_OK;
  }
  static int64_t noArena(const int64_t *) { return 0; }

  weft_abi_dim addDims[1] = {{"n", 1, 8}}, noteDims[2] = {{"capacity", 1, 1000}, {"n", 1, 4}};
  int64_t nOfAdd[1] = {-1}, nOfNote[1] = {-2}, sumShape[1] = {-1}, one[1] = {1}, cacheShape[2] = {-1, -2};
  weft_abi_tensor addInput = {"x", WEFT_F32, 1, nOfAdd, 0, 0, 0, 0},
                  noteInput = {"x", WEFT_F32, 1, nOfNote, 0, 0, 0, 0};
  weft_abi_tensor output = {"y", WEFT_F32, 1, nOfAdd, 0, 0, 0, 0};
  weft_abi_variant addCode = {"portable", 0, runAdd, noArena, WEFT_DEVICE_CPU, 0, 0, 0},
                   noteCode = {"portable", 0, runNote, noArena, WEFT_DEVICE_CPU, 0, 0, 0};
  int32_t addStates[2] = {0, 1}, noteStates[2] = {2, 1};
  weft_abi_entry entries[2] = {{"add", 1, 1, 1, 1, addDims, &addInput, &output, &addCode, addStates, 2, 0},
                               {"note", 2, 1, 0, 1, noteDims, &noteInput, nullptr, &noteCode, noteStates, 2, 0}};
  const char *stateDims[2] = {"n", "capacity"};
  weft_abi_state states[3] = {{"sum", WEFT_F32, 1, sumShape, 0, nullptr, nullptr},
                              {"steps", WEFT_I64, 1, one, 1000, nullptr, nullptr},
                              {"cache", WEFT_F32, 2, cacheShape, 0, nullptr, nullptr}};
  weft_abi_model descriptor = {WEFT_ABI_MAGIC, WEFT_ABI_MAJOR, WEFT_ABI_MINOR, "test", "stateful", 2,       0, entries,
                               nullptr,        states,         stateDims,      3,      2,          nullptr, 0, 0};
};

} // namespace weft::test

#endif // WEFT_TEST_UNIT_RUNTIME_STATEFULMODEL_H
