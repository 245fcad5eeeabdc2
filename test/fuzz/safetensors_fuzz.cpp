// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Any bytes → refused, or views that lie within them and tile the data. The first eight bytes are made the length of a
// header that ends at the first zero byte, or at the end: else few inputs would get past them.
#include "frontends/weights/FloatValues.h"
#include "frontends/weights/Safetensors.h"

#include <cstdlib>

using namespace weft;

static void require(bool condition) {
  if (!condition)
    abort();
}

static void checkViews(const SafetensorsContent &content, std::span<const std::byte> data) {
  const std::byte *next = data.data();
  for (const TensorView &tensor : content.tensors) {
    require(tensor.bytes.data() == next && tensor.bytes.size() <= size_t(data.data() + data.size() - next));
    next += tensor.bytes.size();
    std::vector<float> values(tensor.elements());
    if (Result<void> read = readF32(tensor, values); !read)
      require(explainCode(read.error().code));
  }
  require(next == data.data() + data.size());
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size) {
  std::string_view text(reinterpret_cast<const char *>(input), size);
  uint64_t length = std::min(text.find('\0'), size);
  std::string file(reinterpret_cast<const char *>(&length), sizeof(length));
  file += text;
  std::span<const std::byte> bytes = std::as_bytes(std::span(file));
  for (auto candidate : {bytes, bytes.subspan(8)}) { // with the length made right, and as it is
    Result<SafetensorsContent> content = parseSafetensors(candidate, "fuzz");
    if (content && candidate.data() == bytes.data())
      checkViews(*content, bytes.subspan(8 + length));
    else if (!content)
      require(explainCode(content.error().code) && !content.error().message.empty());
  }
  return 0;
}
