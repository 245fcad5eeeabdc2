// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Every way in which a GGUF file can be wrong, with the code and the words that the user gets.
#include "GgufBytes.h"

#include "frontends/gguf/GgufFile.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace weft::gguf {
namespace {

using test::array;
using test::file;
using test::raw;
using test::tensor;
using test::text;
using test::value;
using testing::HasSubstr;

struct Malformed {
  const char *what;
  std::string bytes;
  const char *code;
  const char *message; ///< part of it
};

constexpr uint64_t kHuge = ~uint64_t(0);

std::string header(uint32_t version, uint64_t tensors, uint64_t values) {
  return "GGUF" + raw(version) + raw(tensors) + raw(values);
}

std::vector<Malformed> headers() {
  return {
      {"Empty", "", "W0150", "does not begin with GGUF"},
      {"BadMagic", "GGML" + std::string(60, '\0'), "W0150", "does not begin with GGUF"},
      {"MagicAlone", "GGUF", "W0150", "ends inside the version"},
      {"NoCounts", "GGUF" + raw<uint32_t>(3), "W0150", "ends inside the counts"},
      {"Version0", header(0, 0, 0), "W0151", "version 0; Weft reads 2 and 3"},
      {"Version1", header(1, 0, 0), "W0151", "version 1, which no published model"},
      {"Version4", header(4, 0, 0), "W0151", "version 4; Weft reads 2 and 3"},
      {"BigEndian", header(0x03000000, 0, 0), "W0151", "the file is big-endian"},
      {"TensorsBeyondFile", header(3, 1, 0), "W0152", "would hold 1 tensors, but only 0 bytes follow"},
      {"TensorsAllOnes", header(3, kHuge, 0), "W0152", "would hold 18446744073709551615 tensors"},
      {"ValuesBeyondFile", header(3, 0, 1), "W0152", "would hold 1 values of metadata, but only 0 bytes follow"},
      {"ValuesAllOnes", header(3, 0, kHuge), "W0152", "would hold 18446744073709551615 values"},
  };
}

std::vector<Malformed> texts() {
  std::string one = value("k", ValueType::U8, "\1"), pad(32, '\0');
  return {
      {"KeyBeyondFile", header(3, 0, 1) + raw<uint64_t>(500) + pad, "W0153",
       "the key would have 500 bytes, but only 32"},
      {"KeyBeyondFormat", header(3, 0, 1) + raw<uint64_t>(65536) + pad, "W0153", "the format allows 65535"},
      {"KeyAllOnes", header(3, 0, 1) + raw(kHuge) + pad, "W0153", "would have 18446744073709551615 bytes"},
      {"TextAllOnes", file({value("k", ValueType::String, raw(kHuge))}), "W0153",
       "the text would have 18446744073709551615"},
      {"ElementBeyondFile", file({array("k", ValueType::String, 2, text("a") + raw<uint64_t>(9))}), "W0153",
       "element 1 would have 9 bytes, but only 0 follow"},
      {"NameBeyondFormat", file({}, {tensor(std::string(65, 'n'), {}, 0, 0)}), "W0153", "the format allows 64"},
      {"EmptyKey", file({value("", ValueType::U64, raw<uint64_t>(1))}), "W0154", "a key is empty"},
      {"KeyWithZero", file({value(std::string("a\0b", 3), ValueType::U8, "\1")}), "W0154", "a key holds a zero byte"},
      {"DuplicateKey", file({one, one}), "W0154", "the key occurs twice"},
      {"EmptyName", file({}, {tensor("", {1}, 0, 0)}), "W0154", "a tensor has an empty name"},
      {"NameWithZero", file({}, {tensor(std::string("\0", 1), {1}, 0, 0)}), "W0154", "name holds a zero byte"},
      {"DuplicateName", file({}, {tensor("t", {1}, 0, 0), tensor("t", {1}, 0, 32)}, std::string(64, '\0')), "W0154",
       "two tensors have this name"},
  };
}

std::vector<Malformed> values() {
  std::string deep;
  for (int depth = 0; depth < 100'000; ++depth)
    deep += raw(static_cast<uint32_t>(ValueType::Array)) + raw<uint64_t>(1);
  return {
      {"UnknownType", file({value("k", static_cast<ValueType>(13), "\1")}), "W0155",
       "type 13, which the format does not"},
      {"TypeAllOnes", file({value("k", static_cast<ValueType>(~0u), "\1")}), "W0155", "type 4294967295"},
      {"Bool2", file({value("k", ValueType::Bool, "\2")}), "W0155", "neither 0 nor 1"},
      {"NumberCutShort", file({value("k", ValueType::U64, "1234")}), "W0150", "ends inside a value"},
      {"ArrayCutShort", file({value("k", ValueType::Array, raw<uint32_t>(0))}), "W0150", "inside an array's type"},
      {"ArrayOfUnknown", file({array("k", static_cast<ValueType>(77), 1, "\1")}), "W0155", "elements have type 77"},
      {"ArrayBeyondFile", file({array("k", ValueType::F32, 3, "12345678")}), "W0155", "3 elements, but only 8 bytes"},
      {"ArrayAllOnes", file({array("k", ValueType::U64, kHuge, "")}), "W0155", "18446744073709551615 elements"},
      {"TextsAllOnes", file({array("k", ValueType::String, kHuge / 8, "")}), "W0155", "2305843009213693951 elements"},
      {"ArraysAllOnes", file({array("k", ValueType::Array, kHuge, "")}), "W0155", "18446744073709551615 elements"},
      {"ArrayWithBool2", file({array("k", ValueType::Bool, 2, "\1\2")}), "W0155", "an element is neither 0 nor 1"},
      {"ArraysInEachOther", file({value("k", ValueType::Array, deep)}), "W0155", "in each other more than 8 deep"},
  };
}

std::vector<Malformed> tensors() {
  std::string data(64, '\0'), one = tensor("t", {1}, 0, 0);
  auto aligned = [](ValueType type, const std::string &bytes) { return value("general.alignment", type, bytes); };
  auto power = [&](uint32_t alignment) { return file({aligned(ValueType::U32, raw(alignment))}, {one}, "1234"); };
  auto shaped = [&](const std::vector<uint64_t> &extents, uint32_t type) {
    return file({}, {tensor("t", extents, type, 0)}, data);
  };
  auto pair = [&](uint64_t first, uint64_t second) {
    return file({}, {tensor("a", {9}, 0, first), tensor("b", {9}, 0, second)}, std::string(128, '\0'));
  };
  return {
      {"Alignment0", power(0), "W0156", "alignment is 0, not a power of two"},
      {"Alignment3", power(3), "W0156", "alignment is 3, not a power of two"},
      {"AlignmentHuge", power(1u << 31), "W0156", "alignment is 2147483648, not"},
      {"AlignmentNegative", file({aligned(ValueType::I32, raw<int32_t>(-32))}), "W0156", "alignment is -32, not"},
      {"AlignmentText", file({aligned(ValueType::String, text("32"))}), "W0156", "alignment is not an integer"},
      {"OffsetNotAligned", file({}, {tensor("t", {1}, 0, 4)}, data), "W0156", "at byte 4 of the data, no multiple"},
      {"FiveExtents", shaped({1, 1, 1, 1, 1}, 0), "W0157", "5 dimensions, more than 4"},
      {"RankAllOnes", file({}, {text("t") + raw(~0u) + data}), "W0157", "4294967295 dimensions"},
      {"ExtentNegative", shaped({kHuge}, 0), "W0157", "beyond 2^63 - 1"},
      {"ElementsBeyondCount", shaped({1ull << 40, 1ull << 40}, 0), "W0157", "more elements than can be counted"},
      {"RowsOfBlocks", shaped({33}, 2), "W0157", "rows of 33 elements are no whole blocks of Q4_0, which have 32"},
      {"RowsOfKBlocks", shaped({32}, 12), "W0157", "no whole blocks of Q4_K, which have 256"},
      {"ScalarOfBlocks", shaped({}, 8), "W0157", "rows of 1 elements are no whole blocks of Q8_0"},
      {"TypeRemoved", shaped({32}, 4), "W0158", "type 4, which nobody knows"},
      {"TypeAllOnes", shaped({32}, ~0u), "W0158", "type 4294967295, which nobody knows"},
      {"TypeNotRead", shaped({256}, 16), "W0158", "type IQ2_XXS, which Weft does not read"},
      {"TensorCutShort", file({}, {tensor("t", {17}, 0, 0)}, data), "W0159",
       "68 bytes from byte 0, but the file holds only 64"},
      {"TensorBeyondFile", file({}, {tensor("t", {1}, 0, 64)}, data), "W0159", "4 bytes from byte 64"},
      {"OffsetAllOnes", file({}, {tensor("t", {1}, 0, kHuge - 31)}, data), "W0159", "from byte 18446744073709551584"},
      {"NoData", file({}, {one}), "W0159", "holds only 0 bytes of data"},
      {"Overlap", pair(0, 32), "W0159", "overlaps that of \"a\""},
      {"OverlapReversed", pair(32, 0), "W0159", "overlaps that of \"b\""},
      {"SameBytes", pair(0, 0), "W0159", "overlaps that of"},
      {"EntryCutShort", file({}, {text("t") + raw<uint32_t>(1) + raw<uint64_t>(1) + raw<uint32_t>(0) + "1234"}),
       "W0150", "inside a tensor's type and place"},
  };
}

class GgufMalformedTest : public testing::TestWithParam<Malformed> {};

TEST_P(GgufMalformedTest, IsRefused) {
  std::vector<char> exact(GetParam().bytes.begin(), GetParam().bytes.end());
  exact.shrink_to_fit();
  Result<GgufContent> content = parseGguf(std::as_bytes(std::span(exact)), "model.gguf");
  ASSERT_FALSE(content);
  EXPECT_EQ(content.error().code, GetParam().code) << content.error().format();
  EXPECT_THAT(content.error().message, HasSubstr(GetParam().message));
  EXPECT_THAT(content.error().place, HasSubstr("model.gguf"));
  EXPECT_FALSE(content.error().help.empty());
  EXPECT_NE(explainCode(content.error().code), nullptr);
}

std::string nameOf(const testing::TestParamInfo<Malformed> &info) { return info.param.what; }

INSTANTIATE_TEST_SUITE_P(Headers, GgufMalformedTest, testing::ValuesIn(headers()), nameOf);
INSTANTIATE_TEST_SUITE_P(Texts, GgufMalformedTest, testing::ValuesIn(texts()), nameOf);
INSTANTIATE_TEST_SUITE_P(Values, GgufMalformedTest, testing::ValuesIn(values()), nameOf);
INSTANTIATE_TEST_SUITE_P(Tensors, GgufMalformedTest, testing::ValuesIn(tensors()), nameOf);

} // namespace
} // namespace weft::gguf
