// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "frontends/gguf/Metadata.h"

#include <cassert>
#include <cstring>
#include <functional>

namespace weft::gguf {
namespace {

template <class T> T load(const std::byte *from) {
  T value;
  std::memcpy(&value, from, sizeof(T));
  return value;
}

std::optional<int64_t> loadInteger(ValueType type, const std::byte *from) {
  switch (type) {
  case ValueType::U8:
    return load<uint8_t>(from);
  case ValueType::I8:
    return load<int8_t>(from);
  case ValueType::U16:
    return load<uint16_t>(from);
  case ValueType::I16:
    return load<int16_t>(from);
  case ValueType::U32:
    return load<uint32_t>(from);
  case ValueType::I32:
    return load<int32_t>(from);
  case ValueType::I64:
    return load<int64_t>(from);
  case ValueType::U64:
    if (auto value = load<uint64_t>(from); value <= static_cast<uint64_t>(INT64_MAX))
      return static_cast<int64_t>(value);
    return std::nullopt;
  default:
    return std::nullopt;
  }
}

std::optional<double> loadNumber(ValueType type, const std::byte *from) {
  if (type == ValueType::F32)
    return load<float>(from);
  if (type == ValueType::F64)
    return load<double>(from);
  if (std::optional<int64_t> integer = loadInteger(type, from))
    return static_cast<double>(*integer);
  return std::nullopt;
}

std::optional<bool> loadFlag(ValueType type, const std::byte *from) {
  if (type != ValueType::Bool)
    return std::nullopt;
  return load<uint8_t>(from) != 0;
}

/// Each element of an array of numbers, by `load`; nothing where one is not of that kind.
template <class T, class Load> std::optional<std::vector<T>> loadAll(const Value &value, Load load) {
  size_t size = sizeOf(value.elementType);
  if (value.type != ValueType::Array || (size == 0 && value.count > 0))
    return std::nullopt;
  std::vector<T> result;
  result.reserve(value.count);
  for (uint64_t index = 0; index < value.count; ++index) {
    std::optional<T> element = load(value.elementType, value.bytes.data() + index * size);
    if (!element)
      return std::nullopt;
    result.push_back(*element);
  }
  return result;
}

} // namespace

std::string_view valueTypeName(ValueType type) {
  static constexpr std::string_view kNames[] = {"U8",   "I8",     "U16",   "I16", "U32", "I32", "F32",
                                                "Bool", "String", "Array", "U64", "I64", "F64"};
  auto index = static_cast<uint32_t>(type);
  return index < std::size(kNames) ? kNames[index] : std::string_view();
}

size_t sizeOf(ValueType type) {
  static constexpr uint8_t kSizes[] = {1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8};
  auto index = static_cast<uint32_t>(type);
  return index < std::size(kSizes) ? kSizes[index] : 0;
}

std::optional<int64_t> Value::integer() const { return loadInteger(type, bytes.data()); }
std::optional<double> Value::number() const { return loadNumber(type, bytes.data()); }
std::optional<bool> Value::flag() const { return loadFlag(type, bytes.data()); }

std::optional<std::string_view> Value::text() const {
  if (type != ValueType::String)
    return std::nullopt;
  return std::string_view(reinterpret_cast<const char *>(bytes.data()), bytes.size());
}

std::optional<std::vector<int64_t>> Value::integers() const { return loadAll<int64_t>(*this, loadInteger); }
std::optional<std::vector<double>> Value::numbers() const { return loadAll<double>(*this, loadNumber); }
std::optional<std::vector<bool>> Value::flags() const { return loadAll<bool>(*this, loadFlag); }

std::optional<std::vector<std::string_view>> Value::texts() const {
  if (type != ValueType::Array || elementType != ValueType::String)
    return std::nullopt;
  std::vector<std::string_view> result;
  result.reserve(count);
  const std::byte *next = bytes.data();
  for (uint64_t index = 0; index < count; ++index) {
    auto length = load<uint64_t>(next);
    result.emplace_back(reinterpret_cast<const char *>(next + 8), length);
    next += 8 + length;
  }
  assert(next == bytes.data() + bytes.size() && "checked when the file was opened");
  return result;
}

} // namespace weft::gguf
