// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "test/conformance/LinearEntry.h"

namespace weft::test {

static const char *const kProduct = R"(
func.func @@ENTRY(%x: tensor<?x@Kx@ROWS> {weft.name = "lhs", weft.dims = ["rows", ""]})
    -> (tensor<?x@Nx@RESULTS> {weft.name = "out", weft.dims = ["rows", ""]}) attributes {weft.entry} {
  %index = arith.constant 0 : index
  %zero = arith.constant 0.0 : f32
  %rows = tensor.dim %x, %index : tensor<?x@Kx@ROWS>
  %w = weft.parameter "@ENTRY.weight" : tensor<@WEIGHTx@STORED>
  %init = tensor.empty(%rows) : tensor<?x@Nxf32>
  %start = linalg.fill ins(%zero : f32) outs(%init : tensor<?x@Nxf32>) -> tensor<?x@Nxf32>
  %y = linalg.matmul indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (@MAP)>,
                                      affine_map<(m, n, k) -> (m, n)>]
       ins(%x, %w : tensor<?x@Kx@ROWS>, tensor<@WEIGHTx@STORED>) outs(%start : tensor<?x@Nxf32>) -> tensor<?x@Nxf32>)";

const std::string kAddBias = R"(
  %b = weft.parameter "@ENTRY.bias" : tensor<@Nxf32>
  %sum = linalg.generic {indexing_maps = [affine_map<(m, n) -> (m, n)>, affine_map<(m, n) -> (n)>,
      affine_map<(m, n) -> (m, n)>], iterator_types = ["parallel", "parallel"]}
      ins(%y, %b : tensor<?x@Nxf32>, tensor<@Nxf32>) outs(%init : tensor<?x@Nxf32>) {
  ^bb0(%p: f32, %q: f32, %o: f32):
    %r = arith.addf %p, %q : f32
    linalg.yield %r : f32
  } -> tensor<?x@Nxf32>)";

std::vector<float> transposed(const std::vector<float> &matrix, int64_t rows, int64_t columns) {
  std::vector<float> out(matrix.size());
  for (int64_t i = 0; i < rows; ++i)
    for (int64_t j = 0; j < columns; ++j)
      out[j * rows + i] = matrix[i * columns + j];
  return out;
}

std::string LinearEntry::text(const std::string &epilogue, const std::string &result) const {
  std::string n = std::to_string(columns), k = std::to_string(depth);
  return replaced(kProduct + epilogue + "\n  return " + result + " : tensor<?x@Nx@RESULTS>\n}\n",
                  {{"@N", n},
                   {"@K", k},
                   {"@WEIGHT", outByIn ? n + "x" + k : k + "x" + n},
                   {"@ROWS", rows},
                   {"@STORED", stored},
                   {"@RESULTS", results},
                   {"@MAP", outByIn ? "n, k" : "k, n"},
                   {"@ENTRY", name()}});
}

Array LinearEntry::weight(const std::vector<float> &values) const {
  std::vector<int64_t> shape = outByIn ? std::vector{columns, depth} : std::vector{depth, columns};
  return Array::of<float>(name() + ".weight", shape, outByIn ? values : transposed(values, columns, depth));
}

Array LinearEntry::bias(const std::vector<float> &values) const {
  return Array::of<float>(name() + ".bias", {columns}, values);
}

} // namespace weft::test
