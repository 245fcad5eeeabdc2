// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The kernels of a model on a GPU: read from the artifact, checked as its other files are, and handed to the driver,
// all when the model is opened. A call then neither waits for the driver's assembler nor meets an error of it after
// other kernels have run, and all sessions share what was loaded.
//
//   kernels/sm_90a/attention.cubin   machine code, taken where it is for this GPU
//   kernels/sm_90a/attention.ptx     assembled by the driver
#ifndef WEFT_RUNTIME_CUDA_KERNELS_H
#define WEFT_RUNTIME_CUDA_KERNELS_H

#include "runtime/core/Manifest.h"
#include "runtime/cuda/Device.h"

namespace weft::runtime::cuda {

/// An artifact's files.
struct ArtifactFiles {
  const Directory &directory;
  const Manifest &manifest;
};

class Kernels {
public:
  /// Loads those whose target is that of a variant that this device runs best. In a current context.
  weft_status load(const weft_abi_model &model, const ArtifactFiles &files, Device &device);
  void unload(const Device &device);

  /// Null where no kernel of this number was loaded.
  Function *function(int32_t kernel) const { return kernel >= 0 && kernel < count ? loaded[kernel].function : nullptr; }

private:
  struct Loaded {
    Module *module; // null where an earlier kernel has it
    Function *function;
  };

  /// The function of an earlier kernel that is the same; null where this is the first.
  Function *earlier(const weft_abi_model &model, int32_t kernel) const;

  Array<Loaded> loaded;
  int32_t count = 0;
};

} // namespace weft::runtime::cuda

#endif // WEFT_RUNTIME_CUDA_KERNELS_H
