// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The device's part of a module into PTX, one text a kernel:
//
//   gpu.module @kernels {
//     llvm.mlir.global external @global_smem() {addr_space = 3 : i32, alignment = 1024 : i64} : !llvm.array<0 x i8>
//     llvm.func @add(%x: !llvm.ptr<1>, %n: i64) attributes {nvvm.kernel, nvvm.reqntid = array<i32: 128, 1, 1>,
//                                                            weft.shared_bytes = 4096 : i64} { … }
//   }
//
// becomes the file add.ptx with `.visible .entry add(x, n, global_scratch, profile_scratch)`: the two pointers with
// which Triton's launchers end every argument list are appended here.
#ifndef WEFT_COMPILER_EMIT_PTXEMITTER_H
#define WEFT_COMPILER_EMIT_PTXEMITTER_H

#include "compiler/Target.h"
#include "mlir/IR/BuiltinOps.h"

#include <string>
#include <vector>

namespace weft {

/// A kernel as PTX, and what who launches it has to know.
struct Kernel {
  std::string name;                    ///< of the entry
  std::string target;                  ///< "sm_90a"
  std::string ptx;                     ///< the whole file
  int32_t threads;                     ///< of a block, along x
  int32_t sharedBytes;                 ///< of dynamic shared memory
  int32_t scratchBytes;                ///< of global memory for each block of a launch
  std::vector<std::string> parameters; ///< their types as Triton names them, without the two scratch pointers: "*i8"
};

/// The PTX of all kernels of the gpu.module @kernels in `module`, which stays as it is. The kernel at a position there
/// has this position here; of kernels that differ in their names alone the later ones are copies of the first, under
/// its name. Equal modules give equal bytes. W0690: LLVM refuses a kernel, which is a bug of a phase.
Result<std::vector<Kernel>> emitKernels(mlir::ModuleOp module, const Target &target);

/// Takes the device's part out of `module`: what is left is the host's.
Result<std::vector<Kernel>> takeKernels(mlir::ModuleOp module, const Target &target);

/// What Triton keeps in the .json beside a kernel, with which its launcher takes our file:
/// https://github.com/triton-lang/triton, python/triton/compiler/compiler.py and third_party/nvidia/backend.
std::string metadataText(const Kernel &kernel);

} // namespace weft

#endif // WEFT_COMPILER_EMIT_PTXEMITTER_H
