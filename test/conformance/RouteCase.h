// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The ways in which models choose experts: each as MLIR text, as inputs, and as the reference sees it.
#ifndef WEFT_TEST_CONFORMANCE_ROUTECASE_H
#define WEFT_TEST_CONFORMANCE_ROUTECASE_H

#include "test/conformance/CompiledModule.h"
#include "test/conformance/Numbers.h"
#include "test/reference/routing.h"

namespace weft::test {

struct RouteCase {
  std::string name;
  reference::RouteSpec spec;
  bool bias = false;

  /// weft.route of `scores`, tensor<?x@Exf32>, with its destinations: %experts and %weights.
  std::string op(const std::string &scores) const;
  /// The entry: scores (and bias) → experts, weights.
  std::string text() const;
  /// The bias differs by expert.
  Arrays inputs(const std::vector<float> &scores, Numbers &numbers) const;
};

/// One of each kind of model, and shapes at the ends of the ranges.
const std::vector<RouteCase> &routeCases();
const RouteCase &routeCase(const std::string &name);

reference::Routes expectedOf(const RouteCase &c, const Arrays &inputs);
std::vector<int32_t> integersOf(const Array &array);

/// Rows (along the first dimension) in another order.
Array reordered(const Array &array, const std::vector<int64_t> &rows);
/// 0 ... count − 1 in a random order.
std::vector<int64_t> randomOrder(int64_t count, Numbers &numbers);

} // namespace weft::test

#endif // WEFT_TEST_CONFORMANCE_ROUTECASE_H
