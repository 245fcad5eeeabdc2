// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// "decoder" of tokenizer.json to objects, under the reference's names and fields.
#include "frontends/text/ByteLevel.h"
#include "frontends/text/Decoder.h"
#include "frontends/text/Fields.h"
#include "frontends/text/PatternField.h"
#include "frontends/text/PreTokenizer.h"
#include "frontends/text/Utf8.h"

#include <algorithm>
#include <functional>

namespace weft::text {
namespace {

using Made = Result<std::unique_ptr<Decoder>>;
using Tokens = std::vector<std::string>;

class Sequence : public Decoder {
public:
  Result<void> decode(Tokens &tokens) const override {
    for (const auto &member : members)
      if (Result<void> done = member->decode(tokens); !done)
        return done;
    return {};
  }
  std::vector<std::unique_ptr<Decoder>> members;
};

class Step : public Decoder {
public:
  using Function = std::function<Result<void>(Tokens &)>;
  explicit Step(Function function) : function(std::move(function)) {}
  Result<void> decode(Tokens &tokens) const override { return function(tokens); }

private:
  Function function;
};

/// A decoder that cannot fail.
template <class Function> std::unique_ptr<Decoder> makeStep(Function function) {
  return std::make_unique<Step>([function = std::move(function)](Tokens &tokens) -> Result<void> {
    function(tokens);
    return {};
  });
}

void replaceAll(std::string &text, std::string_view from, std::string_view to) {
  if (from.empty())
    return;
  std::string result;
  size_t at = 0;
  for (size_t found; (found = text.find(from, at)) != std::string::npos; at = found + from.size())
    result.append(text, at, found - at).append(to);
  if (at > 0)
    text = result.append(text, at);
}

/// Undoes the blanks that English text has where it was cut. The list is the reference's.
void cleanUp(std::string &text) {
  constexpr std::pair<const char *, const char *> kForms[] = {
      {" .", "."},   {" ?", "?"},           {" !", "!"},   {" ,", ","},     {" ' ", "'"},   {" n't", "n't"},
      {" 'm", "'m"}, {" do not", " don't"}, {" 's", "'s"}, {" 've", "'ve"}, {" 're", "'re"}};
  for (auto [from, to] : kForms)
    replaceAll(text, from, to);
}

void decodeWordPiece(Tokens &tokens, const std::string &prefix, bool isCleanedUp) {
  for (size_t i = 0; i < tokens.size(); ++i) {
    if (i > 0 && tokens[i].starts_with(prefix))
      tokens[i].erase(0, prefix.size());
    else if (i > 0)
      tokens[i].insert(0, " ");
    if (isCleanedUp)
      cleanUp(tokens[i]);
  }
}

void decodeByteLevel(Tokens &tokens) {
  std::string bytes, token;
  for (const std::string &source : tokens) {
    token.clear();
    bool isInAlphabet = true;
    for (size_t i = 0; i < source.size() && isInAlphabet;) {
      std::optional<unsigned char> byte = byteOfCharacter(nextCodePoint(source, i));
      isInAlphabet = byte.has_value();
      token.push_back(static_cast<char>(byte.value_or(0)));
    }
    bytes += isInAlphabet ? token : source; // an added token stands for itself
  }
  tokens.assign(1, repairUtf8(bytes));
}

void decodeMetaspace(Tokens &tokens, const MetaspaceOptions &options) {
  std::string replacement;
  appendUtf8(replacement, options.replacement);
  for (size_t i = 0; i < tokens.size(); ++i)
    replaceAll(tokens[i], replacement, i == 0 && options.prepend != MetaspaceOptions::Prepend::Never ? "" : " ");
}

void decodeBpe(Tokens &tokens, const std::string &suffix) {
  for (size_t i = 0; i < tokens.size(); ++i)
    replaceAll(tokens[i], suffix, i + 1 == tokens.size() ? "" : " ");
}

/// The byte that "<0x41>" names.
std::optional<unsigned char> namedByte(std::string_view token) {
  if (token.size() != 6 || !token.starts_with("<0x") || !token.ends_with('>'))
    return std::nullopt;
  auto digit = [](char c) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    size_t value = kDigits.find(static_cast<char>(c >= 'A' && c <= 'F' ? c + 0x20 : c));
    return value == std::string_view::npos ? 256u : static_cast<unsigned>(value);
  };
  unsigned value = digit(token[3]) * 16 + digit(token[4]);
  return value < 256 ? std::optional(static_cast<unsigned char>(value)) : std::nullopt;
}

/// Joins runs of byte tokens; a run that is not UTF-8 becomes one U+FFFD a byte.
void decodeByteFallback(Tokens &tokens) {
  Tokens result;
  std::string run;
  auto flush = [&] {
    if (!run.empty() && isUtf8(run))
      result.push_back(run);
    else
      result.insert(result.end(), run.size(), "\uFFFD");
    run.clear();
  };
  for (std::string &token : tokens) {
    if (std::optional<unsigned char> byte = namedByte(token)) {
      run.push_back(static_cast<char>(*byte));
      continue;
    }
    flush();
    result.push_back(std::move(token));
  }
  flush();
  tokens = std::move(result);
}

void decodeStrip(Tokens &tokens, const std::string &content, size_t start, size_t stop) {
  for (std::string &token : tokens) {
    size_t begin = 0, end = token.size();
    std::string_view text = token;
    for (size_t i = 0; i < start && text.substr(begin).starts_with(content); ++i)
      begin += content.size();
    for (size_t i = 0; i < stop && end > begin && text.substr(begin, end - begin).ends_with(content); ++i)
      end -= content.size();
    token = token.substr(begin, end - begin);
  }
}

void decodeCtc(Tokens &tokens, const std::string &pad, const std::string &delimiter, bool isCleanedUp) {
  tokens.erase(std::unique(tokens.begin(), tokens.end()), tokens.end());
  for (std::string &token : tokens) {
    replaceAll(token, pad, "");
    if (!isCleanedUp)
      continue;
    cleanUp(token);
    replaceAll(token, delimiter, " ");
  }
  std::erase_if(tokens, [](const std::string &token) { return token.empty(); });
}

void decodeFuse(Tokens &tokens) {
  std::string fused;
  for (const std::string &token : tokens)
    fused += token;
  tokens.assign(1, std::move(fused));
}

Made readSequence(Fields &fields, const std::string &place) {
  const nlohmann::json &list = fields.array("decoders");
  auto sequence = std::make_unique<Sequence>();
  for (size_t i = 0; i < list.size(); ++i) {
    Made member = readDecoder(list[i], place + "/decoders/" + std::to_string(i));
    if (!member)
      return member;
    sequence->members.push_back(std::move(*member));
  }
  return std::unique_ptr<Decoder>(std::move(sequence));
}

Made readReplace(Fields &fields) {
  Result<Pattern> pattern = readPattern(fields, "pattern");
  if (!pattern)
    return pattern.takeError();
  auto replace = [pattern = std::move(*pattern), content = fields.string("content")](Tokens &tokens) -> Result<void> {
    std::vector<Match> matches;
    for (std::string &token : tokens) {
      if (Result<void> found = pattern.findAll(token, matches); !found)
        return found;
      std::string result;
      for (const Match &match : matches)
        result += match.matched ? content : token.substr(match.begin, match.end - match.begin);
      token = std::move(result);
    }
    return {};
  };
  return std::unique_ptr<Decoder>(std::make_unique<Step>(std::move(replace)));
}

Made readMetaspaceDecoder(const nlohmann::json &value, const std::string &place) {
  Result<MetaspaceOptions> options = readMetaspace(value, place);
  if (!options)
    return options.takeError();
  return makeStep([options = *options](Tokens &tokens) { decodeMetaspace(tokens, options); });
}

Made readStrip(Fields &fields) {
  std::string content;
  appendUtf8(content, fields.character("content"));
  return makeStep([content, start = fields.count("start"), stop = fields.count("stop")](Tokens &tokens) {
    decodeStrip(tokens, content, start, stop);
  });
}

Made readCtc(Fields &fields) {
  std::string pad = fields.string("pad_token"), delimiter = fields.string("word_delimiter_token");
  bool isCleanedUp = fields.boolean("cleanup");
  return makeStep([=](Tokens &tokens) { decodeCtc(tokens, pad, delimiter, isCleanedUp); });
}

Made readWordPieceDecoder(Fields &fields) {
  std::string prefix = fields.string("prefix");
  bool isCleanedUp = fields.boolean("cleanup");
  return makeStep([=](Tokens &tokens) { decodeWordPiece(tokens, prefix, isCleanedUp); });
}

Made readByType(const std::string &type, Fields &fields, const nlohmann::json &value, const std::string &place) {
  if (type == "Sequence")
    return readSequence(fields, place);
  if (type == "WordPiece")
    return readWordPieceDecoder(fields);
  if (type == "ByteLevel")
    return makeStep(decodeByteLevel);
  if (type == "Metaspace")
    return readMetaspaceDecoder(value, place);
  if (type == "BPEDecoder")
    return makeStep([suffix = fields.string("suffix")](Tokens &tokens) { decodeBpe(tokens, suffix); });
  if (type == "ByteFallback")
    return makeStep(decodeByteFallback);
  if (type == "Fuse")
    return makeStep(decodeFuse);
  if (type == "Strip")
    return readStrip(fields);
  if (type == "Replace")
    return readReplace(fields);
  if (type == "CTC")
    return readCtc(fields);
  return unsupportedComponent("decoder", type, place,
                              "Sequence, WordPiece, ByteLevel, Metaspace, BPEDecoder, ByteFallback, Fuse, Strip, "
                              "Replace, CTC");
}

} // namespace

Made readDecoder(const nlohmann::json &value, const std::string &place) {
  return readComponent(value, place,
                       [&](const std::string &type, Fields &fields) { return readByType(type, fields, value, place); });
}

} // namespace weft::text
