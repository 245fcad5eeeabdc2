// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The entries of a causal model: a whole text at once, and a text that goes on from call to call.
#ifndef WEFT_FRONTENDS_HF_CAUSAL_H
#define WEFT_FRONTENDS_HF_CAUSAL_H

#include "frontends/hf/Heads.h"

namespace weft {

/// Models without positions have no longest text; indices of its elements must fit 63 bits.
constexpr int64_t kLongestText = int64_t(1) << 24, kLongestTextByDefault = int64_t(1) << 16;

/// Positions of a cache, where nothing is said: what a session reserves for each row of a batch.
constexpr int64_t kContextByDefault = 4096;

/// Where a model's keys and values lie.
struct CacheLayout {
  int64_t pageLength = 0; ///< positions in a page; 0: a row of slots for each sequence
  bool isPaged() const { return pageLength > 0; }
};

/// A state that keeps more of a text than rows of its positions, which therefore has no pages; null: there is none.
const StateSpec *findUnpagedState(const CausalModel &model);

/// `forward` of the task, and with a language model's head `prefill` and `decode`. In pages the two take `position_ids`
/// and `block_table` of each call: nothing but the pages lives from one to the next.
void buildCausalEntries(GraphBuilder &graph, const CausalModel &model, Task task, const CacheLayout &cache);

} // namespace weft

#endif // WEFT_FRONTENDS_HF_CAUSAL_H
