// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A GPU of this process: there is one object for each ordinal, shared by all models on it. It holds the primary
// context, the one that other libraries in the process use too, while a model is open. After an error that the driver
// does not forget (an illegal address, hardware) the device is lost until the process ends.
#ifndef WEFT_RUNTIME_CUDA_DEVICE_H
#define WEFT_RUNTIME_CUDA_DEVICE_H

#include "runtime/cuda/Driver.h"

#include <atomic>

namespace weft::runtime::cuda {

/// What a GPU is, known without a context.
struct DeviceFacts {
  char name[96];
  DeviceHandle handle;
  int32_t ordinal;
  int32_t architecture; // 90: compute capability 9.0
  int32_t multiprocessors;
  int32_t sharedPerBlock; // bytes, at most
  uint64_t memory;        // bytes
};

weft_status deviceCount(const Driver &driver, int &count);
weft_status describeDevice(const Driver &driver, int ordinal, DeviceFacts &facts);

class Device {
public:
  constexpr Device() = default;

  /// Counts one user more, the first of which takes the context.
  weft_status retain(const Driver &driver, const DeviceFacts &facts);
  void release();

  /// Whether the device still takes work; the error when it is lost.
  weft_status check(const Place &place) const;

  /// Records why the driver could not do something ("copy an input"), of which some errors mean that the device is
  /// lost. Other errors have this code.
  weft_status failed(Result result, const char *doing, const Place &place, Code code = kDeviceFailed);

  /// Bytes that can be had, in a current context.
  weft_status freeMemory(uint64_t &bytes, const Place &place);

  const DriverApi &api() const { return driver->api; }

  const Driver *driver = nullptr;
  DeviceFacts facts = {};
  Context *context = nullptr;

private:
  weft_status failLost(const Place &place) const;

  int users = 0;
  std::atomic<bool> lost{false};
  char reason[256] = {};
};

/// The device of this ordinal; null where there are more than any machine has.
Device *deviceOf(int ordinal);

/// Makes a device's context current to the thread, and what was current before again at the end.
class CurrentContext {
public:
  explicit CurrentContext(const Device &device) : device(device), result(device.api().contextPush(device.context)) {}
  CurrentContext(const CurrentContext &) = delete;
  CurrentContext &operator=(const CurrentContext &) = delete;
  ~CurrentContext() {
    Context *popped;
    if (result == kSuccess)
      device.api().contextPop(&popped);
  }

private:
  const Device &device;

public:
  const Result result;
};

} // namespace weft::runtime::cuda

#endif // WEFT_RUNTIME_CUDA_DEVICE_H
