// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How long work takes on a target, in cycles of one core: for the size of work items and for what shares a kernel.
#ifndef WEFT_LOWERING_ANALYSIS_COSTMODEL_H
#define WEFT_LOWERING_ANALYSIS_COSTMODEL_H

#include "dialects/weft/WeftDialect.h"

#include "mlir/IR/BuiltinOps.h"

namespace weft {

/// A dynamic extent counts as this much.
inline constexpr int64_t kAssumedExtent = 128;
inline int64_t assumedExtent(int64_t extent) { return mlir::ShapedType::isDynamic(extent) ? kAssumedExtent : extent; }

/// What a core does in a cycle. One table for each level, not for each processor: the same input gives the same code
/// wherever it is compiled.
struct MachineFacts {
  double lanes;            ///< f32 values of a vector
  double multiplyAdds;     ///< vectors of fused multiply-adds started in a cycle
  double tiledProducts;    ///< the same of attention's products in bf16, on tiles or as dot products, where it has some
  double simple;           ///< vectors of other arithmetic
  double transcendental;   ///< cycles for a vector of exp, erf, tanh and their like
  double roundedExp;       ///< cycles for a vector of exp that becomes bf16 for them
  double divide;           ///< cycles for a vector of quotients or square roots
  int64_t cacheBytes[3];   ///< capacity of the three levels, of the third a core's share
  double bytesPerCycle[4]; ///< streamed from the three levels and from memory
  double kernel;           ///< cycles to call a kernel and to start its region

  static MachineFacts forTarget(TargetAttr target);
};

/// Counts of work, in elements and bytes.
struct Work {
  double multiplyAdds = 0;
  double simple = 0;
  double transcendental = 0;
  double tiledProducts = 0; ///< multiply-adds in bf16 where these are faster
  double roundedExps = 0;   ///< exp that becomes bf16 there
  double divide = 0;
  double bytesRead = 0;
  double bytesWritten = 0;

  Work &operator+=(const Work &other);
  Work operator*(double times) const;

  /// The arithmetic of one scalar op of a region.
  static Work ofOpInRegion(mlir::Operation *op);
  /// The arithmetic of a region of scalar ops, run once.
  static Work ofRegion(mlir::Region &region);
  /// An op on tensors: its arithmetic, each operand read once, each result written once.
  static Work ofOp(mlir::Operation *op);
};

/// The extents of an op's loops.
mlir::SmallVector<int64_t> loopExtents(mlir::Operation *op);

class CostModel {
public:
  explicit CostModel(TargetAttr target) : facts(MachineFacts::forTarget(target)) {}

  /// Cycles for arithmetic alone.
  double arithmetic(const Work &work) const;
  /// Cycles to stream so many bytes that were touched a working set of `footprint` bytes ago.
  double traffic(double bytes, double footprint) const;
  /// Arithmetic and memory overlap: the longer of the two.
  double cycles(const Work &work) const;
  /// A producer and its reader as one kernel: the tensor between them, of `between` bytes, is neither stored nor
  /// loaded, but stays in the first-level cache; the producer runs `times` over.
  double fusedCycles(const Work &producer, const Work &reader, double between, double times = 1) const;
  /// The same as two kernels: the tensor is stored once, and loaded `times` over.
  double apartCycles(const Work &producer, const Work &reader, double between, double times = 1) const;

  const MachineFacts facts;

private:
  double kernelCycles(double arithmetic, double memory) const;
};

} // namespace weft

#endif // WEFT_LOWERING_ANALYSIS_COSTMODEL_H
