// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a right GGUF file gives.
#include "GgufBytes.h"

#include "frontends/gguf/GgufFile.h"

#include <gtest/gtest.h>

namespace weft::gguf {
namespace {

using test::array;
using test::file;
using test::raw;
using test::tensor;
using test::text;
using test::value;

/// The content, with the bytes that it points into.
struct Opened {
  std::string bytes;
  GgufContent content;

  const Value &at(const char *key) const { return content.metadata.at(key); }
};

std::unique_ptr<Opened> open(const std::string &bytes) {
  auto opened = std::make_unique<Opened>(Opened{bytes, {}});
  Result<GgufContent> content = parseGguf(std::as_bytes(std::span(opened->bytes)), "model.gguf");
  EXPECT_TRUE(content) << content.error().format();
  opened->content = std::move(*content);
  return opened;
}

TEST(GgufFileTest, Numbers) {
  auto opened = open(
      file({value("u8", ValueType::U8, raw<uint8_t>(200)), value("i8", ValueType::I8, raw<int8_t>(-3)),
            value("u16", ValueType::U16, raw<uint16_t>(60000)), value("i16", ValueType::I16, raw<int16_t>(-300)),
            value("u32", ValueType::U32, raw<uint32_t>(4000000000)), value("i32", ValueType::I32, raw<int32_t>(-4)),
            value("u64", ValueType::U64, raw<uint64_t>(1ull << 40)), value("i64", ValueType::I64, raw<int64_t>(-5)),
            value("f32", ValueType::F32, raw(0.5f)), value("f64", ValueType::F64, raw(0.1))}));
  EXPECT_EQ(opened->at("u8").integer(), 200);
  EXPECT_EQ(opened->at("i8").integer(), -3);
  EXPECT_EQ(opened->at("u16").integer(), 60000);
  EXPECT_EQ(opened->at("i16").integer(), -300);
  EXPECT_EQ(opened->at("u32").integer(), 4000000000);
  EXPECT_EQ(opened->at("i32").integer(), -4);
  EXPECT_EQ(opened->at("u64").integer(), int64_t(1) << 40);
  EXPECT_EQ(opened->at("i64").integer(), -5);
  EXPECT_EQ(opened->at("f32").number(), 0.5);
  EXPECT_EQ(opened->at("f64").number(), 0.1);
  EXPECT_EQ(opened->at("u8").number(), 200.0);
  EXPECT_FALSE(opened->at("f32").integer());
  EXPECT_FALSE(opened->at("u8").text());
}

TEST(GgufFileTest, AnIntegerThatInt64DoesNotHoldIsNone) {
  EXPECT_FALSE(open(file({value("k", ValueType::U64, raw(~uint64_t(0)))}))->at("k").integer());
}

TEST(GgufFileTest, TextsFlagsAndArrays) {
  std::string inner = raw(static_cast<uint32_t>(ValueType::U8)) + raw<uint64_t>(2) + "\1\2";
  auto opened =
      open(file({value("t", ValueType::String, text("hi")), value("b", ValueType::Bool, "\1"),
                 array("texts", ValueType::String, 3, text("a") + text("") + text("bc")),
                 array("i", ValueType::I32, 2, raw<int32_t>(7) + raw<int32_t>(-1)),
                 array("f", ValueType::F32, 1, raw(1.5f)), array("b2", ValueType::Bool, 2, std::string("\0\1", 2)),
                 array("nested", ValueType::Array, 2, inner + inner), array("none", ValueType::String, 0, "")}));
  EXPECT_EQ(opened->at("t").text(), "hi");
  EXPECT_EQ(opened->at("b").flag(), true);
  EXPECT_EQ(opened->at("texts").texts(), (std::vector<std::string_view>{"a", "", "bc"}));
  EXPECT_EQ(opened->at("i").integers(), (std::vector<int64_t>{7, -1}));
  EXPECT_EQ(opened->at("f").numbers(), std::vector<double>{1.5});
  EXPECT_EQ(opened->at("b2").flags(), (std::vector<bool>{false, true}));
  EXPECT_EQ(opened->at("nested").count, 2u);
  EXPECT_FALSE(opened->at("nested").integers());
  EXPECT_EQ(opened->at("none").texts(), std::vector<std::string_view>());
  EXPECT_FALSE(opened->at("f").integers());
  EXPECT_FALSE(opened->at("texts").numbers());
}

TEST(GgufFileTest, TensorsAreRowMajorAndMayComeInAnyOrder) {
  std::string data(160, '\0');
  data[64] = 1;
  auto opened =
      open(file({}, {tensor("b", {32, 2}, 8, 64), tensor("a", {3, 5}, 0, 0), tensor("none", {0}, 0, 0)}, data));
  const std::vector<BlockTensor> &tensors = opened->content.tensors;
  ASSERT_EQ(tensors.size(), 3u);
  EXPECT_EQ(tensors[0].shape, (std::vector<int64_t>{2, 32}));
  EXPECT_STREQ(tensors[0].format->name, "Q8_0");
  EXPECT_EQ(tensors[0].bytes.size(), 68u);
  EXPECT_EQ(tensors[0].elements(), 64u);
  EXPECT_EQ(std::to_integer<int>(tensors[0].bytes[0]), 1);
  EXPECT_EQ(tensors[1].shape, (std::vector<int64_t>{5, 3}));
  EXPECT_TRUE(tensors[2].bytes.empty());
}

TEST(GgufFileTest, AnotherAlignment) {
  std::string data(72, '\0');
  auto opened = open(file({value("general.alignment", ValueType::U32, raw<uint32_t>(8))},
                          {tensor("a", {1}, 0, 0), tensor("b", {16}, 0, 8)}, data, 8));
  EXPECT_EQ(opened->content.tensors[1].bytes.data() + 64,
            std::as_bytes(std::span(opened->bytes)).data() + opened->bytes.size());
}

TEST(GgufFileTest, VersionTwo) {
  std::string bytes = file({value("k", ValueType::U8, "\1")});
  bytes[4] = 2;
  EXPECT_EQ(open(bytes)->content.version, 2u);
}

TEST(GgufFileTest, AFileThatIsNotThere) {
  Result<GgufFile> opened = GgufFile::open("/nonexistent/model.gguf");
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, "W0101");
}

} // namespace
} // namespace weft::gguf
