// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The outline phase: kernels → functions.
#ifndef WEFT_LOWERING_OUTLINE_PASSES_TD
#define WEFT_LOWERING_OUTLINE_PASSES_TD

include "mlir/Pass/PassBase.td"

def OutlineKernels : Pass<"weft-outline-kernels", "::mlir::ModuleOp"> {
  let summary = "Makes a function of each distinct kernel";
  let description = [{
    Before: entry functions on tensors whose compute ops are all in `weft.kernel`. After: entry functions on memrefs
    that allocate and call; private kernel functions that take memrefs and whose bodies still work on tensors. Equal
    kernels share one function, so compile time grows with distinct layers. `weft.parameters` on the module lists the
    weights in the order of the ABI.
  }];
  let dependentDialects = ["::weft::WeftDialect", "::mlir::bufferization::BufferizationDialect", "::mlir::func::FuncDialect",
                           "::mlir::memref::MemRefDialect"];
}

#endif // WEFT_LOWERING_OUTLINE_PASSES_TD
