// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The stages run in order: added tokens and normalizer, pre-tokenizer, model, truncation, post-processor, padding.
#include "frontends/text/Tokenizer.h"

#include "frontends/diagnostic/StrictJson.h"
#include "frontends/text/ByteLevel.h"
#include "frontends/text/CharacterClass.h"
#include "frontends/text/Pipeline.h"

#include <algorithm>
#include <filesystem>
#include <fstream>

namespace weft::text {
namespace {

/// No published tokenizer.json is larger than about 40 MB.
constexpr uintmax_t kMaxFileBytes = uintmax_t(1) << 29;

bool isEdgeSpace(char32_t c) { return c == kByteBlank || isWhitespace(c); }

/// The offset `characters` behind or (negative) before an offset of the input; as it was if the input has not as many.
size_t moveBy(std::string_view input, size_t offset, ptrdiff_t characters) {
  size_t moved = std::min(offset, input.size());
  for (; characters > 0 && moved < input.size(); --characters)
    do
      ++moved;
    while (moved < input.size() && isContinuation(input[moved]));
  for (; characters < 0 && moved > 0; ++characters)
    moved = lastCharacter(input.substr(0, moved));
  return characters < 0 ? offset : moved;
}

TrimmedOffsets trim(std::string_view token, std::pair<size_t, size_t> offset, std::string_view input) {
  ptrdiff_t leading = 0, trailing = 0;
  for (size_t i = 0; i < token.size() && isEdgeSpace(nextCodePoint(token, i));)
    ++leading;
  for (size_t end = token.size(); end > 0; ++trailing) {
    end = lastCharacter(token.substr(0, end));
    if (!isEdgeSpace(firstCodePoint(token.substr(end))))
      break;
  }
  return {static_cast<size_t>(leading), leading ? moveBy(input, offset.first, leading) : offset.first,
          trailing ? moveBy(input, offset.second, -trailing) : offset.second};
}

/// Where in the input the bytes [begin, end) of a piece came from.
std::pair<size_t, size_t> originOf(const Pieces &pieces, const Piece &piece, uint32_t begin, uint32_t end) {
  uint32_t length = piece.end - piece.begin;
  if (begin >= end || end > length)
    return {begin, end};
  return {pieces.text.origin[piece.begin + begin].begin, pieces.text.origin[piece.begin + end - 1].end};
}

class PartBuilder {
public:
  PartBuilder(const Pipeline &pipeline, std::string_view input, const Pieces &pieces, uint32_t typeId)
      : pipeline(pipeline), input(input), pieces(pieces), typeId(typeId) {}

  Result<void> addPiece(const Piece &piece) {
    if (piece.id >= 0) {
      auto id = static_cast<TokenId>(piece.id);
      add(piece, {id, 0, piece.end - piece.begin}, pieces.view(piece));
      return {};
    }
    tokens.clear();
    if (Result<void> done = pipeline.model->tokenize(pieces.view(piece), tokens); !done)
      return done;
    for (const Token &token : tokens)
      add(piece, token, pipeline.model->vocabulary.tokenOf(token.id).value_or(""));
    return {};
  }

  EncodedPart part;

private:
  void add(const Piece &piece, const Token &token, std::string_view text) {
    auto offset = originOf(pieces, piece, token.begin, token.end);
    part.add(token.id, typeId, offset, trim(text, offset, input));
  }

  const Pipeline &pipeline;
  std::string_view input;
  const Pieces &pieces;
  uint32_t typeId;
  std::vector<Token> tokens;
};

Result<EncodedPart> encodeText(const Pipeline &pipeline, std::string_view text, uint32_t typeId) {
  if (text.size() > kMaxTextBytes / 4)
    return Diagnostic{"W0307", "the text is longer than 64 MiB", "", "cut it into parts"};
  Result<Pieces> pieces = pipeline.addedTokens.extract(AlignedText::fromInput(text), pipeline.normalizer.get());
  if (!pieces)
    return pieces.takeError();
  if (pipeline.preTokenizer)
    if (Result<void> done = pipeline.preTokenizer->split(*pieces); !done)
      return done.takeError();
  PartBuilder builder(pipeline, text, *pieces, typeId);
  for (const Piece &piece : pieces->list)
    if (Result<void> done = builder.addPiece(piece); !done)
      return done.takeError();
  return std::move(builder.part);
}

std::optional<Truncation> truncationFor(const Pipeline &pipeline, const EncodeOptions &options) {
  if (options.truncate == EncodeOptions::Truncate::Never)
    return std::nullopt;
  if (options.truncate == EncodeOptions::Truncate::AsFile)
    return pipeline.truncation;
  Truncation truncation = pipeline.truncation.value_or(Truncation());
  truncation.maxLength = options.maxLength;
  return truncation;
}

/// Cuts the texts so that they fit with the special tokens around them.
Result<void> fitParts(const Pipeline &pipeline, std::vector<EncodedPart> &parts, const Truncation &truncation,
                      bool addSpecialTokens) {
  size_t special = 0;
  if (addSpecialTokens && pipeline.postProcessor)
    special = pipeline.postProcessor->addedTokens(parts.size() > 1);
  if (truncation.maxLength < special)
    return Diagnostic{"W0306",
                      "a length of " + std::to_string(truncation.maxLength) + " leaves no room for the " +
                          std::to_string(special) + " special tokens",
                      "", "raise the maximum length"};
  return truncateParts(parts, truncation, truncation.maxLength - special);
}

template <class Each, class Encode>
Result<std::vector<Encoding>> encodeEach(const std::vector<Each> &inputs, Encode encode) {
  std::vector<Encoding> batch;
  batch.reserve(inputs.size());
  for (size_t i = 0; i < inputs.size(); ++i) {
    Result<Encoding> encoding = encode(inputs[i]);
    if (!encoding) {
      Diagnostic error = encoding.takeError();
      error.place = "text " + std::to_string(i + 1) + " of " + std::to_string(inputs.size());
      return error;
    }
    batch.push_back(std::move(*encoding));
  }
  return batch;
}

} // namespace

Result<Tokenizer> Tokenizer::fromFile(const std::string &path) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error))
    return Diagnostic{"W0101", "the tokenizer cannot be read: there is no such file", path,
                      "check the path; a model folder holds a tokenizer.json"};
  uintmax_t bytes = std::filesystem::file_size(path, error);
  if (error || bytes > kMaxFileBytes)
    return Diagnostic{"W0303", "the file is larger than 512 MiB, which no tokenizer is", path, "check the path"};
  std::ifstream file(path, std::ios::binary);
  std::string json(bytes, '\0');
  if (!file || !file.read(json.data(), static_cast<std::streamsize>(bytes)))
    return Diagnostic{"W0101", "the tokenizer cannot be read", path, "check the permissions of the file"};
  return fromJson(json, path);
}

Result<Tokenizer> Tokenizer::fromJson(std::string_view json, const std::string &place) {
  Result<nlohmann::json> root = parseStrictJson(json, place);
  if (!root)
    return root.takeError();
  Result<std::shared_ptr<const Pipeline>> pipeline = readPipeline(*root, place);
  if (!pipeline)
    return pipeline.takeError();
  return Tokenizer(std::move(*pipeline));
}

Result<Encoding> Tokenizer::encodeUnpadded(std::string_view text, std::optional<std::string_view> pair,
                                           const EncodeOptions &options) const {
  std::optional<Truncation> truncation = truncationFor(*pipeline, options);
  std::vector<EncodedPart> parts;
  for (uint32_t type = 0; type < (pair ? 2u : 1u); ++type) {
    Result<EncodedPart> part = encodeText(*pipeline, type == 0 ? text : *pair, type);
    if (!part)
      return part.takeError();
    parts.push_back(std::move(*part));
  }
  if (truncation)
    if (Result<void> done = fitParts(*pipeline, parts, *truncation, options.addSpecialTokens); !done)
      return done.takeError();
  if (pipeline->postProcessor)
    pipeline->postProcessor->process(parts, options.addSpecialTokens);
  EncodedPart whole;
  for (const EncodedPart &part : parts)
    whole.append(part);
  return Encoding(std::move(whole));
}

std::optional<Padding> Tokenizer::paddingFor(const EncodeOptions &options) const {
  if (options.pad == EncodeOptions::Pad::Never)
    return std::nullopt;
  std::optional<Padding> padding = pipeline->padding;
  if (!padding && options.pad != EncodeOptions::Pad::AsFile) {
    padding.emplace();
    for (const char *name : {"<pad>", "[PAD]"})
      padding->id = tokenToId(name).value_or(padding->id);
  }
  if (options.pad == EncodeOptions::Pad::Longest)
    padding->length.reset();
  if (options.pad == EncodeOptions::Pad::ToLength)
    padding->length = options.padLength;
  if (padding && options.padId)
    padding->id = *options.padId;
  return padding;
}

Result<Encoding> Tokenizer::encode(std::string_view text, std::optional<std::string_view> pair,
                                   const EncodeOptions &options) const {
  Result<Encoding> encoding = encodeUnpadded(text, pair, options);
  std::optional<Padding> padding = paddingFor(options);
  if (!encoding || !padding)
    return encoding;
  std::vector<Encoding> batch;
  batch.push_back(std::move(*encoding));
  padBatch(batch, *padding);
  return std::move(batch.front());
}

Result<std::vector<Encoding>> Tokenizer::encodeBatch(const std::vector<std::string> &texts,
                                                     const EncodeOptions &options) const {
  auto batch = encodeEach(texts, [&](const std::string &text) { return encodeUnpadded(text, std::nullopt, options); });
  if (std::optional<Padding> padding = paddingFor(options); batch && padding)
    padBatch(*batch, *padding);
  return batch;
}

Result<std::vector<Encoding>> Tokenizer::encodePairs(const std::vector<std::pair<std::string, std::string>> &pairs,
                                                     const EncodeOptions &options) const {
  auto batch = encodeEach(pairs, [&](const auto &pair) { return encodeUnpadded(pair.first, pair.second, options); });
  if (std::optional<Padding> padding = paddingFor(options); batch && padding)
    padBatch(*batch, *padding);
  return batch;
}

Result<std::string> Tokenizer::decode(const std::vector<uint32_t> &ids, bool skipSpecialTokens) const {
  std::vector<std::string> tokens;
  for (uint32_t id : ids) {
    std::optional<std::string_view> token = pipeline->tokenOf(id);
    if (token && !(skipSpecialTokens && pipeline->addedTokens.isSpecial(*token)))
      tokens.emplace_back(*token);
  }
  if (pipeline->decoder)
    if (Result<void> done = pipeline->decoder->decode(tokens); !done)
      return done.takeError();
  std::string text;
  for (size_t i = 0; i < tokens.size(); ++i)
    text.append(i > 0 && !pipeline->decoder ? " " : "").append(tokens[i]);
  return text;
}

size_t Tokenizer::vocabularySize() const {
  return pipeline->model->size() + pipeline->addedTokens.countBeyond(pipeline->model->vocabulary);
}

std::optional<uint32_t> Tokenizer::tokenToId(const std::string &token) const {
  if (std::optional<TokenId> added = pipeline->addedTokens.idOf(token))
    return added;
  return pipeline->model->vocabulary.idOf(token);
}

std::optional<std::string> Tokenizer::idToToken(uint32_t id) const {
  std::optional<std::string_view> token = pipeline->tokenOf(id);
  return token ? std::optional(std::string(*token)) : std::nullopt;
}

const std::optional<Truncation> &Tokenizer::truncation() const { return pipeline->truncation; }
const std::optional<Padding> &Tokenizer::padding() const { return pipeline->padding; }

} // namespace weft::text
