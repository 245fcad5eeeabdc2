// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The bufferize phase: tensors → memory.
#ifndef WEFT_LOWERING_BUFFERIZE_PASSES_TD
#define WEFT_LOWERING_BUFFERIZE_PASSES_TD

include "mlir/Pass/PassBase.td"

def BufferizeKernels : Pass<"weft-bufferize-kernels", "::mlir::ModuleOp"> {
  let summary = "Turns kernel bodies on tensors into memrefs, in place";
  let description = [{
    Before: kernel functions that take memrefs and work on tensors. After: all on memrefs; a tile's intermediate values
    of bounded size are scratch on the stack; copies are linalg ops.

    Example:
    ```mlir
    %r = scf.forall (%row) in (%n) shared_outs(%out = %ty) -> (tensor<?x8xf32>) {
      %in = tensor.extract_slice %tx[%row, 0] [1, 8] [1, 1] : tensor<?x8xf32> to tensor<1x8xf32>
      %dest = tensor.extract_slice %out[%row, 0] [1, 8] [1, 1] : tensor<?x8xf32> to tensor<1x8xf32>
      %0 = linalg.exp ins(%in : tensor<1x8xf32>) outs(%dest : tensor<1x8xf32>) -> tensor<1x8xf32>
      scf.forall.in_parallel {
        tensor.parallel_insert_slice %0 into %out[%row, 0] [1, 8] [1, 1] : tensor<1x8xf32> into tensor<?x8xf32>
      }
    }

    ```
    becomes
    ```
    scf.forall (%row) in (%n) {
      %in = memref.subview %x[%row, 0] [1, 8] [1, 1]
      %dest = memref.subview %y[%row, 0] [1, 8] [1, 1]
      linalg.exp ins(%in) outs(%dest)
    }
    ```
  }];
  let dependentDialects = ["::mlir::bufferization::BufferizationDialect", "::mlir::linalg::LinalgDialect",
                           "::mlir::memref::MemRefDialect"];
}

def BufferizeArena : Pass<"weft-bufferize-arena", "::mlir::ModuleOp"> {
  let summary = "Plans an entry's memory as one arena with symbolic offsets";
  let description = [{
    Before: entry functions with `memref.alloc` between kernel calls. After: no allocation; views of one arena whose
    slots are shared by values that are not alive together, offsets computed from the named dimensions; and a function
    that says how many bytes the arena needs.

    Example:
    ```mlir
    %h0 = memref.alloc(%n) : memref<?x8xf32>
    call @kernel(%tokens, %h0) : (memref<?x8xf32>, memref<?x8xf32>) -> ()
    %h1 = memref.alloc(%n) : memref<?x32xf32>
    call @widen(%h0, %h1) : (memref<?x8xf32>, memref<?x32xf32>) -> ()
    %h2 = memref.alloc(%n) : memref<?x8xf32>
    call @narrow(%h1, %h2) : (memref<?x32xf32>, memref<?x8xf32>) -> ()
    call @kernel(%h2, %y) : (memref<?x8xf32>, memref<?x8xf32>) -> ()
    ```
    becomes
    ```
    %h0 = memref.view %arena[0][%n]         // %h2 too
    %h1 = memref.view %arena[%offset][%n]   // %offset = batch · sequence · 32 in whole cache lines
    ```
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::func::FuncDialect", "::mlir::memref::MemRefDialect"];
}

#endif // WEFT_LOWERING_BUFFERIZE_PASSES_TD
