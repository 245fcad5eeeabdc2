// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Results that are made narrower than they were computed, compiled for each level: rows that leave one lane of a vector
// over, at the end of guarded memory.
#include "test/conformance/CompiledModule.h"
#include "test/conformance/Numbers.h"

#include "gtest/gtest.h"

namespace weft::test {
namespace {

/// `op` makes an integer of fewer bits of each element.
struct Narrowing {
  std::string op, from, to;
  ElementType fromType, toType;

  std::string name(int64_t columns) const { return from + "_to_" + to + "_" + std::to_string(columns); }
};

const Narrowing kNarrowings[] = {{"arith.trunci", "i16", "i8", ElementType::I16, ElementType::I8},
                                 {"arith.trunci", "i32", "i8", ElementType::I32, ElementType::I8},
                                 {"arith.trunci", "i32", "i16", ElementType::I32, ElementType::I16},
                                 {"arith.trunci", "i64", "i8", ElementType::I64, ElementType::I8},
                                 {"arith.trunci", "i64", "i32", ElementType::I64, ElementType::I32},
                                 {"arith.fptosi", "f32", "i8", ElementType::F32, ElementType::I8},
                                 {"arith.fptosi", "f32", "i16", ElementType::F32, ElementType::I16}};

/// 0: known only in a call.
constexpr int64_t kWidths[] = {0, 1, 9, 17, 24};

constexpr const char *kNarrow = R"(
func.func @@NAME(%x: tensor<?x@Wx@FROM> {weft.name = "x", weft.dims = ["rows", @DIM]})
    -> (tensor<?x@Wx@TO> {weft.name = "y", weft.dims = ["rows", @DIM]}) attributes {weft.entry} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %rows = tensor.dim %x, %c0 : tensor<?x@Wx@FROM>
  %columns = tensor.dim %x, %c1 : tensor<?x@Wx@FROM>
  %init = tensor.empty(@EXTENTS) : tensor<?x@Wx@TO>
  %y = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i, j)>],
      iterator_types = ["parallel", "parallel"]} ins(%x : tensor<?x@Wx@FROM>) outs(%init : tensor<?x@Wx@TO>) {
  ^bb0(%value: @FROM, %o: @TO):
    %r = @OP %value : @FROM to @TO
    linalg.yield %r : @TO
  } -> tensor<?x@Wx@TO>
  return %y : tensor<?x@Wx@TO>
})";

std::string textOf(const Narrowing &narrowing, int64_t columns) {
  return replaced(kNarrow, {{"@NAME", narrowing.name(columns)},
                            {"@W", columns ? std::to_string(columns) : "?"},
                            {"@DIM", columns ? R"("")" : R"("columns")"},
                            {"@EXTENTS", columns ? "%rows" : "%rows, %columns"},
                            {"@OP", narrowing.op},
                            {"@FROM", narrowing.from},
                            {"@TO", narrowing.to}});
}

/// −60, −59, … as numbers of the type.
Array countingArray(const std::string &name, ElementType type, std::vector<int64_t> shape) {
  auto filled = [&]<class T>(T) {
    std::vector<T> values(shape[0] * shape[1]);
    for (size_t i = 0; i < values.size(); ++i)
      values[i] = T(int(i % 120) - 60);
    return Array::of<T>(name, shape, values);
  };
  switch (type) {
  case ElementType::I8:
    return filled(int8_t());
  case ElementType::I16:
    return filled(int16_t());
  case ElementType::I32:
    return filled(int32_t());
  case ElementType::I64:
    return filled(int64_t());
  default:
    return filled(float());
  }
}

TEST(NarrowConformance, NothingIsWrittenBeyondTheEnd) {
  std::string text =
      "module attributes {weft.dim_bounds = {rows = array<i64: 1, 1024>, columns = array<i64: 1, 64>}} {";
  for (const Narrowing &narrowing : kNarrowings)
    for (int64_t columns : kWidths)
      text += textOf(narrowing, columns);
  CompiledModule module(text + "}\n");
  for (const Narrowing &narrowing : kNarrowings)
    for (int64_t columns : kWidths)
      for (auto [rows, width] : {std::pair<int64_t, int64_t>{1, 17}, {3, 33}, {2, 9}, {1, 1}, {200, 25}}) {
        std::vector<int64_t> shape = {rows, columns ? columns : width};
        Array x = countingArray("x", narrowing.fromType, shape);
        Array y = countingArray("y", narrowing.toType, shape);
        for (const std::string &variant : module.variants())
          for (RunOptions options : {RunOptions{1, Flush::AtEnd}, RunOptions{2, Flush::AtStart}})
            EXPECT_TRUE(sameBits(module.run(variant, narrowing.name(columns), {x}, options)[0], y))
                << variant << ", " << narrowing.name(columns) << ", " << rows << "x" << shape[1];
      }
}

} // namespace
} // namespace weft::test
