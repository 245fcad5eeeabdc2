// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "test/unit/runtime/FakeCuda.h"

#include "runtime/cuda/DriverApi.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <set>

using namespace weft::runtime::cuda;

namespace weft::test {
FakeCuda &fakeCuda() {
  static FakeCuda fake;
  return fake;
}
} // namespace weft::test

using weft::test::fakeCuda;
using weft::test::FakeLaunch;

namespace weft::runtime::cuda {
struct Context {};
struct Stream {};
struct Module {
  std::string image;
};
struct Function {
  std::string name;
};
} // namespace weft::runtime::cuda

/// Counts a call; the error that it is to give, or 0.
static Result begin(const char *function) {
  auto &fake = fakeCuda();
  ++fake.calls[function];
  if (fake.isSticky && fake.failing.empty())
    return fake.result;
  if ((fake.failing != function && fake.failing != "*") || fake.failAfter-- > 0)
    return 0;
  fake.failing.clear();
  fake.failed = function;
  return fake.result;
}

#define BEGIN(function)                                                                                                \
  if (Result result = begin(function))                                                                                 \
  return result

/// Most functions need a current context.
#define BEGIN_IN_CONTEXT(function)                                                                                     \
  BEGIN(function);                                                                                                     \
  if (!fakeCuda().current)                                                                                             \
  return 201

#define EXPORT extern "C" __attribute__((visibility("default"))) Result

EXPORT cuDriverGetVersion(int *version) {
  BEGIN("cuDriverGetVersion");
  *version = fakeCuda().version;
  return 0;
}
EXPORT cuInit(unsigned) {
  BEGIN("cuInit");
  return 0;
}
EXPORT cuGetErrorName(Result error, const char **name) {
  static const std::map<Result, const char *> kNames = {{2, "CUDA_ERROR_OUT_OF_MEMORY"},
                                                        {100, "CUDA_ERROR_NO_DEVICE"},
                                                        {218, "CUDA_ERROR_INVALID_PTX"},
                                                        {700, "CUDA_ERROR_ILLEGAL_ADDRESS"}};
  auto found = kNames.find(error);
  *name = found == kNames.end() ? nullptr : found->second;
  return *name ? 0 : 1;
}
EXPORT cuGetErrorString(Result error, const char **text) {
  *text = error == 700 ? "an illegal memory access was encountered" : nullptr;
  return *text ? 0 : 1;
}
EXPORT cuDeviceGetCount(int *count) {
  BEGIN("cuDeviceGetCount");
  *count = fakeCuda().devices;
  return 0;
}
EXPORT cuDeviceGet(DeviceHandle *device, int ordinal) {
  BEGIN("cuDeviceGet");
  *device = ordinal + 40; // no ordinal
  return ordinal < fakeCuda().devices ? 0 : 101;
}
EXPORT cuDeviceGetName(char *name, int bytes, DeviceHandle) {
  BEGIN("cuDeviceGetName");
  snprintf(name, size_t(bytes), "Fake");
  return 0;
}
EXPORT cuDeviceGetAttribute(int *value, int attribute, DeviceHandle device) {
  BEGIN("cuDeviceGetAttribute");
  auto own = fakeCuda().architectures.find(device - 40);
  int architecture = own == fakeCuda().architectures.end() ? fakeCuda().architecture : own->second;
  *value = attribute == kDeviceCapabilityMajor   ? architecture / 10
           : attribute == kDeviceCapabilityMinor ? architecture % 10
           : attribute == kDeviceMultiprocessors ? 132
                                                 : 232448; // shared memory of a block
  return 0;
}
EXPORT cuDeviceTotalMem_v2(size_t *bytes, DeviceHandle) {
  BEGIN("cuDeviceTotalMem");
  *bytes = fakeCuda().memory;
  return 0;
}
EXPORT cuDevicePrimaryCtxRetain(Context **context, DeviceHandle) {
  static Context primary;
  BEGIN("cuDevicePrimaryCtxRetain");
  *context = &primary;
  ++fakeCuda().contexts;
  return 0;
}
EXPORT cuDevicePrimaryCtxRelease_v2(DeviceHandle) {
  --fakeCuda().contexts;
  BEGIN("cuDevicePrimaryCtxRelease");
  return 0;
}
EXPORT cuCtxPushCurrent_v2(Context *) {
  BEGIN("cuCtxPushCurrent");
  ++fakeCuda().current;
  return 0;
}
EXPORT cuCtxPopCurrent_v2(Context **context) {
  *context = nullptr;
  --fakeCuda().current;
  BEGIN("cuCtxPopCurrent");
  return 0;
}
EXPORT cuMemGetInfo_v2(size_t *free, size_t *total) {
  BEGIN_IN_CONTEXT("cuMemGetInfo");
  *total = fakeCuda().memory;
  *free = *total - fakeCuda().used;
  return 0;
}
EXPORT cuMemAlloc_v2(DevicePointer *address, size_t bytes) {
  BEGIN_IN_CONTEXT("cuMemAlloc");
  auto &fake = fakeCuda();
  if (fake.used + bytes > fake.memory)
    return kErrorOutOfMemory;
  void *place = aligned_alloc(256, (bytes + 255) / 256 * 256);
  memset(place, 0x5a, bytes); // no zeros
  *address = static_cast<char *>(place);
  fake.allocations[*address] = bytes;
  fake.used += bytes;
  return 0;
}
EXPORT cuMemFree_v2(DevicePointer address) {
  auto &fake = fakeCuda();
  auto found = fake.allocations.find(address);
  if (found == fake.allocations.end())
    return 1;
  fake.used -= found->second;
  fake.allocations.erase(found);
  free(address);
  BEGIN("cuMemFree");
  return 0;
}
EXPORT cuMemcpyHtoDAsync_v2(DevicePointer to, const void *from, size_t bytes, Stream *) {
  BEGIN_IN_CONTEXT("cuMemcpyHtoDAsync");
  memcpy(to, from, bytes);
  return 0;
}
EXPORT cuMemcpyDtoHAsync_v2(void *to, DevicePointer from, size_t bytes, Stream *) {
  BEGIN_IN_CONTEXT("cuMemcpyDtoHAsync");
  memcpy(to, from, bytes);
  return 0;
}
EXPORT cuMemsetD8Async(DevicePointer to, unsigned char value, size_t count, Stream *) {
  BEGIN_IN_CONTEXT("cuMemsetD8Async");
  memset(to, value, count);
  return 0;
}
EXPORT cuStreamCreate(Stream **stream, unsigned) {
  BEGIN_IN_CONTEXT("cuStreamCreate");
  *stream = new Stream;
  ++fakeCuda().streams;
  return 0;
}
EXPORT cuStreamDestroy_v2(Stream *stream) {
  delete stream;
  --fakeCuda().streams;
  BEGIN("cuStreamDestroy");
  return 0;
}
EXPORT cuStreamSynchronize(Stream *) {
  BEGIN_IN_CONTEXT("cuStreamSynchronize");
  return 0;
}

/// Texts that hold the word "reject" do not assemble.
EXPORT cuModuleLoadDataEx(Module **module, const void *image, unsigned count, int *options, uintptr_t *values) {
  BEGIN_IN_CONTEXT("cuModuleLoadDataEx");
  auto &fake = fakeCuda();
  std::string text = static_cast<const char *>(image);
  int major = 0, minor = 0;
  size_t at = text.find(".version");
  if (text.rfind("\x7f"
                 "ELF",
                 0) == 0) {
    if (!fake.takesMachineCode)
      return kErrorNoBinaryForGpu;
  } else if (at == std::string::npos || sscanf(text.c_str() + at, ".version %d.%d", &major, &minor) != 2 ||
             text.find("reject") != std::string::npos) {
    for (unsigned i = 0; i < count; ++i)
      if (options[i] == kJitErrorLog) {
        char *log;
        memcpy(&log, &values[i], sizeof(log));
        strcpy(log, "ptxas fatal : line 7:\nparsing error near 'reject'");
      }
    return kErrorInvalidPtx;
  } else if (major * 10 + minor > fake.newestPtx) {
    return kErrorUnsupportedPtxVersion;
  }
  *module = new Module{text};
  fake.images.push_back(text);
  ++fake.modules;
  return 0;
}
EXPORT cuModuleUnload(Module *module) {
  delete module;
  --fakeCuda().modules;
  BEGIN("cuModuleUnload");
  return 0;
}
EXPORT cuModuleGetFunction(Function **function, Module *module, const char *name) {
  BEGIN_IN_CONTEXT("cuModuleGetFunction");
  static std::map<std::string, Function> functions;
  if (module->image.find(".entry " + std::string(name) + "(") == std::string::npos && module->image[0] != '\x7f')
    return 500;
  *function = &(functions[name] = {name});
  return 0;
}
EXPORT cuFuncGetAttribute(int *value, int attribute, Function *) {
  BEGIN_IN_CONTEXT("cuFuncGetAttribute");
  *value = attribute == kFunctionMaxThreads ? fakeCuda().threadsPerBlock : 0;
  return 0;
}
EXPORT cuFuncSetAttribute(Function *function, int attribute, int value) {
  BEGIN_IN_CONTEXT("cuFuncSetAttribute");
  fakeCuda().attributesSet[function->name][attribute] = value;
  return 0;
}
EXPORT cuLaunchKernel(Function *function, unsigned gridX, unsigned gridY, unsigned gridZ, unsigned blockX, unsigned,
                      unsigned, unsigned sharedBytes, Stream *, void **arguments, void **) {
  BEGIN_IN_CONTEXT("cuLaunchKernel");
  FakeLaunch launch = {function->name, {gridX, gridY, gridZ}, blockX, sharedBytes, arguments};
  fakeCuda().launches.push_back(launch);
  if (fakeCuda().run)
    fakeCuda().run(launch);
  return 0;
}
EXPORT cuTensorMapEncodeTiled(void *map, int type, uint32_t rank, DevicePointer address, const uint64_t *extents,
                              const uint64_t *strides, const uint32_t *box, const uint32_t *, int, int swizzle, int,
                              int) {
  BEGIN("cuTensorMapEncodeTiled");
  memset(map, 0, 128);
  memcpy(map, &address, sizeof(address));
  fakeCuda().maps.push_back(
      {type, {extents, extents + rank}, {strides, strides + rank - 1}, {box, box + rank}, swizzle});
  return 0;
}
