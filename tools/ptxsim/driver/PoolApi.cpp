// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// cuMemPool*, cuDeviceGetMemPool: one pool, which gives what cuMemAlloc gives.
#include "tools/ptxsim/driver/State.h"

namespace weft::ptxsim::driver {

static int onlyPool; // its address is the handle

PTXSIM_API int cuMemAllocAsync(uint64_t *address, size_t bytes, Stream *stream);

PTXSIM_API int cuDeviceGetDefaultMemPool(void **pool, int device) {
  return guarded([&](State &) {
    *pool = &onlyPool;
    return device ? INVALID_DEVICE : SUCCESS;
  });
}

PTXSIM_API int cuDeviceGetMemPool(void **pool, int device) { return cuDeviceGetDefaultMemPool(pool, device); }

PTXSIM_API int cuMemAllocFromPoolAsync(uint64_t *address, size_t bytes, void *pool, Stream *stream) {
  return pool == &onlyPool ? cuMemAllocAsync(address, bytes, stream) : INVALID_HANDLE;
}

/// Attributes are thresholds of when memory goes back; nothing is kept here, so that all of them read 0.
PTXSIM_API int cuMemPoolSetAttribute(void *pool, int, void *) { return pool == &onlyPool ? SUCCESS : INVALID_HANDLE; }

PTXSIM_API int cuMemPoolGetAttribute(void *pool, int, void *value) {
  *static_cast<uint64_t *>(value) = 0;
  return pool == &onlyPool ? SUCCESS : INVALID_HANDLE;
}

PTXSIM_API int cuMemPoolTrimTo(void *pool, size_t) { return pool == &onlyPool ? SUCCESS : INVALID_HANDLE; }

} // namespace weft::ptxsim::driver
