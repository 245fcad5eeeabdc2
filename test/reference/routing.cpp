// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "test/reference/routing.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace weft::reference {

namespace {
using Row = std::vector<double>;

/// NaN above all numbers.
bool isLarger(double a, double b) { return std::isnan(a) ? !std::isnan(b) : a > b; }

/// The places of the largest numbers, the largest first, of equal ones the first first. `margin` becomes smaller where
/// the decision was close.
std::vector<int64_t> largest(const Row &numbers, int64_t count, double &margin) {
  std::vector<int64_t> places(numbers.size());
  std::iota(places.begin(), places.end(), 0);
  std::sort(places.begin(), places.end(), [&](int64_t a, int64_t b) {
    return isLarger(numbers[a], numbers[b]) || (!isLarger(numbers[b], numbers[a]) && a < b);
  });
  for (int64_t i = 0; i < count && i + 1 < int64_t(places.size()); ++i) {
    double a = numbers[places[i]], b = numbers[places[i + 1]];
    if (isLarger(a, b) && std::isfinite(a))
      margin = std::min(margin, (a - b) / std::max(std::fabs(a), std::fabs(b)));
  }
  places.resize(count);
  return places;
}

Row softmax(const Row &numbers) {
  double most = -std::numeric_limits<double>::infinity(), sum = 0;
  Row result;
  for (double number : numbers)
    most = isLarger(number, most) ? number : most;
  for (double number : numbers)
    sum += result.emplace_back(std::exp(number - most));
  for (double &number : result)
    number /= sum;
  return result;
}

Row scored(Scoring scoring, Row scores) {
  if (scoring == Scoring::Softmax)
    return softmax(scores);
  if (scoring == Scoring::Sigmoid)
    for (double &score : scores)
      score = 1 / (1 + std::exp(-score));
  return scores;
}

/// The experts to choose from: those of the best groups.
std::vector<int64_t> candidates(const RouteSpec &spec, const Row &numbers, double &margin) {
  int64_t size = spec.experts / spec.groups;
  Row ranks;
  for (int64_t group = 0; group < spec.groups; ++group) {
    Row members(numbers.begin() + group * size, numbers.begin() + (group + 1) * size);
    double rank = 0;
    for (int64_t place : largest(members, spec.groups == 1 ? 0 : spec.groupRank, margin))
      rank += members[place];
    ranks.push_back(rank);
  }
  std::vector<int64_t> groups = largest(ranks, spec.topGroups, margin), experts;
  std::sort(groups.begin(), groups.end());
  for (int64_t group : groups)
    for (int64_t i = 0; i < size; ++i)
      experts.push_back(group * size + i);
  return experts;
}

/// The j-th weight is the share of its expert among those that were not chosen before and are not far below it.
Row sparsemixer(const RouteSpec &spec, const Row &scores, const std::vector<int64_t> &chosen) {
  Row weights;
  for (size_t j = 0; j < chosen.size(); ++j) {
    double best = scores[chosen[j]], sum = 0;
    for (int64_t e = 0; e < spec.experts; ++e) {
      bool isGone = std::find(chosen.begin(), chosen.begin() + j, e) != chosen.begin() + j;
      bool isFar = best - scores[e] > 2 * spec.jitter * std::max(std::fabs(best), std::fabs(scores[e]));
      if (!isGone && !isFar)
        sum += std::exp(scores[e] - best);
    }
    weights.push_back(1 / sum);
  }
  return weights;
}

Row normalized(const RouteSpec &spec, const Row &scores, const std::vector<int64_t> &chosen) {
  if (spec.normalize == Normalize::Sparsemixer)
    return sparsemixer(spec, scores, chosen);
  Row weights;
  for (int64_t expert : chosen)
    weights.push_back(scores[expert]);
  if (spec.normalize == Normalize::Softmax)
    return softmax(weights);
  double sum = std::accumulate(weights.begin(), weights.end(), 0.0);
  if (spec.normalize == Normalize::Sum)
    for (double &weight : weights)
      weight /= sum;
  return weights;
}
} // namespace

Routes route(const RouteSpec &spec, const std::vector<double> &scores, const std::vector<double> &bias) {
  Routes routes;
  for (size_t token = 0; token < scores.size() / spec.experts; ++token) {
    auto first = scores.begin() + token * spec.experts;
    Row own = scored(spec.scoring, Row(first, first + spec.experts)), ranked, among;
    for (int64_t e = 0; e < spec.experts; ++e)
      ranked.push_back(own[e] + (bias.empty() ? 0 : bias[e]));
    double margin = std::numeric_limits<double>::infinity();
    std::vector<int64_t> experts = candidates(spec, ranked, margin), chosen;
    for (int64_t expert : experts)
      among.push_back(ranked[expert]);
    for (int64_t place : largest(among, spec.top, margin))
      chosen.push_back(experts[place]);
    routes.experts.insert(routes.experts.end(), chosen.begin(), chosen.end());
    for (double weight : normalized(spec, own, chosen))
      routes.weights.push_back(spec.scale * weight);
    routes.margins.push_back(margin);
  }
  return routes;
}

Dispatched dispatch(int64_t experts, int64_t top, const std::vector<int32_t> &chosen,
                    const std::vector<double> &weights, std::optional<int64_t> capacity) {
  Dispatched result;
  result.offsets.push_back(0);
  for (int64_t expert = 0; expert < experts; ++expert) {
    int64_t taken = 0;
    for (size_t entry = 0; entry < chosen.size(); ++entry)
      if (chosen[entry] == expert && (!capacity || taken < *capacity)) {
        ++taken;
        result.tokens.push_back(int32_t(int64_t(entry) / top));
        result.weights.push_back(weights[entry]);
      }
    result.offsets.push_back(int32_t(result.tokens.size()));
  }
  result.tokens.resize(chosen.size(), -1);
  result.weights.resize(chosen.size(), 0);
  return result;
}

std::vector<double> groupedMatmul(const GroupedShape &shape, const std::vector<double> &lhs,
                                  const std::vector<double> &rhs, const std::vector<int32_t> &offsets, int64_t rows,
                                  const std::vector<int32_t> &tokens, const std::vector<double> &bias) {
  auto [groups, columns, depth] = shape;
  std::vector<double> out(rows * columns, std::numeric_limits<double>::quiet_NaN());
  for (int64_t g = 0; g < groups; ++g)
    for (int64_t i = offsets[g]; i < offsets[g + 1]; ++i)
      for (int64_t n = 0; n < columns; ++n) {
        double sum = bias.empty() ? 0 : bias[g * columns + n];
        for (int64_t k = 0; k < depth; ++k)
          sum += lhs[(tokens.empty() ? i : tokens[i]) * depth + k] * rhs[(g * columns + n) * depth + k];
        out[i * columns + n] = sum;
      }
  return out;
}

std::vector<double> combine(int64_t columns, const std::vector<double> &input, const std::vector<int32_t> &tokens,
                            const std::vector<double> &weights, std::vector<double> out) {
  auto count = int64_t(out.size()) / columns;
  for (size_t i = 0; i < tokens.size(); ++i)
    for (int64_t n = 0; n < columns && tokens[i] >= 0 && tokens[i] < count; ++n)
      out[tokens[i] * columns + n] += weights[i] * input[i * columns + n];
  return out;
}

} // namespace weft::reference
