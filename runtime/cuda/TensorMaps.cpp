// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Tensor maps, which bulk copies of kernels take: encoded by the driver, since the layout of their 128 bytes is its
// own.
#include "runtime/core/ElementType.h"
#include "runtime/cuda/DeviceSession.h"

#include <cstring>

namespace weft::runtime::cuda {

/// The driver's number of an element type; -1: copies do not know it.
static int mapType(int32_t dtype) {
  switch (dtype) {
  case WEFT_F32:
    return kMapF32;
  case WEFT_F64:
    return kMapF64;
  case WEFT_F16:
    return kMapF16;
  case WEFT_BF16:
    return kMapBf16;
  case WEFT_I8: // bits are copied
  case WEFT_U8:
  case WEFT_BOOL:
    return kMapU8;
  case WEFT_I16:
    return kMapU16;
  case WEFT_I32:
    return kMapI32;
  case WEFT_I64:
    return kMapI64;
  default:
    return -1;
  }
}

static int mapSwizzle(int32_t bytes) {
  return bytes == 0     ? kSwizzleNone
         : bytes == 32  ? kSwizzle32
         : bytes == 64  ? kSwizzle64
         : bytes == 128 ? kSwizzle128
                        : -1;
}

int32_t DeviceSession::encodeTensorMap(const weft_abi_tensor_map &described, void *map) {
  Place place("tensor map of %d dimensions", described.rank);
  if (!device.api().tensorMapEncode) {
    failure = fail(kNoDriver, place, "install the NVIDIA driver for CUDA 12.0 or later",
                   "the CUDA driver (for CUDA %s) knows no tensor maps, which the model's kernels take",
                   VersionText(device.driver->version).text);
    return WEFT_ABI_LAUNCH_FAILED;
  }
  int type = mapType(described.dtype), swizzle = mapSwizzle(described.swizzle);
  if (described.rank < 1 || described.rank > 5 || type < 0 || swizzle < 0) {
    failure = fail(kModelFailed, place, "this is a fault of the compiler: report it with the model",
                   "the code asks for a tensor map of element type %s, swizzled over %d bytes",
                   weft_dtype_name(described.dtype), described.swizzle);
    return WEFT_ABI_LAUNCH_FAILED;
  }
  uint64_t extents[5], strides[4];
  uint32_t box[5], ones[5] = {1, 1, 1, 1, 1};
  bool isEmpty = false;
  for (int32_t d = 0; d < described.rank; ++d) {
    extents[d] = uint64_t(described.extents[d]);
    box[d] = uint32_t(described.box[d]);
    isEmpty |= extents[d] == 0;
    if (d > 0)
      strides[d - 1] = uint64_t(described.strides[d]);
  }
  if (isEmpty) {
    memset(map, 0, WEFT_ABI_TENSOR_MAP_BYTES);
    return WEFT_ABI_OK;
  }
  auto *address = static_cast<char *>(const_cast<void *>(described.address));
  Result result = device.api().tensorMapEncode(map, type, uint32_t(described.rank), address, extents, strides, box,
                                               ones, 0, swizzle, kPromoteTo128Bytes, 0);
  if (!result)
    return WEFT_ABI_OK;
  failure = device.failed(result, "encode a tensor map", place, kLaunchFailed);
  return WEFT_ABI_LAUNCH_FAILED;
}

} // namespace weft::runtime::cuda
