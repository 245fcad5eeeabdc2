// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// GGUF files written byte by byte, wrong ones included.
#ifndef WEFT_TEST_UNIT_FRONTENDS_GGUF_GGUFBYTES_H
#define WEFT_TEST_UNIT_FRONTENDS_GGUF_GGUFBYTES_H

#include "frontends/gguf/Metadata.h"

#include <string>
#include <string_view>
#include <vector>

namespace weft::gguf::test {

template <class T> std::string raw(T value) { return {reinterpret_cast<const char *>(&value), sizeof(T)}; }

inline std::string text(std::string_view value) { return raw<uint64_t>(value.size()) + std::string(value); }

/// A value of metadata as it lies in the file.
inline std::string value(std::string_view key, ValueType type, const std::string &bytes) {
  return text(key) + raw(static_cast<uint32_t>(type)) + bytes;
}

inline std::string array(std::string_view key, ValueType type, uint64_t count, const std::string &elements) {
  return value(key, ValueType::Array, raw(static_cast<uint32_t>(type)) + raw(count) + elements);
}

/// What the file says of a tensor; extents in ggml's order.
inline std::string tensor(std::string_view name, const std::vector<uint64_t> &extents, uint32_t type, uint64_t offset) {
  std::string bytes = text(name) + raw(static_cast<uint32_t>(extents.size()));
  for (uint64_t extent : extents)
    bytes += raw(extent);
  return bytes + raw(type) + raw(offset);
}

/// A whole file: as many counts as parts, and the data aligned.
inline std::string file(const std::vector<std::string> &values, const std::vector<std::string> &tensors = {},
                        const std::string &data = "", uint64_t alignment = 32) {
  std::string bytes = "GGUF" + raw<uint32_t>(3) + raw<uint64_t>(tensors.size()) + raw<uint64_t>(values.size());
  for (const std::string &part : values)
    bytes += part;
  for (const std::string &part : tensors)
    bytes += part;
  if (!data.empty())
    bytes.resize((bytes.size() + alignment - 1) / alignment * alignment);
  return bytes + data;
}

} // namespace weft::gguf::test

#endif // WEFT_TEST_UNIT_FRONTENDS_GGUF_GGUFBYTES_H
