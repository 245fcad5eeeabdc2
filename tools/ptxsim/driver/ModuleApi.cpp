// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// cuModule*, cuLibrary*, cuKernel*, cuFunc*, cuOccupancy*.
#include "tools/ptxsim/driver/State.h"

#include <algorithm>
#include <cstring>

namespace weft::ptxsim::driver {

/// Where the caller wants the words of the assembler: CU_JIT_ERROR_LOG_BUFFER and its size.
struct ErrorLog {
  char *buffer = nullptr;
  size_t size = 0;

  ErrorLog(unsigned count, const int *options, void **values) {
    for (unsigned index = 0; index < count; ++index) {
      if (options[index] == 5)
        buffer = static_cast<char *>(values[index]);
      if (options[index] == 6) // the number itself stands in the place of the pointer
        size = uintptr_t(values[index]) & 0xffffffff;
    }
  }

  void write(const std::string &text) const {
    if (!buffer || size == 0)
      return;
    size_t length = std::min(size - 1, text.size());
    std::memcpy(buffer, text.data(), length);
    buffer[length] = 0;
  }
};

static bool isElf(const void *image) { return std::memcmp(image, "\177ELF", 4) == 0; }

static bool isFatBinary(const void *image) {
  uint32_t word;
  std::memcpy(&word, image, sizeof word);
  return word == 0xba55ed50 || word == 0x466243b1;
}

static int loadText(State &state, LoadedModule **module, const char *text, const ErrorLog &log) {
  MachineModule *code = nullptr;
  std::string message;
  int result = state.machine->load(text, state.settings.newestPtx(), &code, message);
  if (result != SUCCESS) {
    log.write(message);
    state.report(message);
    return result;
  }
  auto made = std::make_unique<LoadedModule>();
  made->code = code;
  *module = made.get();
  state.modules.emplace(*module, std::move(made));
  return SUCCESS;
}

PTXSIM_API int cuModuleLoadDataEx(LoadedModule **module, const void *image, unsigned count, int *options,
                                  void **values) {
  return guardedInContext([&](State &state) {
    if (!module || !image)
      return int(INVALID_VALUE);
    ErrorLog log(count, options, values);
    if (isElf(image) || isFatBinary(image)) {
      std::string text = "machine code cannot run on a simulator of PTX: load the PTX text instead";
      log.write(text);
      state.report(text);
      return int(NO_BINARY_FOR_GPU);
    }
    return loadText(state, module, static_cast<const char *>(image), log);
  });
}

PTXSIM_API int cuModuleLoadData(LoadedModule **module, const void *image) {
  return cuModuleLoadDataEx(module, image, 0, nullptr, nullptr);
}

PTXSIM_API int cuModuleLoadFatBinary(LoadedModule **module, const void *image) {
  return cuModuleLoadDataEx(module, image, 0, nullptr, nullptr);
}

PTXSIM_API int cuModuleUnload(LoadedModule *module) {
  return guardedInContext([&](State &state) {
    auto found = state.modules.find(module);
    if (found == state.modules.end())
      return INVALID_HANDLE;
    for (const auto &entry : module->functions)
      state.functions.erase(entry.second.get());
    state.machine->unload(module->code);
    state.modules.erase(found);
    return SUCCESS;
  });
}

PTXSIM_API int cuModuleGetLoadingMode(int *mode) {
  *mode = 1; // CU_MODULE_EAGER_LOADING
  return SUCCESS;
}

PTXSIM_API int cuModuleGetFunction(LoadedFunction **function, LoadedModule *module, const char *name) {
  return guardedInContext([&](State &state) {
    if (!function || !name)
      return INVALID_VALUE;
    if (!state.modules.count(module))
      return INVALID_HANDLE;
    KernelFacts facts;
    if (!state.machine->kernel(module->code, name, facts))
      return NOT_FOUND;
    auto &slot = module->functions[name];
    if (!slot)
      slot = std::make_unique<LoadedFunction>(LoadedFunction{module, name, 48 * 1024 - facts.staticShared});
    state.functions.insert(slot.get());
    *function = slot.get();
    return SUCCESS;
  });
}

PTXSIM_API int cuModuleGetGlobal_v2(uint64_t *address, size_t *bytes, LoadedModule *module, const char *name) {
  return guardedInContext([&](State &state) {
    if (!state.modules.count(module))
      return INVALID_HANDLE;
    uint64_t start = 0;
    size_t size = 0;
    if (!name || !state.machine->global(module->code, name, start, size))
      return NOT_FOUND;
    if (address)
      *address = start;
    if (bytes)
      *bytes = size;
    return SUCCESS;
  });
}

// Libraries are modules without a context, kernels are functions: here the same.
PTXSIM_API int cuLibraryLoadData(LoadedModule **library, const void *image, int *options, void **values, unsigned count,
                                 int *, void **, unsigned) {
  return cuModuleLoadDataEx(library, image, count, options, values);
}

PTXSIM_API int cuLibraryUnload(LoadedModule *library) { return cuModuleUnload(library); }

PTXSIM_API int cuLibraryGetKernel(LoadedFunction **kernel, LoadedModule *library, const char *name) {
  return cuModuleGetFunction(kernel, library, name);
}

PTXSIM_API int cuLibraryGetModule(LoadedModule **module, LoadedModule *library) {
  *module = library;
  return SUCCESS;
}

PTXSIM_API int cuKernelGetFunction(LoadedFunction **function, LoadedFunction *kernel) {
  *function = kernel;
  return SUCCESS;
}

static int withFunction(LoadedFunction *function, const KernelFacts *&facts, State &state) {
  static thread_local KernelFacts found;
  if (!state.functions.count(function))
    return INVALID_HANDLE;
  state.machine->kernel(function->module->code, function->name, found);
  facts = &found;
  return SUCCESS;
}

/// CU_FUNC_ATTRIBUTE_*; registers are those of .maxnreg, since nothing here allocates any.
static int attributeOf(const State &state, const LoadedFunction &function, const KernelFacts &facts, int attribute) {
  switch (attribute) {
  case 0:
    return facts.maxThreads;
  case 1:
    return facts.staticShared;
  case 3:
    return facts.localBytes;
  case 4:
    return facts.maxRegisters ? facts.maxRegisters : 32;
  case 5:
    return facts.ptxVersion;
  case 6:
    return state.settings.capability;
  case 8:
    return function.dynamicSharedLimit;
  case 9:
    return -1; // no preference
  default:
    return attribute >= 0 && attribute < 16 ? 0 : -2;
  }
}

PTXSIM_API int cuFuncGetAttribute(int *value, int attribute, LoadedFunction *function) {
  return guardedInContext([&](State &state) {
    const KernelFacts *facts = nullptr;
    if (int result = withFunction(function, facts, state); result != SUCCESS)
      return result;
    int found = attributeOf(state, *function, *facts, attribute);
    if (!value || found < -1)
      return int(INVALID_VALUE);
    *value = found;
    return int(SUCCESS);
  });
}

PTXSIM_API int cuFuncSetAttribute(LoadedFunction *function, int attribute, int value) {
  return guardedInContext([&](State &state) {
    const KernelFacts *facts = nullptr;
    if (int result = withFunction(function, facts, state); result != SUCCESS)
      return result;
    if (attribute == 8) { // MAX_DYNAMIC_SHARED_SIZE_BYTES
      if (value < 0 || value > maxSharedBytes(state.settings.capability) - facts->staticShared)
        return int(INVALID_VALUE);
      function->dynamicSharedLimit = std::max(value, 48 * 1024 - facts->staticShared);
      return int(SUCCESS);
    }
    // A carve-out and a cluster's policy change no result; the attributes beyond 15 are newer than this interface.
    return int(attribute == 9 || (attribute > 9 && attribute < 16) ? SUCCESS : INVALID_VALUE);
  });
}

PTXSIM_API int cuKernelGetAttribute(int *value, int attribute, LoadedFunction *kernel, int) {
  return cuFuncGetAttribute(value, attribute, kernel);
}

PTXSIM_API int cuKernelSetAttribute(int attribute, int value, LoadedFunction *kernel, int) {
  return cuFuncSetAttribute(kernel, attribute, value);
}

PTXSIM_API int cuFuncSetCacheConfig(LoadedFunction *function, int) {
  return guardedInContext([&](State &state) { return state.functions.count(function) ? SUCCESS : INVALID_HANDLE; });
}

PTXSIM_API int cuFuncGetModule(LoadedModule **module, LoadedFunction *function) {
  return guardedInContext([&](State &state) {
    if (!state.functions.count(function))
      return INVALID_HANDLE;
    *module = function->module;
    return SUCCESS;
  });
}

PTXSIM_API int cuFuncGetName(const char **name, LoadedFunction *function) {
  return guardedInContext([&](State &state) {
    if (!state.functions.count(function))
      return INVALID_HANDLE;
    *name = function->name.c_str();
    return SUCCESS;
  });
}

PTXSIM_API int cuOccupancyMaxActiveBlocksPerMultiprocessor(int *blocks, LoadedFunction *function, int threads,
                                                           size_t dynamicShared) {
  return guardedInContext([&](State &state) {
    const KernelFacts *facts = nullptr;
    if (int result = withFunction(function, facts, state); result != SUCCESS)
      return result;
    if (threads < 1 || threads > 1024)
      return int(INVALID_VALUE);
    int rounded = (threads + 31) / 32 * 32, reserved = 1024;
    int perMultiprocessor = (state.settings.capability >= 90 ? 228 : 164) * 1024;
    int byShared = perMultiprocessor / (facts->staticShared + int(dynamicShared) + reserved);
    int byRegisters = facts->maxRegisters ? 65536 / (rounded * facts->maxRegisters) : 32;
    *blocks = std::min({32, 2048 / rounded, byShared, byRegisters});
    return int(SUCCESS);
  });
}

PTXSIM_API int cuOccupancyMaxActiveBlocksPerMultiprocessorWithFlags(int *blocks, LoadedFunction *function, int threads,
                                                                    size_t dynamicShared, unsigned) {
  return cuOccupancyMaxActiveBlocksPerMultiprocessor(blocks, function, threads, dynamicShared);
}

PTXSIM_API int cuOccupancyMaxActiveClusters(int *clusters, LoadedFunction *function, const LaunchConfig *config) {
  int blocks = 0;
  uint32_t threads = config->block[0] * config->block[1] * config->block[2], perCluster = 1;
  for (uint32_t index = 0; index < config->attributeCount; ++index)
    if (const LaunchAttribute &each = config->attributes[index]; each.id == kClusterDimension)
      perCluster = each.cluster[0] * each.cluster[1] * each.cluster[2];
  int result = cuOccupancyMaxActiveBlocksPerMultiprocessor(&blocks, function, int(threads), config->sharedBytes);
  *clusters = perCluster ? blocks * 132 / int(perCluster) : 0;
  return result;
}

} // namespace weft::ptxsim::driver
