// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A value of a GGUF file's metadata as a view of its bytes, checked when the file was opened.
#ifndef WEFT_FRONTENDS_GGUF_METADATA_H
#define WEFT_FRONTENDS_GGUF_METADATA_H

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace weft::gguf {

/// Numbered as in the file.
enum class ValueType : uint32_t { U8, I8, U16, I16, U32, I32, F32, Bool, String, Array, U64, I64, F64 };

/// "U8", …; empty when there is no such type.
std::string_view valueTypeName(ValueType type);

/// Bytes of a number or a Bool; 0 for strings and arrays.
size_t sizeOf(ValueType type);

/// What type is asked for does not matter: nothing is returned where the value is of another kind.
struct Value {
  ValueType type;
  ValueType elementType = ValueType::U8; ///< of an array
  uint64_t count = 0;                    ///< of an array's elements
  std::span<const std::byte> bytes;      ///< a number; a string's characters; an array's elements as they lie

  std::optional<int64_t> integer() const; ///< of any integer type, if int64 holds it
  std::optional<double> number() const;   ///< of any integer or float type
  std::optional<bool> flag() const;
  std::optional<std::string_view> text() const;
  std::optional<std::vector<int64_t>> integers() const;
  std::optional<std::vector<double>> numbers() const;
  std::optional<std::vector<bool>> flags() const;
  std::optional<std::vector<std::string_view>> texts() const;
};

using Metadata = std::map<std::string, Value, std::less<>>;

} // namespace weft::gguf

#endif // WEFT_FRONTENDS_GGUF_METADATA_H
