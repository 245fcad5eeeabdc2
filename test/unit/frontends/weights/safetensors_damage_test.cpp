// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A right file cut at every length, and with bytes changed at random: refused or read, never a crash.
#include "frontends/weights/FloatValues.h"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <random>

namespace weft {
namespace {

class SafetensorsDamageTest : public testing::Test {
protected:
  static std::string rightFile() {
    std::ifstream stream(WEFT_TEST_SOURCE_DIR "/fixtures/bert-f16/model.safetensors", std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), {}};
  }

  static size_t headerEnd(std::string_view file) {
    return 8 + static_cast<unsigned char>(file[0]) + 256 * static_cast<unsigned char>(file[1]);
  }

  /// Reads it from memory of just its size, where a sanitizer sees one byte too far, and touches all that views give.
  bool opens(std::string_view bytes) {
    std::vector<char> exact(bytes.begin(), bytes.end());
    exact.shrink_to_fit();
    auto content = parseSafetensors(std::as_bytes(std::span(exact)), "damaged");
    if (!content) {
      EXPECT_NE(explainCode(content.error().code), nullptr) << content.error().format();
      return false;
    }
    for (const TensorView &tensor : content->tensors) {
      std::vector<float> values(tensor.elements());
      (void)readF32(tensor, values);
    }
    return true;
  }
};

TEST_F(SafetensorsDamageTest, EveryLengthOfTheHeader) {
  std::string file = rightFile();
  ASSERT_TRUE(opens(file));
  for (size_t length = 0; length <= headerEnd(file); ++length)
    EXPECT_FALSE(opens(std::string_view(file).substr(0, length))) << length;
}

TEST_F(SafetensorsDamageTest, LengthsOfTheData) {
  std::string file = rightFile();
  for (size_t length = headerEnd(file); length < file.size(); length += 61)
    EXPECT_FALSE(opens(std::string_view(file).substr(0, length))) << length;
  EXPECT_FALSE(opens(std::string_view(file).substr(0, file.size() - 1)));
  EXPECT_FALSE(opens(file + "x"));
}

TEST_F(SafetensorsDamageTest, AHeaderLengthOfAnyOneWrongByte) {
  std::string file = rightFile();
  for (int byte = 0; byte < 8; ++byte)
    for (int value = 0; value < 256; ++value) {
      std::string damaged = file;
      damaged[byte] = static_cast<char>(value);
      EXPECT_EQ(opens(damaged), damaged == file) << byte << " " << value;
    }
}

TEST_F(SafetensorsDamageTest, RandomBytesOfTheHeader) {
  std::string file = rightFile();
  std::mt19937 random(1);
  for (int round = 0; round < 4000; ++round) {
    std::string damaged = file;
    for (size_t count = 1 + random() % 3; count > 0; --count)
      damaged[random() % headerEnd(file)] = static_cast<char>(random());
    opens(damaged);
  }
}

TEST_F(SafetensorsDamageTest, RandomDigitsAndBrackets) {
  std::string file = rightFile();
  std::mt19937 random(2);
  constexpr std::string_view kGrammar = "0123456789[]{},:\"-.eE ";
  for (int round = 0; round < 4000; ++round) {
    std::string damaged = file;
    damaged[8 + random() % (headerEnd(file) - 8)] = kGrammar[random() % kGrammar.size()];
    opens(damaged);
  }
}

} // namespace
} // namespace weft
