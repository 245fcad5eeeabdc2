// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a thread of a block does for attention of few queries (BlockDecode.cpp says how threads share it).
#ifndef WEFT_LOWERING_NVPTX_DECODEEMITTER_H
#define WEFT_LOWERING_NVPTX_DECODEEMITTER_H

#include "lowering/analysis/BlockDecode.h"
#include "lowering/analysis/MaskTiles.h"
#include "lowering/nvptx/BlockOutline.h"
#include "lowering/nvptx/RowReader.h"

#include <memory>

namespace weft {

/// Integers are `index` unless something else is said. `b` stands where code goes next.
class DecodeEmitter {
public:
  using Value = mlir::Value;
  using Values = mlir::SmallVector<mlir::Value>;

  DecodeEmitter(mlir::OpBuilder &b, const BlockDecode &plan, mlir::IRMapping &mapping);
  void run();

  /// Scores, each row's maximum, sum and change, and what the parts of the block add to the output.
  static int64_t sharedBytes(const BlockDecode &plan);

private:
  /// Keys of a chunk: from `lo` to `hi` (not included) there are some that a row may see.
  struct Chunk {
    Value first, lo, hi;
  };
  enum State : int64_t { Maximum, Sum, Change, StateWidth = 4 };

  // Small things.
  Value constant(int64_t value);
  Value number(float value);
  Value add(Value x, Value y);
  Value sub(Value x, Value y);
  Value times(Value x, int64_t y);
  Value over(Value x, int64_t y);
  Value modulo(Value x, int64_t y);
  Value least(Value x, Value y);
  Value most(Value x, Value y);
  Value isBelow(Value x, Value y);
  Value isSame(Value x, int64_t y);
  Value exp2(Value x);
  Value multiplyAdd(Value x, Value y, Value sum);
  Value exchange(Value x, int64_t distance);
  Values loop(Value begin, Value end, Value step, mlir::ValueRange carried,
              mlir::function_ref<Values(Value, mlir::ValueRange)> body);
  void when(Value condition, mlir::function_ref<void()> body);
  void sync();

  // Shared memory.
  Value shared(int64_t array, Value index);
  Value load(int64_t array, Value index);
  void store(Value value, int64_t array, Value index);
  Value stateOf(Value row, State which);
  Value scoreOf(Value row, Value key, const Chunk &chunk);

  // The op's operands.
  Values rowDims(Value row);
  Values keyDims(unsigned operand, Value key);
  Value subscripted(Value memref, mlir::AffineMap map, mlir::ValueRange dims);
  Value factorAt(unsigned operand, mlir::ValueRange dims);
  void storeAt(Value value, Value memref, mlir::AffineMap map, mlir::ValueRange dims);
  Value emitRegions(Value score, Values dims);
  Value emitRegion(mlir::Region &region, mlir::ValueRange arguments);
  MaskRanges rangesOfExtras();
  std::pair<Value, Value> visibleKeys();

  // The phases.
  void emitRows(Value base);
  Values emitChunk(Value base, const Chunk &chunk, mlir::ValueRange before);
  Values emitOnlyChunk(Value base, mlir::ValueRange none);
  Value keyPlace(Value mine, int64_t turn);
  mlir::SmallVector<Values> loadQueries(Value base);
  void emitScores(Value base, const Chunk &chunk);
  void emitDots(const mlir::SmallVector<Values> &queries, const Values &key, Value at, const Chunk &chunk);
  Value gather(Values &dots);
  void emitWeights(Value base, const Chunk &chunk);
  void emitWeightsOf(Value row, Value base, const Chunk &chunk);
  Values emitValues(const Chunk &chunk, mlir::ValueRange before);
  void emitParts(Values sums);
  void emitOutputs(Value base);

  Value rowFrom(Value base, Value row);
  /// The parts of the block whose sums are added up at the end.
  static int64_t partsOf(const BlockDecode &plan);

  mlir::OpBuilder &b;
  BlockDecode plan;
  AttentionOp op;    ///< on the function's values; gone at the end
  AttentionOp given; ///< in the kernel function
  mlir::Location loc;
  Value thread, lane, warp, memory;
  std::unique_ptr<RowReader> queryRows, keyRows, valueRows;
  Value low, high; ///< keys that some row may see
  int64_t scores, states, parts;
};

} // namespace weft

#endif // WEFT_LOWERING_NVPTX_DECODEEMITTER_H
