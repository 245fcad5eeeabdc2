// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/weft/Sampler.h"

#include <algorithm>
#include <cmath>

namespace weft::cli {

/// In [0, 1), of 53 random bits.
double Sampler::uniform() { return static_cast<double>(random() >> 11) * 0x1p-53; }

std::span<const float> Sampler::penalized(std::span<const float> scores, std::span<const int64_t> text) {
  if (options.repetitionPenalty == 1)
    return scores;
  lowered.assign(scores.begin(), scores.end());
  for (int64_t token : text)
    if (token >= 0 && token < static_cast<int64_t>(scores.size())) { // from the score as it was: a token counts once
      float score = scores[token];
      lowered[token] =
          static_cast<float>(score > 0 ? score / options.repetitionPenalty : score * options.repetitionPenalty);
    }
  return lowered;
}

int64_t Sampler::drawAny(std::span<const float> scores, int64_t best) {
  auto weight = [&](float score) { return std::exp((double(score) - scores[best]) / options.temperature); };
  double total = 0;
  for (float score : scores)
    total += weight(score);
  double left = uniform() * total;
  for (size_t token = 0; token < scores.size(); ++token) {
    left -= weight(scores[token]);
    if (left < 0)
      return static_cast<int64_t>(token);
  }
  return best; // rounding left a crumb
}

int64_t Sampler::drawFiltered(std::span<const float> scores, float best) {
  candidates.clear();
  for (size_t token = 0; token < scores.size(); ++token)
    candidates.push_back({static_cast<int64_t>(token), std::exp((double(scores[token]) - best) / options.temperature)});
  // Of equally likely tokens the first stays.
  auto isLikelier = [](const Candidate &a, const Candidate &b) {
    return a.weight != b.weight ? a.weight > b.weight : a.token < b.token;
  };
  if (options.topK > 0 && options.topK < static_cast<int64_t>(candidates.size())) {
    std::nth_element(candidates.begin(), candidates.begin() + options.topK, candidates.end(), isLikelier);
    candidates.resize(options.topK);
  }
  std::sort(candidates.begin(), candidates.end(), isLikelier);
  double total = 0, kept = 0;
  for (const Candidate &candidate : candidates)
    total += candidate.weight;
  size_t count = 0;
  while (count < candidates.size() &&
         (count == 0 || (kept < options.topP * total && candidates[count].weight >= options.minP)))
    kept += candidates[count++].weight;
  double left = uniform() * kept;
  for (size_t i = 0; i < count; ++i) {
    left -= candidates[i].weight;
    if (left < 0)
      return candidates[i].token;
  }
  return candidates.front().token;
}

std::optional<int64_t> Sampler::pick(std::span<const float> given, std::span<const int64_t> text) {
  std::span<const float> scores = penalized(given, text);
  if (std::any_of(scores.begin(), scores.end(), [](float score) { return std::isnan(score); }))
    return std::nullopt;
  auto best = std::max_element(scores.begin(), scores.end());
  if (best == scores.end() || std::isinf(*best))
    return std::nullopt;
  if (options.temperature == 0)
    return best - scores.begin();
  return options.isFiltered() ? drawFiltered(scores, *best) : drawAny(scores, best - scores.begin());
}

} // namespace weft::cli
