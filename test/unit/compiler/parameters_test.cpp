// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "TemporaryFolder.h"
#include "compiler/emit/Parameters.h"
#include "frontends/weights/SafetensorsWriter.h"
#include "runtime/include/weft/abi.h"

#include "gtest/gtest.h"

#include <map>

namespace weft {
namespace {

/// Tensors in memory whose f32 values count up from `first`.
class Tensors {
public:
  void add(const std::string &name, std::vector<int64_t> shape, float first) {
    size_t count = 1;
    for (int64_t extent : shape)
      count *= extent;
    std::vector<float> &values = storage[name];
    for (size_t index = 0; index < count; ++index)
      values.push_back(first + static_cast<float>(index));
    views[name] = {name, DType::F32, std::move(shape), std::as_bytes(std::span(values))};
  }

  TensorLookup lookup() {
    auto find = [this](std::string_view name) -> const TensorView * {
      auto found = views.find(std::string(name));
      return found == views.end() ? nullptr : &found->second;
    };
    return {find, "model.safetensors"};
  }

private:
  std::map<std::string, std::vector<float>> storage;
  std::map<std::string, TensorView> views;
};

Result<std::vector<float>> fill(Tensors &tensors, const ParameterDescription &parameter) {
  std::vector<float> out(parameter.elements(), -1.0f);
  Result<void> filled = fillParameter(parameter, tensors.lookup(), std::as_writable_bytes(std::span(out)));
  if (!filled)
    return filled.takeError();
  return out;
}

TEST(ParametersTest, OneSourceIsCopied) {
  Tensors tensors;
  tensors.add("a", {2, 2}, 1);
  EXPECT_EQ(*fill(tensors, {"p", {"a"}, std::nullopt, WEFT_F32, {2, 2}}), (std::vector<float>{1, 2, 3, 4}));
}

TEST(ParametersTest, BiasesAreJoined) {
  Tensors tensors;
  tensors.add("q", {2}, 1);
  tensors.add("k", {3}, 10);
  EXPECT_EQ(*fill(tensors, {"qk", {"q", "k"}, std::nullopt, WEFT_F32, {5}}), (std::vector<float>{1, 2, 10, 11, 12}));
}

TEST(ParametersTest, LinearWeightsAreCutIntoPanels) {
  Tensors tensors;
  tensors.add("w", {3, 2}, 1); // [outputs, inputs]: rows 1 2, 3 4, 5 6
  // Two panels of two columns; the fourth column is padding.
  EXPECT_EQ(*fill(tensors, {"p", {"w"}, PanelsDescription{2, true}, WEFT_F32, {2, 2, 2}}),
            (std::vector<float>{1, 3, 2, 4, 5, 0, 6, 0}));
}

TEST(ParametersTest, ConvolutionWeightsAreCutIntoPanels) {
  Tensors tensors;
  tensors.add("w", {2, 3}, 1); // [inputs, outputs]: rows 1 2 3, 4 5 6
  EXPECT_EQ(*fill(tensors, {"p", {"w"}, PanelsDescription{2, false}, WEFT_F32, {2, 2, 2}}),
            (std::vector<float>{1, 2, 4, 5, 3, 0, 6, 0}));
}

TEST(ParametersTest, EachBlockBeginsWithAPanel) {
  Tensors tensors;
  tensors.add("w", {2, 2, 3}, 1); // [blocks, inputs, outputs]: rows 1 2 3, 4 5 6; 7 8 9, 10 11 12
  EXPECT_EQ(*fill(tensors, {"p", {"w"}, PanelsDescription{2, false}, WEFT_F32, {2, 2, 2, 2}}),
            (std::vector<float>{1, 2, 4, 5, 3, 0, 6, 0, 7, 8, 10, 11, 9, 0, 12, 0}));
  tensors.add("v", {2, 3, 2}, 1); // [blocks, outputs, inputs]: rows 1 2, 3 4, 5 6; 7 8, 9 10, 11 12
  EXPECT_EQ(*fill(tensors, {"p", {"v"}, PanelsDescription{2, true}, WEFT_F32, {2, 2, 2, 2}}),
            (std::vector<float>{1, 3, 2, 4, 5, 0, 6, 0, 7, 9, 8, 10, 11, 0, 12, 0}));
}

TEST(ParametersTest, BlocksOfSeveralSourcesAreOneWeight) {
  const std::vector<float> expected = {1, 2, 4, 5, 3, 0, 6, 0, 7, 8, 10, 11, 9, 0, 12, 0};
  Tensors tensors;
  tensors.add("w0", {2, 3}, 1); // [inputs, outputs]: rows 1 2 3, 4 5 6
  tensors.add("w1", {2, 3}, 7);
  EXPECT_EQ(*fill(tensors, {"p", {"w0", "w1"}, PanelsDescription{2, false}, WEFT_F32, {2, 2, 2, 2}}), expected);
  tensors.add("all", {4, 3}, 1); // [blocks · inputs, outputs]
  EXPECT_EQ(*fill(tensors, {"p", {"all"}, PanelsDescription{2, false}, WEFT_F32, {2, 2, 2, 2}}), expected);
}

TEST(ParametersTest, MatricesAreStackedInRowMajorOrder) {
  const std::vector<float> expected = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
  Tensors tensors;
  tensors.add("w0", {2, 3}, 1);
  tensors.add("w1", {2, 3}, 7);
  tensors.add("all", {4, 3}, 1);
  tensors.add("stacked", {2, 2, 3}, 1);
  for (const std::vector<std::string> &sources : {std::vector<std::string>{"w0", "w1"}, {"all"}, {"stacked"}}) {
    EXPECT_EQ(*fill(tensors, {"p", sources, std::nullopt, WEFT_F32, {2, 2, 3}}), expected);
    ParameterDescription turned{"p", sources, std::nullopt, WEFT_F32, {2, 3, 2}, {}, {0, 2, 1}};
    EXPECT_EQ(*fill(tensors, turned), (std::vector<float>{1, 4, 2, 5, 3, 6, 7, 10, 8, 11, 9, 12}));
  }
}

TEST(ParametersTest, OtherStacksAreRefused) {
  Tensors tensors;
  tensors.add("w0", {2, 3}, 1);
  tensors.add("odd", {3, 3}, 1);
  tensors.add("flat", {12}, 1);
  for (const std::vector<std::string> &sources :
       {std::vector<std::string>{"w0"}, {"w0", "odd"}, {"w0", "w0", "w0"}, {"flat"}, {"w0", "flat"}})
    for (const ParameterDescription &parameter :
         {ParameterDescription{"p", sources, std::nullopt, WEFT_F32, {2, 2, 3}},
          ParameterDescription{"p", sources, std::nullopt, WEFT_F32, {2, 3, 2}, {}, {0, 2, 1}},
          ParameterDescription{"p", sources, PanelsDescription{1, true}, WEFT_F32, {2, 2, 3, 1}}}) {
      Result<std::vector<float>> filled = fill(tensors, parameter);
      ASSERT_FALSE(filled);
      EXPECT_EQ(filled.error().code, "W0607");
    }
}

TEST(ParametersTest, OtherBlocksAreRefused) {
  for (const std::vector<int64_t> &shape : {std::vector<int64_t>{3, 2, 3}, {2, 3, 3}, {2, 2, 5}, {5, 3}, {4, 2, 3}}) {
    Tensors tensors;
    tensors.add("w", shape, 1);
    Result<std::vector<float>> filled =
        fill(tensors, {"p", {"w"}, PanelsDescription{2, false}, WEFT_F32, {2, 2, 2, 2}});
    ASSERT_FALSE(filled);
    EXPECT_EQ(filled.error().code, "W0607");
  }
}

TEST(ParametersTest, PanelsGoOnAcrossSources) {
  Tensors tensors;
  tensors.add("q", {1, 2}, 1);  // outputs: 1 2
  tensors.add("k", {2, 2}, 10); // outputs: 10 11, 12 13
  EXPECT_EQ(*fill(tensors, {"qk", {"q", "k"}, PanelsDescription{2, true}, WEFT_F32, {2, 2, 2}}),
            (std::vector<float>{1, 10, 2, 11, 12, 0, 13, 0}));
}

/// In the bits of 16-bit numbers.
Result<std::vector<uint16_t>> fillHalves(Tensors &tensors, const ParameterDescription &parameter) {
  std::vector<uint16_t> out(parameter.elements(), 0xffff);
  Result<void> filled = fillParameter(parameter, tensors.lookup(), std::as_writable_bytes(std::span(out)));
  if (!filled)
    return filled.takeError();
  return out;
}

TEST(ParametersTest, TwoStepsShareAWordOf16BitPanels) {
  Tensors tensors;
  tensors.add("w", {3, 3}, 1); // [outputs, inputs]: rows 1 2 3, 4 5 6, 7 8 9
  // Two panels of two columns, each two rows of pairs; the sixth of each row and the fourth column are padding.
  const uint16_t bf16[] = {0, 0x3f80, 0x4000, 0x4040, 0x4080, 0x40a0, 0x40c0, 0x40e0, 0x4100, 0x4110};
  const uint16_t f16[] = {0, 0x3c00, 0x4000, 0x4200, 0x4400, 0x4500, 0x4600, 0x4700, 0x4800, 0x4880};
  const int expected[] = {1, 2, 4, 5, 3, 0, 6, 0, 7, 8, 0, 0, 9, 0, 0, 0};
  for (auto [dtype, bits] : {std::pair(WEFT_BF16, bf16), std::pair(WEFT_F16, f16)}) {
    std::vector<uint16_t> panels;
    for (int value : expected)
      panels.push_back(bits[value]);
    EXPECT_EQ(*fillHalves(tensors, {"p", {"w"}, PanelsDescription{2, true}, dtype, {2, 2, 4}}), panels);
  }
}

TEST(ParametersTest, WeightsBeyondF16AreRefusedByName) {
  Tensors tensors;
  tensors.add("fits", {2, 1}, 65518);
  tensors.add("large", {2, 1}, 65519);
  EXPECT_TRUE(fillHalves(tensors, {"p", {"fits"}, PanelsDescription{2, true}, WEFT_F16, {1, 1, 4}}));
  EXPECT_TRUE(fillHalves(tensors, {"p", {"large"}, PanelsDescription{2, true}, WEFT_BF16, {1, 1, 4}}));
  Result<std::vector<uint16_t>> refused =
      fillHalves(tensors, {"p", {"large"}, PanelsDescription{2, true}, WEFT_F16, {1, 1, 4}});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, "W0619");
  EXPECT_NE(refused.error().message.find("large"), std::string::npos);
}

TEST(ParametersTest, MissingSourceIsNamed) {
  Tensors tensors;
  Result<std::vector<float>> filled = fill(tensors, {"p", {"lost"}, std::nullopt, WEFT_F32, {1}});
  ASSERT_FALSE(filled);
  EXPECT_EQ(filled.error().code, "W0606");
  EXPECT_NE(filled.error().message.find("lost"), std::string::npos);
  Result<void> noFile = fillParameter({"p", {"lost"}, std::nullopt, WEFT_F32, {0}}, {}, {});
  ASSERT_FALSE(noFile);
  EXPECT_EQ(noFile.error().code, "W0606");
}

TEST(ParametersTest, OtherShapesAreRefused) {
  Tensors tensors;
  tensors.add("a", {2, 2}, 1);
  const ParameterDescription misfits[] = {
      {"p", {"a"}, std::nullopt, WEFT_F32, {4}},
      {"p", {"a"}, std::nullopt, WEFT_F32, {3, 2}},
      {"p", {"a", "a"}, std::nullopt, WEFT_F32, {5, 2}},
      {"p", {"a"}, PanelsDescription{2, true}, WEFT_F32, {1, 3, 2}},
      {"p", {"a"}, PanelsDescription{2, true}, WEFT_F32, {2, 2, 2}},
      {"p", {"a"}, std::nullopt, WEFT_I64, {2, 2}},
  };
  for (const ParameterDescription &parameter : misfits) {
    std::vector<std::byte> out(parameter.bytes());
    Result<void> filled = fillParameter(parameter, tensors.lookup(), out);
    ASSERT_FALSE(filled);
    EXPECT_EQ(filled.error().code, "W0607");
  }
}

TEST(ParametersTest, FileAndMemoryHoldTheSame) {
  Tensors tensors;
  tensors.add("a", {3}, 1);
  tensors.add("w", {3, 2}, 1);
  std::vector<ParameterDescription> parameters = {{"bias", {"a"}, std::nullopt, WEFT_F32, {3}},
                                                  {"weight", {"w"}, PanelsDescription{2, true}, WEFT_F32, {2, 2, 2}}};
  TemporaryFolder folder;
  double share = 0;
  ASSERT_TRUE(
      writeParameters(folder.path("w.safetensors"), parameters, tensors.lookup(), [&](double now) { share = now; }));
  EXPECT_GT(share, 0.9);
  Result<SafetensorsFile> file = SafetensorsFile::open(folder.path("w.safetensors"));
  ASSERT_TRUE(file) << file.error().format();
  Result<ParameterBlock> block = ParameterBlock::create(parameters, tensors.lookup());
  ASSERT_TRUE(block);
  for (size_t index = 0; index < parameters.size(); ++index) {
    const TensorView *view = file->find(parameters[index].name);
    ASSERT_NE(view, nullptr);
    const void *memory = block->pointers()[index];
    EXPECT_EQ(reinterpret_cast<uintptr_t>(memory) % 64, 0u);
    EXPECT_EQ(std::memcmp(view->bytes.data(), memory, view->bytes.size()), 0);
  }
}

} // namespace
} // namespace weft
