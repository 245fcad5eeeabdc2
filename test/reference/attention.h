// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Attention in float64, by its definition in docs/spec.md.
#ifndef WEFT_TEST_REFERENCE_ATTENTION_H
#define WEFT_TEST_REFERENCE_ATTENTION_H

#include <cstdint>
#include <functional>
#include <vector>

namespace weft::reference {

struct AttentionShape {
  int64_t batch, heads, keyHeads, queries, keys, headDim, valueDim;
};

/// The score of (b, h, i, j), changed; whether (b, h, i, j) is visible.
using Score = std::function<double(double s, int64_t b, int64_t h, int64_t i, int64_t j)>;
using Mask = std::function<bool(int64_t b, int64_t h, int64_t i, int64_t j)>;

struct AttentionResult {
  std::vector<double> output; // [batch, heads, queries, valueDim]
  std::vector<double> lse;    // [batch, heads, queries]
};

/// query [batch, heads, queries, headDim], key [batch, keyHeads, keys, headDim],
/// value [batch, keyHeads, keys, valueDim]; heads / keyHeads query heads share a head of the keys. An absent score or
/// mask is the identity, respectively all visible. What is not visible is not read.
AttentionResult attention(const AttentionShape &shape, const std::vector<double> &query, const std::vector<double> &key,
                          const std::vector<double> &value, double scale, const Score &score = {},
                          const Mask &mask = {});

} // namespace weft::reference

#endif // WEFT_TEST_REFERENCE_ATTENTION_H
