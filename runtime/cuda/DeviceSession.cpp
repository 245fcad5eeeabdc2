// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/cuda/DeviceSession.h"

#include <cstring>

namespace weft::runtime::cuda {

DeviceSession::~DeviceSession() {
  CurrentContext current(device);
  if (stream)
    device.api().streamDestroy(stream);
  scratch.release(device);
  launchScratch.release(device);
  for (int32_t i = 0; states && i < code.state_count; ++i)
    states[size_t(i)].memory.release(device);
  for (size_t i = 0; i < inputCount; ++i)
    defaults[i].memory.release(device);
}

weft_status DeviceSession::start(size_t inputs) {
  Place place("weft_session_new");
  if (weft_status status = device.check(place))
    return status;
  int32_t most = 0;
  for (int32_t k = 0; k < code.kernel_count; ++k)
    most = code.kernels[k].parameter_count > most ? code.kernels[k].parameter_count : most;
  states = Array<DeviceState>(size_t(code.state_count));
  defaults = Array<DeviceDefault>(inputs);
  launchArguments = Array<void *>(size_t(most) + 2);
  if (!states || !defaults || !launchArguments)
    return failOutOfMemory("session tables", inputs * sizeof(DeviceDefault));
  inputCount = inputs;
  CurrentContext current(device);
  if (current.result)
    return device.failed(current.result, "make its context current", place);
  if (Result result = device.api().streamCreate(&stream, kStreamNonBlocking))
    return device.failed(result, "make a stream", place);
  return WEFT_OK;
}

weft_status DeviceSession::grow(DeviceBuffer &buffer, uint64_t bytes, const char *what, const Place &place) {
  uint64_t before = buffer.bytes;
  weft_status status = buffer.grow(device, bytes, what, place);
  reserved.fetch_add(buffer.bytes - before, std::memory_order_relaxed); // wraps where it shrank
  return status;
}

weft_status DeviceSession::growScratch(uint64_t bytes, const Place &place) {
  uint64_t before = scratch.bytes;
  if (weft_status status = grow(scratch, bytes, "memory for the call's arrays", place))
    return status;
  if (scratch.bytes == before)
    return WEFT_OK;
  // Kernels may compute with values that no one asks for, such as rows without an expert: they are the call's own.
  if (Result result = device.api().setBytes(scratch.begin, 0, scratch.bytes, stream))
    return device.failed(result, "clear the call's arrays", place);
  return WEFT_OK;
}

weft_status DeviceSession::copyDefault(size_t input, const void *values, uint64_t bytes, const Place &place) {
  DeviceDefault &held = defaults[input];
  if (bytes <= held.copied)
    return WEFT_OK;
  uint64_t before = held.memory.bytes;
  weft_status status = grow(held.memory, bytes, "memory for the values of an absent input", place);
  if (held.memory.bytes != before)
    held.copied = 0;
  if (!status)
    status = copyToDevice(held.memory.at(0), values, bytes, "copy an absent input's values", place);
  if (!status)
    held.copied = bytes;
  return status;
}

weft_status DeviceSession::holdState(int32_t state, uint64_t bytes, const Place &place) {
  DeviceState &held = states[size_t(state)];
  // Its extents stay until a reset.
  if (held.isHeld)
    return WEFT_OK;
  if (weft_status status = grow(held.memory, bytes, "memory that lives from call to call", place))
    return status;
  if (Result result = device.api().setBytes(held.memory.begin, 0, bytes, stream))
    return device.failed(result, "clear a state", place);
  held.isHeld = true;
  return WEFT_OK;
}

weft_status DeviceSession::copyToDevice(DevicePointer to, const void *from, uint64_t bytes, const char *doing,
                                        const Place &place) {
  if (!bytes)
    return WEFT_OK;
  Result result = device.api().copyToDevice(to, from, bytes, stream);
  return result ? device.failed(result, doing, place) : WEFT_OK;
}

weft_status DeviceSession::copyToHost(void *to, DevicePointer from, uint64_t bytes, const char *doing,
                                      const Place &place) {
  if (!bytes)
    return WEFT_OK;
  Result result = device.api().copyToHost(to, from, bytes, stream);
  return result ? device.failed(result, doing, place) : WEFT_OK;
}

weft_status DeviceSession::finish(const Place &place) {
  Result result = device.api().streamSynchronize(stream);
  return result ? device.failed(result, "finish the call's kernels and copies", place) : WEFT_OK;
}

weft_status DeviceSession::readState(int32_t state, uint64_t offset, void *to, uint64_t bytes, const Place &place) {
  const DeviceState &held = states[size_t(state)];
  if (!held.isHeld) {
    if (bytes)
      memset(to, 0, bytes);
    return WEFT_OK;
  }
  CurrentContext current(device);
  if (current.result)
    return device.failed(current.result, "make its context current", place);
  if (weft_status status = copyToHost(to, held.memory.at(offset), bytes, "copy a state", place))
    return status;
  return finish(place);
}

weft_status DeviceSession::writeState(int32_t state, uint64_t offset, const void *from, uint64_t bytes, uint64_t all,
                                      const Place &place) {
  CurrentContext current(device);
  if (current.result)
    return device.failed(current.result, "make its context current", place);
  if (weft_status status = holdState(state, all ? all : 1, place))
    return status;
  if (weft_status status = copyToDevice(states[size_t(state)].memory.at(offset), from, bytes, "copy a state", place))
    return status;
  return finish(place);
}

void DeviceSession::forgetStates() {
  for (int32_t i = 0; i < code.state_count; ++i)
    states[size_t(i)].isHeld = false;
}

weft_status DeviceSession::failLaunch(const weft_abi_kernel &kernel, const int64_t (&grid)[3]) {
  return fail(kLaunchFailed, Place("kernel \"%s\"", kernel.name),
              "pass less at a time: fewer rows of the batch, or "
              "shorter ones",
              "the launch has a grid of %lld x %lld x %lld blocks; at most 2147483647 x 65535 x 65535 are possible",
              static_cast<long long>(grid[0]), static_cast<long long>(grid[1]), static_cast<long long>(grid[2]));
}

weft_status DeviceSession::growLaunchScratch(const weft_abi_kernel &kernel, const int64_t (&grid)[3]) {
  uint64_t bytes = uint64_t(kernel.scratch_bytes);
  for (int64_t blocks : grid)
    if (__builtin_mul_overflow(bytes, uint64_t(blocks), &bytes))
      bytes = UINT64_MAX;
  return grow(launchScratch, bytes, "scratch for a kernel's blocks", Place("kernel \"%s\"", kernel.name));
}

int32_t DeviceSession::launch(int32_t kernel, const int64_t (&grid)[3], void *const *arguments) {
  constexpr int64_t kMost[3] = {INT32_MAX, 65535, 65535}; // blocks
  bool isKnown = kernel >= 0 && kernel < kernelCount;
  Function *function = isKnown ? model.kernels.function(firstKernel + kernel) : nullptr;
  if (!function) {
    failure = fail(kModelFailed, Place("kernel number %d", kernel),
                   "this is a fault of the compiler: report it with the model",
                   "the code launches a kernel that is not among those of its target");
    return WEFT_ABI_LAUNCH_FAILED;
  }
  const weft_abi_kernel &described = code.kernels[firstKernel + kernel];
  for (int axis = 0; axis < 3; ++axis)
    if (grid[axis] < 0 || grid[axis] > kMost[axis]) {
      failure = failLaunch(described, grid);
      return WEFT_ABI_LAUNCH_FAILED;
    }
  if (!grid[0] || !grid[1] || !grid[2])
    return WEFT_ABI_OK;
  size_t count = size_t(described.parameter_count);
  for (size_t i = 0; i < count; ++i)
    launchArguments[i] = arguments[i];
  if ((failure = growLaunchScratch(described, grid)))
    return WEFT_ABI_LAUNCH_FAILED;
  DevicePointer blocksScratch = described.scratch_bytes ? launchScratch.at(0) : nullptr, profile = nullptr;
  launchArguments[count] = &blocksScratch;
  launchArguments[count + 1] = &profile;
  Result result = device.api().launchKernel(function, unsigned(grid[0]), unsigned(grid[1]), unsigned(grid[2]),
                                            unsigned(described.threads), 1, 1, unsigned(described.shared_bytes), stream,
                                            launchArguments.get(), nullptr);
  if (!result)
    return WEFT_ABI_OK;
  failure = device.failed(result, "launch a kernel", Place("kernel \"%s\"", described.name), kLaunchFailed);
  return WEFT_ABI_LAUNCH_FAILED;
}

/// Host code that prepares launches may loop; the host has one thread for it.
static void runHere(const weft_abi_call *, weft_abi_body body, void *arguments, int64_t count, int64_t) {
  if (count > 0)
    body(arguments, 0, count);
}

/// All weights are on the device.
static void ignoreChoice(const weft_abi_call *, const void *, int64_t, const int32_t *, int64_t) {}

static int32_t launchKernel(const weft_abi_call *call, int32_t kernel, int64_t gridX, int64_t gridY, int64_t gridZ,
                            void *const *arguments) {
  return static_cast<DeviceSession *>(call->executor)->launch(kernel, {gridX, gridY, gridZ}, arguments);
}

static int32_t encodeTensorMap(const weft_abi_call *call, const weft_abi_tensor_map *described, void *map) {
  return static_cast<DeviceSession *>(call->executor)->encodeTensorMap(*described, map);
}

const weft_abi_services kDeviceServices = {runHere, ignoreChoice, launchKernel, encodeTensorMap};

} // namespace weft::runtime::cuda
