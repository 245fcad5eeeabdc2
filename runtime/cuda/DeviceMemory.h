// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Memory of a GPU that grows. Plain data, all zero when empty, so that it can lie in an Array; whoever holds it
// releases it.
#ifndef WEFT_RUNTIME_CUDA_DEVICEMEMORY_H
#define WEFT_RUNTIME_CUDA_DEVICEMEMORY_H

#include "runtime/cuda/Device.h"

namespace weft::runtime::cuda {

/// What every array in a GPU's memory starts at a multiple of, as the driver's own allocations do: the widest accesses
/// and the descriptors of bulk copies need less.
inline constexpr uint64_t kDeviceAlignment = 256; // bytes

/// `end` after so many bytes more, aligned; UINT64_MAX on overflow.
uint64_t deviceEnd(uint64_t end, uint64_t bytes);

struct DeviceBuffer {
  DevicePointer begin;
  uint64_t bytes;

  /// At least so long from now on, of any content where it grew. Nothing is done when it is long enough. Fails where
  /// the device has not so much free, which is asked before anything is allocated; the buffer is empty then. In a
  /// current context, while no work uses the buffer.
  weft_status grow(Device &device, uint64_t least, const char *what, const Place &place);
  void release(const Device &device);
  DevicePointer at(uint64_t offset) const { return begin + offset; }
};

/// Too little memory for `what`; tells sizes.
weft_status failDeviceMemory(const Device &device, uint64_t needed, uint64_t free, const char *what,
                             const Place &place);

} // namespace weft::runtime::cuda

#endif // WEFT_RUNTIME_CUDA_DEVICEMEMORY_H
