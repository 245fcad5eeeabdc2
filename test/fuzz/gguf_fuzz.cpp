// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Any bytes → refused, or metadata and tensors that lie within them, apart and aligned. They are read behind a right
// magic number and version too: else few inputs would get past them.
#include "frontends/gguf/GgufFile.h"

#include <cstdlib>

using namespace weft;
using namespace weft::gguf;

static void require(bool condition) {
  if (!condition)
    abort();
}

static void checkContent(const GgufContent &content, std::span<const std::byte> bytes) {
  auto lies = [&](std::span<const std::byte> part) {
    return part.empty() || (part.data() >= bytes.data() && part.data() + part.size() <= bytes.data() + bytes.size());
  };
  for (const auto &[key, value] : content.metadata) {
    require(!key.empty() && lies(value.bytes));
    (void)value.integer();
    (void)value.number();
    (void)value.flag();
    (void)value.text();
    (void)value.integers();
    (void)value.numbers();
    (void)value.flags();
    for (std::string_view text : value.texts().value_or(std::vector<std::string_view>()))
      require(lies(std::as_bytes(std::span(text))));
  }
  for (const BlockTensor &tensor : content.tensors) {
    require(lies(tensor.bytes));
    std::vector<float> values(tensor.elements());
    BlockDecoder(*tensor.format).decode(tensor.bytes, values);
  }
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size) {
  std::string raw(reinterpret_cast<const char *>(input), size);
  for (const std::string &file : {raw, std::string("GGUF\3\0\0\0", 8) + raw}) {
    std::span<const std::byte> bytes = std::as_bytes(std::span(file));
    Result<GgufContent> content = parseGguf(bytes, "fuzz");
    if (content)
      checkContent(*content, bytes);
    else
      require(explainCode(content.error().code) && !content.error().message.empty());
  }
  return 0;
}
