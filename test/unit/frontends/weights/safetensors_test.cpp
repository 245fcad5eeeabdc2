// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Files that are right, at the edges of what the format allows.
#include "TemporaryFiles.h"

#include "frontends/weights/Safetensors.h"

using namespace std::string_view_literals;

namespace weft {
namespace {

class SafetensorsTest : public test::TemporaryDirectory {
protected:
  Result<SafetensorsFile> open(std::string_view header, std::string_view data = "") {
    return SafetensorsFile::open(write("model.safetensors", test::safetensorsBytes(header, data)));
  }
};

TEST_F(SafetensorsTest, ViewsCarryNameTypeShapeAndBytes) {
  auto file = open(R"({"__metadata__":{"format":"pt"},"b":{"dtype":"U8","shape":[3],"data_offsets":[4,7]},)"
                   R"("a":{"dtype":"I16","shape":[2,1],"data_offsets":[0,4]}})",
                   "\x01\x00\xFF\xFFxyz"sv);
  ASSERT_TRUE(file) << file.error().format();
  ASSERT_EQ(file->tensors().size(), 2u);
  const TensorView &first = file->tensors()[0];
  EXPECT_EQ(first.name, "a");
  EXPECT_EQ(first.dtype, DType::I16);
  EXPECT_EQ(first.shape, (std::vector<int64_t>{2, 1}));
  EXPECT_EQ(first.values<int16_t>(), (std::vector<int16_t>{1, -1}));
  const TensorView *second = file->find("b");
  ASSERT_TRUE(second);
  EXPECT_EQ(second->values<char>(), (std::vector<char>{'x', 'y', 'z'}));
  EXPECT_EQ(file->find("c"), nullptr);
  EXPECT_EQ(file->metadata().at("format"), "pt");
}

TEST_F(SafetensorsTest, AFileOfNoTensors) {
  auto file = open("{}");
  ASSERT_TRUE(file) << file.error().format();
  EXPECT_TRUE(file->tensors().empty());
}

TEST_F(SafetensorsTest, SpacesAfterTheHeader) {
  EXPECT_TRUE(open(R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}      )", "x"));
}

TEST_F(SafetensorsTest, ScalarsAndEmptyTensors) {
  auto file = open(R"({"scalar":{"dtype":"F32","shape":[],"data_offsets":[0,4]},)"
                   R"("none":{"dtype":"F64","shape":[0,7],"data_offsets":[4,4]},)"
                   R"("before":{"dtype":"F64","shape":[3,0],"data_offsets":[0,0]}})",
                   "\0\0\x80\x3F"sv);
  ASSERT_TRUE(file) << file.error().format();
  EXPECT_EQ(file->find("scalar")->values<float>(), std::vector<float>{1.0f});
  EXPECT_TRUE(file->find("none")->values<double>().empty());
  EXPECT_EQ(file->find("before")->elements(), 0u);
}

TEST_F(SafetensorsTest, EveryDTypeOfTheFormat) {
  for (int index = 0; index <= static_cast<int>(DType::U64); ++index) {
    DType dtype = static_cast<DType>(index);
    std::string name(dtypeName(dtype));
    size_t bytes = bitsPerElement(dtype); // of eight elements
    auto file =
        open("{\"a\":{\"dtype\":\"" + name + "\",\"shape\":[2,4],\"data_offsets\":[0," + std::to_string(bytes) + "]}}",
             std::string(bytes, 'x'));
    ASSERT_TRUE(file) << name << ": " << file.error().format();
    EXPECT_EQ(file->find("a")->dtype, dtype);
    EXPECT_EQ(file->find("a")->elements(), 8u) << name;
  }
}

TEST_F(SafetensorsTest, NamesInAnyScript) {
  auto file = open(R"({"gewicht.ü.\u6b0a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}})", "x");
  ASSERT_TRUE(file) << file.error().format();
  EXPECT_TRUE(file->find("gewicht.ü.權"));
}

TEST_F(SafetensorsTest, FieldsOfALaterFormatArePassedOver) {
  EXPECT_TRUE(open(R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1],"checksum":[1,{"x":2}]}})", "x"));
}

TEST_F(SafetensorsTest, ViewsSurviveAMoveOfTheFile) {
  auto file = open(R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}})", "x");
  ASSERT_TRUE(file);
  const TensorView *before = file->find("a");
  SafetensorsFile moved = std::move(*file);
  EXPECT_EQ(moved.find("a"), before);
  EXPECT_EQ(before->values<char>(), std::vector<char>{'x'});
}

TEST(PrintableNameTest, ReplacesControlCharactersAndCuts) {
  EXPECT_EQ(printableName("a\x1b[31m\n"), "\"a?[31m?\"");
  EXPECT_EQ(printableName(std::string(300, 'x')), "\"" + std::string(200, 'x') + "…\"");
}

} // namespace
} // namespace weft
