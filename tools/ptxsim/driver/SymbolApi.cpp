// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// cuGetProcAddress: functions by name, without the suffix of a version.
#include "tools/ptxsim/driver/State.h"

#include <dlfcn.h>

namespace weft::ptxsim::driver {

/// This library, whatever it was opened as.
static void *thisLibrary() {
  Dl_info info;
  static void *handle =
      dladdr(reinterpret_cast<void *>(&thisLibrary), &info) ? dlopen(info.dli_fname, RTLD_LAZY | RTLD_NOLOAD) : nullptr;
  return handle;
}

static void *lookUp(const std::string &name) {
  // The newest first, as the driver does for a caller of a recent version.
  for (const char *suffix : {"_v2", ""})
    if (void *symbol = dlsym(thisLibrary(), (name + suffix).c_str()))
      return symbol;
  return nullptr;
}

PTXSIM_API int cuGetProcAddress_v2(const char *symbol, void **function, int, uint64_t, int *status) {
  if (!symbol || !function)
    return INVALID_VALUE;
  *function = lookUp(symbol);
  if (status)
    *status = *function ? 0 : 1; // CU_GET_PROC_ADDRESS_SYMBOL_NOT_FOUND
  return *function ? SUCCESS : NOT_FOUND;
}

PTXSIM_API int cuGetProcAddress(const char *symbol, void **function, int version, uint64_t flags) {
  return cuGetProcAddress_v2(symbol, function, version, flags, nullptr);
}

/// Private interfaces between NVIDIA's libraries: there are none.
PTXSIM_API int cuGetExportTable(const void **table, const void *) {
  *table = nullptr;
  return NOT_SUPPORTED;
}

} // namespace weft::ptxsim::driver
