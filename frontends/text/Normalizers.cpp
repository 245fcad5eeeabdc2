// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// "normalizer" of tokenizer.json to objects. The reference's names and fields; `Sequence` runs its members in turn.
#include "frontends/text/ByteLevel.h"
#include "frontends/text/CharacterClass.h"
#include "frontends/text/Fields.h"
#include "frontends/text/Normalizer.h"
#include "frontends/text/PatternField.h"
#include "frontends/text/Precompiled.h"
#include "frontends/text/UnicodeForm.h"

namespace weft::text {
namespace {

using Made = Result<std::unique_ptr<Normalizer>>;

class Sequence : public Normalizer {
public:
  Result<void> normalize(AlignedText &text) const override {
    for (const auto &member : members)
      if (Result<void> done = member->normalize(text); !done)
        return done;
    return {};
  }
  std::vector<std::unique_ptr<Normalizer>> members;
};

/// A normalizer that cannot fail and has no options beyond what its function holds.
template <class Function> class Step : public Normalizer {
public:
  explicit Step(Function function) : function(std::move(function)) {}
  Result<void> normalize(AlignedText &text) const override {
    function(text);
    return {};
  }

private:
  Function function;
};

template <class Function> std::unique_ptr<Normalizer> makeStep(Function function) {
  return std::make_unique<Step<Function>>(std::move(function));
}

class Replace : public Normalizer {
public:
  Replace(Pattern pattern, std::string content) : pattern(std::move(pattern)), content(std::move(content)) {}

  Result<void> normalize(AlignedText &text) const override {
    std::vector<Match> matches;
    if (Result<void> found = pattern.findAll(text.text, matches); !found)
      return found;
    AlignedText result;
    for (const Match &match : matches) {
      if (!match.matched) {
        result.append(text, match.begin, match.end);
        continue;
      }
      // What is written comes from where the last replaced character came from.
      Span span = match.end > 0 ? text.origin[match.end - 1] : Span{0, 0};
      for (char c : content)
        result.appendByte(c, span);
      if (result.text.size() > kMaxTextBytes)
        return Diagnostic{"W0307", "the text grows beyond 256 MiB while it is normalized", "", "shorten the text"};
    }
    text = std::move(result);
    return {};
  }

private:
  Pattern pattern;
  std::string content;
};

void stripText(AlignedText &text, bool left, bool right) {
  std::string_view view = text.text;
  size_t begin = 0, end = view.size();
  while (left && begin < end) {
    size_t next = begin;
    if (!isWhitespace(nextCodePoint(view, next)))
      break;
    begin = next;
  }
  while (right && begin < end) {
    size_t last = lastCharacter(view.substr(0, end));
    if (!isWhitespace(firstCodePoint(view.substr(last))))
      break;
    end = last;
  }
  if (begin > 0 || end < view.size())
    text = text.slice(begin, end);
}

void prependText(AlignedText &text, std::string_view prefix) {
  if (text.text.empty())
    return;
  text.origin.insert(text.origin.begin(), prefix.size(), text.origin.front());
  text.text.insert(0, prefix);
}

void toByteAlphabet(AlignedText &text) {
  Rewrite rewrite(text);
  for (size_t i = 0; i < text.text.size(); ++i)
    rewrite.put(characterOfByte(static_cast<unsigned char>(text.text[i])), isContinuation(text.text[i]) ? 1 : 0);
  text = rewrite.take();
}

// SentencePiece's rules for machine translation: some controls vanish, other separators become blanks.
bool isKeptByNmt(char32_t c) {
  return !((c >= 1 && c <= 8) || c == 0x0B || (c >= 0x0E && c <= 0x1F) || c == 0x7F || c == 0x8F || c == 0x9F);
}

char32_t mapByNmt(char32_t c) {
  bool isBlank = c == 9 || c == 0x0A || c == 0x0C || c == 0x0D || c == 0x1680 || (c >= 0x200B && c <= 0x200F) ||
                 c == 0x2028 || c == 0x2029 || c == 0x2581 || c == 0xFEFF || c == kReplacement;
  return isBlank ? U' ' : c;
}

Made readSequence(Fields &fields, const std::string &place) {
  const nlohmann::json &list = fields.array("normalizers");
  auto sequence = std::make_unique<Sequence>();
  for (size_t i = 0; i < list.size(); ++i) {
    Made member = readNormalizer(list[i], place + "/normalizers/" + std::to_string(i));
    if (!member)
      return member;
    sequence->members.push_back(std::move(*member));
  }
  return std::unique_ptr<Normalizer>(std::move(sequence));
}

Made readBert(Fields &fields) {
  BertNormalizerOptions options{};
  options.cleanText = fields.boolean("clean_text");
  options.handleChineseChars = fields.boolean("handle_chinese_chars");
  options.lowercase = fields.boolean("lowercase");
  options.stripAccents = fields.optionalBoolean("strip_accents").value_or(options.lowercase);
  return makeBertNormalizer(options);
}

Made readReplace(Fields &fields) {
  Result<Pattern> pattern = readPattern(fields, "pattern");
  if (!pattern)
    return pattern.takeError();
  return std::unique_ptr<Normalizer>(std::make_unique<Replace>(std::move(*pattern), fields.string("content")));
}

Made readPrecompiled(Fields &fields) {
  std::string base64 = fields.string("precompiled_charsmap");
  if (fields.failed())
    return fields.takeError();
  Result<CharacterMap> map = CharacterMap::fromBase64(base64, fields.placeOf("precompiled_charsmap"));
  if (!map)
    return map.takeError();
  return makeStep([map = std::move(*map)](AlignedText &text) { map.apply(text); });
}

Made readStrip(Fields &fields) {
  bool left = fields.boolean("strip_left"), right = fields.boolean("strip_right");
  return makeStep([=](AlignedText &text) { stripText(text, left, right); });
}

Made makeUnicodeForm(UnicodeForm form) {
  return makeStep([=](AlignedText &text) { toUnicodeForm(text, form); });
}

Made readByType(const std::string &type, Fields &fields, const std::string &place) {
  if (type == "Sequence")
    return readSequence(fields, place);
  if (type == "BertNormalizer" || type == "Bert")
    return readBert(fields);
  if (type == "NFC" || type == "NFD")
    return makeUnicodeForm(type == "NFC" ? UnicodeForm::Nfc : UnicodeForm::Nfd);
  if (type == "NFKC" || type == "NFKD")
    return makeUnicodeForm(type == "NFKC" ? UnicodeForm::Nfkc : UnicodeForm::Nfkd);
  if (type == "Lowercase")
    return makeStep(lowercaseText);
  if (type == "StripAccents")
    return makeStep([](AlignedText &text) { filterText(text, [](char32_t c) { return !isCombiningMark(c); }); });
  if (type == "Strip")
    return readStrip(fields);
  if (type == "Replace")
    return readReplace(fields);
  if (type == "Prepend")
    return makeStep([prefix = fields.string("prepend")](AlignedText &text) { prependText(text, prefix); });
  if (type == "Precompiled")
    return readPrecompiled(fields);
  if (type == "ByteLevel")
    return makeStep(toByteAlphabet);
  if (type == "Nmt")
    return makeStep([](AlignedText &text) {
      filterText(text, isKeptByNmt);
      mapText(text, mapByNmt);
    });
  return unsupportedComponent("normalizer", type, place,
                              "Sequence, BertNormalizer, NFC, NFD, NFKC, NFKD, Lowercase, StripAccents, Strip, "
                              "Replace, Prepend, Precompiled, ByteLevel, Nmt");
}

} // namespace

Made readNormalizer(const nlohmann::json &value, const std::string &place) {
  return readComponent(value, place,
                       [&](const std::string &type, Fields &fields) { return readByType(type, fields, place); });
}

} // namespace weft::text
