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

    Example:
    ```mlir
    %h = weft.kernel "norm"(%x, %s0, %empty : tensor<?x8xf32>, tensor<8xf32>, tensor<?x8xf32>) -> tensor<?x8xf32> {
    ^bb0(%kx: tensor<?x8xf32>, %ks: tensor<8xf32>, %out: tensor<?x8xf32>):
      %r = weft.layer_norm {epsilon = 0.0 : f32} ins(%kx, %ks : tensor<?x8xf32>, tensor<8xf32>) outs(%out : tensor<?x8xf32>) -> tensor<?x8xf32>
      weft.yield %r : tensor<?x8xf32>
    }
    ```
    becomes
    ```
    %h = memref.alloc(%n) : memref<?x8xf32>
    call @kernel_norm_0(%x, %s0, %h)

    func.func private @kernel_norm_0(%x: memref<?x8xf32>, %s: memref<8xf32>, %y: memref<?x8xf32>) attributes {weft.kernel = "norm"}
    ```
  }];
  let dependentDialects = ["::weft::WeftDialect", "::mlir::bufferization::BufferizationDialect", "::mlir::func::FuncDialect",
                           "::mlir::memref::MemRefDialect"];
}

#endif // WEFT_LOWERING_OUTLINE_PASSES_TD
