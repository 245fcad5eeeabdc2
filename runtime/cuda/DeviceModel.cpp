// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/cuda/DeviceModel.h"

#include "runtime/core/ElementType.h"

namespace weft::runtime::cuda {

DeviceModel::~DeviceModel() {
  {
    // What the driver says is of no use here: a lost device gives nothing back, and the process goes on.
    CurrentContext current(device);
    kernels.unload(device);
    memory.release(device);
  }
  device.release();
}

weft_status DeviceModel::load(const weft_abi_model &model, const ArtifactFiles &files, const void *const *weights) {
  Place place("%s/weights.safetensors", files.directory.path);
  CurrentContext current(device);
  if (current.result)
    return device.failed(current.result, "make its context current", place);
  if (weft_status status = upload(model, weights, place))
    return status;
  return kernels.load(model, files, device);
}

/// The bytes of a weight, whose extents the file's header confirmed.
static uint64_t bytesOf(const weft_abi_parameter &parameter) {
  uint64_t bytes = elementType(parameter.dtype)->bytes;
  for (int32_t axis = 0; axis < parameter.rank; ++axis)
    bytes *= uint64_t(parameter.shape[axis]);
  return bytes;
}

weft_status DeviceModel::upload(const weft_abi_model &model, const void *const *weights, const Place &place) {
  size_t count = size_t(model.parameter_count);
  parameters = Array<const void *>(count);
  if (!parameters)
    return failOutOfMemory("parameter table", count * sizeof(void *));
  uint64_t end = 0;
  for (size_t i = 0; i < count; ++i)
    end = deviceEnd(end, bytesOf(model.parameters[i]));
  if (count == 0)
    return WEFT_OK;
  if (weft_status status = memory.grow(device, end ? end : 1, "memory for the model's weights", place))
    return status;
  end = 0;
  for (size_t i = 0; i < count; ++i) {
    uint64_t bytes = bytesOf(model.parameters[i]);
    parameters[i] = memory.at(end);
    if (bytes)
      if (Result result = device.api().copyToDevice(memory.begin + end, weights[i], bytes, nullptr))
        return device.failed(result, "copy a weight", place);
    end = deviceEnd(end, bytes);
  }
  if (Result result = device.api().streamSynchronize(nullptr))
    return device.failed(result, "copy the weights", place);
  return WEFT_OK;
}

} // namespace weft::runtime::cuda
