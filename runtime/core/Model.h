// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A model: descriptor, code and weights. Immutable once made, shared by its
// sessions, and gone when the last of them and its opener gave it up.
#ifndef WEFT_RUNTIME_CORE_MODEL_H
#define WEFT_RUNTIME_CORE_MODEL_H

#include "runtime/core/Descriptor.h"
#include "runtime/core/ResidentExperts.h"
#include "runtime/core/Weights.h"

#include <atomic>

namespace weft::runtime::cuda {
class DeviceModel;
} // namespace weft::runtime::cuda

struct weft_model {
  ~weft_model();

  std::atomic<int32_t> references{1};
  void *library = nullptr; // of dlopen; null when linked
  const weft_abi_model *descriptor = nullptr;
  weft::runtime::Weights weights;
  weft::runtime::Array<const void *> parameters;
  weft::runtime::ResidentExperts experts;
  bool isDescribed = false;                           // only: it has no sessions
  weft::runtime::Machine machine;                     // as far as the system grants permission
  weft::runtime::cuda::DeviceModel *device = nullptr; // null: the CPU runs it
  char deviceName[16] = "cpu";                        // "cuda:0"
};

namespace weft::runtime {

void retain(weft_model *model);
void release(weft_model *model);

} // namespace weft::runtime

#endif // WEFT_RUNTIME_CORE_MODEL_H
