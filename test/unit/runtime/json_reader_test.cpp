// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/core/JsonReader.h"

#include "gtest/gtest.h"

#include <random>
#include <string>

using weft::runtime::JsonReader;

namespace {
bool accepts(std::string_view text) {
  JsonReader reader(text);
  reader.skipValue();
  return reader.atEnd();
}

std::string stringOf(std::string_view text) {
  JsonReader reader(text);
  std::string_view value;
  return reader.readString(value) && reader.atEnd() ? std::string(value) : std::string("error: ") + reader.error();
}
} // namespace

TEST(JsonReader, AcceptsJson) {
  for (const char *text : {"{}", "[]", " [ 1 , 2 ] ", "0", "-0", "1.5e-3", "1E+9", "true", "false", "null",
                           R"({"a":{"b":[{},[],""]}})", "\"\\u20ac\"", "\"\xf0\x9f\x98\x80\""})
    EXPECT_TRUE(accepts(text)) << text;
}

TEST(JsonReader, RefusesWhatIsNotJson) {
  for (const char *text : {"",
                           " ",
                           "{",
                           "[",
                           "[1,]",
                           "[,1]",
                           "[1 2]",
                           "{\"a\"}",
                           "{\"a\":}",
                           "{\"a\":1,}",
                           "{a:1}",
                           "01",
                           "1.",
                           ".5",
                           "1e",
                           "+1",
                           "- 1",
                           "tru",
                           "nul",
                           "NaN",
                           "Infinity",
                           "'a'",
                           "\"a",
                           "\"\\x\"",
                           "\"\\u12g4\"",
                           "\"\\u\"",
                           "\"\\",
                           "\"\t\"",
                           "[1]]",
                           "{}x",
                           "\"\xc0\x80\"",
                           "\"\xed\xa0\x80\"",
                           "\"\xf4\x90\x80\x80\"",
                           "\"\xe2\x82\"",
                           "//"})
    EXPECT_FALSE(accepts(text)) << text;
}

TEST(JsonReader, BoundsNesting) {
  EXPECT_TRUE(accepts(std::string(50, '[') + std::string(50, ']')));
  EXPECT_FALSE(accepts(std::string(70, '[') + std::string(70, ']')));
  std::string objects;
  for (int i = 0; i < 100000; ++i)
    objects += "{\"a\":";
  EXPECT_FALSE(accepts(objects));
}

TEST(JsonReader, DecodesEscapes) {
  EXPECT_EQ(stringOf(R"("a\"\\\/\b\f\n\r\t")"), "a\"\\/\b\f\n\r\t");
  EXPECT_EQ(stringOf(R"("\u0041\u00e9\u20ac\ud83d\ude00")"), "A\u00e9\u20ac\U0001F600");
  EXPECT_EQ(stringOf(R"("\ud83d")"), "error: half of a surrogate pair");
  EXPECT_EQ(stringOf(R"("\ud83d\n")"), "error: half of a surrogate pair");
  EXPECT_EQ(stringOf(R"("\ude00")"), "error: half of a surrogate pair");
  EXPECT_EQ(stringOf(R"("\u0000")"), "error: a string contains a NUL");
}

TEST(JsonReader, StringsWithEscapesLiveTogether) {
  std::string_view key, first, second;
  JsonReader reader(R"({"a\u0062":"x\ny","c":"\t"})");
  reader.enterObject();
  ASSERT_TRUE(reader.nextKey(key) && reader.readString(first));
  EXPECT_EQ(key, "ab");
  ASSERT_TRUE(reader.nextKey(key) && reader.readString(second));
  EXPECT_FALSE(reader.nextKey(key));
  EXPECT_TRUE(reader.atEnd());
  EXPECT_EQ(first, "x\ny");
  EXPECT_EQ(second, "\t");
}

TEST(JsonReader, ReadsWholeNumbersOnly) {
  uint64_t value;
  EXPECT_TRUE(JsonReader("18446744073709551615").readUnsigned(value));
  EXPECT_EQ(value, UINT64_MAX);
  for (const char *text : {"18446744073709551616", "-1", "1.0", "1e3", "01", "", "x", "\"1\""})
    EXPECT_FALSE(JsonReader(text).readUnsigned(value)) << text;
}

TEST(JsonReader, FailsOnceForAll) {
  std::string_view key;
  JsonReader reader("{\"a\":1}");
  EXPECT_FALSE(reader.enterArray());
  EXPECT_FALSE(reader.enterObject());
  EXPECT_FALSE(reader.nextKey(key));
  EXPECT_STREQ(reader.error(), "an array is expected");
}

// Random damage of a text: any verdict, no crash, no read past the end (a sanitizer would see it).
TEST(JsonReader, SurvivesDamage) {
  const std::string text = R"({"table":{"dtype":"F\u00332","shape":[10,16],"data_offsets":[0,640]},"x":[-1.5e3,null]})";
  std::mt19937 random(7);
  for (int round = 0; round < 20000; ++round) {
    std::string damaged = text.substr(0, 1 + random() % text.size());
    for (int flips = random() % 4; flips >= 0; --flips)
      damaged[random() % damaged.size()] = char(random());
    damaged.shrink_to_fit();
    accepts(damaged);
  }
}
