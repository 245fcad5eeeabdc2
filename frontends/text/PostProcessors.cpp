// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// "post_processor" of tokenizer.json to objects, under the reference's names and fields.
#include "frontends/text/Fields.h"
#include "frontends/text/PostProcessor.h"

#include <algorithm>

namespace weft::text {
namespace {

using Made = Result<std::unique_ptr<PostProcessor>>;

/// Takes white space at the ends of tokens out of their offsets. A single leading blank at the very beginning is the
/// one that the tokenizer put there, and stands for nothing in the input.
void trimOffsets(EncodedPart &part, bool addPrefixSpace) {
  for (size_t i = 0; i < part.size(); ++i) {
    auto &[begin, end] = part.offsets[i];
    const TrimmedOffsets &trimmed = part.trimmed[i];
    bool isFirst = i == 0 || begin == 0;
    if (!(isFirst && addPrefixSpace && trimmed.leading == 1))
      begin = std::min(trimmed.begin, end);
    end = std::max(trimmed.end, begin);
  }
}

class ByteLevel : public PostProcessor {
public:
  ByteLevel(bool trim, bool addPrefixSpace) : trim(trim), addPrefixSpace(addPrefixSpace) {}
  size_t addedTokens(bool) const override { return 0; }
  void process(std::vector<EncodedPart> &parts, bool) const override {
    for (EncodedPart &part : parts)
      if (trim)
        trimOffsets(part, addPrefixSpace);
  }

private:
  bool trim, addPrefixSpace;
};

/// [CLS] A [SEP] and, for a pair, B [SEP] of type 1.
class Bert : public PostProcessor {
public:
  Bert(TokenId cls, TokenId sep) : cls(cls), sep(sep) {}
  size_t addedTokens(bool isPair) const override { return isPair ? 3 : 2; }

  void process(std::vector<EncodedPart> &parts, bool addSpecialTokens) const override {
    if (!addSpecialTokens)
      return;
    for (size_t i = 0; i < parts.size(); ++i) {
      EncodedPart part;
      if (i == 0)
        part.add(cls, 0, {0, 0}, {}, /*special=*/true);
      part.append(parts[i]);
      part.add(sep, i == 0 ? 0 : 1, {0, 0}, {}, /*special=*/true);
      parts[i] = std::move(part);
    }
  }

private:
  TokenId cls, sep;
};

/// <s> A </s> and, for a pair, </s> B </s>, all of type 0.
class Roberta : public PostProcessor {
public:
  Roberta(TokenId cls, TokenId sep, bool trim, bool addPrefixSpace)
      : cls(cls), sep(sep), trim(trim), addPrefixSpace(addPrefixSpace) {}
  size_t addedTokens(bool isPair) const override { return isPair ? 4 : 2; }

  void process(std::vector<EncodedPart> &parts, bool addSpecialTokens) const override {
    for (size_t i = 0; i < parts.size(); ++i) {
      EncodedPart &part = parts[i];
      if (trim)
        trimOffsets(part, addPrefixSpace);
      part.typeIds.assign(part.size(), 0);
      if (!addSpecialTokens)
        continue;
      EncodedPart framed;
      framed.add(i == 0 ? cls : sep, 0, {0, 0}, {}, /*special=*/true);
      framed.append(part);
      framed.add(sep, 0, {0, 0}, {}, /*special=*/true);
      part = std::move(framed);
    }
  }

private:
  TokenId cls, sep;
  bool trim, addPrefixSpace;
};

class Sequence : public PostProcessor {
public:
  size_t addedTokens(bool isPair) const override {
    size_t count = 0;
    for (const auto &member : members)
      count += member->addedTokens(isPair);
    return count;
  }
  void process(std::vector<EncodedPart> &parts, bool addSpecialTokens) const override {
    for (const auto &member : members)
      member->process(parts, addSpecialTokens);
  }
  std::vector<std::unique_ptr<PostProcessor>> members;
};

/// A special token as ["[CLS]", 101].
TokenId readNamedId(Fields &fields, const char *name) {
  const nlohmann::json &value = fields.array(name);
  if (!fields.failed() && value.size() == 2)
    if (std::optional<TokenId> id = asTokenId(value[1]))
      return *id;
  fields.fail("W0302", name, "a token and its id are expected: [\"[CLS]\", 101]", "fetch tokenizer.json again");
  return 0;
}

Made readSequence(Fields &fields, const std::string &place) {
  const nlohmann::json &list = fields.array("processors");
  auto sequence = std::make_unique<Sequence>();
  for (size_t i = 0; i < list.size(); ++i) {
    Made member = readPostProcessor(list[i], place + "/processors/" + std::to_string(i));
    if (!member)
      return member;
    sequence->members.push_back(std::move(*member));
  }
  return std::unique_ptr<PostProcessor>(std::move(sequence));
}

Made readByType(const std::string &type, Fields &fields, const nlohmann::json &value, const std::string &place) {
  if (type == "Sequence")
    return readSequence(fields, place);
  if (type == "TemplateProcessing")
    return readTemplate(value, place);
  if (type == "BertProcessing")
    return std::unique_ptr<PostProcessor>(
        std::make_unique<Bert>(readNamedId(fields, "cls"), readNamedId(fields, "sep")));
  if (type == "RobertaProcessing")
    return std::unique_ptr<PostProcessor>(
        std::make_unique<Roberta>(readNamedId(fields, "cls"), readNamedId(fields, "sep"),
                                  fields.boolean("trim_offsets"), fields.boolean("add_prefix_space")));
  if (type == "ByteLevel")
    return std::unique_ptr<PostProcessor>(
        std::make_unique<ByteLevel>(fields.boolean("trim_offsets"), fields.boolean("add_prefix_space")));
  return unsupportedComponent("post-processor", type, place,
                              "Sequence, TemplateProcessing, BertProcessing, RobertaProcessing, ByteLevel");
}

} // namespace

Made readPostProcessor(const nlohmann::json &value, const std::string &place) {
  return readComponent(value, place,
                       [&](const std::string &type, Fields &fields) { return readByType(type, fields, value, place); });
}

} // namespace weft::text
