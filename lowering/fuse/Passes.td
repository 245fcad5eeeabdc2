// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The fuse phase: canonical ops → weft.kernel regions.
#ifndef WEFT_LOWERING_FUSE_PASSES_TD
#define WEFT_LOWERING_FUSE_PASSES_TD

include "mlir/Pass/PassBase.td"

def FuseProjections : Pass<"weft-fuse-projections", "::mlir::ModuleOp"> {
  let summary = "Merges products that read the same tensor";
  let description = [{
    Before: several `weft.packed_matmul` of one left operand with weights of one layout (queries, keys and values).
    After: one product with the weights side by side, and `tensor.extract_slice` views of its result. Products whose
    result has an elementwise reader stay apart, with a missed-optimisation remark: that reader is their epilogue.
  }];
  let dependentDialects = ["::weft::WeftDialect", "::mlir::tensor::TensorDialect"];
}

def FuseKernels : Pass<"weft-fuse-kernels", "::mlir::ModuleOp"> {
  let summary = "Groups the ops of entry functions into kernels";
  let description = [{
    Before: compute ops in the entry functions' bodies. After: each is in exactly one `weft.kernel`; outside there are
    kernels, parameters, views, empty tensors and index arithmetic only. The grouping, and a remark for each op that
    could not join its reader, come from `lowering/analysis/KernelGroups`.
  }];
  let dependentDialects = ["::weft::WeftDialect", "::mlir::tensor::TensorDialect", "::mlir::linalg::LinalgDialect"];
}

def FuseElementwise : Pass<"weft-fuse-elementwise", "::mlir::ModuleOp"> {
  let summary = "Makes one op of a chain of elementwise ops in a kernel";
  let description = [{
    Before: elementwise `linalg.generic` ops that feed one another inside a `weft.kernel`. After: one op whose body is
    theirs in sequence, so that intermediate values stay in registers.
  }];
  let dependentDialects = ["::mlir::linalg::LinalgDialect"];
}

#endif // WEFT_LOWERING_FUSE_PASSES_TD
