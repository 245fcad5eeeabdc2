// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A right file cut at every length, and with bytes changed at random: refused or read, never a crash.
#include "GgufBytes.h"

#include "frontends/gguf/GgufFile.h"

#include <gtest/gtest.h>

#include <random>

namespace weft::gguf {
namespace {

std::string rightFile() {
  std::string texts = test::text("one") + test::text("two");
  return test::file({test::value("general.architecture", ValueType::String, test::text("llama")),
                     test::value("llama.block_count", ValueType::U32, test::raw<uint32_t>(2)),
                     test::array("tokenizer.ggml.tokens", ValueType::String, 2, texts),
                     test::array("tokenizer.ggml.scores", ValueType::F32, 2, std::string(8, '\0'))},
                    {test::tensor("output.weight", {32, 2}, 8, 0), test::tensor("output_norm.weight", {4}, 0, 96)},
                    std::string(112, '\1'));
}

/// Reads it from memory of just its size, where a sanitizer sees one byte too far, and touches all that views give.
bool opens(std::string_view bytes) {
  std::vector<char> exact(bytes.begin(), bytes.end());
  exact.shrink_to_fit();
  Result<GgufContent> content = parseGguf(std::as_bytes(std::span(exact)), "damaged");
  if (!content) {
    EXPECT_NE(explainCode(content.error().code), nullptr) << content.error().format();
    return false;
  }
  for (const auto &[key, value] : content->metadata)
    (void)value.texts();
  for (const BlockTensor &tensor : content->tensors) {
    std::vector<float> values(tensor.elements());
    BlockDecoder(*tensor.format).decode(tensor.bytes, values);
  }
  return true;
}

TEST(GgufDamageTest, EveryLength) {
  std::string file = rightFile();
  ASSERT_TRUE(opens(file));
  for (size_t length = 0; length < file.size(); ++length)
    EXPECT_FALSE(opens(std::string_view(file).substr(0, length))) << length;
}

TEST(GgufDamageTest, EveryByteAllOnes) {
  std::string file = rightFile();
  for (size_t at = 0; at < file.size() - 112; ++at) {
    std::string damaged = file;
    damaged[at] = '\xFF';
    opens(damaged);
  }
}

TEST(GgufDamageTest, RandomBytes) {
  std::string file = rightFile();
  std::mt19937 random(1);
  for (int round = 0; round < 20000; ++round) {
    std::string damaged = file;
    for (size_t count = 1 + random() % 3; count > 0; --count)
      damaged[random() % (file.size() - 112)] = static_cast<char>(random());
    opens(damaged);
  }
}

} // namespace
} // namespace weft::gguf
