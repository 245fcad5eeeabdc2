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

class Numerics : public testing::TestWithParam<std::string> {};

TEST_P(Numerics, AgreesWithFloat64) {
  fs::path folder = kFixtures / GetParam();
  Result<WeightStore> weights = WeightStore::open(folder);
  ASSERT_TRUE(weights) << weights.error().format();
  Result<SafetensorsFile> expected = SafetensorsFile::open(folder / "expected.safetensors");
  ASSERT_TRUE(expected) << expected.error().format();
  mlir::MLIRContext context(mlir::MLIRContext::Threading::DISABLED);
  auto module = importHuggingFace(context, folder, *weights);
  ASSERT_TRUE(module) << module.error().format();
  std::unique_ptr<StockProgram> program = StockProgram::compile(std::move(*module), *weights);
  ASSERT_TRUE(program);

  std::map<std::string, IntTensor> inputs;
  size_t outputCount = 0;
  for (const TensorView &tensor : expected->tensors()) {
    if (tensor.name.starts_with("input."))
      inputs[tensor.name.substr(6)] = {tensor.shape, tensor.values<int64_t>()};
    outputCount += tensor.name.starts_with("output.");
  }
  std::map<std::string, FloatTensor> outputs = program->run(inputs);
  EXPECT_EQ(outputs.size(), outputCount);
  for (const TensorView &tensor : expected->tensors()) {
    if (!tensor.name.starts_with("output."))
      continue;
    std::string name = tensor.name.substr(7);
    ASSERT_TRUE(outputs.count(name)) << name;
    ASSERT_EQ(outputs[name].shape, tensor.shape) << name;
    EXPECT_LT(relativeError(outputs[name], tensor, inputs.at("attention_mask")), 1e-5) << name;
  }
}

INSTANTIATE_TEST_SUITE_P(Fixtures, Numerics, testing::ValuesIn(fixtureNames()), [](const auto &info) {
  std::string name = info.param;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
});

} // namespace
} // namespace weft::test
