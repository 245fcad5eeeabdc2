// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// cuMem*, cuPointerGetAttribute. Copies are done when the call returns, with a stream or without.
#include "tools/ptxsim/driver/State.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>

namespace weft::ptxsim::driver {

/// The range [address, address + bytes) must lie in one allocation; a host copy of the driver says INVALID_VALUE if
/// not.
static int checkRange(State &state, uint64_t address, size_t bytes, const char *what) {
  if (bytes == 0 || state.machine->contains(address, bytes))
    return SUCCESS;
  char text[160];
  std::snprintf(text, sizeof text, "%s: %zu bytes at 0x%llx do not lie in one allocation of the device", what, bytes,
                static_cast<unsigned long long>(address));
  state.report(text);
  return INVALID_VALUE;
}

PTXSIM_API int cuMemAlloc_v2(uint64_t *address, size_t bytes) {
  return guardedInContext([&](State &state) {
    if (!address || bytes == 0)
      return INVALID_VALUE;
    *address = ++state.allocations == state.settings.failAllocation ? 0 : state.machine->allocate(bytes);
    return *address ? SUCCESS : OUT_OF_MEMORY;
  });
}

PTXSIM_API int cuMemFree_v2(uint64_t address) {
  return guardedInContext([&](State &state) {
    return address == 0 || state.machine->release(address) ? SUCCESS
                                                           : INVALID_VALUE; // as of the driver: null is nothing
  });
}

PTXSIM_API int cuMemAllocAsync(uint64_t *address, size_t bytes, Stream *stream) {
  return guardedInContext(
      [&](State &state) { return isStream(state, stream) ? cuMemAlloc_v2(address, bytes) : int(INVALID_HANDLE); });
}

PTXSIM_API int cuMemFreeAsync(uint64_t address, Stream *stream) {
  return guardedInContext(
      [&](State &state) { return isStream(state, stream) ? cuMemFree_v2(address) : int(INVALID_HANDLE); });
}

PTXSIM_API int cuMemAllocManaged(uint64_t *, size_t, unsigned) { return NOT_SUPPORTED; }

PTXSIM_API int cuMemGetInfo_v2(size_t *available, size_t *total) {
  return guardedInContext([&](State &state) {
    *total = state.settings.memory;
    *available = state.settings.memory - state.machine->allocatedBytes();
    return SUCCESS;
  });
}

PTXSIM_API int cuMemGetAddressRange_v2(uint64_t *base, size_t *bytes, uint64_t address) {
  return guardedInContext([&](State &state) {
    uint64_t start = 0;
    size_t size = 0;
    if (!state.machine->find(address, start, size))
      return NOT_FOUND;
    if (base)
      *base = start;
    if (bytes)
      *bytes = size;
    return SUCCESS;
  });
}

PTXSIM_API int cuMemcpyHtoD_v2(uint64_t to, const void *from, size_t bytes) {
  return guardedInContext([&](State &state) {
    int result = checkRange(state, to, bytes, "cuMemcpyHtoD");
    if (result == SUCCESS && bytes)
      state.machine->write(to, from, bytes);
    return result;
  });
}

PTXSIM_API int cuMemcpyDtoH_v2(void *to, uint64_t from, size_t bytes) {
  return guardedInContext([&](State &state) {
    int result = checkRange(state, from, bytes, "cuMemcpyDtoH");
    if (result == SUCCESS && bytes)
      state.machine->read(from, to, bytes);
    return result;
  });
}

PTXSIM_API int cuMemcpyDtoD_v2(uint64_t to, uint64_t from, size_t bytes) {
  return guardedInContext([&](State &state) {
    int result = checkRange(state, from, bytes, "cuMemcpyDtoD");
    if (result == SUCCESS)
      result = checkRange(state, to, bytes, "cuMemcpyDtoD");
    if (result == SUCCESS && bytes)
      state.machine->copy(to, from, bytes);
    return result;
  });
}

static int fill(uint64_t address, const void *pattern, size_t patternBytes, size_t count) {
  return guardedInContext([&](State &state) {
    if (address % patternBytes)
      return int(INVALID_VALUE);
    int result = checkRange(state, address, patternBytes * count, "cuMemset");
    if (result == SUCCESS && count)
      state.machine->fill(address, pattern, patternBytes, count);
    return result;
  });
}

PTXSIM_API int cuMemsetD8_v2(uint64_t address, unsigned char value, size_t count) {
  return fill(address, &value, 1, count);
}

PTXSIM_API int cuMemsetD16_v2(uint64_t address, unsigned short value, size_t count) {
  return fill(address, &value, 2, count);
}

PTXSIM_API int cuMemsetD32_v2(uint64_t address, unsigned value, size_t count) {
  return fill(address, &value, 4, count);
}

template <typename Body> static int onStream(Stream *stream, Body body) {
  return guardedInContext([&](State &state) { return isStream(state, stream) ? body() : int(INVALID_HANDLE); });
}

PTXSIM_API int cuMemcpyHtoDAsync_v2(uint64_t to, const void *from, size_t bytes, Stream *stream) {
  return onStream(stream, [&] { return cuMemcpyHtoD_v2(to, from, bytes); });
}

PTXSIM_API int cuMemcpyDtoHAsync_v2(void *to, uint64_t from, size_t bytes, Stream *stream) {
  return onStream(stream, [&] { return cuMemcpyDtoH_v2(to, from, bytes); });
}

PTXSIM_API int cuMemcpyDtoDAsync_v2(uint64_t to, uint64_t from, size_t bytes, Stream *stream) {
  return onStream(stream, [&] { return cuMemcpyDtoD_v2(to, from, bytes); });
}

PTXSIM_API int cuMemsetD8Async(uint64_t address, unsigned char value, size_t count, Stream *stream) {
  return onStream(stream, [&] { return cuMemsetD8_v2(address, value, count); });
}

PTXSIM_API int cuMemsetD16Async(uint64_t address, unsigned short value, size_t count, Stream *stream) {
  return onStream(stream, [&] { return cuMemsetD16_v2(address, value, count); });
}

PTXSIM_API int cuMemsetD32Async(uint64_t address, unsigned value, size_t count, Stream *stream) {
  return onStream(stream, [&] { return cuMemsetD32_v2(address, value, count); });
}

PTXSIM_API int cuMemHostAlloc(void **pointer, size_t bytes, unsigned) {
  return guardedInContext([&](State &state) {
    if (!pointer || bytes == 0)
      return INVALID_VALUE;
    *pointer = std::aligned_alloc(4096, (bytes + 4095) / 4096 * 4096);
    if (!*pointer)
      return OUT_OF_MEMORY;
    state.hostAllocations.emplace(*pointer, bytes);
    return SUCCESS;
  });
}

PTXSIM_API int cuMemAllocHost_v2(void **pointer, size_t bytes) { return cuMemHostAlloc(pointer, bytes, 0); }

PTXSIM_API int cuMemFreeHost(void *pointer) {
  return guardedEvenIfLost([&](State &state) {
    if (!state.hostAllocations.erase(pointer))
      return INVALID_VALUE;
    std::free(pointer);
    return SUCCESS;
  });
}

/// CU_POINTER_ATTRIBUTE_*.
static int attributeOf(State &state, void *value, int attribute, uint64_t address) {
  uint64_t start = 0;
  size_t size = 0;
  bool device = state.machine->find(address, start, size);
  if (!device)
    return INVALID_VALUE; // memory of the host that the driver does not know
  switch (attribute) {
  case 1: // CONTEXT
    *static_cast<Context **>(value) = &state.primary;
    return SUCCESS;
  case 2: // MEMORY_TYPE: CU_MEMORYTYPE_DEVICE
    *static_cast<unsigned *>(value) = 2;
    return SUCCESS;
  case 3: // DEVICE_POINTER
    *static_cast<uint64_t *>(value) = address;
    return SUCCESS;
  case 8: // IS_MANAGED
    *static_cast<unsigned *>(value) = 0;
    return SUCCESS;
  case 9: // DEVICE_ORDINAL
    *static_cast<int *>(value) = 0;
    return SUCCESS;
  case 11: // RANGE_START_ADDR
    *static_cast<uint64_t *>(value) = start;
    return SUCCESS;
  case 12: // RANGE_SIZE
    *static_cast<size_t *>(value) = size;
    return SUCCESS;
  default:
    return INVALID_VALUE;
  }
}

PTXSIM_API int cuPointerGetAttribute(void *value, int attribute, uint64_t address) {
  return guardedInContext(
      [&](State &state) { return value ? attributeOf(state, value, attribute, address) : int(INVALID_VALUE); });
}

PTXSIM_API int cuPointerGetAttributes(unsigned count, const int *attributes, void **values, uint64_t address) {
  for (unsigned index = 0; index < count; ++index)
    if (int result = cuPointerGetAttribute(values[index], attributes[index], address); result != SUCCESS)
      return result;
  return SUCCESS;
}

} // namespace weft::ptxsim::driver
