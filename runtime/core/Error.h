// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The calling thread's last error: code, what, where, what to do. Kept in fixed
// buffers, so that reporting an error cannot fail.
#ifndef WEFT_RUNTIME_CORE_ERROR_H
#define WEFT_RUNTIME_CORE_ERROR_H

#include "runtime/include/weft/runtime.h"

namespace weft::runtime {

/// A diagnostic code as frontends/diagnostic/Codes.def explains it.
struct Code {
  int number;
  weft_status status;
};

inline constexpr Code kFileUnreadable = {401, WEFT_ERROR_FILE};
inline constexpr Code kManifestMalformed = {402, WEFT_ERROR_CORRUPT};
inline constexpr Code kLengthDiffers = {403, WEFT_ERROR_CORRUPT};
inline constexpr Code kDigestDiffers = {404, WEFT_ERROR_CORRUPT};
inline constexpr Code kAbiDiffers = {405, WEFT_ERROR_INCOMPATIBLE};
inline constexpr Code kCpuLacksFeatures = {406, WEFT_ERROR_INCOMPATIBLE};
inline constexpr Code kCodeUnloadable = {407, WEFT_ERROR_CORRUPT};
inline constexpr Code kDescriptorMalformed = {408, WEFT_ERROR_CORRUPT};
inline constexpr Code kWeightsMalformed = {409, WEFT_ERROR_CORRUPT};
inline constexpr Code kWeightMismatch = {410, WEFT_ERROR_CORRUPT};
inline constexpr Code kBadArgument = {411, WEFT_ERROR_ARGUMENT};
inline constexpr Code kTensorName = {412, WEFT_ERROR_ARGUMENT};
inline constexpr Code kTensorType = {413, WEFT_ERROR_SHAPE};
inline constexpr Code kDimsDisagree = {414, WEFT_ERROR_SHAPE};
inline constexpr Code kDimOutOfBounds = {415, WEFT_ERROR_SHAPE};
inline constexpr Code kIndexOutOfRange = {416, WEFT_ERROR_INDEX};
inline constexpr Code kBufferUnfit = {417, WEFT_ERROR_SHAPE};
inline constexpr Code kOutOfMemory = {418, WEFT_ERROR_MEMORY};
inline constexpr Code kSessionBusy = {419, WEFT_ERROR_BUSY};
inline constexpr Code kModelFailed = {420, WEFT_ERROR_MODEL};
inline constexpr Code kStateExtents = {421, WEFT_ERROR_SHAPE};
inline constexpr Code kStateFull = {422, WEFT_ERROR_INDEX};
inline constexpr Code kNoDriver = {423, WEFT_ERROR_DEVICE};
inline constexpr Code kNoDevice = {424, WEFT_ERROR_DEVICE};
inline constexpr Code kPtxTooNew = {425, WEFT_ERROR_INCOMPATIBLE};
inline constexpr Code kKernelRefused = {426, WEFT_ERROR_KERNEL};
inline constexpr Code kLaunchFailed = {427, WEFT_ERROR_KERNEL};
inline constexpr Code kDeviceFailed = {428, WEFT_ERROR_DEVICE};
inline constexpr Code kDeviceLost = {429, WEFT_ERROR_DEVICE_LOST};
inline constexpr Code kDeviceMemory = {430, WEFT_ERROR_MEMORY};
inline constexpr Code kPagesOut = {431, WEFT_ERROR_MEMORY};
inline constexpr Code kNoText = {432, WEFT_ERROR_CORRUPT};

/// Where an error lies. Formatted before the message is, so that both can be
/// written in one expression.
class Place {
public:
  __attribute__((format(printf, 2, 3))) explicit Place(const char *format, ...);

  char text[512];
};

/// Records an error and returns its status.
__attribute__((format(printf, 4, 5))) weft_status fail(Code code, const Place &place, const char *help,
                                                       const char *format, ...);

/// Out of memory for `what`, which names the thing, not the function.
weft_status failOutOfMemory(const char *what, uint64_t bytes);

} // namespace weft::runtime

#endif // WEFT_RUNTIME_CORE_ERROR_H
