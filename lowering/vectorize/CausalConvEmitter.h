// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Emits a convolution over time, with channels in lanes. The first steps of a call, which may see what lies before it,
// are walked one by one with what they see in registers. Then come blocks of a few steps, all channels of a panel in
// turn: what they see is read from the input, so that memory is touched in the order in which it lies. Many taps are
// looped over instead, for a vector of channels at a time.
#ifndef WEFT_LOWERING_VECTORIZE_CAUSALCONVEMITTER_H
#define WEFT_LOWERING_VECTORIZE_CAUSALCONVEMITTER_H

#include "dialects/weft/SequenceOps.h"
#include "lowering/analysis/RegisterPlan.h"
#include "lowering/vectorize/IndexLoops.h"
#include "lowering/vectorize/OperandAccess.h"

namespace weft {

/// Steps of a block. All its loads come before its stores, which might seem to alias them. More steps would load less
/// for each result, but rows are often a multiple of 4096 bytes apart: the lines of a vector's steps, read and written,
/// share one set of the first-level cache. Measured on Zen 4 at 512 × 1536: 32, 45, 45, 38 GB/s for 1, 2, 4, 8 steps;
/// with rows 12 KiB apart 30, 41, 38, 24; with rows 6272 bytes apart 32, 44, 52, 57.
constexpr int64_t kConvBlockSteps = 4;

/// Taps that are written out. Of more, code and compile time would grow with each, and blocks of four steps do not hold
/// them in registers. Measured on Zen 4 at 512 × 1568, written out and in a loop: 37.8 and 28.9 GF/s for 4 taps, 49.9
/// and 44.1 for 8, 48.1 and 48.4 for 10, 47.3 and 50.9 for 16; rows 4 KiB apart, 17 and 46 for 16 taps.
constexpr int64_t kUnrolledTaps = 8;

class CausalConvEmitter : IndexLoops {
public:
  CausalConvEmitter(CausalConvOp op, const RegisterPlan &reg);

  void emit(mlir::OpBuilder &b);

private:
  using Vectors = mlir::SmallVector<mlir::Value>;

  // --- what both parts need (VectorizeCausalConv.cpp) ---
  mlir::VectorType floats(mlir::OpBuilder &b) { return mlir::VectorType::get({reg.lanes}, b.getF32Type()); }
  mlir::Value zeros(mlir::OpBuilder &b);
  mlir::Value extent(mlir::OpBuilder &b, mlir::Value memref, unsigned dim);
  mlir::Value minus(mlir::OpBuilder &b, mlir::Value x, mlir::Value y);
  /// A vector of channels, from `channel` on, at a step.
  IterationPoint pointAt(mlir::OpBuilder &b, mlir::Value step);
  mlir::Value load(mlir::OpBuilder &b, mlir::Value memref, mlir::AffineMap map, const IterationPoint &point);
  /// The destination's step that is number i in the order of time, and the input's.
  mlir::Value outputStep(mlir::OpBuilder &b, mlir::Value i);
  mlir::Value inputStep(mlir::OpBuilder &b, mlir::Value i);
  /// Whether a sequence starts at the input's step.
  mlir::Value startsAt(mlir::OpBuilder &b, mlir::Value position);
  mlir::Value tapSum(mlir::OpBuilder &b, mlir::ArrayRef<mlir::Value> window);
  void emitOutput(mlir::OpBuilder &b, mlir::Value sum, mlir::Value output);
  /// The body for each vector of the channels [begin, end); the last, partial one with a mask.
  void forEachVector(mlir::OpBuilder &b, mlir::Value begin, mlir::Value end,
                     llvm::function_ref<void(mlir::OpBuilder &)> body);

  // --- the first steps (CausalConvSteps.cpp) ---
  void emitFirstSteps(mlir::OpBuilder &b);
  void emitLastSeen(mlir::OpBuilder &b);
  void loadTaps(mlir::OpBuilder &b);
  Vectors gatherTaps(mlir::OpBuilder &b);
  Vectors beginning(mlir::OpBuilder &b);
  Vectors seenBefore(mlir::OpBuilder &b, Vectors seen);
  Vectors step(mlir::OpBuilder &b, mlir::Value position, mlir::Value output, Vectors seen);
  void storeSeen(mlir::OpBuilder &b, mlir::ArrayRef<mlir::Value> seen);

  // --- blocks of steps (CausalConvBlocks.cpp) ---
  void emitBlocks(mlir::OpBuilder &b);
  void storeTaps(mlir::OpBuilder &b);
  void emitBlock(mlir::OpBuilder &b, mlir::Value first);
  void emitBlockOfChannels(mlir::OpBuilder &b, mlir::ArrayRef<mlir::Value> positions,
                           mlir::ArrayRef<mlir::Value> outputs, mlir::ArrayRef<mlir::Value> quiet);

  // --- many taps (CausalConvManyTaps.cpp) ---
  void emitManyTaps(mlir::OpBuilder &b);
  void fillTaps(mlir::OpBuilder &b);
  void fillSeen(mlir::OpBuilder &b);
  void forgetAtStart(mlir::OpBuilder &b, mlir::Value position);
  void emitSegments(mlir::OpBuilder &b);
  mlir::Value segmentEnd(mlir::OpBuilder &b, mlir::Value first);
  void emitSegment(mlir::OpBuilder &b, mlir::Value first, mlir::Value count);
  void emitSums(mlir::OpBuilder &b, mlir::Value step, mlir::Value row, int64_t count);
  /// A vector of channels in a scratch, which has one in each row.
  mlir::Value loadRow(mlir::OpBuilder &b, mlir::Value scratch, mlir::Value row);
  void storeRow(mlir::OpBuilder &b, mlir::Value value, mlir::Value scratch, mlir::Value row);

  CausalConvOp op;
  RegisterPlan reg;
  int64_t taps;
  mlir::AffineMap identity;
  mlir::Value channels, inputSteps, steps, from; ///< extents, and the input's step that is the first of the destination
  mlir::Value firstSteps;                        ///< steps that are walked one by one; whole blocks are left
  mlir::Value tapScratch;                        ///< [taps + 1, panel]: taps and bias of a panel's channels
  mlir::Value seenScratch;            ///< of many taps: what a segment sees; then taps alone are in tapScratch
  mlir::Value batch, panel, panelEnd; ///< what is worked on
  mlir::Value channel, mask;          ///< the vector of channels; those that exist, or null for all
  Vectors weights;                    ///< its taps
  mlir::Value bias;                   ///< its start
};

} // namespace weft

#endif // WEFT_LOWERING_VECTORIZE_CAUSALCONVEMITTER_H
