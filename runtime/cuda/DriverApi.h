// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the runtime uses of the CUDA driver, declared from its public reference (docs.nvidia.com/cuda/cuda-driver-api),
// so that nothing of CUDA is needed to build. Names with _v2 are those that libcuda.so.1 exports for the current
// functions of the reference; they have not changed since CUDA 11.0.
#ifndef WEFT_RUNTIME_CUDA_DRIVERAPI_H
#define WEFT_RUNTIME_CUDA_DRIVERAPI_H

#include <cstddef>
#include <cstdint>

namespace weft::runtime::cuda {

using Result = int;           // CUresult
using DeviceHandle = int;     // CUdevice
using DevicePointer = char *; // CUdeviceptr: an integer of 8 bytes, which is passed as a pointer is
struct Context;               // CUctx_st
struct Stream;                // CUstream_st
struct Module;                // CUmod_st
struct Function;              // CUfunc_st
static_assert(sizeof(DevicePointer) == 8, "CUDA has no systems with shorter addresses any more");

// CUresult
inline constexpr Result kSuccess = 0, kErrorOutOfMemory = 2, kErrorNoDevice = 100, kErrorInvalidImage = 200,
                        kErrorNoBinaryForGpu = 209, kErrorEccUncorrectable = 214, kErrorInvalidPtx = 218,
                        kErrorNvlinkUncorrectable = 220, kErrorJitCompilerNotFound = 221,
                        kErrorUnsupportedPtxVersion = 222, kErrorJitCompilationDisabled = 223, kErrorContained = 226,
                        kErrorInvalidSource = 300, kErrorIllegalAddress = 700, kErrorLaunchTimeout = 702,
                        kErrorContextIsDestroyed = 709, kErrorAssert = 710, kErrorHardwareStack = 714,
                        kErrorIllegalInstruction = 715, kErrorMisalignedAddress = 716, kErrorInvalidAddressSpace = 717,
                        kErrorInvalidPc = 718, kErrorLaunchFailed = 719, kErrorTensorMemoryLeak = 721,
                        kErrorExternalDevice = 911, kErrorUnknown = 999;

// CUdevice_attribute
inline constexpr int kDeviceMultiprocessors = 16, kDeviceCapabilityMajor = 75, kDeviceCapabilityMinor = 76,
                     kDeviceSharedPerBlock = 97; // at most, of which 48 KiB without opting in

// CUfunction_attribute
inline constexpr int kFunctionMaxThreads = 0, kFunctionStaticShared = 1, kFunctionMaxDynamicShared = 8;

// CUjit_option
inline constexpr int kJitErrorLog = 5, kJitErrorLogBytes = 6;

// CUtensorMapDataType, CUtensorMapSwizzle, CUtensorMapL2promotion
inline constexpr int kMapU8 = 0, kMapU16 = 1, kMapI32 = 3, kMapI64 = 5, kMapF16 = 6, kMapF32 = 7, kMapF64 = 8,
                     kMapBf16 = 9;
inline constexpr int kSwizzleNone = 0, kSwizzle32 = 1, kSwizzle64 = 2, kSwizzle128 = 3, kPromoteTo128Bytes = 2;

// CUstream_flags: does not wait for work on the default stream.
inline constexpr unsigned kStreamNonBlocking = 1;

/// MEMBER of DriverApi, the exported name, the parameters.
#define WEFT_CUDA_FUNCTIONS(F)                                                                                         \
  F(driverGetVersion, "cuDriverGetVersion", int *version)                                                              \
  F(init, "cuInit", unsigned flags)                                                                                    \
  F(getErrorName, "cuGetErrorName", Result error, const char **name)                                                   \
  F(getErrorString, "cuGetErrorString", Result error, const char **text)                                               \
  F(deviceGetCount, "cuDeviceGetCount", int *count)                                                                    \
  F(deviceGet, "cuDeviceGet", DeviceHandle *device, int ordinal)                                                       \
  F(deviceGetName, "cuDeviceGetName", char *name, int bytes, DeviceHandle device)                                      \
  F(deviceGetAttribute, "cuDeviceGetAttribute", int *value, int attribute, DeviceHandle device)                        \
  F(deviceTotalMem, "cuDeviceTotalMem_v2", size_t *bytes, DeviceHandle device)                                         \
  F(primaryContextRetain, "cuDevicePrimaryCtxRetain", Context **context, DeviceHandle device)                          \
  F(primaryContextRelease, "cuDevicePrimaryCtxRelease_v2", DeviceHandle device)                                        \
  F(contextPush, "cuCtxPushCurrent_v2", Context *context)                                                              \
  F(contextPop, "cuCtxPopCurrent_v2", Context **context)                                                               \
  F(memGetInfo, "cuMemGetInfo_v2", size_t *free, size_t *total)                                                        \
  F(memAlloc, "cuMemAlloc_v2", DevicePointer *address, size_t bytes)                                                   \
  F(memFree, "cuMemFree_v2", DevicePointer address)                                                                    \
  F(copyToDevice, "cuMemcpyHtoDAsync_v2", DevicePointer to, const void *from, size_t bytes, Stream *stream)            \
  F(copyToHost, "cuMemcpyDtoHAsync_v2", void *to, DevicePointer from, size_t bytes, Stream *stream)                    \
  F(setBytes, "cuMemsetD8Async", DevicePointer to, unsigned char value, size_t count, Stream *stream)                  \
  F(streamCreate, "cuStreamCreate", Stream **stream, unsigned flags)                                                   \
  F(streamDestroy, "cuStreamDestroy_v2", Stream *stream)                                                               \
  F(streamSynchronize, "cuStreamSynchronize", Stream *stream)                                                          \
  F(moduleLoadData, "cuModuleLoadDataEx", Module **module, const void *image, unsigned optionCount, int *options,      \
    uintptr_t *values)                                                                                                 \
  F(moduleUnload, "cuModuleUnload", Module *module)                                                                    \
  F(moduleGetFunction, "cuModuleGetFunction", Function **function, Module *module, const char *name)                   \
  F(functionGetAttribute, "cuFuncGetAttribute", int *value, int attribute, Function *function)                         \
  F(functionSetAttribute, "cuFuncSetAttribute", Function *function, int attribute, int value)                          \
  F(launchKernel, "cuLaunchKernel", Function *function, unsigned gridX, unsigned gridY, unsigned gridZ,                \
    unsigned blockX, unsigned blockY, unsigned blockZ, unsigned sharedBytes, Stream *stream, void **arguments,         \
    void **extra)

/// Those that a driver may lack: since CUDA 12.0.
#define WEFT_CUDA_OPTIONAL_FUNCTIONS(F)                                                                                \
  F(tensorMapEncode, "cuTensorMapEncodeTiled", void *map, int dataType, uint32_t rank, DevicePointer address,          \
    const uint64_t *extents, const uint64_t *strides, const uint32_t *box, const uint32_t *elementStrides,             \
    int interleave, int swizzle, int promotion, int fill)

/// The functions, of one loaded driver.
struct DriverApi {
#define WEFT_CUDA_MEMBER(member, name, ...) Result (*member)(__VA_ARGS__) = nullptr;
  WEFT_CUDA_FUNCTIONS(WEFT_CUDA_MEMBER)
  WEFT_CUDA_OPTIONAL_FUNCTIONS(WEFT_CUDA_MEMBER)
#undef WEFT_CUDA_MEMBER
};

} // namespace weft::runtime::cuda

#endif // WEFT_RUNTIME_CUDA_DRIVERAPI_H
