// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a session has on a GPU: a stream, on which its calls' copies and kernels run in order, and its memory:
//
//   scratch:  arena | inputs | outputs of a call
//   defaults: the elements of one absent input
//   state:    what one state holds from call to call
//
// It grows with the calls, and a call that is no larger than one before allocates nothing.
#ifndef WEFT_RUNTIME_CUDA_DEVICESESSION_H
#define WEFT_RUNTIME_CUDA_DEVICESESSION_H

#include "runtime/cuda/DeviceModel.h"

namespace weft::runtime::cuda {

/// A state on the device.
struct DeviceState {
  DeviceBuffer memory;
  bool isHeld; // else it is zeros, whatever the memory holds
};

/// Elements of an absent optional input.
struct DeviceDefault {
  DeviceBuffer memory;
  uint64_t copied; // bytes that hold the default
};

class DeviceSession {
public:
  DeviceSession(DeviceModel &model, const weft_abi_model &code) : model(model), code(code), device(model.device) {}
  DeviceSession(const DeviceSession &) = delete;
  DeviceSession &operator=(const DeviceSession &) = delete;
  ~DeviceSession();

  /// For a session with so many inputs in all of its entries.
  weft_status start(size_t inputCount);

  // In a current context.

  weft_status growScratch(uint64_t bytes, const Place &place);
  /// Copies what a larger call needs of an absent input's values; `values` are in the host's memory.
  weft_status copyDefault(size_t input, const void *values, uint64_t bytes, const Place &place);
  /// Gives a state memory, and zeros where no call has written it.
  weft_status holdState(int32_t state, uint64_t bytes, const Place &place);

  weft_status copyToDevice(DevicePointer to, const void *from, uint64_t bytes, const char *doing, const Place &place);
  weft_status copyToHost(void *to, DevicePointer from, uint64_t bytes, const char *doing, const Place &place);
  /// Waits for all that was enqueued.
  weft_status finish(const Place &place);

  // In any context.

  /// Copies a part of a state, from byte `offset` on, to the host; zeros where the state is not held.
  weft_status readState(int32_t state, uint64_t offset, void *to, uint64_t bytes, const Place &place);
  /// Writes a part of a state, which has `all` bytes.
  weft_status writeState(int32_t state, uint64_t offset, const void *from, uint64_t bytes, uint64_t all,
                         const Place &place);
  void forgetStates();

  /// The service of weft_abi_services: a failure is in `failure`, recorded as this thread's last error.
  int32_t launch(int32_t kernel, const int64_t (&grid)[3], void *const *arguments);
  /// Likewise (TensorMaps.cpp).
  int32_t encodeTensorMap(const weft_abi_tensor_map &described, void *map);
  /// What the blocks of a launch have for themselves in global memory.
  weft_status growLaunchScratch(const weft_abi_kernel &kernel, const int64_t (&grid)[3]);

  DeviceModel &model;
  const weft_abi_model &code;
  Device &device;
  Stream *stream = nullptr;
  DeviceBuffer scratch = {};
  DeviceBuffer launchScratch = {}; // of one launch after the other
  Array<DeviceState> states;
  Array<DeviceDefault> defaults;
  // Of a call:
  int32_t firstKernel = 0, kernelCount = 0; // those that its variant launches
  weft_status failure = WEFT_OK;            // of a launch

  std::atomic<uint64_t> reserved{0}; // bytes of the buffers

private:
  weft_status grow(DeviceBuffer &buffer, uint64_t bytes, const char *what, const Place &place);
  weft_status failLaunch(const weft_abi_kernel &kernel, const int64_t (&grid)[3]);

  Array<void *> launchArguments; // room for those of any kernel
  size_t inputCount = 0;
};

/// The services table of calls on a GPU; their executor is a DeviceSession.
extern const weft_abi_services kDeviceServices;

} // namespace weft::runtime::cuda

#endif // WEFT_RUNTIME_CUDA_DEVICESESSION_H
