// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// gpu.kernel on an llvm.func of a device module → nvvm.kernel, the size of its blocks, and which parameters are tensor
// maps: passed by value, so that they lie where bulk copies read them.
#include "lowering/cpu/Passes.h"

#include "lowering/analysis/LaunchTensorMap.h"
#include "runtime/include/weft/abi.h"

#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"

namespace weft {
#define GEN_PASS_DEF_MARKKERNELS
#include "lowering/cpu/Passes.h.inc"
} // namespace weft

using namespace mlir;

namespace weft {
namespace {

/// PTX ISA, "Tensor-map": an object of 128 bytes at a multiple of 64, in parameter, constant or global memory.
void markTensorMap(LLVM::LLVMFuncOp kernel, unsigned argument) {
  constexpr int64_t kAlignment = 64;
  Builder b(kernel.getContext());
  auto object = LLVM::LLVMArrayType::get(b.getI8Type(), WEFT_ABI_TENSOR_MAP_BYTES);
  kernel.setArgAttr(argument, LLVM::LLVMDialect::getByValAttrName(), TypeAttr::get(object));
  kernel.setArgAttr(argument, LLVM::LLVMDialect::getAlignAttrName(), b.getI64IntegerAttr(kAlignment));
  kernel.setArgAttr(argument, NVVM::NVVMDialect::getGridConstantAttrName(), b.getUnitAttr());
  kernel.removeArgAttr(argument, b.getStringAttr(kTensorMapAttribute));
}

struct MarkKernelsPass : impl::MarkKernelsBase<MarkKernelsPass> {
  void runOnOperation() override {
    Builder b(&getContext());
    for (auto device : getOperation().getOps<gpu::GPUModuleOp>())
      for (auto function : device.getOps<LLVM::LLVMFuncOp>()) {
        auto threads = function->getAttrOfType<IntegerAttr>("weft.threads");
        if (!threads || !gpu::GPUDialect::isKernel(function))
          continue;
        auto block = b.getDenseI32ArrayAttr({static_cast<int32_t>(threads.getInt()), 1, 1});
        function->setAttr(NVVM::NVVMDialect::getKernelFuncAttrName(), b.getUnitAttr());
        function->setAttr(NVVM::NVVMDialect::getReqntidAttrName(), block);
        function->removeAttr("weft.threads");
        for (unsigned argument = 0; argument < function.getNumArguments(); ++argument)
          if (function.getArgAttr(argument, kTensorMapAttribute))
            markTensorMap(function, argument);
      }
  }
};

} // namespace
} // namespace weft
