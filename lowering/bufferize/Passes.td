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
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::func::FuncDialect", "::mlir::memref::MemRefDialect"];
}

#endif // WEFT_LOWERING_BUFFERIZE_PASSES_TD
