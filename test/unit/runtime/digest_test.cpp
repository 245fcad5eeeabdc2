// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/core/Digest.h"

#include "runtime/cpu/CpuFeatures.h"

#include "gtest/gtest.h"

#include <fstream>
#include <string>

using namespace weft::runtime;

// Known answers of `xxhsum -H2`.
TEST(Digest, KnownAnswers) {
  EXPECT_STREQ(digestOf("", 0).text, "99aa06d3014798d86001c324468d497f");
  EXPECT_STREQ(digestOf("abc", 3).text, "06b05ab6733a618578af5f94892f3950");
}

// Each instruction set computes the same, at lengths on both sides of xxHash's internal limits.
TEST(Digest, AllInstructionSetsAgree) {
  std::string data;
  for (int i = 0; i < 5000; ++i)
    data += char(i * 37 + i / 256);
  for (size_t size : {0, 1, 3, 16, 17, 128, 129, 240, 241, 1024, 1025, 4096, 5000}) {
    DigestBits want = digestPortable(data.data(), size);
    if (cpuFeatures() & WEFT_CPU_V3) {
      EXPECT_EQ(digestV3(data.data(), size).low, want.low) << size;
      EXPECT_EQ(digestV3(data.data(), size).high, want.high) << size;
    }
    if (cpuFeatures() & WEFT_CPU_V4) {
      EXPECT_EQ(digestV4(data.data(), size).low, want.low) << size;
      EXPECT_EQ(digestV4(data.data(), size).high, want.high) << size;
    }
  }
}

TEST(Digest, OfAFileIsTheDigestOfItsBytes) {
  std::string content(100000, 'x'); // more than one piece
  std::string folder = testing::TempDir();
  std::ofstream(folder + "/weft-digest", std::ios::binary) << content;
  Directory directory;
  File file;
  Digest digest;
  ASSERT_EQ(directory.open(folder.c_str()), WEFT_OK);
  ASSERT_EQ(file.open(directory, "weft-digest"), WEFT_OK);
  ASSERT_EQ(digestOf(file, digest), WEFT_OK);
  EXPECT_STREQ(digest.text, digestOf(content.data(), content.size()).text);
}
