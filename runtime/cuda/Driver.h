// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The CUDA driver of this process: libcuda.so.1, or the library that the environment variable WEFT_LIBCUDA names. It is
// loaded when a model first wants a GPU, and never unloaded.
#ifndef WEFT_RUNTIME_CUDA_DRIVER_H
#define WEFT_RUNTIME_CUDA_DRIVER_H

#include "runtime/core/Error.h"
#include "runtime/cuda/DriverApi.h"

namespace weft::runtime::cuda {

/// "12.4" of 12040.
struct VersionText {
  explicit VersionText(int version);
  char text[16];
};

class Driver {
public:
  /// CUDA 11.0, the first that knows compute capability 8.0.
  static constexpr int kLeastVersion = 11000;

  /// Loads the library, finds its functions and starts the driver.
  weft_status open(const char *library);

  DriverApi api;
  int version = 0; // of CUDA that the driver is for: 12040 is 12.4

private:
  weft_status resolve(void *handle, const char *library);
  weft_status start(const char *library);
};

/// "CUDA_ERROR_INVALID_PTX (a PTX JIT compilation failed)", as the driver says it.
struct ResultText {
  ResultText(const Driver &driver, Result result);
  char text[192];
};

/// The process's driver; null, with the error recorded, where there is none.
const Driver *sharedDriver();

} // namespace weft::runtime::cuda

#endif // WEFT_RUNTIME_CUDA_DRIVER_H
