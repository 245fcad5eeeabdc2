// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// TemplateProcessing: the result spelled out, for one text and for a pair.
//   [CLS]:0 $A:0 [SEP]:0    and    [CLS]:0 $A:0 [SEP]:0 $B:1 [SEP]:1
#include "frontends/text/Fields.h"
#include "frontends/text/PostProcessor.h"

#include <map>

namespace weft::text {
namespace {

/// One of the texts, or the ids of a special token.
struct TemplatePiece {
  std::optional<size_t> sequence; ///< 0 for $A, 1 for $B
  std::vector<TokenId> specialIds;
  uint32_t typeId;
};

using Template = std::vector<TemplatePiece>;

class TemplateProcessing : public PostProcessor {
public:
  TemplateProcessing(Template single, Template pair) : single(std::move(single)), pair(std::move(pair)) {}

  size_t addedTokens(bool isPair) const override {
    size_t count = 0;
    for (const TemplatePiece &piece : isPair ? pair : single)
      count += piece.specialIds.size();
    return count;
  }

  void process(std::vector<EncodedPart> &parts, bool addSpecialTokens) const override {
    std::vector<EncodedPart> result;
    for (const TemplatePiece &piece : parts.size() > 1 ? pair : single) {
      if (piece.sequence && *piece.sequence < parts.size()) {
        EncodedPart part = parts[*piece.sequence];
        part.typeIds.assign(part.size(), piece.typeId);
        result.push_back(std::move(part));
      } else if (!piece.sequence && addSpecialTokens) {
        EncodedPart part;
        for (TokenId id : piece.specialIds)
          part.add(id, piece.typeId, {0, 0}, {}, /*special=*/true);
        result.push_back(std::move(part));
      }
    }
    parts = std::move(result);
  }

private:
  Template single, pair;
};

using SpecialTokens = std::map<std::string, std::vector<TokenId>>;

Result<SpecialTokens> readSpecialTokens(const nlohmann::json &object, const std::string &place) {
  if (!object.is_object())
    return Diagnostic{"W0302", std::string("an object is expected, not ") + object.type_name(), place,
                      "fetch tokenizer.json again"};
  SpecialTokens tokens;
  for (auto it = object.begin(); it != object.end(); ++it) {
    Fields fields(*it, place + "/" + it.key());
    for (const nlohmann::json &value : fields.array("ids")) {
      std::optional<TokenId> id = asTokenId(value);
      if (!id)
        fields.fail("W0303", "ids", "token ids from 0 to " + std::to_string(kMaxTokenId) + " are expected");
      tokens[it.key()].push_back(id.value_or(0));
    }
    if (fields.failed())
      return fields.takeError();
  }
  return tokens;
}

Result<TemplatePiece> readPiece(const nlohmann::json &value, const SpecialTokens &tokens, const std::string &place) {
  Fields fields(value, place);
  const nlohmann::json *sequence = fields.optionalValue("Sequence");
  const char *kind = sequence ? "Sequence" : "SpecialToken";
  const nlohmann::json &content = fields.value(kind);
  if (fields.failed())
    return fields.takeError();
  Fields pieceFields(content, fields.placeOf(kind));
  TemplatePiece piece{};
  piece.typeId = pieceFields.tokenId("type_id");
  if (sequence) {
    piece.sequence = pieceFields.choice("id", {"A", "B"});
  } else {
    std::string name = pieceFields.string("id");
    auto it = tokens.find(name);
    if (it != tokens.end())
      piece.specialIds = it->second;
    else
      pieceFields.fail("W0303", "id", "\"" + name + "\" is not among the special_tokens of the template");
  }
  if (pieceFields.failed())
    return pieceFields.takeError();
  return piece;
}

Result<Template> readPieces(Fields &fields, const char *name, const SpecialTokens &tokens) {
  const nlohmann::json &list = fields.array(name);
  if (fields.failed())
    return fields.takeError();
  Template pieces;
  for (size_t i = 0; i < list.size(); ++i) {
    Result<TemplatePiece> piece = readPiece(list[i], tokens, fields.placeOf(name) + "/" + std::to_string(i));
    if (!piece)
      return piece.takeError();
    pieces.push_back(std::move(*piece));
  }
  return pieces;
}

bool uses(const Template &pieces, size_t sequence) {
  for (const TemplatePiece &piece : pieces)
    if (piece.sequence == sequence)
      return true;
  return false;
}

} // namespace

Result<std::unique_ptr<PostProcessor>> readTemplate(const nlohmann::json &value, const std::string &place) {
  Fields fields(value, place);
  const nlohmann::json &object = fields.value("special_tokens");
  if (fields.failed())
    return fields.takeError();
  Result<SpecialTokens> tokens = readSpecialTokens(object, fields.placeOf("special_tokens"));
  if (!tokens)
    return tokens.takeError();
  Result<Template> single = readPieces(fields, "single", *tokens);
  if (!single)
    return single.takeError();
  if (uses(*single, 1))
    return Diagnostic{"W0303", "the template for one text uses a second one", fields.placeOf("single"),
                      "fetch tokenizer.json again"};
  Result<Template> pair = readPieces(fields, "pair", *tokens);
  if (!pair)
    return pair.takeError();
  return std::unique_ptr<PostProcessor>(std::make_unique<TemplateProcessing>(std::move(*single), std::move(*pair)));
}

} // namespace weft::text
