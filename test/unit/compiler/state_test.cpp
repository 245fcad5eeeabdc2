// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// States of a model compiled in memory, through the installed interface alone.
#include "TemporaryFolder.h"
#include "compiler/include/weft/Compiler.h"

#include "gtest/gtest.h"

namespace weft {
namespace {

/// A running sum for each row.
constexpr const char *kSum = R"mlir(
#row = affine_map<(n, k) -> (n, k)>
module attributes {weft.model = "sum"} {
  func.func @add(%x: tensor<?x3xf32> {weft.name = "x", weft.dims = ["n", ""]},
                 %s: tensor<?x3xf32> {weft.name = "sum", weft.dims = ["n", ""], weft.state})
      -> (tensor<?x3xf32> {weft.name = "sum", weft.dims = ["n", ""], weft.state},
          tensor<?x3xf32> {weft.name = "y", weft.dims = ["n", ""]}) attributes {weft.entry} {
    %next = linalg.generic {indexing_maps = [#row, #row], iterator_types = ["parallel", "parallel"]}
        ins(%x : tensor<?x3xf32>) outs(%s : tensor<?x3xf32>) {
    ^bb0(%a: f32, %old: f32):
      %sum = arith.addf %old, %a : f32
      linalg.yield %sum : f32
    } -> tensor<?x3xf32>
    return %next, %next : tensor<?x3xf32>, tensor<?x3xf32>
  }
}
)mlir";

class StateTest : public testing::Test {
protected:
  void SetUp() override {
    TemporaryFolder folder;
    Result<Graph> graph = import(context, folder.write("sum.mlir", kSum));
    ASSERT_TRUE(graph) << graph.error().format();
    entries = graph->describe();
    Result<Executable> compiled = compile(*graph);
    ASSERT_TRUE(compiled) << compiled.error().format();
    executable = std::move(*compiled);
  }

  Session session() {
    Result<Session> made = executable->session({.threads = 1});
    EXPECT_TRUE(made) << made.error().format();
    return std::move(*made);
  }

  /// y of a call, or the code of its error.
  static std::vector<float> add(Session &session, const std::vector<float> &x) {
    auto rows = static_cast<int64_t>(x.size() / 3);
    Result<std::vector<Array>> outputs = session.run("add", {Array::of("x", {rows, 3}, x)});
    if (!outputs)
      return {};
    auto values = outputs->front().values<float>();
    return {values.begin(), values.end()};
  }

  Context context;
  std::vector<EntryInfo> entries;
  std::optional<Executable> executable;
};

using Values = std::vector<float>;

TEST_F(StateTest, IsNoInputAndNoOutput) {
  ASSERT_EQ(entries.size(), 1u);
  EXPECT_EQ(entries[0].inputs.size(), 1u);
  EXPECT_EQ(entries[0].outputs.size(), 1u);
  ASSERT_EQ(entries[0].states.size(), 1u);
  EXPECT_EQ(entries[0].states[0].name, "sum");
  EXPECT_EQ(entries[0].states[0].shape, (std::vector<std::string>{"n", "3"}));
}

TEST_F(StateTest, LivesFromCallToCallUntilAReset) {
  Session one = session(), other = session();
  EXPECT_EQ(add(one, {1, 2, 3}), Values({1, 2, 3}));
  EXPECT_EQ(add(one, {1, 2, 3}), Values({2, 4, 6}));
  EXPECT_EQ(add(other, {5, 5, 5, 6, 6, 6}), Values({5, 5, 5, 6, 6, 6}));
  EXPECT_EQ(add(one, {5, 5, 5, 6, 6, 6}), Values()); // another n
  ASSERT_TRUE(one.reset());
  EXPECT_EQ(add(one, {5, 5, 5, 6, 6, 6}), Values({5, 5, 5, 6, 6, 6}));
}

TEST_F(StateTest, GoesOnInAnotherSession) {
  Session one = session(), other = session();
  Result<Array> none = one.state("sum");
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, "W0421");
  EXPECT_EQ(add(one, {1, 2, 3}), Values({1, 2, 3}));
  Result<Array> state = one.state("sum");
  ASSERT_TRUE(state) << state.error().format();
  EXPECT_EQ(state->shape, (std::vector<int64_t>{1, 3}));
  ASSERT_TRUE(other.setState(*state));
  EXPECT_EQ(add(other, {1, 1, 1}), Values({2, 3, 4}));
  EXPECT_EQ(add(one, {0, 0, 0}), Values({1, 2, 3}));
  Result<void> refused = other.setState(Array::of<float>("total", {1}, {1}));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, "W0412");
}

} // namespace
} // namespace weft
