// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
#include "tools/weft/Arrays.h"

#include "frontends/weights/MappedFile.h"
#include "frontends/weights/Safetensors.h"
#include "frontends/weights/SafetensorsWriter.h"
#include "tools/weft/Npy.h"
#include "tools/weft/Npz.h"

#include <filesystem>
#include <optional>

namespace weft::cli {
namespace {

struct TypePair {
  ElementType type;
  DType stored;
  const char *name;
};
constexpr TypePair kTypes[] = {
    {ElementType::F32, DType::F32, "f32"}, {ElementType::F64, DType::F64, "f64"},
    {ElementType::F16, DType::F16, "f16"}, {ElementType::BF16, DType::BF16, "bf16"},
    {ElementType::I8, DType::I8, "i8"},    {ElementType::I16, DType::I16, "i16"},
    {ElementType::I32, DType::I32, "i32"}, {ElementType::I64, DType::I64, "i64"},
    {ElementType::U8, DType::U8, "u8"},    {ElementType::Bool, DType::Bool, "bool"},
};

const TypePair &pairOf(ElementType type) {
  for (const TypePair &pair : kTypes)
    if (pair.type == type)
      return pair;
  return kTypes[0];
}

Result<std::vector<Array>> readSafetensors(const std::string &path) {
  Result<SafetensorsFile> file = SafetensorsFile::open(path);
  if (!file)
    return file.takeError();
  std::vector<Array> arrays;
  for (const TensorView &tensor : file->tensors()) {
    if (tensor.name.starts_with(kPaddingPrefix))
      continue;
    auto pair = std::find_if(std::begin(kTypes), std::end(kTypes),
                             [&](const TypePair &known) { return known.stored == tensor.dtype; });
    if (pair == std::end(kTypes))
      return Diagnostic{"W0505", "arrays of type " + std::string(dtypeName(tensor.dtype)) + " are not taken",
                        path + ", tensor " + printableName(tensor.name), "convert it to I64 or F32"};
    arrays.push_back({tensor.name, pair->type, tensor.shape, {tensor.bytes.begin(), tensor.bytes.end()}});
  }
  return arrays;
}

Result<void> writeSafetensorsArrays(const std::string &path, const std::vector<Array> &arrays) {
  std::vector<TensorView> views;
  for (const Array &array : arrays)
    views.push_back({array.name, pairOf(array.type).stored, array.shape, array.bytes});
  return writeSafetensors(path, views);
}

} // namespace

Result<void> checkArraysPath(const std::string &path) {
  std::string ending = std::filesystem::path(path).extension();
  if (ending == ".npz" || ending == ".safetensors")
    return {};
  return Diagnostic{"W0506", "arrays are not kept in files that end in '" + ending + "'", path,
                    "use a name that ends in .npz or .safetensors"};
}

Result<std::vector<Array>> readArrays(const std::string &path) {
  if (Result<void> checked = checkArraysPath(path); !checked)
    return checked.takeError();
  if (path.ends_with(".safetensors"))
    return readSafetensors(path);
  if (Result<MappedFile> file = MappedFile::open(path); !file)
    return file.takeError(); // says more of a file that is not there than libzip does
  return readNpz(path);
}

Result<Array> readArray(const std::string &path, const std::string &name) {
  Result<MappedFile> file = MappedFile::open(path);
  if (!file)
    return file.takeError();
  return parseNpy(file->bytes(), name, path);
}

Result<void> writeArrays(const std::string &path, const std::vector<Array> &arrays) {
  return path.ends_with(".safetensors") ? writeSafetensorsArrays(path, arrays) : writeNpz(path, arrays);
}

std::string typeText(const Array &array) {
  std::string text = std::string(pairOf(array.type).name) + " [";
  for (size_t axis = 0; axis < array.shape.size(); ++axis)
    text += (axis ? ", " : "") + std::to_string(array.shape[axis]);
  return text + "]";
}

size_t elementCount(const Array &array) { return array.bytes.size() / elementSize(array.type); }

template <class T> static double loadAs(const Array &array, size_t index) {
  T value;
  std::memcpy(&value, array.bytes.data() + index * sizeof(T), sizeof(T));
  return static_cast<double>(value);
}

double elementOf(const Array &array, size_t index) {
  switch (array.type) {
  case ElementType::F32:
    return loadAs<float>(array, index);
  case ElementType::F64:
    return loadAs<double>(array, index);
  case ElementType::I8:
    return loadAs<int8_t>(array, index);
  case ElementType::I16:
    return loadAs<int16_t>(array, index);
  case ElementType::I32:
    return loadAs<int32_t>(array, index);
  case ElementType::I64:
    return static_cast<double>(loadAs<int64_t>(array, index));
  case ElementType::U8:
  case ElementType::Bool:
    return loadAs<uint8_t>(array, index);
  case ElementType::F16:
  case ElementType::BF16:
    return 0;
  }
  return 0;
}

static nlohmann::json axisToJson(const Array &array, size_t axis, size_t &next) {
  if (axis == array.shape.size()) {
    double value = elementOf(array, next++);
    bool real = array.type == ElementType::F32 || array.type == ElementType::F64;
    return real ? nlohmann::json(value) : nlohmann::json(static_cast<int64_t>(value));
  }
  auto list = nlohmann::json::array();
  for (int64_t index = 0; index < array.shape[axis]; ++index)
    list.push_back(axisToJson(array, axis + 1, next));
  return list;
}

nlohmann::json toJson(const Array &array) {
  size_t next = 0;
  return axisToJson(array, 0, next);
}

} // namespace weft::cli
