// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Mixtures of experts in float64, by their definitions in docs/spec.md.
#ifndef WEFT_TEST_REFERENCE_ROUTING_H
#define WEFT_TEST_REFERENCE_ROUTING_H

#include <cstdint>
#include <optional>
#include <vector>

namespace weft::reference {

enum class Scoring { None, Softmax, Sigmoid };
enum class Normalize { None, Sum, Softmax, Sparsemixer };

struct RouteSpec {
  int64_t experts, top;
  Scoring scoring = Scoring::None;
  Normalize normalize = Normalize::None;
  double scale = 1, jitter = 0;
  int64_t groups = 1, topGroups = 1, groupRank = 1;
};

struct Routes {
  std::vector<int32_t> experts; ///< [tokens, top], best first
  std::vector<double> weights;  ///< [tokens, top]
  /// [tokens]: how far the numbers were apart, relative to the larger one, where it was closest. Equal ones count not.
  std::vector<double> margins;
};

/// scores [tokens, experts], bias [experts] or empty.
Routes route(const RouteSpec &spec, const std::vector<double> &scores, const std::vector<double> &bias = {});

struct Dispatched {
  std::vector<int32_t> tokens;  ///< of each row, −1 where it has none
  std::vector<double> weights;  ///< of each row
  std::vector<int32_t> offsets; ///< [experts + 1]
};

/// chosen and weights [tokens, top].
Dispatched dispatch(int64_t experts, int64_t top, const std::vector<int32_t> &chosen,
                    const std::vector<double> &weights, std::optional<int64_t> capacity = std::nullopt);

struct GroupedShape {
  int64_t groups, columns, depth;
};

/// lhs [tokens, depth], rhs [groups, columns, depth], offsets [groups + 1], the token of each row (empty: its own),
/// bias [groups, columns] or empty. Rows of no group are NaN.
std::vector<double> groupedMatmul(const GroupedShape &shape, const std::vector<double> &lhs,
                                  const std::vector<double> &rhs, const std::vector<int32_t> &offsets, int64_t rows,
                                  const std::vector<int32_t> &tokens = {}, const std::vector<double> &bias = {});

/// `out`, [tokens, columns], and the weighted rows, [rows, columns], of each of its tokens.
std::vector<double> combine(int64_t columns, const std::vector<double> &input, const std::vector<int32_t> &tokens,
                            const std::vector<double> &weights, std::vector<double> out);

} // namespace weft::reference

#endif // WEFT_TEST_REFERENCE_ROUTING_H
