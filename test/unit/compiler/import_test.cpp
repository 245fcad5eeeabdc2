// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "TemporaryFolder.h"
#include "compiler/include/weft/Compiler.h"

#include "gtest/gtest.h"

namespace weft {
namespace {

const std::string kFixtures = WEFT_TEST_SOURCE_DIR "/fixtures/";

Diagnostic failureOf(const std::string &path) {
  Context context;
  Result<Graph> graph = import(context, path);
  EXPECT_FALSE(graph) << path;
  return graph ? Diagnostic{} : graph.takeError();
}

TEST(ImportTest, FolderTellsItsEntryAndDimensions) {
  Context context;
  Result<Graph> graph = import(context, kFixtures + "tiny-minilm", {{"batch", {1, 7}}});
  ASSERT_TRUE(graph) << graph.error().format();
  EXPECT_EQ(graph->name(), "bert");
  EXPECT_EQ(graph->entries(), std::vector<std::string>{"encode"});
  EXPECT_EQ(graph->dims()["batch"].max, 7);
  EXPECT_GT(graph->dims()["sequence"].max, 1);
}

TEST(ImportTest, TextOfAGraphIsAModelAgain) {
  Context context;
  Result<Graph> graph = import(context, kFixtures + "bert-base");
  ASSERT_TRUE(graph);
  TemporaryFolder folder;
  Result<Graph> again = import(context, folder.write("bert.mlir", graph->text()));
  ASSERT_TRUE(again) << again.error().format();
  EXPECT_EQ(again->text(), graph->text());
}

TEST(ImportTest, MissingPathsAreNamed) {
  Diagnostic error = failureOf("/no/such/model");
  EXPECT_EQ(error.code, "W0101");
  EXPECT_NE(error.place.find("/no/such/model"), std::string::npos);
}

TEST(ImportTest, BrokenTextIsNamedByLine) {
  TemporaryFolder folder;
  Diagnostic error = failureOf(folder.write("m.mlir", "module {\n  func.func @encode(\n}\n"));
  EXPECT_EQ(error.code, "W0602");
  EXPECT_NE(error.place.find("m.mlir:2:"), std::string::npos) << error.place;
}

TEST(ImportTest, ModulesWithoutAnEntryAreRefused) {
  TemporaryFolder folder;
  EXPECT_EQ(failureOf(folder.write("m.mlir", "module {}\n")).code, "W0605");
  EXPECT_EQ(failureOf(folder.write("empty.mlir", "")).code, "W0605");
}

TEST(ImportTest, OtherFilesAreTold) {
  TemporaryFolder folder;
  EXPECT_EQ(failureOf(folder.write("m.bin", std::string("\x80\x02}q\0\0\0\0", 8))).code, "W0615");
  EXPECT_EQ(failureOf(folder.write("m.mlir", std::string("ML\xefRbroken bytecode"))).code, "W0602");
}

TEST(ImportTest, ArtifactsAreToldFromModels) {
  TemporaryFolder folder;
  folder.write("a.weft/manifest.json", "{}");
  EXPECT_EQ(failureOf(folder.path("a.weft").string()).code, "W0614");
}

TEST(ImportTest, BoundsBeyondTheModelAreRefused) {
  Context context;
  Result<Graph> graph = import(context, kFixtures + "tiny-minilm", {{"sequence", {1, 1000000}}});
  EXPECT_FALSE(graph);
}

} // namespace
} // namespace weft
