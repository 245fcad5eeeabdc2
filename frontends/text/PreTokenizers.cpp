// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// "pre_tokenizer" of tokenizer.json to objects, under the reference's names and fields.
#include "frontends/text/CharacterClass.h"
#include "frontends/text/Fields.h"
#include "frontends/text/PatternField.h"
#include "frontends/text/PreTokenizer.h"

#include <functional>

namespace weft::text {
namespace {

using Made = Result<std::unique_ptr<PreTokenizer>>;

class Sequence : public PreTokenizer {
public:
  Result<void> split(Pieces &pieces) const override {
    for (const auto &member : members)
      if (Result<void> done = member->split(pieces); !done)
        return done;
    return {};
  }
  std::vector<std::unique_ptr<PreTokenizer>> members;
};

/// Cuts with a function from a piece to matches.
class Splitter : public PreTokenizer {
public:
  Splitter(Pieces::Matcher matcher, SplitBehavior behavior) : matcher(std::move(matcher)), behavior(behavior) {}
  Result<void> split(Pieces &pieces) const override { return pieces.split(matcher, behavior); }

private:
  Pieces::Matcher matcher;
  SplitBehavior behavior;
};

/// Cuts at every character of a class.
class ClassSplitter : public PreTokenizer {
public:
  ClassSplitter(bool (*isDelimiter)(char32_t), SplitBehavior behavior) : isDelimiter(isDelimiter), behavior(behavior) {}
  Result<void> split(Pieces &pieces) const override {
    pieces.splitAtCharacters(isDelimiter, behavior);
    return {};
  }

private:
  bool (*isDelimiter)(char32_t);
  SplitBehavior behavior;
};

class Bert : public PreTokenizer {
public:
  Result<void> split(Pieces &pieces) const override {
    pieces.splitAtCharacters(isWhitespace, SplitBehavior::Removed);
    pieces.splitAtCharacters(isPunctuation, SplitBehavior::Isolated);
    return {};
  }
};

std::unique_ptr<PreTokenizer> makeSplitter(Pieces::Matcher matcher, SplitBehavior behavior) {
  return std::make_unique<Splitter>(std::move(matcher), behavior);
}

std::unique_ptr<PreTokenizer> makeClassSplitter(bool (*isDelimiter)(char32_t), SplitBehavior behavior) {
  return std::make_unique<ClassSplitter>(isDelimiter, behavior);
}

/// Words and runs of signs, as the expression \w+|[^\w\s]+ finds them; what is between them falls away.
Result<void> matchWords(std::string_view part, std::vector<Match> &matches) {
  enum class Kind { Word, Space, Sign };
  auto kindOf = [](char32_t c) { return isPatternWord(c) ? Kind::Word : isWhitespace(c) ? Kind::Space : Kind::Sign; };
  for (size_t begin = 0, end = 0; begin < part.size(); begin = end) {
    Kind kind = kindOf(nextCodePoint(part, end));
    for (size_t next = end; next < part.size() && kindOf(nextCodePoint(part, next)) == kind;)
      end = next;
    matches.push_back({static_cast<uint32_t>(begin), static_cast<uint32_t>(end), kind == Kind::Space});
  }
  return {};
}

Result<void> matchLength(std::string_view part, std::vector<Match> &matches, size_t length) {
  for (size_t begin = 0, end = 0; begin < part.size(); begin = end) {
    for (size_t i = 0; i < length && end < part.size(); ++i)
      end += sequenceLength(part[end]);
    matches.push_back({static_cast<uint32_t>(begin), static_cast<uint32_t>(end), false});
  }
  return {};
}

SplitBehavior readBehavior(Fields &fields) {
  return static_cast<SplitBehavior>(
      fields.choice("behavior", {"Removed", "Isolated", "MergedWithPrevious", "MergedWithNext", "Contiguous"}));
}

Made readSequence(Fields &fields, const std::string &place) {
  const nlohmann::json &list = fields.array("pretokenizers");
  auto sequence = std::make_unique<Sequence>();
  for (size_t i = 0; i < list.size(); ++i) {
    Made member = readPreTokenizer(list[i], place + "/pretokenizers/" + std::to_string(i));
    if (!member)
      return member;
    sequence->members.push_back(std::move(*member));
  }
  return std::unique_ptr<PreTokenizer>(std::move(sequence));
}

Made readSplit(Fields &fields) {
  Result<Pattern> pattern = readPattern(fields, "pattern");
  if (!pattern)
    return pattern.takeError();
  SplitBehavior behavior = readBehavior(fields);
  bool invert = fields.optionalBoolean("invert").value_or(false);
  auto matcher = [pattern = std::move(*pattern), invert](std::string_view part, std::vector<Match> &matches) {
    Result<void> found = pattern.findAll(part, matches);
    if (found && invert)
      for (Match &match : matches)
        match.matched = !match.matched;
    return found;
  };
  return makeSplitter(std::move(matcher), behavior);
}

Made readDelimiter(Fields &fields) {
  std::string delimiter;
  appendUtf8(delimiter, fields.character("delimiter"));
  auto matcher = [pattern = Pattern::literal(delimiter)](std::string_view part, std::vector<Match> &matches) {
    return pattern.findAll(part, matches);
  };
  return makeSplitter(std::move(matcher), SplitBehavior::Removed);
}

Made readFixedLength(Fields &fields) {
  size_t length = fields.optionalCount("length").value_or(5);
  if (length == 0)
    fields.fail("W0303", "length", "pieces of no characters are asked for", "ask for at least 1");
  return makeSplitter(
      [length](std::string_view part, std::vector<Match> &matches) { return matchLength(part, matches, length); },
      SplitBehavior::Isolated);
}

Made readMetaspaceSplitter(const nlohmann::json &value, const std::string &place) {
  Result<MetaspaceOptions> options = readMetaspace(value, place);
  if (!options)
    return options.takeError();
  return makeMetaspace(*options);
}

Made readByteLevel(Fields &fields) {
  bool addPrefixSpace = fields.boolean("add_prefix_space");
  return makeByteLevel(addPrefixSpace, fields.optionalBoolean("use_regex").value_or(true));
}

Made readByType(const std::string &type, Fields &fields, const nlohmann::json &value, const std::string &place) {
  if (type == "Sequence")
    return readSequence(fields, place);
  if (type == "BertPreTokenizer")
    return std::unique_ptr<PreTokenizer>(std::make_unique<Bert>());
  if (type == "ByteLevel")
    return readByteLevel(fields);
  if (type == "Metaspace")
    return readMetaspaceSplitter(value, place);
  if (type == "Whitespace")
    return makeSplitter(matchWords, SplitBehavior::Removed);
  if (type == "WhitespaceSplit")
    return makeClassSplitter(isWhitespace, SplitBehavior::Removed);
  if (type == "Punctuation")
    return makeClassSplitter(isPunctuation,
                             fields.optionalValue("behavior") ? readBehavior(fields) : SplitBehavior::Isolated);
  if (type == "Digits")
    return makeClassSplitter(isNumeric,
                             fields.boolean("individual_digits") ? SplitBehavior::Isolated : SplitBehavior::Contiguous);
  if (type == "Split")
    return readSplit(fields);
  if (type == "Delimiter" || type == "CharDelimiterSplit")
    return readDelimiter(fields);
  if (type == "FixedLength")
    return readFixedLength(fields);
  return unsupportedComponent("pre-tokenizer", type, place,
                              "Sequence, BertPreTokenizer, ByteLevel, Metaspace, Whitespace, WhitespaceSplit, "
                              "Punctuation, Digits, Split, CharDelimiterSplit, FixedLength");
}

} // namespace

Made readPreTokenizer(const nlohmann::json &value, const std::string &place) {
  return readComponent(value, place,
                       [&](const std::string &type, Fields &fields) { return readByType(type, fields, value, place); });
}

} // namespace weft::text
