// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Which ops of an entry function run as one kernel.
#ifndef WEFT_LOWERING_ANALYSIS_KERNELGROUPS_H
#define WEFT_LOWERING_ANALYSIS_KERNELGROUPS_H

#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace weft {

/// Ops that become one kernel, in the order of the block; the last one is the root, whose result leaves the kernel.
struct KernelGroup {
  mlir::SmallVector<mlir::Operation *> ops;
  mlir::Operation *root() const { return ops.back(); }
};

/// A product with a packed weight, in whatever form that is stored.
bool isProduct(mlir::Operation *op);

/// An op that computes elements: it must be in some kernel.
bool isCompute(mlir::Operation *op);

/// Those in a kernel, or in one item of it.
mlir::SmallVector<mlir::Operation *> computeOpsOf(mlir::Operation *kernel);

/// A linalg.generic without reductions whose one result is indexed by its loops in order.
bool isElementwise(mlir::Operation *op);

/// An op that looks at a tensor in another shape, or at a part of it, without computing: repeated in each reader.
bool isView(mlir::Operation *op);

/// An op without tensor inputs that is repeated in each kernel that needs it (constants, empty tensors, fills).
bool isRepeated(mlir::Operation *op);

/// Whether the op reads an operand against the order of this loop, as affine_map<(i) -> (7 - i)> does: a tile of the
/// loop is then no tile of the operand that starts where the tile does, so the loop stays whole.
bool readsBackwards(mlir::Operation *op, unsigned loop);
/// Against the order of any.
bool readsBackwards(mlir::Operation *op);

/// A short name for a kernel with this root: "linear", "attention", "cache", "conv", "scan", "norm", "quantize",
/// "embedding", "reduce" or "map".
llvm::StringRef kernelKind(const KernelGroup &group);

/// Partitions the compute ops of a function's body, by these rules:
///  - a product takes the elementwise ops that follow it as its epilogue, unless a normalisation takes them;
///  - row-wise ops (elementwise, normalisation, embedding, rounding to 8 bits) join their only reader;
///  - attention, recurrences, convolutions over time and updates of caches stand alone; a reduction over a dynamic
///    extent takes no producers, since they would need a scratch of that extent;
///  - an op that could join does so where `lowering/analysis/FusionCost` estimates one kernel no slower than two.
/// Each op that stays outside its reader's kernel is reported as a missed-optimisation remark with the reason.
mlir::SmallVector<KernelGroup> planKernels(mlir::func::FuncOp function);

} // namespace weft

#endif // WEFT_LOWERING_ANALYSIS_KERNELGROUPS_H
