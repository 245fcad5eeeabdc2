// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Attention of few queries against many keys (decoding): which ops it is, and how it is cut.
#ifndef WEFT_LOWERING_ANALYSIS_DECODEPLAN_H
#define WEFT_LOWERING_ANALYSIS_DECODEPLAN_H

#include "dialects/weft/WeftDialect.h"
#include "lowering/analysis/RegisterPlan.h"

namespace weft {

/// Few queries: each key is used so rarely that attention runs at the speed at which keys and values are read. One item
/// is a head of the keys with all query heads that share it, so that each key is read once; or, where a token's heads
/// lie side by side in memory, all of them, since what the processor reads ahead is the next head then.
struct DecodePlan {
  int64_t group;    ///< query heads that share a head of the keys and one of the values
  int64_t groups;   ///< in an item
  int64_t queries;  ///< of each query head
  int64_t headDim;  ///< d
  int64_t valueDim; ///< e

  int64_t rows() const { return group * queries; } ///< queries that a key meets
  int64_t heads() const { return groups * group; } ///< query heads of an item
};

/// How a register tile of scores is filled: `rows` × `keys` dot products of vectors along the head dimension, whose
/// lanes are added up into `sums` vectors of (row, key) pairs. With `bytes`, keys and values of 8 bits meet three
/// digits of each row's numbers in matrix tiles: sixteen keys at a time.
struct DecodeTile {
  int64_t rows;         ///< 1, 2 or 4
  int64_t keys;         ///< in the tile
  int64_t keysInVector; ///< lanes / rows: keys beside each other in a vector of scores
  int64_t sums;         ///< vectors of scores in a tile
  int64_t valueVectors; ///< of a row of values, beside each other in the product P · V
  bool bytes;

  DecodeTile(const DecodePlan &plan, const RegisterPlan &registers, bool bytes);
};

/// The plan of an op on tensors or memrefs; where decoding does not apply, why.
struct DecodeMatch {
  std::optional<DecodePlan> plan;
  llvm::StringRef obstacle; ///< empty for an op that is no candidate
};
DecodeMatch matchDecode(AttentionOp op);

} // namespace weft

#endif // WEFT_LOWERING_ANALYSIS_DECODEPLAN_H
