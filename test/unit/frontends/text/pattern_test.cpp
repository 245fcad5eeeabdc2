// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Patterns: Oniguruma's syntax in PCRE2's, and how matches cut a text.
#include "frontends/text/Pattern.h"
#include "frontends/text/Pieces.h"

#include <gtest/gtest.h>

using namespace weft;
using namespace weft::text;

static std::string cut(const Pattern &pattern, std::string_view text, SplitBehavior behavior) {
  std::vector<Match> matches;
  Result<void> found = pattern.findAll(text, matches);
  if (!found)
    return found.error().code;
  applyBehavior(matches, behavior);
  std::string result;
  for (const Match &match : matches)
    result += "|" + std::string(text.substr(match.begin, match.end - match.begin));
  return result;
}

static std::string cutByRegex(const std::string &source, std::string_view text) {
  Result<Pattern> pattern = Pattern::regex(source, "place");
  return pattern ? cut(*pattern, text, SplitBehavior::Isolated) : pattern.error().code;
}

TEST(Pattern, EachBehaviorOfTheDocumentation) {
  Pattern dash = Pattern::literal("-");
  std::string_view text = "the-final--countdown";
  EXPECT_EQ(cut(dash, text, SplitBehavior::Removed), "|the|final|countdown");
  EXPECT_EQ(cut(dash, text, SplitBehavior::Isolated), "|the|-|final|-|-|countdown");
  EXPECT_EQ(cut(dash, text, SplitBehavior::MergedWithPrevious), "|the-|final-|-|countdown");
  EXPECT_EQ(cut(dash, text, SplitBehavior::MergedWithNext), "|the|-final|-|-countdown");
  EXPECT_EQ(cut(dash, text, SplitBehavior::Contiguous), "|the|-|final|--|countdown");
}

TEST(Pattern, AnEmptyTextIsOnePiece) { EXPECT_EQ(cutByRegex("a", ""), "|"); }
TEST(Pattern, EmptyMatchesDoNotLoop) { EXPECT_EQ(cutByRegex("x*", "axb"), "||a|x|b|"); }
TEST(Pattern, HIsAHexadecimalDigit) { EXPECT_EQ(cutByRegex("\\h+", "xyz09afg"), "|xyz|09af|g"); }
TEST(Pattern, WordsHaveMarks) { EXPECT_EQ(cutByRegex("\\w+", "e\u0301-x"), "|e\u0301|-|x"); }
TEST(Pattern, SpaceIsWhiteSpace) { EXPECT_EQ(cutByRegex("\\s", "a\u180eb\u00a0c"), "|a\u180eb|\u00a0|c"); }
TEST(Pattern, MIsDotAll) { EXPECT_EQ(cutByRegex("(?m:a.b)", "a\nb"), "|a\nb"); }
TEST(Pattern, CaretIsByLine) { EXPECT_EQ(cutByRegex("^b", "a\nb"), "|a\n|b"); }
TEST(Pattern, UNamesACodePoint) { EXPECT_EQ(cutByRegex("\\u2581", "a\u2581b"), "|a|\u2581|b"); }
TEST(Pattern, PossessiveQuantifiers) { EXPECT_EQ(cutByRegex("a++b|a", "aab"), "|aab"); }
TEST(Pattern, KnowsNewLetters) { EXPECT_EQ(cutByRegex("\\p{L}+", "1\U00010D4Aa2"), "|1|\U00010D4Aa|2"); }

TEST(Pattern, RefusesWhatHasNoCounterpart) {
  for (const char *source : {"[a[bc]]", "[a&&b]", "a{2}+", "[\\W]", "(", "\\p{NoSuch}", "[a"})
    EXPECT_EQ(cutByRegex(source, "a"), "W0304") << source;
}

TEST(Pattern, CannotHangItsReader) {
  std::string text = std::string(60, 'a') + "!";
  EXPECT_EQ(cutByRegex("(a|aa)+[bc]", text), "W0307");
}
