// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Fused attention for many queries: what VectorizeAttention plans and how its parts are emitted.
#ifndef WEFT_LOWERING_VECTORIZE_ATTENTIONEMITTER_H
#define WEFT_LOWERING_VECTORIZE_ATTENTIONEMITTER_H

#include "dialects/weft/WeftDialect.h"
#include "lowering/analysis/MaskTiles.h"
#include "lowering/analysis/RegisterPlan.h"
#include "lowering/vectorize/IndexLoops.h"
#include "lowering/vectorize/OperandAccess.h"

namespace weft {

/// Scores are in units of log 2, so that their exponential is exp2.
constexpr float kLog2e = 1.4426950408889634f;

struct AttentionPlan {
  AttentionOp op;
  RegisterPlan registers;
  int64_t keyRows;    ///< keys in a register tile of scores
  int64_t keyBlock;   ///< keys in a block: a multiple of keyRows
  int64_t headDim;    ///< d
  int64_t valueDim;   ///< e
  int64_t queryRows;  ///< queries that share a block of keys: a multiple of lanes()
  int64_t keyPart;    ///< keys in a step of the online softmax on tiles: a divisor of keyBlock, a multiple of 32
  int64_t outputUnit; ///< rows of Oᵀ come in multiples of it

  /// Queries in the lanes of a tile.
  int64_t lanes() const { return registers.columns(); }
  /// Rows of Oᵀ.
  int64_t outputRows() const { return llvm::alignTo(valueDim, outputUnit); }
};

/// Emits a plan. Scratch, with the queries of a work item side by side in columns:
///   packedQuery Qᵀ [d][q], packedOutput Oᵀ [tile · e][lanes], state [2][q] (running maximum in units of log 2, running
///   sum), keys [block][d] and values [block][e] (contiguous, whatever the operands' strides), scores Sᵀ
///   [block][lanes].
class AttentionEmitter : protected IndexLoops {
public:
  explicit AttentionEmitter(const AttentionPlan &plan);
  virtual ~AttentionEmitter() = default;

  void emit(mlir::OpBuilder &b);

protected:
  using Builder = mlir::OpBuilder;
  using Value = mlir::Value;
  using Values = mlir::SmallVector<mlir::Value>;

  /// Keys of one block that some queries see.
  struct KeySpan {
    Value first;  ///< the first key
    Value row;    ///< its row in the block
    Value count;  ///< how many
    Value column; ///< the first of the queries, as a column of the scratch
  };

  /// Keys or values, and where they are packed.
  struct PackedRows {
    unsigned operand, dim;
    int64_t extent;
    Value scale; ///< a factor for each row, or null
    unsigned scaleNumber;
    Value block;
  };

  // Small things.
  Value splat(Builder &b, float value);
  Value least(Builder &b, Value x, Value y);
  Value maximum(Builder &b, Value x, Value y);
  Value extentOf(Builder &b, unsigned operand, unsigned dim);
  Value loadLanes(Builder &b, Value matrix, Value row, Value column, int64_t v);
  void storeLanes(Builder &b, Value value, Value matrix, Value row, Value column, int64_t v);
  Value loadOutput(Builder &b, Value column, Value e, int64_t v);
  void storeOutput(Builder &b, Value value, Value column, Value e, int64_t v);
  Value outputRow(Builder &b, Value column, Value e);
  Value laneMask(Builder &b, Value count);
  unsigned outputOperand() { return op.getOutputNumber(); }

  Value allocate(Builder &b, llvm::ArrayRef<int64_t> shape, mlir::Type element);
  /// The scratch that depends on how products are computed.
  virtual void allocateOperands(Builder &b);

  // A work item's queries: AttentionQueries.cpp.
  void emitQueries(Builder &b);
  virtual void emitPackQuery(Builder &b);
  /// Where blocks start, for keys that are seen from `low` on.
  virtual Value firstBlock(Builder &, Value low) { return low; }
  void emitPackQueryBlock(Builder &b, llvm::ArrayRef<Value> rows, Value column, int64_t d, float factor);
  void emitStart(Builder &b);
  void emitOutput(Builder &b, Value column);
  void emitStoreRows(Builder &b, Value column);
  void emitLogSumExp(Builder &b, Value column);

  // A block of keys: AttentionKeys.cpp.
  void emitKeyBlock(Builder &b, Value key, Value count);
  virtual void emitPackBlock(Builder &b, Value key, Value count);
  void emitPackKeys(Builder &b, const PackedRows &rows, Value key, Value count);
  void emitKeysOfQueries(Builder &b, Value key, Value count, Value column);
  virtual void emitSoftmaxStep(Builder &b, const KeySpan &span);
  Values emitScores(Builder &b, const KeySpan &span, Values maxima);
  Values emitScoreTile(Builder &b, const KeySpan &span, Value row, bool whole, Values maxima);
  Values emitScoreStores(Builder &b, const KeySpan &span, Value row, bool whole, mlir::ArrayRef<Value> acc,
                         mlir::ArrayRef<Value> decided, Values maxima);
  void addKeyPrefetch(Builder &b, const KeySpan &span, Value row, struct TileOperands &operands);
  Values emitProbabilities(Builder &b, const KeySpan &span, mlir::ArrayRef<Value> maxima, Values sums);
  void emitValues(Builder &b, const KeySpan &span, mlir::ArrayRef<Value> alpha);
  void emitValueTile(Builder &b, const KeySpan &span, mlir::ArrayRef<Value> alpha, int64_t rows, Value e);

  // The regions: AttentionRegions.cpp.
  bool hasRegions() { return !op.getScore().empty() || !op.getMask().empty(); }
  Value emitRegions(Builder &b, Value score, Value column, Value key, int64_t v, mlir::ArrayRef<Value> decided);
  Value emitRegion(Builder &b, mlir::Region &region, mlir::ArrayRef<Value> arguments, mlir::ArrayRef<Value> decided);
  IndexRange rangeOfExtra(Builder &b, Value extra, mlir::AffineMap map, IndexRange queries);
  MaskRanges maskRanges(Builder &b, IndexRange queries, IndexRange keys);
  IndexRange queriesFrom(Builder &b, Value column, int64_t count);
  IndexRange visibleKeys(Builder &b, IndexRange queries, IndexRange keys, Value &never);

  AttentionPlan plan;
  AttentionOp op;
  RegisterPlan reg;
  mlir::VectorType lane;
  Value packedQuery, packedOutput, rowsOutput, state, keys, values, scores;
  float stateUnit = 1.0f; ///< of the running maximum, in units of log 2
  Value queryCount, keyCount;
  Value batch, head, query; ///< of the work item
  Value columns;            ///< its queries, in whole tiles
  Value block, blockCount;  ///< the first key of the block, how many it has
};

} // namespace weft

#endif // WEFT_LOWERING_VECTORIZE_ATTENTIONEMITTER_H
