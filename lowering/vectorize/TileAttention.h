// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Fused attention for many queries with both products on tiles of bf16.
#ifndef WEFT_LOWERING_VECTORIZE_TILEATTENTION_H
#define WEFT_LOWERING_VECTORIZE_TILEATTENTION_H

#include "lowering/vectorize/AttentionEmitter.h"

namespace weft {

/// Emits a plan for a target with tiles. Operands of products are bf16, each tile's 16 rows of 16 words together:
///   packedQuery [q / 16][d / 32][pair of d][q · 2], keys [key / 16][d / 32][key][d], values [key / 32][e /
///   16][e][key], weights [key / 32][q / 16][pair of keys][q · 2].
/// Scores Sᵀ [key][q] and Oᵀ are f32. Unless a region needs them earlier, scores get their factor with the exponential.
class TileAttentionEmitter : public AttentionEmitter {
public:
  /// `instructions`: whether the target has tiles, or vector code takes their place.
  TileAttentionEmitter(const AttentionPlan &plan, bool instructions);

  /// The plan with blocks of keys for tiles.
  static AttentionPlan planOf(AttentionPlan plan);

private:
  void allocateOperands(Builder &b) override;

  // Operands into tiles: TileAttentionOperands.cpp.
  void emitPackQuery(Builder &b) override;
  void emitPackBlock(Builder &b, Value key, Value count) override;
  Value firstBlock(Builder &b, Value low) override;
  void emitPackQueryTile(Builder &b, llvm::ArrayRef<Value> rows, Value column, int64_t d);
  void emitPrefetchRow(Builder &b, Value key);
  void emitPackKeyRow(Builder &b, Value key, Value row);
  void emitPackValueTile(Builder &b, Value key, Value row, int64_t e);
  Value loadHalves(Builder &b, unsigned operand, mlir::SmallVector<Value> dims, unsigned dim, int64_t first,
                   int64_t extent, int64_t count);
  int64_t depthTiles() const { return llvm::divideCeil(plan.headDim, kDepth); }

  /// Up to keyPart keys of a block, for a tile of queries.
  struct KeyPart {
    Value column; ///< of the first query in the scratch
    Value start;  ///< row in the block of what row 0 of `scores` and `weights` stands for
    Value first;  ///< the rows [first, end), whole steps of 32
    Value end;
  };

  // A block of keys for a tile of queries: TileAttention.cpp.
  void emitSoftmaxStep(Builder &b, const KeySpan &span) override;
  void emitPart(Builder &b, const KeyPart &part);
  void emitScoreProducts(Builder &b, const KeyPart &part, Value row);
  Values emitMaxima(Builder &b, const KeyPart &part, Value row, Values maxima);
  Values emitPlainMaxima(Builder &b, Value row, Values maxima);
  Values emitRegionMaxima(Builder &b, const KeyPart &part, Value row, Values maxima, mlir::ArrayRef<Value> decided);
  Value emitRegionScore(Builder &b, const KeyPart &part, Value row, int64_t v, mlir::ArrayRef<Value> decided);
  Values emitReference(Builder &b, const KeyPart &part, mlir::ArrayRef<Value> maxima);
  void emitRescale(Builder &b, const KeyPart &part, mlir::ArrayRef<Value> before, mlir::ArrayRef<Value> after);
  void emitPrefetchKeys(Builder &b, const KeyPart &part, Value row);
  Values emitWeights(Builder &b, const KeyPart &part, mlir::ArrayRef<Value> reference, Values sums);
  Value emitWeightPair(Builder &b, Value row, int64_t v, Value reference, Value &sum);
  Value emitExponent(Builder &b, Value score, Value reference);
  void emitValueProducts(Builder &b, const KeyPart &part);

  static constexpr int64_t kRows = 16;  ///< of a tile
  static constexpr int64_t kDepth = 32; ///< bf16 in a tile's row

  bool instructions;
  float factor;  ///< of a product: to a score, in units of log 2 where no region needs it
  bool deferred; ///< the factor comes with the exponential
  Value weights;
};

} // namespace weft

#endif // WEFT_LOWERING_VECTORIZE_TILEATTENTION_H
