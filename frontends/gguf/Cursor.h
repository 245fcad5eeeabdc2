// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Little-endian numbers off the front of bytes, none of them beyond the end.
#ifndef WEFT_FRONTENDS_GGUF_CURSOR_H
#define WEFT_FRONTENDS_GGUF_CURSOR_H

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>

namespace weft::gguf {

class Cursor {
public:
  explicit Cursor(std::span<const std::byte> bytes) : bytes(bytes) {}

  uint64_t offset() const { return at; }
  uint64_t rest() const { return bytes.size() - at; }

  /// Nothing when fewer bytes are left; the place then stays.
  template <class T> std::optional<T> take() {
    if (rest() < sizeof(T))
      return std::nullopt;
    T value;
    std::memcpy(&value, takeBytes(sizeof(T)).data(), sizeof(T));
    return value;
  }

  std::span<const std::byte> takeBytes(uint64_t count) {
    assert(count <= rest() && "what is taken was seen to be there");
    at += count;
    return bytes.subspan(at - count, count);
  }

  void skip(uint64_t count) { takeBytes(count); }

private:
  std::span<const std::byte> bytes;
  uint64_t at = 0;
};

} // namespace weft::gguf

#endif // WEFT_FRONTENDS_GGUF_CURSOR_H
