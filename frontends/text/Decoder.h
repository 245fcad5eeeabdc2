// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The way back: tokens into readable text.
#ifndef WEFT_FRONTENDS_TEXT_DECODER_H
#define WEFT_FRONTENDS_TEXT_DECODER_H

#include "frontends/diagnostic/Diagnostic.h"

#include <nlohmann/json.hpp>

#include <memory>
#include <string>
#include <vector>

namespace weft::text {

class Decoder {
public:
  virtual ~Decoder() = default;
  /// Rewrites the tokens; joined without anything between them they are the text.
  virtual Result<void> decode(std::vector<std::string> &tokens) const = 0;
};

/// Reads "decoder" of tokenizer.json.
Result<std::unique_ptr<Decoder>> readDecoder(const nlohmann::json &value, const std::string &place);

} // namespace weft::text

#endif // WEFT_FRONTENDS_TEXT_DECODER_H
