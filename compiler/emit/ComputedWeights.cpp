// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/emit/ComputedWeights.h"

#include "dialects/weft/ElementFunction.h"

#include <numeric>

namespace weft {

Result<void> fillComputed(const ParameterDescription &parameter, const Sources &sources, const std::string &place,
                          std::span<float> out) {
  size_t rank = parameter.shape.size();
  std::vector<int64_t> order = parameter.order, expected(rank), strides(rank, 1);
  if (order.empty()) {
    order.resize(rank);
    std::iota(order.begin(), order.end(), 0);
  }
  for (size_t i = 0; i < rank; ++i)
    expected[order[i]] = parameter.shape[i];
  for (size_t i = rank; i-- > 1;)
    strides[i - 1] = strides[i] * expected[i];
  std::vector<float> values(out.size());
  if (Result<void> read = readJoined(parameter, expected, sources, place, values); !read)
    return read;
  std::vector<int64_t> index(rank);
  for (float &result : out) {
    int64_t at = 0;
    for (size_t i = 0; i < rank; ++i)
      at += index[i] * strides[order[i]];
    double value = values[at];
    for (const std::string &function : parameter.functions)
      value = findElementFunction(function)->apply(value);
    result = static_cast<float>(value);
    for (size_t i = rank; i > 0; --i) {
      if (++index[i - 1] < parameter.shape[i - 1])
        break;
      index[i - 1] = 0;
    }
  }
  return {};
}

} // namespace weft
