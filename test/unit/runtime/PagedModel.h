// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A linked model that continues texts, written by hand. Its state has a number for each token, in pages of LENGTH; the
// scores of what follows a token are
//   logits = {the sum of t · (its place + 1) over the tokens t of its text so far, their number, the calls of this
//   entry}
#ifndef WEFT_TEST_UNIT_RUNTIME_PAGEDMODEL_H
#define WEFT_TEST_UNIT_RUNTIME_PAGEDMODEL_H

#include "runtime/include/weft/texts.h"

#include "gtest/gtest.h"

#include <vector>

namespace weft::test {

template <int64_t LENGTH> class PagedModel {
public:
  static constexpr int64_t kVocabulary = 3;

  PagedModel() { EXPECT_EQ(weft_open_linked(&descriptor, nullptr, nullptr, &model), WEFT_OK) << weft_last_error(); }
  ~PagedModel() { weft_close(model); }
  PagedModel(const PagedModel &) = delete;

  weft_model *model = nullptr;
  static inline int64_t calls = 0;
  static inline bool fails = false; ///< the next call writes its tokens and fails

  static int32_t run(const weft_abi_call *call) {
    ++calls;
    int64_t batch = call->dims[0], steps = call->dims[1], blocks = call->dims[2];
    auto *tokens = static_cast<const int64_t *>(call->inputs[0]),
         *places = static_cast<const int64_t *>(call->inputs[1]),
         *table = static_cast<const int64_t *>(call->inputs[2]);
    auto *kept = static_cast<float *>(call->states[0]), *scores = static_cast<float *>(call->outputs[0]);
    auto slot = [&](int64_t row, int64_t place) -> float & {
      return kept[table[row * blocks + place / LENGTH] * LENGTH + place % LENGTH];
    };
    for (int64_t row = 0; row < batch; ++row) {
      for (int64_t t = row * steps; t < (row + 1) * steps; ++t)
        slot(row, places[t]) = float(tokens[t] * (places[t] + 1));
      int64_t last = places[(row + 1) * steps - 1];
      float *out = scores + row * kVocabulary;
      out[0] = 0;
      for (int64_t place = 0; place <= last; ++place)
        out[0] += slot(row, place);
      out[1] = float(last + 1);
      out[2] = float(calls);
    }
    return fails ? WEFT_ABI_ARENA_TOO_SMALL : WEFT_ABI_OK;
  }
  static int64_t noArena(const int64_t *) { return 0; }

  // batch, sequence (1 of decode), blocks, pages
  weft_abi_dim dims[4] = {{"batch", 1, 3}, {"sequence", 1, 20}, {"blocks", 1, 24 / LENGTH}, {"pages", 1, 96 / LENGTH}};
  weft_abi_dim decodeDims[4] = {{"batch", 1, 3}, {"one", 1, 1}, {"blocks", 1, 24 / LENGTH}, {"pages", 1, 96 / LENGTH}};
  int64_t tokenShape[2] = {-1, -2}, tableShape[2] = {-1, -3}, scoreShape[2] = {-1, kVocabulary},
          keptShape[2] = {-1, LENGTH};
  weft_abi_tensor inputs[3] = {{"input_ids", WEFT_I64, 2, tokenShape, 50, 0, 0, 0},
                               {"position_ids", WEFT_I64, 2, tokenShape, 0, 0, 0, 0},
                               {"block_table", WEFT_I64, 2, tableShape, 0, 0, 0, 0}};
  weft_abi_tensor output = {"logits", WEFT_F32, 2, scoreShape, 0, 0, 0, 0};
  weft_abi_variant code = {"portable", 0, run, noArena, WEFT_DEVICE_CPU, 0, 0, 0};
  int32_t used[1] = {0};
  weft_abi_entry entries[2] = {{"prefill", 4, 3, 1, 1, dims, inputs, &output, &code, used, 1, 0},
                               {"decode", 4, 3, 1, 1, decodeDims, inputs, &output, &code, used, 1, 0}};
  const char *stateDims[1] = {"pages"};
  weft_abi_state states[1] = {{"kept", WEFT_F32, 2, keptShape, 0, nullptr, nullptr}};
  weft_abi_model descriptor = {WEFT_ABI_MAGIC, WEFT_ABI_MAJOR, WEFT_ABI_MINOR, "test", "paged", 2,       0, entries,
                               nullptr,        states,         stateDims,      1,      1,       nullptr, 0, 0};
};

} // namespace weft::test

#endif // WEFT_TEST_UNIT_RUNTIME_PAGEDMODEL_H
