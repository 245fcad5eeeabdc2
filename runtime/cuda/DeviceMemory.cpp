// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/cuda/DeviceMemory.h"

#include "runtime/core/SizeText.h"

namespace weft::runtime::cuda {

uint64_t deviceEnd(uint64_t end, uint64_t bytes) {
  constexpr uint64_t kMask = kDeviceAlignment - 1;
  if (__builtin_add_overflow(end, bytes, &end) || __builtin_add_overflow(end, kMask, &end))
    return UINT64_MAX;
  return end & ~kMask;
}

weft_status failDeviceMemory(const Device &device, uint64_t needed, uint64_t free, const char *what,
                             const Place &place) {
  return fail(kDeviceMemory, place,
              "end other programs on the GPU, pass less at a time, take another GPU or the CPU "
              "(weft_open_options.device), or compile with smaller weights (--dtype bf16, --weights int8)",
              "%s of %s are needed, GPU %d (%s) has %s free of %s", SizeText(needed).text, what, device.facts.ordinal,
              device.facts.name, SizeText(free).text, SizeText(device.facts.memory).text);
}

weft_status DeviceBuffer::grow(Device &device, uint64_t least, const char *what, const Place &place) {
  if (least <= bytes)
    return WEFT_OK;
  uint64_t free = 0, before = bytes;
  if (weft_status status = device.freeMemory(free, place))
    return status;
  if (least > free + bytes)
    return failDeviceMemory(device, least, free + bytes, what, place);
  release(device);
  // Half as much again, so that calls that grow by one token each seldom ask.
  uint64_t generous = deviceEnd(0, least < before + before / 2 ? before + before / 2 : least);
  Result result = device.api().memAlloc(&begin, generous);
  if (result == kErrorOutOfMemory && generous > least)
    result = device.api().memAlloc(&begin, generous = least);
  if (result == kErrorOutOfMemory)
    return failDeviceMemory(device, least, free, what, place);
  if (result)
    return device.failed(result, "allocate memory", place);
  bytes = generous;
  return WEFT_OK;
}

void DeviceBuffer::release(const Device &device) {
  if (begin)
    device.api().memFree(begin);
  *this = {};
}

} // namespace weft::runtime::cuda
