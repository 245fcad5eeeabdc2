// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Attention of few queries that a block of a GPU's threads computes: which op that is, and how threads share it.
#ifndef WEFT_LOWERING_ANALYSIS_BLOCKDECODE_H
#define WEFT_LOWERING_ANALYSIS_BLOCKDECODE_H

#include "lowering/analysis/DecodePlan.h"

namespace weft {

/// How a row of keys or of values lies over threads: pieces of up to 16 bytes, neighbours beside each other.
struct RowPieces {
  int64_t elements; ///< of a piece: what 16 bytes hold, or the most that a row is a multiple of
  int64_t pieces;   ///< of a row
  int64_t lanes;    ///< a power of two: threads that read a row at once
  int64_t turns;    ///< pieces of each of them

  RowPieces(int64_t extent, mlir::Type element, int64_t mostLanes);
  bool isWhole() const { return lanes * turns == pieces; }
};

/// One head of the keys with all query heads that share it, against keys in chunks: scores, softmax, values.
struct BlockDecode {
  AttentionOp op;
  DecodePlan decode;
  RowPieces key, value;
  int64_t rows;  ///< of the plan's, which meet a key while it is in registers
  int64_t chunk; ///< keys whose scores lie in shared memory
  bool isOne;    ///< whether all keys are one chunk

  static constexpr int64_t kThreads = 128;
  /// Reads on their way in a thread.
  static constexpr int64_t kReads = 4;
};

/// The attention in a kernel, or in one item of it, on tensors or memrefs; where a block does not compute it, why.
struct BlockDecodeMatch {
  std::optional<BlockDecode> plan;
  llvm::StringRef obstacle; ///< empty where there is no attention of few queries
};
BlockDecodeMatch matchBlockDecode(mlir::Operation *kernel);

} // namespace weft

#endif // WEFT_LOWERING_ANALYSIS_BLOCKDECODE_H
