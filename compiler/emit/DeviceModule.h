// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A copy of the device's part of a module, a gpu.module @kernels of llvm.funcs, as LLVM's translation takes it: each
// kernel once, with the launcher's hidden parameters; and what each kernel says about itself.
#ifndef WEFT_COMPILER_EMIT_DEVICEMODULE_H
#define WEFT_COMPILER_EMIT_DEVICEMODULE_H

#include "compiler/Target.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"

#include <optional>
#include <vector>

namespace weft {

struct DeviceKernel {
  std::string name;
  std::string place;                   ///< the layer that it is of; may be empty
  std::optional<size_t> sameAs;        ///< the position of an earlier kernel with the same code, which stands for it
  int32_t threads;                     ///< nvvm.reqntid
  int32_t sharedBytes;                 ///< weft.shared_bytes
  int32_t scratchBytes;                ///< weft.scratch_bytes, of a block
  std::vector<std::string> parameters; ///< as in Kernel
};

class DeviceModule {
public:
  /// W0690: there is no gpu.module @kernels, or a kernel in it that does not say what its launcher has to know.
  static Result<DeviceModule> take(mlir::ModuleOp module, const Target &target);

  mlir::ModuleOp get() { return *module; }
  /// In the order of the gpu.module.
  const std::vector<DeviceKernel> &kernels() const { return descriptions; }

  /// Turns operations of nvvm that stand for inline assembly into it. W0690.
  Result<void> expandAssembly();

private:
  Result<void> describe(mlir::LLVM::LLVMFuncOp kernel);

  mlir::OwningOpRef<mlir::ModuleOp> module;
  std::vector<DeviceKernel> descriptions;
};

} // namespace weft

#endif // WEFT_COMPILER_EMIT_DEVICEMODULE_H
