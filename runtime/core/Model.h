// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A model: descriptor, code and weights. Immutable once made, shared by its
// sessions, and gone when the last of them and its opener gave it up.
#ifndef WEFT_RUNTIME_CORE_MODEL_H
#define WEFT_RUNTIME_CORE_MODEL_H

#include "runtime/core/ResidentExperts.h"
#include "runtime/core/Weights.h"

#include <atomic>

struct weft_model {
  ~weft_model();

  std::atomic<int32_t> references{1};
  void *library = nullptr; // of dlopen; null when linked
  const weft_abi_model *descriptor = nullptr;
  weft::runtime::Weights weights;
  weft::runtime::Array<const void *> parameters;
  weft::runtime::ResidentExperts experts;
  uint64_t features = 0; // of this CPU, as far as permission is granted
};

namespace weft::runtime {

void retain(weft_model *model);
void release(weft_model *model);

} // namespace weft::runtime

#endif // WEFT_RUNTIME_CORE_MODEL_H
