// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "test/e2e/Fixture.h"

#include <cmath>
#include <limits>

namespace weft::test {

int64_t Batch::lengthOf(int64_t row) const {
  int64_t length = columns;
  while (length > 1 && !isToken(row, length - 1))
    --length;
  return length;
}

Batch Batch::alone(int64_t row) const {
  Batch result{1, lengthOf(row), {}};
  for (const auto &[name, values] : inputs)
    result.inputs[name].assign(values.begin() + row * columns, values.begin() + row * columns + result.columns);
  return result;
}

/// What this fixture pads an input with.
int64_t Batch::paddingValue(const std::string &name) const {
  for (size_t index = 0; index < mask().size(); ++index)
    if (mask()[index] == 0)
      return inputs.at(name)[index];
  return 0;
}

Batch Batch::paddedBy(int64_t more) const {
  Batch result{rows, columns + more, {}};
  for (const auto &[name, values] : inputs)
    for (int64_t row = 0; row < rows; ++row) {
      std::vector<int64_t> &wider = result.inputs[name];
      wider.insert(wider.end(), values.begin() + row * columns, values.begin() + (row + 1) * columns);
      wider.insert(wider.end(), more, name == "attention_mask" ? 0 : paddingValue(name));
    }
  return result;
}

Batch Batch::part(int64_t first, int64_t count) const {
  Batch result{rows, count, {}};
  for (const auto &[name, values] : inputs)
    for (int64_t row = 0; row < rows; ++row) {
      auto begin = values.begin() + row * columns + first;
      result.inputs[name].insert(result.inputs[name].end(), begin, begin + count);
    }
  return result;
}

Batch Batch::reversed() const {
  Batch result{rows, columns, {}};
  for (const auto &[name, values] : inputs)
    for (int64_t row = rows - 1; row >= 0; --row)
      result.inputs[name].insert(result.inputs[name].end(), values.begin() + row * columns,
                                 values.begin() + (row + 1) * columns);
  return result;
}

std::vector<Array> Batch::arrays() const {
  std::vector<Array> result;
  result.reserve(inputs.size());
  for (const auto &[name, values] : inputs)
    result.push_back(Array::of<int64_t>(name, {rows, columns}, values));
  return result;
}

Result<Fixture> readFixture(const std::string &folder, const std::string &dtype) {
  Result<SafetensorsFile> file = SafetensorsFile::open(folder + "/expected.safetensors");
  if (!file)
    return file.takeError();
  Fixture fixture;
  const std::string prefix = dtype == "f32" ? "output." : dtype + ".";
  for (const TensorView &tensor : file->tensors()) {
    if (tensor.name.starts_with("input.")) {
      fixture.batch.rows = tensor.shape[0];
      fixture.batch.columns = tensor.shape[1];
      fixture.batch.inputs[tensor.name.substr(6)] = tensor.values<int64_t>();
    } else if (tensor.name.starts_with(prefix)) {
      fixture.expected[tensor.name.substr(prefix.size())] = tensor.values<double>();
    }
  }
  if (fixture.expected.empty())
    return Diagnostic{"W0602", "the fixture does not say what weights of " + dtype + " give", folder,
                      "see with_rounded_weights in test/fixtures/architectures.py"};
  return fixture;
}

double relativeRms(const Output &got, const std::vector<double> &expected, const Batch &batch) {
  std::span<const float> values = got.array.values<float>();
  if (values.size() != expected.size())
    return std::numeric_limits<double>::infinity();
  size_t perToken = got.byToken ? values.size() / (batch.rows * batch.columns) : values.size();
  double difference = 0, norm = 0;
  for (size_t index = 0; index < values.size(); ++index) {
    if (got.byToken && batch.mask()[index / perToken] == 0)
      continue;
    difference += std::pow(double(values[index]) - expected[index], 2);
    norm += std::pow(expected[index], 2);
  }
  double error = std::sqrt(difference / norm);
  return std::isfinite(error) ? error : std::numeric_limits<double>::infinity();
}

bool sameRow(const Output &mine, int64_t row, const Output &other, int64_t otherRow, const Batch &batch) {
  size_t size = mine.array.bytes.size() / batch.rows;
  const std::byte *left = mine.array.bytes.data() + row * size;
  if (!mine.byToken) {
    size_t otherSize = other.array.bytes.size() / other.array.shape[0];
    return size == otherSize && std::memcmp(left, other.array.bytes.data() + otherRow * size, size) == 0;
  }
  size_t perToken = size / batch.columns;
  const std::byte *right = other.array.bytes.data() + otherRow * other.array.shape[1] * perToken;
  for (int64_t column = 0; column < batch.lengthOf(row); ++column)
    if (batch.isToken(row, column) && std::memcmp(left + column * perToken, right + column * perToken, perToken) != 0)
      return false;
  return true;
}

} // namespace weft::test
