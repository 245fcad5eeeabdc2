// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Every fixture, imported and run by definition, against what the library computes for it in float64. No part of
// Weft's lowering takes part: a failure here is the importer's.
#include "frontends/hf/HuggingFace.h"
#include "frontends/weights/Safetensors.h"
#include "test/unit/frontends/hf/StockExecution.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <stdexcept>

namespace weft::test {
namespace {

namespace fs = std::filesystem;

const fs::path kFixtures = fs::path(WEFT_TEST_SOURCE_DIR) / "fixtures";

std::vector<std::string> fixtureNames() {
  std::vector<std::string> names;
  for (const fs::directory_entry &entry : fs::directory_iterator(kFixtures))
    if (fs::exists(entry.path() / "expected.safetensors"))
      names.push_back(entry.path().filename());
  std::sort(names.begin(), names.end());
  return names;
}

/// A fixture's name as GoogleTest wants it.
std::string testName(const testing::TestParamInfo<std::string> &info) {
  std::string name = info.param;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

/// ‖got − expected‖ / ‖expected‖ over the rows whose token is not padding.
double relativeError(const FloatTensor &got, const TensorView &expected, const IntTensor &mask) {
  std::vector<double> values = expected.values<double>();
  bool byToken = expected.shape.size() >= 2 && expected.shape[0] == mask.shape[0] && expected.shape[1] == mask.shape[1];
  size_t perToken = byToken ? values.size() / mask.values.size() : values.size();
  double difference = 0, norm = 0;
  for (size_t index = 0; index < values.size(); ++index) {
    if (byToken && mask.values[index / perToken] == 0)
      continue;
    difference += std::pow(got.values[index] - values[index], 2);
    norm += std::pow(values[index], 2);
  }
  return std::sqrt(difference / norm);
}

/// A fixture's program and what the library computed.
struct Fixture {
  explicit Fixture(const std::string &name) : folder(kFixtures / name) {
    Result<WeightStore> weights = WeightStore::open(folder);
    Result<SafetensorsFile> file = SafetensorsFile::open(folder / "expected.safetensors");
    if (!weights || !file)
      throw std::runtime_error((weights ? file.error() : weights.error()).format());
    expected.emplace(std::move(*file));
    auto module = importHuggingFace(context, folder, *weights);
    if (!module)
      throw std::runtime_error(module.error().format());
    program = StockProgram::compile(std::move(*module), *weights);
    for (const TensorView &tensor : expected->tensors())
      if (tensor.name.starts_with("input."))
        inputs[tensor.name.substr(6)] = {tensor.shape, tensor.values<int64_t>()};
  }

  fs::path folder;
  mlir::MLIRContext context{mlir::MLIRContext::Threading::DISABLED};
  std::optional<SafetensorsFile> expected;
  std::unique_ptr<StockProgram> program;
  std::map<std::string, IntTensor> inputs;
};

class Numerics : public testing::TestWithParam<std::string> {};

TEST_P(Numerics, AgreesWithFloat64) {
  Fixture fixture(GetParam());
  ASSERT_TRUE(fixture.program);
  std::map<std::string, FloatTensor> outputs = fixture.program->run(fixture.inputs);
  size_t outputCount = 0;
  for (const TensorView &tensor : fixture.expected->tensors()) {
    if (!tensor.name.starts_with("output."))
      continue;
    ++outputCount;
    std::string name = tensor.name.substr(7);
    ASSERT_TRUE(outputs.count(name)) << name;
    ASSERT_EQ(outputs[name].shape, tensor.shape) << name;
    EXPECT_LT(relativeError(outputs[name], tensor, fixture.inputs.at("attention_mask")), 1e-5) << name;
  }
  EXPECT_EQ(outputs.size(), outputCount);
}

INSTANTIATE_TEST_SUITE_P(Fixtures, Numerics, testing::ValuesIn(fixtureNames()), testName);

//===----------------------------------------------------------------------===//
// Padding
//===----------------------------------------------------------------------===//

/// [batch, sequence] with columns of one value at its right.
IntTensor widened(const IntTensor &tensor, int64_t columns, int64_t value) {
  IntTensor result{{tensor.shape[0], tensor.shape[1] + columns}, {}};
  for (int64_t row = 0; row < tensor.shape[0]; ++row) {
    auto begin = tensor.values.begin() + row * tensor.shape[1];
    result.values.insert(result.values.end(), begin, begin + tensor.shape[1]);
    result.values.insert(result.values.end(), columns, value);
  }
  return result;
}

class Padding : public testing::TestWithParam<std::string> {};

TEST_P(Padding, ChangesNoBit) {
  Fixture fixture(GetParam());
  ASSERT_TRUE(fixture.program);
  constexpr int64_t kColumns = 3;
  std::map<std::string, IntTensor> padded;
  for (const auto &[name, tensor] : fixture.inputs)
    padded[name] = widened(tensor, kColumns, name == "input_ids" ? 1 : 0);
  FloatTensor plain = fixture.program->run(fixture.inputs)["last_hidden_state"];
  FloatTensor wide = fixture.program->run(padded)["last_hidden_state"];
  const IntTensor &mask = fixture.inputs.at("attention_mask");
  int64_t sequence = plain.shape[1], hidden = plain.shape[2];
  for (int64_t token = 0; token < plain.shape[0] * sequence; ++token) {
    if (mask.values[token] == 0)
      continue;
    int64_t moved = token / sequence * (sequence + kColumns) + token % sequence;
    for (int64_t n = 0; n < hidden; ++n)
      ASSERT_EQ(plain.values[token * hidden + n], wide.values[moved * hidden + n]) << "token " << token;
  }
}

INSTANTIATE_TEST_SUITE_P(Families, Padding,
                         testing::Values("albert-base", "bert-base", "distilbert-base", "modernbert-base", "mpnet-base",
                                         "roberta-base"),
                         testName);

TEST(Pooling, OfATextWithoutTokensIsFinite) {
  for (const char *name : {"bert-sentence-mean", "bert-sentence-max"}) {
    Fixture fixture(name);
    ASSERT_TRUE(fixture.program);
    IntTensor &mask = fixture.inputs.at("attention_mask");
    std::fill(mask.values.begin(), mask.values.begin() + mask.shape[1], 0);
    for (const auto &[output, tensor] : fixture.program->run(fixture.inputs))
      for (float value : tensor.values)
        ASSERT_TRUE(std::isfinite(value)) << name << ": " << output;
  }
}

} // namespace
} // namespace weft::test
