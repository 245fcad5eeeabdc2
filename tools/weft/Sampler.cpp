// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/weft/Sampler.h"

#include <algorithm>
#include <cmath>

namespace weft::cli {

std::optional<int64_t> Sampler::pick(std::span<const float> scores) {
  if (std::any_of(scores.begin(), scores.end(), [](float score) { return std::isnan(score); }))
    return std::nullopt;
  auto best = std::max_element(scores.begin(), scores.end());
  if (best == scores.end() || std::isinf(*best))
    return std::nullopt;
  if (temperature == 0)
    return best - scores.begin();
  auto weight = [&](float score) { return std::exp((double(score) - *best) / temperature); };
  double total = 0;
  for (float score : scores)
    total += weight(score);
  // 53 random bits: uniform in [0, 1).
  double left = static_cast<double>(random() >> 11) * 0x1p-53 * total;
  for (size_t token = 0; token < scores.size(); ++token) {
    left -= weight(scores[token]);
    if (left < 0)
      return static_cast<int64_t>(token);
  }
  return best - scores.begin(); // rounding left a crumb
}

} // namespace weft::cli
