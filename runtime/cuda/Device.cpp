// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/cuda/Device.h"

#include <cstdio>
#include <pthread.h>

namespace weft::runtime::cuda {

static weft_status failQuery(const Driver &driver, Result result, int ordinal) {
  return fail(kDeviceFailed, Place("GPU %d", ordinal), "check the driver with nvidia-smi",
              "the CUDA driver does not describe the GPU: %s", ResultText(driver, result).text);
}

weft_status deviceCount(const Driver &driver, int &count) {
  count = 0;
  if (Result result = driver.api.deviceGetCount(&count))
    return fail(kDeviceFailed, Place("cuDeviceGetCount"), "check the driver with nvidia-smi",
                "the CUDA driver does not tell how many GPUs there are: %s", ResultText(driver, result).text);
  return WEFT_OK;
}

weft_status describeDevice(const Driver &driver, int ordinal, DeviceFacts &facts) {
  const DriverApi &api = driver.api;
  facts = {};
  facts.ordinal = ordinal;
  if (Result result = api.deviceGet(&facts.handle, ordinal))
    return failQuery(driver, result, ordinal);
  if (Result result = api.deviceGetName(facts.name, sizeof(facts.name), facts.handle))
    return failQuery(driver, result, ordinal);
  size_t memory = 0;
  if (Result result = api.deviceTotalMem(&memory, facts.handle))
    return failQuery(driver, result, ordinal);
  facts.memory = memory;
  int major = 0, minor = 0;
  const struct {
    int attribute;
    int *value;
  } queries[] = {{kDeviceCapabilityMajor, &major},
                 {kDeviceCapabilityMinor, &minor},
                 {kDeviceMultiprocessors, &facts.multiprocessors},
                 {kDeviceSharedPerBlock, &facts.sharedPerBlock}};
  for (const auto &query : queries)
    if (Result result = api.deviceGetAttribute(query.value, query.attribute, facts.handle))
      return failQuery(driver, result, ordinal);
  facts.architecture = major * 10 + minor;
  return WEFT_OK;
}

static pthread_mutex_t counting = PTHREAD_MUTEX_INITIALIZER;

weft_status Device::retain(const Driver &driver, const DeviceFacts &facts) {
  Place place("GPU %d (%s)", facts.ordinal, facts.name);
  if (weft_status status = check(place))
    return status;
  pthread_mutex_lock(&counting);
  Result result = kSuccess;
  if (users == 0) {
    this->driver = &driver;
    this->facts = facts;
    result = driver.api.primaryContextRetain(&context, facts.handle);
  }
  if (result == kSuccess)
    ++users;
  pthread_mutex_unlock(&counting);
  return result == kSuccess ? WEFT_OK : failed(result, "make a context", place);
}

void Device::release() {
  pthread_mutex_lock(&counting);
  if (--users == 0) {
    api().primaryContextRelease(facts.handle);
    context = nullptr;
  }
  pthread_mutex_unlock(&counting);
}

/// Errors that every later call in this process returns again.
static bool isSticky(Result result) {
  switch (result) {
  case kErrorEccUncorrectable:
  case kErrorNvlinkUncorrectable:
  case kErrorContained:
  case kErrorIllegalAddress:
  case kErrorLaunchTimeout:
  case kErrorContextIsDestroyed:
  case kErrorAssert:
  case kErrorHardwareStack:
  case kErrorIllegalInstruction:
  case kErrorMisalignedAddress:
  case kErrorInvalidAddressSpace:
  case kErrorInvalidPc:
  case kErrorLaunchFailed:
  case kErrorTensorMemoryLeak:
  case kErrorExternalDevice:
  case kErrorUnknown:
    return true;
  default:
    return false;
  }
}

weft_status Device::failLost(const Place &place) const {
  return fail(kDeviceLost, place,
              "end the process: the driver takes no more work from it. If it happens again, report it with the model",
              "GPU %d (%s) is lost: %s", facts.ordinal, facts.name, reason);
}

weft_status Device::check(const Place &place) const {
  return lost.load(std::memory_order_acquire) ? failLost(place) : WEFT_OK;
}

weft_status Device::failed(Result result, const char *doing, const Place &place, Code code) {
  if (weft_status status = check(place))
    return status;
  if (isSticky(result)) {
    pthread_mutex_lock(&counting);
    if (!lost.load(std::memory_order_relaxed)) {
      snprintf(reason, sizeof(reason), "%s, found when it was to %s", ResultText(*driver, result).text, doing);
      lost.store(true, std::memory_order_release);
    }
    pthread_mutex_unlock(&counting);
    return failLost(place);
  }
  if (result == kErrorOutOfMemory)
    return fail(kDeviceMemory, place, "end other programs on the GPU, pass less at a time, or take another GPU",
                "GPU %d (%s) has no memory left to %s", facts.ordinal, facts.name, doing);
  return fail(code, place, "check the GPU with nvidia-smi; if it is well, report this with the model",
              "the CUDA driver cannot %s: %s", doing, ResultText(*driver, result).text);
}

weft_status Device::freeMemory(uint64_t &bytes, const Place &place) {
  size_t free = 0, total = 0;
  if (Result result = api().memGetInfo(&free, &total))
    return failed(result, "tell its free memory", place);
  bytes = free;
  return WEFT_OK;
}

Device *deviceOf(int ordinal) {
  constexpr int kMaxDevices = 64;
  static Device devices[kMaxDevices];
  return ordinal >= 0 && ordinal < kMaxDevices ? &devices[ordinal] : nullptr;
}

} // namespace weft::runtime::cuda
