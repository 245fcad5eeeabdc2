// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A tokenizer.json up to the first NUL, then a text → refused with a registered code, or an encoding whose arrays are
// of one length, and a decoded text. Seeds: test/frontends/text/fixtures.
#include "frontends/text/Tokenizer.h"

#include <cstdlib>

using namespace weft;
using namespace weft::text;

static void require(bool condition) {
  if (!condition)
    abort();
}

static void checkEncoding(const Encoding &encoding) {
  size_t size = encoding.size();
  require(encoding.typeIds.size() == size && encoding.attentionMask.size() == size);
  require(encoding.specialTokensMask.size() == size && encoding.offsets.size() == size);
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size) {
  std::string_view bytes(reinterpret_cast<const char *>(input), size);
  size_t end = std::min(bytes.find('\0'), size);
  std::string_view text = bytes.substr(std::min(end + 1, size));
  Result<Tokenizer> tokenizer = Tokenizer::fromJson(bytes.substr(0, end), "fuzz");
  if (!tokenizer) {
    require(explainCode(tokenizer.error().code));
    return 0;
  }
  EncodeOptions options;
  options.pad = EncodeOptions::Pad::Never; // a file may ask for 16 million tokens
  for (std::optional<std::string_view> pair : {std::optional<std::string_view>(), std::optional(text)}) {
    Result<Encoding> encoding = tokenizer->encode(text, pair, options);
    if (!encoding) {
      require(explainCode(encoding.error().code));
      continue;
    }
    checkEncoding(*encoding);
    if (Result<std::string> decoded = tokenizer->decode(encoding->ids, false); !decoded)
      require(explainCode(decoded.error().code));
  }
  return 0;
}
