// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// tokenizer.json to the stages of a tokenizer.
#include "frontends/text/Pipeline.h"

namespace weft::text {
namespace {

Side readSide(Fields &fields) { return fields.choice("direction", {"Left", "Right"}) == 0 ? Side::Left : Side::Right; }

Result<Truncation> readTruncation(const nlohmann::json &value, const std::string &place) {
  Fields fields(value, place);
  Truncation truncation;
  truncation.maxLength = fields.count("max_length");
  truncation.strategy =
      static_cast<Truncation::Strategy>(fields.choice("strategy", {"LongestFirst", "OnlyFirst", "OnlySecond"}));
  if (fields.optionalValue("direction"))
    truncation.side = readSide(fields);
  if (fields.failed())
    return fields.takeError();
  return truncation;
}

/// "strategy" is "BatchLongest" or {"Fixed": 128}.
Result<Padding> readPadding(const nlohmann::json &value, const std::string &place) {
  constexpr size_t kLongestPadding = size_t(1) << 24;
  Fields fields(value, place);
  Padding padding;
  const nlohmann::json &strategy = fields.value("strategy");
  if (strategy.is_object()) {
    Fields fixed(strategy, fields.placeOf("strategy"));
    padding.length = fixed.count("Fixed");
    if (fixed.failed())
      return fixed.takeError();
  } else {
    fields.choice("strategy", {"BatchLongest"});
  }
  padding.multipleOf = fields.optionalCount("pad_to_multiple_of").value_or(0);
  padding.side = readSide(fields);
  padding.id = fields.tokenId("pad_id");
  padding.typeId = fields.tokenId("pad_type_id");
  if (padding.length.value_or(0) > kLongestPadding || padding.multipleOf > kLongestPadding)
    fields.fail("W0303", "", "the padding is longer than any model takes", "fetch tokenizer.json again");
  if (fields.failed())
    return fields.takeError();
  return padding;
}

/// Reads a stage that may be missing or null.
template <class T, class Read> Result<void> readStage(Fields &fields, const char *name, T &stage, Read read) {
  const nlohmann::json *value = fields.optionalValue(name);
  if (!value)
    return {};
  auto result = read(*value, fields.placeOf(name));
  if (!result)
    return result.takeError();
  stage = std::move(*result);
  return {};
}

Result<void> readStages(Fields &fields, Pipeline &pipeline) {
  if (auto done = readStage(fields, "normalizer", pipeline.normalizer, readNormalizer); !done)
    return done;
  if (auto done = readStage(fields, "pre_tokenizer", pipeline.preTokenizer, readPreTokenizer); !done)
    return done;
  if (auto done = readStage(fields, "model", pipeline.model, readModel); !done)
    return done;
  if (auto done = readStage(fields, "post_processor", pipeline.postProcessor, readPostProcessor); !done)
    return done;
  if (auto done = readStage(fields, "decoder", pipeline.decoder, readDecoder); !done)
    return done;
  if (auto done = readStage(fields, "truncation", pipeline.truncation, readTruncation); !done)
    return done;
  return readStage(fields, "padding", pipeline.padding, readPadding);
}

} // namespace

Result<std::shared_ptr<const Pipeline>> readPipeline(const nlohmann::json &root, const std::string &place) {
  Fields fields(root, place + " at ");
  if (std::optional<std::string> version = fields.optionalString("version"); version && *version != "1.0")
    fields.fail("W0301", "version", "version \"" + *version + "\" of the file is not supported", "supported are: 1.0");
  if (!fields.optionalValue("model"))
    fields.fail("W0302", "model", "a model is expected, and there is none", "fetch tokenizer.json again");
  if (fields.failed())
    return fields.takeError();
  auto pipeline = std::make_shared<Pipeline>();
  if (Result<void> done = readStages(fields, *pipeline); !done)
    return done.takeError();
  auto readAdded = [&](const nlohmann::json &list, const std::string &where) {
    return AddedTokens::read(list, where, *pipeline->model, pipeline->normalizer.get());
  };
  if (Result<void> done = readStage(fields, "added_tokens", pipeline->addedTokens, readAdded); !done)
    return done.takeError();
  return std::shared_ptr<const Pipeline>(std::move(pipeline));
}

std::optional<std::string_view> Pipeline::tokenOf(TokenId id) const {
  if (std::optional<std::string_view> added = addedTokens.decodedToken(id))
    return added;
  return model->vocabulary.tokenOf(id);
}

} // namespace weft::text
