// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The second stage of a tokenizer: normalized text cut into the pieces that the model tokenizes one by one.
#ifndef WEFT_FRONTENDS_TEXT_PRETOKENIZER_H
#define WEFT_FRONTENDS_TEXT_PRETOKENIZER_H

#include "frontends/text/Pieces.h"

#include <nlohmann/json.hpp>

#include <memory>
#include <string>

namespace weft::text {

class PreTokenizer {
public:
  virtual ~PreTokenizer() = default;
  virtual Result<void> split(Pieces &pieces) const = 0;
};

/// Reads "pre_tokenizer" of tokenizer.json.
Result<std::unique_ptr<PreTokenizer>> readPreTokenizer(const nlohmann::json &value, const std::string &place);

/// The blank's stand-in in SentencePiece vocabularies, and when it is put before a text.
struct MetaspaceOptions {
  enum class Prepend { Always, First, Never };
  char32_t replacement = 0x2581;
  Prepend prepend = Prepend::Always;
  bool split = true;
};
/// The fields of Metaspace, old ("add_prefix_space") and new ("prepend_scheme", "split").
Result<MetaspaceOptions> readMetaspace(const nlohmann::json &value, const std::string &place);
std::unique_ptr<PreTokenizer> makeMetaspace(MetaspaceOptions options);

std::unique_ptr<PreTokenizer> makeByteLevel(bool addPrefixSpace, bool useRegex);

} // namespace weft::text

#endif // WEFT_FRONTENDS_TEXT_PRETOKENIZER_H
