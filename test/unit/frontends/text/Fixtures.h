// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The checked-in tokenizers and strings of test/frontends/text.
#ifndef WEFT_TEST_UNIT_FRONTENDS_TEXT_FIXTURES_H
#define WEFT_TEST_UNIT_FRONTENDS_TEXT_FIXTURES_H

#include "frontends/text/Tokenizer.h"

#include <gtest/gtest.h>

#include <cstring>
#include <fstream>
#include <iterator>
#include <string>

namespace weft::text {

inline std::string fixtureFolder() { return std::string(WEFT_TEST_SOURCE_DIR) + "/frontends/text/"; }

inline std::string readFixture(const std::string &name) {
  std::ifstream file(fixtureFolder() + name, std::ios::binary);
  EXPECT_TRUE(file) << name;
  return {std::istreambuf_iterator<char>(file), {}};
}

inline Tokenizer loadFixture(const std::string &name) {
  Result<Tokenizer> tokenizer = Tokenizer::fromFile(fixtureFolder() + "fixtures/" + name + ".json");
  if (!tokenizer) {
    ADD_FAILURE() << tokenizer.error().format();
    std::abort();
  }
  return *tokenizer;
}

/// strings.bin: a length (u16) and that many bytes, each.
inline std::vector<std::string> readStrings() {
  std::string data = readFixture("strings.bin");
  std::vector<std::string> strings;
  for (size_t at = 0; at + 2 <= data.size();) {
    auto length =
        static_cast<size_t>(static_cast<unsigned char>(data[at]) | static_cast<unsigned char>(data[at + 1]) << 8);
    strings.push_back(data.substr(at + 2, length));
    at += 2 + length;
  }
  return strings;
}

/// Neither truncated nor padded, whatever the file says.
inline EncodeOptions plainOptions() {
  EncodeOptions options;
  options.truncate = EncodeOptions::Truncate::Never;
  options.pad = EncodeOptions::Pad::Never;
  return options;
}

} // namespace weft::text

#endif // WEFT_TEST_UNIT_FRONTENDS_TEXT_FIXTURES_H
