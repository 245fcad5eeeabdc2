// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// gpu.kernel on an llvm.func of a device module → nvvm.kernel, and the size of its blocks.
#include "lowering/cpu/Passes.h"

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
      }
  }
};

} // namespace
} // namespace weft
