// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The cpu phase: tiles on memrefs → the LLVM dialect.
#ifndef WEFT_LOWERING_CPU_PASSES_TD
#define WEFT_LOWERING_CPU_PASSES_TD

include "mlir/Pass/PassBase.td"

def VectorizeMatmul : Pass<"weft-vectorize-matmul", "::mlir::ModuleOp"> {
  let summary = "Turns products with packed weights, and what follows them, into register tiles";
  let description = [{
    Before: `weft.packed_matmul` on memrefs, perhaps into a scratch that one elementwise `linalg.generic` reads.
    After: loops over register tiles whose accumulators live in vector registers over the whole sum; the elementwise
    op's body runs on the accumulators, and the scratch is gone. Rows beyond the last full tile are covered by
    shifted tiles, columns beyond the last vector by masks.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::scf::SCFDialect", "::mlir::vector::VectorDialect"];
}

def VectorizeAttention : Pass<"weft-vectorize-attention", "::mlir::ModuleOp"> {
  let summary = "Turns attention on memrefs into one fused kernel with queries in lanes";
  let description = [{
    Before: `weft.attention` on memrefs with static head dimensions. After: loops over blocks of keys with an online
    softmax; the score matrix exists only as one block in a scratch.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::math::MathDialect", "::mlir::scf::SCFDialect",
                           "::mlir::vector::VectorDialect"];
}

def ConvertEmbedding : Pass<"weft-convert-embedding", "::mlir::ModuleOp"> {
  let summary = "Turns embedding look-ups on memrefs into copies of table rows";
  let description = [{
    Before: `weft.embedding` on memrefs. After: a loop over the indices with one `linalg.generic` copy of a row each.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::linalg::LinalgDialect", "::mlir::memref::MemRefDialect",
                           "::mlir::scf::SCFDialect"];
}

def VectorizeGeneric : Pass<"weft-vectorize-generic", "::mlir::ModuleOp"> {
  let summary = "Turns linalg ops on memrefs into vector loops";
  let description = [{
    Before: linalg ops on memrefs. After: loops; one dimension that is contiguous in all operands runs in vector
    lanes, with a masked tail. An op without such a dimension becomes scalar loops, with a missed-optimisation remark.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::scf::SCFDialect", "::mlir::vector::VectorDialect",
                           "::mlir::linalg::LinalgDialect", "::mlir::memref::MemRefDialect"];
}

def ConvertForall : Pass<"weft-convert-forall", "::mlir::ModuleOp"> {
  let summary = "Outlines parallel loops into functions that the runtime's pool runs";
  let description = [{
    Before: `scf.forall` in kernel functions. After: each is a call of the runtime's `parallel_for` with a function
    over a range of items; every function takes the call record as its first argument.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::func::FuncDialect", "::mlir::LLVM::LLVMDialect",
                           "::mlir::scf::SCFDialect"];
}

def ConvertEntry : Pass<"weft-convert-entry", "::mlir::ModuleOp"> {
  let summary = "Wraps entry functions as the ABI wants them";
  let description = [{
    Before: entry functions on memrefs with `weft.dim` and `weft.arena` arguments, `weft.parameter` ops in them.
    After: `weft_<entry>_run` and `weft_<entry>_arena` in the LLVM dialect; parameters are pointers of the call record.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::func::FuncDialect", "::mlir::LLVM::LLVMDialect"];
}

def ConvertViews : Pass<"weft-convert-views", "::mlir::ModuleOp"> {
  let summary = "Spells out the strides of expanded views";
  let description = [{
    Before: `memref.expand_shape`, possibly of one dimension into several dynamic ones. After: `memref.reinterpret_cast`.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::memref::MemRefDialect"];
}

def ExpandMath : Pass<"weft-expand-math", "::mlir::ModuleOp"> {
  let summary = "Replaces elementary functions by polynomials";
  let description = [{
    Before: `math` ops on f32 scalars and vectors. After: arith ops only, except what is one instruction (sqrt, abs,
    copysign, fma). No call of a mathematics library is left.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::math::MathDialect", "::mlir::vector::VectorDialect"];
}

#endif // WEFT_LOWERING_CPU_PASSES_TD
