// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The stages of a tokenizer in order, as one file describes them. Stages may be absent, the model may not.
#ifndef WEFT_FRONTENDS_TEXT_PIPELINE_H
#define WEFT_FRONTENDS_TEXT_PIPELINE_H

#include "frontends/text/AddedTokens.h"
#include "frontends/text/Decoder.h"
#include "frontends/text/Encoding.h"
#include "frontends/text/Model.h"
#include "frontends/text/Normalizer.h"
#include "frontends/text/PostProcessor.h"
#include "frontends/text/PreTokenizer.h"

#include <memory>

namespace weft::text {

struct Pipeline {
  std::unique_ptr<Normalizer> normalizer;
  std::unique_ptr<PreTokenizer> preTokenizer;
  std::unique_ptr<Model> model;
  std::unique_ptr<PostProcessor> postProcessor;
  std::unique_ptr<Decoder> decoder;
  AddedTokens addedTokens;
  std::optional<Truncation> truncation;
  std::optional<Padding> padding;

  /// The text of a token; for added ones as the decoder takes it.
  std::optional<std::string_view> tokenOf(TokenId id) const;
};

/// Reads a whole tokenizer.json.
Result<std::shared_ptr<const Pipeline>> readPipeline(const nlohmann::json &root, const std::string &place);

} // namespace weft::text

#endif // WEFT_FRONTENDS_TEXT_PIPELINE_H
