// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// "model" of tokenizer.json to the right kind. Old files have no "type"; their fields tell.
#include "frontends/text/Model.h"

#include "frontends/text/Utf8.h"

namespace weft::text {

static std::string typeByFields(const nlohmann::json &value) {
  if (value.contains("merges"))
    return "BPE";
  if (value.contains("continuing_subword_prefix") && value.contains("max_input_chars_per_word"))
    return "WordPiece";
  if (value.contains("vocab") && value["vocab"].is_array())
    return "Unigram";
  return "WordLevel";
}

Result<std::unique_ptr<Model>> readModel(const nlohmann::json &value, const std::string &place) {
  std::string type;
  if (value.is_object() && !value.contains("type")) {
    type = typeByFields(value);
  } else {
    Result<std::string> named = componentType(value, place);
    if (!named)
      return named.takeError();
    type = *named;
  }
  if (type == "WordPiece")
    return readWordPiece(value, place);
  if (type == "WordLevel")
    return readWordLevel(value, place);
  if (type == "BPE")
    return readBpe(value, place);
  if (type == "Unigram")
    return readUnigram(value, place);
  return unsupportedComponent("model", type, place, "WordPiece, WordLevel, BPE, Unigram");
}

Diagnostic missingUnknownToken(std::string_view part, const std::string &unknown) {
  size_t end = 0;
  while (end < part.size() && end < 60)
    end += sequenceLength(part[end]);
  std::string shown(part.substr(0, end));
  std::string why = unknown.empty() ? "the tokenizer names no token for unknown text"
                                    : "its token for unknown text, \"" + unknown + "\", is not in the vocabulary";
  return {"W0305", "\"" + shown + "\" has no token, and " + why, "", "use the tokenizer.json that the model came with"};
}

ByteTokens::ByteTokens(const Vocabulary &vocabulary) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  for (size_t byte = 0; byte < 256; ++byte) {
    std::string name = std::string("<0x") + kDigits[byte >> 4] + kDigits[byte & 15] + ">";
    ids.push_back(vocabulary.idOf(name));
  }
}

} // namespace weft::text
