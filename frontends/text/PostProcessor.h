// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The fourth stage of a tokenizer: special tokens around the texts, and the types that tell the texts apart.
#ifndef WEFT_FRONTENDS_TEXT_POSTPROCESSOR_H
#define WEFT_FRONTENDS_TEXT_POSTPROCESSOR_H

#include "frontends/text/EncodedPart.h"

#include <nlohmann/json.hpp>

#include <memory>
#include <string>

namespace weft::text {

class PostProcessor {
public:
  virtual ~PostProcessor() = default;

  /// How many special tokens come to one text or to a pair.
  virtual size_t addedTokens(bool isPair) const = 0;

  /// From a part for each text to parts that are the result when joined.
  virtual void process(std::vector<EncodedPart> &parts, bool addSpecialTokens) const = 0;
};

/// Reads "post_processor" of tokenizer.json.
Result<std::unique_ptr<PostProcessor>> readPostProcessor(const nlohmann::json &value, const std::string &place);

/// Reads TemplateProcessing.
Result<std::unique_ptr<PostProcessor>> readTemplate(const nlohmann::json &value, const std::string &place);

} // namespace weft::text

#endif // WEFT_FRONTENDS_TEXT_POSTPROCESSOR_H
