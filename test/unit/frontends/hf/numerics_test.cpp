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
#include <limits>
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

//===----------------------------------------------------------------------===//
// Causal models: texts in several calls
//===----------------------------------------------------------------------===//

/// Columns [from, from + count) of each row.
IntTensor columnsOf(const IntTensor &tensor, int64_t from, int64_t count) {
  IntTensor result{{tensor.shape[0], count}, {}};
  for (int64_t row = 0; row < tensor.shape[0]; ++row) {
    auto begin = tensor.values.begin() + row * tensor.shape[1] + from;
    result.values.insert(result.values.end(), begin, begin + count);
  }
  return result;
}

IntTensor rowOf(const IntTensor &tensor, int64_t row, int64_t from) {
  auto begin = tensor.values.begin() + row * tensor.shape[1];
  return {{1, tensor.shape[1] - from}, {begin + from, begin + tensor.shape[1]}};
}

std::vector<float> lastRow(const FloatTensor &tensor) {
  return {tensor.values.end() - tensor.shape.back(), tensor.values.end()};
}

/// ‖a − b‖ / ‖b‖: 0 for the same bits.
double difference(const std::vector<float> &a, const std::vector<float> &b) {
  double sum = a.size() == b.size() ? 0 : std::numeric_limits<double>::infinity(), norm = 0;
  for (size_t index = 0; std::isfinite(sum) && index < a.size(); ++index) {
    sum += std::pow(a[index] - double(b[index]), 2);
    norm += std::pow(b[index], 2);
  }
  return sum == 0 ? 0 : std::sqrt(sum / norm);
}

/// What a cut, or another place in a row, may change: nothing in recurrences. Attention adds its keys in the order in
/// which they lie.
double boundOf(const std::string &name) { return name.starts_with("recurrent-gemma") ? 2e-6 : 0; }

int64_t best(const FloatTensor &logits, int64_t row) {
  auto begin = logits.values.begin() + row * logits.shape[1];
  return std::max_element(begin, begin + logits.shape[1]) - begin;
}

std::vector<std::string> causalNames() {
  std::vector<std::string> names;
  for (const std::string &name : fixtureNames()) {
    Result<SafetensorsFile> file = SafetensorsFile::open(kFixtures / name / "expected.safetensors");
    if (file && file->find("greedy.sequences"))
      names.push_back(name);
  }
  return names;
}

class Causal : public testing::TestWithParam<std::string> {};

TEST_P(Causal, IsContinuedTokenByToken) {
  Fixture fixture(GetParam());
  ASSERT_TRUE(fixture.program);
  const TensorView *sequences = fixture.expected->find("greedy.sequences");
  IntTensor expected{sequences->shape, sequences->values<int64_t>()};
  int64_t prompt = fixture.inputs.at("input_ids").shape[1], rows = expected.shape[0];
  FloatTensor logits = fixture.program->run(fixture.inputs, "prefill")["logits"];
  for (int64_t column = prompt; column < expected.shape[1]; ++column) {
    IntTensor next = columnsOf(expected, column, 1);
    for (int64_t row = 0; row < rows; ++row)
      ASSERT_EQ(best(logits, row), next.values[row]) << "row " << row << ", token " << column - prompt;
    logits = fixture.program->run({{"input_ids", next}}, "decode")["logits"];
  }
}

TEST_P(Causal, IsCutIntoCallsAnywhere) {
  Fixture fixture(GetParam());
  ASSERT_TRUE(fixture.program);
  IntTensor ids = rowOf(fixture.inputs.at("input_ids"), 0, 0);
  int64_t length = ids.shape[1];
  std::vector<float> whole = lastRow(fixture.program->run({{"input_ids", ids}}, "prefill")["logits"]);
  for (int64_t cut : {int64_t(1), int64_t(2), length / 2, length - 1}) {
    fixture.program->reset();
    fixture.program->run({{"input_ids", columnsOf(ids, 0, cut)}}, "prefill");
    auto rest = fixture.program->run({{"input_ids", columnsOf(ids, cut, length - cut)}}, "prefill");
    EXPECT_LE(difference(lastRow(rest["logits"]), whole), boundOf(GetParam())) << "cut at " << cut;
  }
}

/// Two texts in one row give the numbers of each alone, by position_ids and by padding between them.
TEST_P(Causal, TakesTextsInOneRow) {
  Fixture fixture(GetParam());
  ASSERT_TRUE(fixture.program);
  IntTensor first = rowOf(fixture.inputs.at("input_ids"), 0, 0), second = rowOf(fixture.inputs.at("input_ids"), 0, 5);
  std::vector<float> alone = lastRow(fixture.program->run({{"input_ids", second}})["logits"]);
  IntTensor packed{{1, first.shape[1] + second.shape[1]}, first.values}, positions = packed, mask = packed;
  packed.values.insert(packed.values.end(), second.values.begin(), second.values.end());
  for (int64_t column = 0; column < first.shape[1]; ++column)
    positions.values[column] = column;
  mask.values.assign(first.shape[1], 0);
  for (int64_t column = 0; column < second.shape[1]; ++column)
    positions.values.push_back(column), mask.values.push_back(1);
  auto byPosition = fixture.program->run({{"input_ids", packed}, {"position_ids", positions}});
  EXPECT_LE(difference(lastRow(byPosition["logits"]), alone), boundOf(GetParam()));
  auto byPadding = fixture.program->run({{"input_ids", packed}, {"attention_mask", mask}});
  EXPECT_LE(difference(lastRow(byPadding["logits"]), alone), boundOf(GetParam()));
}

INSTANTIATE_TEST_SUITE_P(Fixtures, Causal, testing::ValuesIn(causalNames()), testName);

} // namespace
} // namespace weft::test
