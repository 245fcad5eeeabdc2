// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// From a model's path to numbers, through the installed interface alone.
#include "TemporaryFolder.h"
#include "compiler/include/weft/Compiler.h"
#include "frontends/weights/SafetensorsWriter.h"
#include "runtime/include/weft/runtime.h"

#include "gtest/gtest.h"

namespace weft {
namespace {

/// out[n, :] = x[n, :] + bias
constexpr const char *kModule = R"mlir(
#row = affine_map<(n, k) -> (n, k)>
#column = affine_map<(n, k) -> (k)>
module attributes {weft.model = "shift", weft.dim_bounds = {n = array<i64: 1, 100>}} {
  func.func @encode(%x: tensor<?x4xf32> {weft.name = "x", weft.dims = ["n", ""]})
      -> (tensor<?x4xf32> {weft.name = "out", weft.dims = ["n", ""]}) attributes {weft.entry} {
    %zero = arith.constant 0 : index
    %n = tensor.dim %x, %zero : tensor<?x4xf32>
    %bias = weft.parameter "bias" : tensor<4xf32>
    %init = tensor.empty(%n) : tensor<?x4xf32>
    %out = linalg.generic {indexing_maps = [#row, #column, #row], iterator_types = ["parallel", "parallel"]}
        ins(%x, %bias : tensor<?x4xf32>, tensor<4xf32>) outs(%init : tensor<?x4xf32>) {
    ^bb0(%a: f32, %b: f32, %o: f32):
      %sum = arith.addf %a, %b : f32
      linalg.yield %sum : f32
    } -> tensor<?x4xf32>
    return %out : tensor<?x4xf32>
  }
}
)mlir";

/// out[n] = Σ_m x[n] · y[m] · z[m], with n · m products in the arena, and no bounds.
constexpr const char *kPairs = R"mlir(
module attributes {weft.model = "pairs"} {
  func.func @encode(%x: tensor<?x1xf32> {weft.name = "x", weft.dims = ["n", ""]},
                    %y: tensor<1x?xf32> {weft.name = "y", weft.dims = ["", "m"]},
                    %z: tensor<?x1xf32> {weft.name = "z", weft.dims = ["m", ""]})
      -> (tensor<?x1xf32> {weft.name = "out", weft.dims = ["n", ""]}) attributes {weft.entry} {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %zero = arith.constant 0.0 : f32
    %n = tensor.dim %x, %c0 : tensor<?x1xf32>
    %m = tensor.dim %y, %c1 : tensor<1x?xf32>
    %square = tensor.empty(%n, %m) : tensor<?x?xf32>
    %cleared = linalg.fill ins(%zero : f32) outs(%square : tensor<?x?xf32>) -> tensor<?x?xf32>
    %pairs = linalg.matmul ins(%x, %y : tensor<?x1xf32>, tensor<1x?xf32>) outs(%cleared : tensor<?x?xf32>) -> tensor<?x?xf32>
    %column = tensor.empty(%n) : tensor<?x1xf32>
    %clear = linalg.fill ins(%zero : f32) outs(%column : tensor<?x1xf32>) -> tensor<?x1xf32>
    %out = linalg.matmul ins(%pairs, %z : tensor<?x?xf32>, tensor<?x1xf32>) outs(%clear : tensor<?x1xf32>) -> tensor<?x1xf32>
    return %out : tensor<?x1xf32>
  }
}
)mlir";

void writeBias(const TemporaryFolder &folder, const std::vector<float> &values) {
  TensorView bias{"bias", DType::F32, {static_cast<int64_t>(values.size())}, std::as_bytes(std::span(values))};
  ASSERT_TRUE(writeSafetensors(folder.path("m.safetensors"), std::span(&bias, 1)));
}

class CompileTest : public testing::Test {
protected:
  void SetUp() override {
    path = folder.write("m.mlir", kModule);
    writeBias(folder, {1, 2, 3, 4});
  }

  Graph graph() {
    Result<Graph> imported = import(context, path);
    EXPECT_TRUE(imported) << imported.error().format();
    return std::move(*imported);
  }

  /// The code of what goes wrong, or nothing.
  std::string failureOf(const CompileOptions &options) {
    Result<Executable> executable = compile(graph(), options);
    return executable ? "" : executable.error().code;
  }

  TemporaryFolder folder;
  Context context;
  std::string path;
};

TEST_F(CompileTest, RunsInThisProcess) {
  for (const char *target : {"cpu:native", "portable"}) {
    Result<Executable> executable = compile(graph(), {.targets = {target}});
    ASSERT_TRUE(executable) << executable.error().format();
    Result<Session> session = executable->session({.threads = 1});
    ASSERT_TRUE(session) << session.error().format();
    auto outputs = session->run("encode", {Array::of<float>("x", {2, 4}, {0, 0, 0, 0, 10, 20, 30, 40})});
    ASSERT_TRUE(outputs) << outputs.error().format();
    ASSERT_EQ(outputs->size(), 1u);
    EXPECT_EQ((*outputs)[0].name, "out");
    EXPECT_EQ((*outputs)[0].shape, (std::vector<int64_t>{2, 4}));
    std::span<const float> values = (*outputs)[0].values<float>();
    EXPECT_EQ(std::vector<float>(values.begin(), values.end()), (std::vector<float>{1, 2, 3, 4, 11, 22, 33, 44}));
  }
}

TEST_F(CompileTest, RunsOnTheCallersMemory) {
  Result<Executable> executable = compile(graph());
  ASSERT_TRUE(executable) << executable.error().format();
  Result<Session> session = executable->session();
  ASSERT_TRUE(session);
  alignas(64) float x[4] = {1, 1, 1, 1}, out[4] = {};
  Buffer input{"x", ElementType::F32, {1, 4}, x, sizeof(x)}, output{"out", ElementType::F32, {}, out, sizeof(out)};
  Result<void> ran = session->run("encode", std::span(&input, 1), std::span(&output, 1));
  ASSERT_TRUE(ran) << ran.error().format();
  EXPECT_EQ(output.shape, (std::vector<int64_t>{1, 4}));
  EXPECT_EQ(out[3], 5);
}

TEST_F(CompileTest, SessionsOutliveTheirGraphAndExecutable) {
  std::unique_ptr<Session> session;
  {
    Context shortLived;
    Result<Graph> imported = import(shortLived, path);
    Result<Executable> executable = compile(*imported);
    ASSERT_TRUE(executable);
    session = std::make_unique<Session>(std::move(*executable->session()));
  }
  EXPECT_TRUE(session->run("encode", {Array::of<float>("x", {1, 4}, {0, 0, 0, 0})}));
}

// Reserved for the largest call, each would take all addresses; a call that no machine has the memory for is refused.
TEST_F(CompileTest, ManySessionsOfAnEntryWithoutBounds) {
  Result<Graph> pairs = import(context, folder.write("pairs.mlir", kPairs));
  ASSERT_TRUE(pairs) << pairs.error().format();
  Result<Executable> executable = compile(*pairs);
  ASSERT_TRUE(executable) << executable.error().format();
  auto call = [](int64_t extent) {
    std::vector<float> ones(extent, 1);
    return std::vector{Array::of<float>("x", {extent, 1}, ones), Array::of<float>("y", {1, extent}, ones),
                       Array::of<float>("z", {extent, 1}, ones)};
  };
  std::vector<Session> sessions;
  for (int count = 0; count < 64; ++count) {
    Result<Session> session = executable->session({.threads = 1});
    ASSERT_TRUE(session) << session.error().format();
    sessions.push_back(std::move(*session));
  }
  for (Session &session : sessions) {
    auto outputs = session.run("encode", call(7));
    ASSERT_TRUE(outputs) << outputs.error().format();
    EXPECT_EQ((*outputs)[0].values<float>()[6], 7);
  }
  auto tooLarge = sessions[0].run("encode", call(4'000'000));
  ASSERT_FALSE(tooLarge);
  EXPECT_EQ(tooLarge.error().code, "W0418");
  EXPECT_NE(tooLarge.error().message.find("needs 64.0 TB of scratch memory"), std::string::npos)
      << tooLarge.error().message;
}

TEST_F(CompileTest, MistakesOfACallAreDiagnostics) {
  Result<Executable> executable = compile(graph());
  ASSERT_TRUE(executable);
  Result<Session> session = executable->session();
  ASSERT_TRUE(session);
  EXPECT_FALSE(session->run("decode", {}));
  EXPECT_FALSE(session->run("encode", {}));
  auto wrong = session->run("encode", {Array::of<float>("x", {1, 3}, {0, 0, 0})});
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().code.substr(0, 3), "W04");
  EXPECT_FALSE(executable->session({.variant = "v9"}));
}

TEST_F(CompileTest, WrongOptionsAreDiagnostics) {
  EXPECT_EQ(failureOf({.targets = {"cpu:v5"}}), "W0610");
  EXPECT_EQ(failureOf({.dimBounds = {{"batch", {1, 2}}}}), "W0611");
  EXPECT_EQ(failureOf({.dimBounds = {{"n", {1, 101}}}}), "W0612");
  EXPECT_EQ(failureOf({.dimBounds = {{"n", {5, 4}}}}), "W0612");
  EXPECT_EQ(failureOf({.dtype = ElementType::I8}), "W0618");
  EXPECT_EQ(failureOf({.weights = "int8", .dtype = ElementType::BF16}), "W0618");
  for (const char *phase : {"optimise", "emit"}) {
    Result<std::string> text = lower(graph(), {.stopAfter = phase});
    ASSERT_FALSE(text);
    EXPECT_EQ(text.error().code, "W0613");
  }
}

TEST_F(CompileTest, NarrowerBoundsReachTheModel) {
  Result<Executable> executable = compile(graph(), {.dimBounds = {{"n", {1, 2}}}});
  ASSERT_TRUE(executable) << executable.error().format();
  weft_dim_info dim;
  ASSERT_EQ(weft_model_dim(executable->model(), "encode", 0, &dim), WEFT_OK);
  EXPECT_EQ(dim.max, 2);
}

TEST_F(CompileTest, MissingAndMisshapenWeightsAreNamed) {
  std::filesystem::remove(folder.path("m.safetensors"));
  EXPECT_EQ(failureOf({}), "W0606");
  writeBias(folder, {1, 2, 3});
  EXPECT_EQ(failureOf({}), "W0607");
}

TEST_F(CompileTest, StopsAfterEveryPhase) {
  for (std::string_view phase : phaseNames().first(phaseNames().size() - 1)) {
    Result<std::string> text = lower(graph(), {.targets = {"v3"}, .stopAfter = std::string(phase)});
    ASSERT_TRUE(text) << text.error().format();
    EXPECT_EQ(text->find("llvm.func") != std::string::npos, phase == "cpu") << phase;
  }
}

TEST_F(CompileTest, DumpsAFileAPhase) {
  CompileOptions options{.targets = {"cpu:v4,portable"}, .dumpDir = folder.path("dump").string()};
  Result<void> compiled = compileToArtifact(graph(), folder.path("m.weft").string(), options);
  ASSERT_TRUE(compiled) << compiled.error().format();
  EXPECT_EQ(folder.names("dump"),
            (std::vector<std::string>{"01-import.mlir", "02-normalize.mlir", "03-fuse.mlir", "04-outline.mlir",
                                      "05-tile-portable.mlir", "05-tile-v4.mlir", "06-bufferize-portable.mlir",
                                      "06-bufferize-v4.mlir", "08-vectorize-portable.mlir", "08-vectorize-v4.mlir",
                                      "10-cpu-portable.mlir", "10-cpu-v4.mlir"}));
}

TEST_F(CompileTest, ThreadsChangeNothing) {
  std::vector<std::string> libraries, dumps;
  for (int jobs : {1, 2}) {
    std::string name = std::to_string(jobs);
    CompileOptions options{.jobs = jobs, .dumpDir = folder.path("dump" + name).string()};
    Result<void> compiled = compileToArtifact(graph(), folder.path(name + ".weft").string(), options);
    ASSERT_TRUE(compiled) << compiled.error().format();
    libraries.push_back(folder.read(name + ".weft/model.so") + folder.read(name + ".weft/manifest.json"));
    dumps.push_back(folder.read("dump" + name + "/07-cpu-v3.mlir"));
  }
  EXPECT_EQ(libraries[0], libraries[1]);
  EXPECT_EQ(dumps[0], dumps[1]);
}

TEST_F(CompileTest, ProgressGrowsToTheWhole) {
  double share = 0;
  std::vector<std::string> phases;
  CompileOptions options;
  options.jobs = 2;
  options.onProgress = [&](const Progress &progress) {
    EXPECT_GE(progress.share, share);
    share = progress.share;
    phases.emplace_back(progress.phase);
  };
  ASSERT_TRUE(compileToArtifact(graph(), folder.path("m.weft").string(), options));
  EXPECT_NEAR(share, 1, 1e-3);
  EXPECT_EQ(phases.front(), "import");
  EXPECT_NE(std::find(phases.begin(), phases.end(), "cpu v3"), phases.end());
}

TEST_F(CompileTest, FailureLeavesNoArtifact) {
  writeBias(folder, {1, 2, 3});
  EXPECT_FALSE(compileToArtifact(graph(), folder.path("m.weft").string()));
  EXPECT_EQ(folder.names(), (std::vector<std::string>{"m.mlir", "m.safetensors"}));
}

TEST_F(CompileTest, ArtifactOpens) {
  ASSERT_TRUE(compileToArtifact(graph(), folder.path("m.weft").string()));
  weft_model *model = nullptr;
  ASSERT_EQ(weft_open(folder.path("m.weft").c_str(), nullptr, &model), WEFT_OK) << weft_last_error();
  EXPECT_STREQ(weft_model_name(model), "shift");
  weft_close(model);
}

} // namespace
} // namespace weft
