// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the strict JSON reader takes and refuses.
#include "frontends/diagnostic/StrictJson.h"

#include <gtest/gtest.h>

using namespace weft;

static std::string codeOf(const std::string &text) {
  Result<nlohmann::json> result = parseStrictJson(text, "file.json");
  return result ? "" : result.error().code;
}

TEST(StrictJson, ReadsEveryKindOfValue) {
  auto result = parseStrictJson(R"({"a": [1, -2, 2.5, true, null], "b": {"c": "ü"}, "": {}})", "file.json");
  ASSERT_TRUE(result);
  EXPECT_EQ(result->dump(), R"({"":{},"a":[1,-2,2.5,true,null],"b":{"c":"ü"}})");
}

TEST(StrictJson, RefusesWhatIsNotJson) {
  for (const char *text : {"", "{", "[1,]", "{\"a\":1} x", "nul", "{\"a\" 1}", "\"\xff\"", "\"\\ud800\"", "1e999"})
    EXPECT_EQ(codeOf(text), "W0110") << text;
}

TEST(StrictJson, RefusesAKeyThatOccursTwice) {
  auto result = parseStrictJson(R"({"x": {"vocab": {"a": 1, "b": 2, "a": 3}}})", "file.json");
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, "W0112");
  EXPECT_EQ(result.error().place, "file.json at /x/vocab");
  EXPECT_EQ(codeOf(R"({"a": {"b": 1}, "c": {"b": 1}})"), "");
}

TEST(StrictJson, RefusesDeepNesting) {
  auto nested = [](size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); };
  EXPECT_EQ(codeOf(nested(kMaxJsonDepth)), "");
  EXPECT_EQ(codeOf(nested(kMaxJsonDepth + 1)), "W0111");
  EXPECT_EQ(codeOf(std::string(10'000'000, '[')), "W0111");
}

TEST(StrictJson, ShortensWhatItQuotes) {
  std::string key(1 << 20, 'k');
  auto result = parseStrictJson("{\"" + key + "\": 1, \"" + key + "\": 2}", "file.json");
  ASSERT_FALSE(result);
  EXPECT_LT(result.error().format().size(), 2000u);
}
