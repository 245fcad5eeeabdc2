// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "frontends/gguf/StoredValues.h"

#include <cmath>

namespace weft::gguf {
namespace {

/// Blocks that are decoded when they are read, and then changed back.
class DecodedBlocks : public ComputedValues {
public:
  DecodedBlocks(const BlockFormat &format, std::span<const std::byte> bytes, Change change, int64_t heads)
      : decoder(format), bytes(bytes), change(change), heads(heads) {}

  void read(std::span<float> out) const override {
    if (change == Change::QueryRows || change == Change::KeyRows)
      return readRows(out);
    decoder.decode(bytes, out);
    for (float &value : out)
      if (change == Change::PlusOne)
        value -= 1;
      else if (change == Change::NegativeExp)
        value = std::log(-value);
  }

private:
  /// Row i of the first half of a head is row 2i of the file, row i of the second half row 2i + 1.
  void readRows(std::span<float> out) const {
    std::vector<float> stored(out.size());
    decoder.decode(bytes, stored);
    size_t rows = rowCount, width = rows ? out.size() / rows : 0, half = rows / heads / 2;
    for (size_t row = 0; row < rows; ++row) {
      size_t within = row % (2 * half);
      size_t from = row - within + within % half * 2 + within / half;
      std::copy_n(stored.begin() + from * width, width, out.begin() + row * width);
    }
  }

public:
  size_t rowCount = 0; ///< for the changes of rows

private:
  BlockDecoder decoder;
  std::span<const std::byte> bytes;
  Change change;
  int64_t heads;
};

/// The type whose bytes need no change; nothing: they do.
std::optional<DType> plainType(const BlockFormat &format) {
  switch (format.scale.type) {
  case Real::Type::F32:
    return DType::F32;
  case Real::Type::F16:
    return format.elements == 1 ? std::optional(DType::F16) : std::nullopt;
  case Real::Type::BF16:
    return DType::BF16;
  default:
    return std::nullopt;
  }
}

bool changesValues(Change change) {
  return change == Change::QueryRows || change == Change::KeyRows || change == Change::PlusOne ||
         change == Change::NegativeExp;
}

int64_t product(const std::vector<int64_t> &shape) {
  int64_t count = 1;
  for (int64_t extent : shape)
    count *= extent;
  return count;
}

/// The shape in the folder; nothing: the change does not fit the file's.
std::optional<std::vector<int64_t>> shapeIn(const std::vector<int64_t> &shape, Change change, int64_t heads) {
  switch (change) {
  case Change::MiddleOne:
    return shape.size() == 2 ? std::optional(std::vector{shape[0], int64_t(1), shape[1]}) : std::nullopt;
  case Change::LeadingOne:
    return shape.size() == 1 ? std::optional(std::vector{int64_t(1), shape[0]}) : std::optional(shape);
  case Change::Flat:
    return std::vector{product(shape)};
  case Change::NegativeExp: // Mamba-2 has one for each head: [heads, 1]
    return shape.size() == 2 && shape[1] == 1 ? std::vector{shape[0]} : shape;
  case Change::QueryRows:
  case Change::KeyRows:
    return !shape.empty() && heads > 0 && shape[0] % (2 * heads) == 0 ? std::optional(shape) : std::nullopt;
  case Change::Experts:
    return shape.size() == 3 && shape[0] > 0 ? std::optional(std::vector{shape[1], shape[2]}) : std::nullopt;
  default:
    return shape;
  }
}

} // namespace

Result<std::vector<TensorView>> viewsOf(const BlockTensor &tensor, const std::string &name, Change change,
                                        const HeadCounts &heads, const std::string &place) {
  int64_t headsOfRows = change == Change::KeyRows ? heads.keys : heads.queries;
  std::optional<std::vector<int64_t>> shape = shapeIn(tensor.shape, change, headsOfRows);
  if (!shape)
    return Diagnostic{"W0162", "the tensor's shape " + printableShape(tensor.shape) + " does not fit its name",
                      place + ", tensor " + printableName(tensor.name),
                      "the file is of another model than its metadata say; fetch it again"};
  size_t parts = change == Change::Experts ? tensor.shape[0] : 1, size = tensor.bytes.size() / parts;
  std::optional<DType> plain = changesValues(change) ? std::nullopt : plainType(*tensor.format);
  std::vector<TensorView> views;
  for (size_t part = 0; part < parts; ++part) {
    std::string own = name;
    if (size_t star = own.find('*'); star != std::string::npos)
      own.replace(star, 1, std::to_string(part));
    std::span<const std::byte> bytes = tensor.bytes.subspan(part * size, size);
    if (plain) {
      views.push_back({own, *plain, *shape, bytes});
      continue;
    }
    auto values = std::make_shared<DecodedBlocks>(*tensor.format, bytes, change, headsOfRows);
    values->rowCount = shape->empty() ? 0 : shape->front();
    views.push_back({own, DType::F32, *shape, {}, {}, std::move(values)});
  }
  return views;
}

} // namespace weft::gguf
