// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Where a model runs: on a GPU where it has code for one and there is one, else on the CPU; or where its opener says.
#ifndef WEFT_RUNTIME_CUDA_DEVICECHOICE_H
#define WEFT_RUNTIME_CUDA_DEVICECHOICE_H

#include "runtime/cuda/Device.h"

namespace weft::runtime::cuda {

/// weft_open_options.device, read.
struct DeviceRequest {
  enum Kind { Any, Cpu, Gpu } kind = Any;
  int ordinal = -1; // of Gpu; -1: the first that can
};

weft_status readRequest(const char *text, const Place &place, DeviceRequest &request);

/// Whether each entry has code for GPUs, of whatever architecture.
bool hasGpuCode(const weft_abi_model &model);

/// The device that the model is to run on, retained; null: the CPU. `cpuCan`: this processor has code for each entry.
weft_status chooseDevice(const weft_abi_model &model, const DeviceRequest &request, bool cpuCan, const Place &place,
                         Device *&device);

} // namespace weft::runtime::cuda

#endif // WEFT_RUNTIME_CUDA_DEVICECHOICE_H
