// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a model has on a GPU: its kernels and a copy of its weights, shared by its sessions.
#ifndef WEFT_RUNTIME_CUDA_DEVICEMODEL_H
#define WEFT_RUNTIME_CUDA_DEVICEMODEL_H

#include "runtime/cuda/DeviceMemory.h"
#include "runtime/cuda/Kernels.h"

namespace weft::runtime::cuda {

class DeviceModel {
public:
  /// Takes over what the caller retained.
  explicit DeviceModel(Device &device) : device(device) {}
  DeviceModel(const DeviceModel &) = delete;
  DeviceModel &operator=(const DeviceModel &) = delete;
  ~DeviceModel();

  /// Copies the weights, one for each of model.parameters, and loads the kernels. Whether the weights fit is asked
  /// before anything is allocated.
  weft_status load(const weft_abi_model &model, const ArtifactFiles &files, const void *const *weights);

  Device &device;
  Kernels kernels;
  Array<const void *> parameters; // on the device

private:
  weft_status upload(const weft_abi_model &model, const void *const *weights, const Place &place);

  DeviceBuffer memory = {}; // of the weights
};

} // namespace weft::runtime::cuda

#endif // WEFT_RUNTIME_CUDA_DEVICEMODEL_H
