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

/// `forward` of the task, and with a language model's head `prefill` and `decode`.
void buildCausalEntries(GraphBuilder &graph, const CausalModel &model, Task task);

} // namespace weft

#endif // WEFT_FRONTENDS_HF_CAUSAL_H
