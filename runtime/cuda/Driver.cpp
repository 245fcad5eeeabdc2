// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/cuda/Driver.h"

#include <cstdio>
#include <cstdlib>
#include <dlfcn.h>
#include <pthread.h>

namespace weft::runtime::cuda {

VersionText::VersionText(int version) { snprintf(text, sizeof(text), "%d.%d", version / 1000, version % 1000 / 10); }

ResultText::ResultText(const Driver &driver, Result result) {
  const char *name = nullptr, *meaning = nullptr;
  if (driver.api.getErrorName(result, &name) != kSuccess || !name)
    name = "an error without a name";
  if (driver.api.getErrorString(result, &meaning) != kSuccess || !meaning)
    meaning = "the driver says no more";
  snprintf(text, sizeof(text), "%s (%s)", name, meaning);
}

weft_status Driver::resolve(void *handle, const char *library) {
  const char *missing = nullptr;
  auto find = [&](const char *name) {
    void *symbol = dlsym(handle, name);
    if (!symbol && !missing)
      missing = name;
    return symbol;
  };
#define WEFT_CUDA_RESOLVE(member, name, ...) api.member = reinterpret_cast<decltype(api.member)>(find(name));
  WEFT_CUDA_FUNCTIONS(WEFT_CUDA_RESOLVE)
  const char *lacking = missing;
  WEFT_CUDA_OPTIONAL_FUNCTIONS(WEFT_CUDA_RESOLVE)
  missing = lacking;
#undef WEFT_CUDA_RESOLVE
  if (!missing)
    return WEFT_OK;
  return fail(kNoDriver, Place("%s", library), "install the NVIDIA driver for CUDA 11.0 or later",
              "the CUDA driver lacks the function %s: it is too old, or no CUDA driver", missing);
}

weft_status Driver::start(const char *library) {
  if (Result result = api.driverGetVersion(&version))
    return fail(kNoDriver, Place("%s", library), "install the NVIDIA driver for CUDA 11.0 or later",
                "the CUDA driver does not tell its version: error %d", result);
  if (version < kLeastVersion)
    return fail(kNoDriver, Place("%s", library), "install the NVIDIA driver for CUDA 11.0 or later",
                "the CUDA driver is for CUDA %s, version %s or later is needed", VersionText(version).text,
                VersionText(kLeastVersion).text);
  Result result = api.init(0);
  if (result == kErrorNoDevice)
    return fail(kNoDevice, Place("%s", library),
                "check that the GPU is visible: nvidia-smi, CUDA_VISIBLE_DEVICES, the container's options",
                "the CUDA driver (for CUDA %s) finds no GPU", VersionText(version).text);
  if (result)
    return fail(
        kNoDriver, Place("%s", library), "check the driver with nvidia-smi; after an update, restart the system",
        "the CUDA driver (for CUDA %s) does not start: %s", VersionText(version).text, ResultText(*this, result).text);
  return WEFT_OK;
}

weft_status Driver::open(const char *library) {
  void *handle = dlopen(library, RTLD_NOW | RTLD_LOCAL);
  if (!handle) {
    const char *reason = dlerror();
    return fail(kNoDriver, Place("%s", library),
                "install the NVIDIA driver, which brings libcuda.so.1, or compile the model for the CPU too: "
                "`weft compile … --target cpu`",
                "the CUDA driver cannot be loaded: %s", reason ? reason : "the system gives no reason");
  }
  if (weft_status status = resolve(handle, library)) {
    dlclose(handle);
    return status;
  }
  return start(library); // a driver that has run code stays, whether it starts or not
}

static pthread_mutex_t loading = PTHREAD_MUTEX_INITIALIZER;
static Driver loaded;
static bool isLoaded = false;

/// A failure is not kept: what was missing may be there at the next try.
const Driver *sharedDriver() {
  pthread_mutex_lock(&loading);
  if (!isLoaded) {
    const char *named = secure_getenv("WEFT_LIBCUDA");
    isLoaded = loaded.open(named && *named ? named : "libcuda.so.1") == WEFT_OK;
  }
  const Driver *driver = isLoaded ? &loaded : nullptr;
  pthread_mutex_unlock(&loading);
  return driver;
}

} // namespace weft::runtime::cuda
