// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Every way in which a safetensors file can be wrong, with the code and the words that the user gets.
#include "TemporaryFiles.h"

#include "frontends/weights/Safetensors.h"

#include <gmock/gmock.h>

namespace weft {
namespace {

using testing::HasSubstr;

struct Malformed {
  const char *what;
  std::string bytes;
  const char *code;
  const char *message; ///< part of it
};

std::string entry(std::string_view fields, std::string_view data = "") {
  return test::safetensorsBytes("{\"a\":{" + std::string(fields) + "}}", data);
}

std::string two(std::string_view first, std::string_view second, std::string_view data) {
  auto tensor = [](std::string_view offsets, int size) {
    return "{\"dtype\":\"U8\",\"shape\":[" + std::to_string(size) + "],\"data_offsets\":" + std::string(offsets) + "}";
  };
  auto extent = [](std::string_view offsets) {
    size_t comma = offsets.find(',');
    return std::stoi(std::string(offsets.substr(comma + 1))) - std::stoi(std::string(offsets.substr(1)));
  };
  return test::safetensorsBytes(
      "{\"a\":" + tensor(first, extent(first)) + ",\"b\":" + tensor(second, extent(second)) + "}", data);
}

std::vector<Malformed> headersThatDoNotFit() {
  return {
      {"Empty", "", "W0120", "has 0 bytes"},
      {"SevenBytes", std::string(7, '\0'), "W0120", "has 7 bytes"},
      {"HeaderBeyondFile", test::littleEndian(3) + "{}", "W0120", "only 2 follow"},
      {"HeaderBeyondCap", test::littleEndian(100'000'001) + "{}", "W0120", "the format allows 100000000"},
      {"HeaderLengthAllOnes", std::string(8, '\xFF') + "{}", "W0120", "18446744073709551615"},
      {"HeaderLengthSigned", test::littleEndian(uint64_t(1) << 63) + "{}", "W0120", "9223372036854775808"},
      {"HeaderOfNoBytes", test::littleEndian(0), "W0121", "does not begin with '{'"},
  };
}

std::vector<Malformed> headersThatAreNoHeaders() {
  std::string deep = "{\"a\":" + std::string(100'000, '[') + std::string(100'000, ']') + "}";
  return {
      {"LeadingSpace", test::safetensorsBytes(" {}"), "W0121", "does not begin with '{'"},
      {"ArrayForRoot", test::safetensorsBytes("[]"), "W0121", "does not begin with '{'"},
      {"NotJson", test::safetensorsBytes("{\"a\":"), "W0110", "not valid JSON"},
      {"TextAfterRoot", test::safetensorsBytes("{} {}"), "W0110", "not valid JSON"},
      {"ZerosAfterRoot", test::safetensorsBytes(std::string("{}\0\0", 4)), "W0110", "not valid JSON"},
      {"InvalidUtf8", test::safetensorsBytes("{\"\xC3\x28\":1}"), "W0110", "not valid JSON"},
      {"LoneSurrogate", test::safetensorsBytes("{\"\\ud800\":1}"), "W0110", "not valid JSON"},
      {"DeepNesting", test::safetensorsBytes(deep), "W0111", "deeper"},
      {"DuplicateTensor",
       test::safetensorsBytes(R"({"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},"a":{"dtype":"U8"}})"), "W0112",
       "twice"},
      {"DuplicateField", entry(R"("dtype":"U8","dtype":"I8","shape":[1],"data_offsets":[0,1])", "x"), "W0112", "twice"},
      {"DuplicateMetadata", test::safetensorsBytes(R"({"__metadata__":{"a":"1","a":"2"}})"), "W0112", "twice"},
      {"MetadataNoObject", test::safetensorsBytes(R"({"__metadata__":["a"]})"), "W0121", "object of strings"},
      {"MetadataNumber", test::safetensorsBytes(R"({"__metadata__":{"a":1}})"), "W0121", "not a string"},
      {"TensorNoObject", test::safetensorsBytes(R"({"a":7})"), "W0121", "not described by an object"},
      {"EmptyName", test::safetensorsBytes(R"({"":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}})"), "W0127",
       "empty"},
      {"ZeroInName", test::safetensorsBytes("{\"a\\u0000b\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]}}"),
       "W0127", "zero byte"},
  };
}

std::vector<Malformed> tensorsThatAreNoTensors() {
  return {
      {"NoDType", entry(R"("shape":[1],"data_offsets":[0,1])", "x"), "W0121", "dtype is missing"},
      {"DTypeNumber", entry(R"("dtype":8,"shape":[1],"data_offsets":[0,1])", "x"), "W0121", "dtype is missing"},
      {"DTypeUnknown", entry(R"("dtype":"F31","shape":[1],"data_offsets":[0,1])", "x"), "W0122", "\"F31\""},
      {"DTypeLowerCase", entry(R"("dtype":"u8","shape":[1],"data_offsets":[0,1])", "x"), "W0122", "\"u8\""},
      {"NoShape", entry(R"("dtype":"U8","data_offsets":[0,1])", "x"), "W0121", "shape is missing"},
      {"ShapeNumber", entry(R"("dtype":"U8","shape":1,"data_offsets":[0,1])", "x"), "W0121", "shape is missing"},
      {"ShapeNegative", entry(R"("dtype":"U8","shape":[-1],"data_offsets":[0,1])", "x"), "W0123", "an extent"},
      {"ShapeFraction", entry(R"("dtype":"U8","shape":[1.0],"data_offsets":[0,1])", "x"), "W0123", "an extent"},
      {"ShapeString", entry(R"("dtype":"U8","shape":["1"],"data_offsets":[0,1])", "x"), "W0123", "an extent"},
      {"ShapeBeyondSigned", entry(R"("dtype":"U8","shape":[9223372036854775808],"data_offsets":[0,1])", "x"), "W0123",
       "an extent"},
      {"ShapeOverflows", entry(R"("dtype":"U8","shape":[4294967296,4294967296],"data_offsets":[0,0])"), "W0123",
       "more elements than can be counted"},
      {"ShapeOverflowsInBits", entry(R"("dtype":"F64","shape":[1152921504606846976],"data_offsets":[0,0])"), "W0123",
       "more elements than can be counted"},
      {"RankNine", entry(R"("dtype":"U8","shape":[1,1,1,1,1,1,1,1,1],"data_offsets":[0,1])", "x"), "W0123",
       "9 dimensions"},
      {"NoOffsets", entry(R"("dtype":"U8","shape":[1])", "x"), "W0121", "data_offsets is missing"},
      {"OneOffset", entry(R"("dtype":"U8","shape":[1],"data_offsets":[0])", "x"), "W0121", "data_offsets is missing"},
      {"ThreeOffsets", entry(R"("dtype":"U8","shape":[1],"data_offsets":[0,1,2])", "x"), "W0121", "data_offsets"},
      {"NegativeOffset", entry(R"("dtype":"U8","shape":[1],"data_offsets":[-1,0])", "x"), "W0121", "data_offsets"},
      {"OffsetBeyond64Bits", entry(R"("dtype":"U8","shape":[1],"data_offsets":[0,18446744073709551616])", "x"), "W0121",
       "data_offsets"},
  };
}

std::vector<Malformed> tensorsOutOfPlace() {
  return {
      {"OffsetsReversed", entry(R"("dtype":"U8","shape":[1],"data_offsets":[1,0])", "x"), "W0124", "end before"},
      {"PastTheEnd", entry(R"("dtype":"U8","shape":[2],"data_offsets":[0,2])", "x"), "W0124", "only 1 bytes"},
      {"FarPastTheEnd", entry(R"("dtype":"U8","shape":[1],"data_offsets":[18446744073709551614,18446744073709551615])"),
       "W0124", "only 0 bytes"},
      {"SizeTooSmall", entry(R"("dtype":"F32","shape":[2],"data_offsets":[0,4])", "xxxx"), "W0125", "needs 8 bytes"},
      {"SizeTooLarge", entry(R"("dtype":"F32","shape":[],"data_offsets":[0,8])", "xxxxxxxx"), "W0125", "needs 4 bytes"},
      {"PartOfAByte", entry(R"("dtype":"F4","shape":[3],"data_offsets":[0,1])", "x"), "W0125", "1 bytes and a part"},
      {"Overlap", two("[0,2]", "[1,3]", "xyz"), "W0126", "overlaps"},
      {"SameBytesTwice", two("[0,2]", "[0,2]", "xy"), "W0126", "overlaps"},
      {"EmptyInsideAnother", two("[0,2]", "[1,1]", "xy"), "W0126", "overlaps"},
      {"HoleAtStart", two("[1,2]", "[2,3]", "xyz"), "W0126", "bytes 0 to 1"},
      {"HoleBetween", two("[0,1]", "[2,3]", "xyz"), "W0126", "bytes 1 to 2"},
      {"BytesAfterTheLast", two("[0,1]", "[1,2]", "xyz"), "W0126", "the last 1 bytes"},
      {"DataWithoutTensors", test::safetensorsBytes("{}", "x"), "W0126", "the last 1 bytes"},
  };
}

std::vector<Malformed> otherFormats() {
  return {
      {"LfsPointer", "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 5\n", "W0102", "Git LFS pointer"},
      {"WebPage", "<!DOCTYPE html><html><body>404</body></html>", "W0102", "web page"},
      {"Gguf", std::string("GGUF\x03\0\0\0more", 12), "W0102", "GGUF"},
      {"Hdf5", "\x89HDF\r\n\x1a\nmore", "W0102", "HDF5"},
      {"TorchZip", std::string("PK\x03\x04\0\0\x08\x08\0\0", 10), "W0131", "pickle"},
      {"BarePickle", "\x80\x02\x8a\nl\xfc\x9c\x46\xf9 j\xa8P\x19.", "W0131", "pickle"},
  };
}

class MalformedSafetensorsTest : public test::TemporaryDirectory, public testing::WithParamInterface<Malformed> {};

TEST_P(MalformedSafetensorsTest, IsRefusedWithWhatWhereAndWhatToDo) {
  auto path = write("model.safetensors", GetParam().bytes);
  auto file = SafetensorsFile::open(path);
  ASSERT_FALSE(file);
  EXPECT_EQ(file.error().code, GetParam().code) << file.error().format();
  EXPECT_THAT(file.error().message, HasSubstr(GetParam().message));
  EXPECT_THAT(file.error().place, HasSubstr(path.string()));
  EXPECT_NE(file.error().help, "");
  EXPECT_NE(explainCode(file.error().code), nullptr);
}

std::string nameOf(const testing::TestParamInfo<Malformed> &info) { return info.param.what; }

INSTANTIATE_TEST_SUITE_P(Length, MalformedSafetensorsTest, testing::ValuesIn(headersThatDoNotFit()), nameOf);
INSTANTIATE_TEST_SUITE_P(Header, MalformedSafetensorsTest, testing::ValuesIn(headersThatAreNoHeaders()), nameOf);
INSTANTIATE_TEST_SUITE_P(Tensor, MalformedSafetensorsTest, testing::ValuesIn(tensorsThatAreNoTensors()), nameOf);
INSTANTIATE_TEST_SUITE_P(Place, MalformedSafetensorsTest, testing::ValuesIn(tensorsOutOfPlace()), nameOf);
INSTANTIATE_TEST_SUITE_P(Format, MalformedSafetensorsTest, testing::ValuesIn(otherFormats()), nameOf);

} // namespace
} // namespace weft
