// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "HandLowered.h"
#include "compiler/emit/Header.h"
#include "runtime/include/weft/abi.h"

#include "gmock/gmock.h"

namespace weft {
namespace {

using testing::HasSubstr;

ModelDescription encoder() {
  EntryDescription entry{"encode", {{"batch", 1, 64}, {"sequence", 1, 512}}, {}, {}};
  entry.inputs.push_back({"input_ids", WEFT_I64, {-1, -2}, 30522, std::nullopt});
  entry.inputs.push_back({"attention_mask", WEFT_I64, {-1, -2}, 2, 1});
  entry.outputs.push_back({"last_hidden_state", WEFT_F32, {-1, -2, 384}, 0, std::nullopt});
  return {"xlm-roberta", {entry}, {}};
}

TEST(HeaderTest, SizesAreConstants) {
  std::string text = headerText(encoder());
  EXPECT_THAT(text, HasSubstr("#define XLM_ROBERTA_ENCODE_MAX_SEQUENCE 512\n"));
  EXPECT_THAT(text, HasSubstr("#define XLM_ROBERTA_ENCODE_INPUT_IDS_LIMIT 30522"));
  EXPECT_THAT(text, HasSubstr("#define XLM_ROBERTA_ENCODE_LAST_HIDDEN_STATE_SIZE 384"));
}

TEST(HeaderTest, EntriesAreTypedFunctions) {
  EXPECT_THAT(headerText(encoder()),
              HasSubstr("weft_status xlm_roberta_encode(weft_session *session, int64_t batch, int64_t sequence, "
                        "const int64_t *input_ids, const int64_t *attention_mask, float *last_hidden_state)"));
}

TEST(HeaderTest, InputAndOutputOfOneNameAreToldApart) {
  ModelDescription model = encoder();
  model.entries[0].outputs[0].name = "input_ids";
  EXPECT_THAT(headerText(model), HasSubstr("float *input_ids_out)"));
}

TEST(HeaderTest, StatesAreNotTheCallers) {
  ModelDescription model = encoder();
  model.entries[0].dims.push_back({"capacity", 1, 4096});
  model.states = {{"cache", WEFT_F32, {-1, -2, 64}}};
  model.stateDims = {"batch", "capacity"};
  model.entries[0].states = {0};
  EXPECT_THAT(headerText(model),
              HasSubstr("weft_status xlm_roberta_encode(weft_session *session, int64_t batch, int64_t sequence, "
                        "const int64_t *input_ids, const int64_t *attention_mask, float *last_hidden_state)"));
}

TEST(DescriptionTest, EntriesShareStates) {
  HandLowered model;
  const char *text = R"mlir(
    func.func @prefill(%x: tensor<?x?xf32> {weft.name = "x", weft.dims = ["batch", "sequence"]},
                       %s: tensor<?x4xf32> {weft.name = "s", weft.dims = ["batch", ""], weft.state},
                       %c: tensor<?x?xi64> {weft.name = "c", weft.dims = ["batch", "room"], weft.state, weft.index_limit = 9 : i64})
        -> (tensor<?x4xf32> {weft.name = "s", weft.dims = ["batch", ""], weft.state},
            tensor<?x?xi64> {weft.name = "c", weft.dims = ["batch", "room"], weft.state}) attributes {weft.entry} {
      return %s, %c : tensor<?x4xf32>, tensor<?x?xi64>
    }
    func.func @decode(%x: tensor<?xf32> {weft.name = "x", weft.dims = ["batch"]},
                      %s: tensor<?x$Wxf32> {weft.name = "s", weft.dims = ["batch", ""], weft.state})
        -> (tensor<?x$Wxf32> {weft.name = "s", weft.dims = ["batch", ""], weft.state}) attributes {weft.entry} {
      return %s : tensor<?x$Wxf32>
    })mlir";
  auto read = [&](const std::string &width) {
    std::string module = text;
    for (size_t at; (at = module.find("$W")) != std::string::npos;)
      module.replace(at, 2, width);
    auto parsed = mlir::parseSourceString<mlir::ModuleOp>(module, &model.context);
    return describeModel(*parsed);
  };
  Result<ModelDescription> same = read("4");
  ASSERT_TRUE(same) << same.error().format();
  EXPECT_EQ(same->states.size(), 2u);
  EXPECT_EQ(same->stateDims, (std::vector<std::string>{"batch", "room"}));
  EXPECT_EQ(same->states[1].shape, (std::vector<int64_t>{-1, -2}));
  EXPECT_EQ(same->states[1].indexLimit, 9);
  EXPECT_EQ(same->entries[0].states, (std::vector<int32_t>{0, 1}));
  EXPECT_EQ(same->entries[1].states, std::vector<int32_t>{0});
  EXPECT_EQ(same->entries[0].inputs.size(), 1u);
  EXPECT_TRUE(same->entries[0].outputs.empty());
  EXPECT_EQ(same->entries[0].dims[2].name, "room");
  Result<ModelDescription> other = read("5");
  ASSERT_FALSE(other);
  EXPECT_THAT(other.error().message, HasSubstr("state 's' has another type or other dimensions than in an earlier"));
}

TEST(DescriptionTest, DimsComeInTheOrderInWhichInputsNameThem) {
  HandLowered model;
  auto module = mlir::parseSourceString<mlir::ModuleOp>(R"mlir(
    func.func @encode(%a: tensor<?x?xi64> {weft.name = "a", weft.dims = ["sequence", "batch"], weft.default = 1 : i64},
                      %b: tensor<4x?xf32> {weft.name = "b", weft.dims = ["", "batch"]})
        -> (tensor<?xf32> {weft.name = "c", weft.dims = ["batch"]}) attributes {weft.entry} {
      %n = arith.constant 1 : index
      %c = tensor.empty(%n) : tensor<?xf32>
      return %c : tensor<?xf32>
    })mlir",
                                                        &model.context);
  Result<ModelDescription> read = describeModel(*module);
  ASSERT_TRUE(read) << read.error().format();
  const EntryDescription &entry = read->entries[0];
  EXPECT_EQ(entry.dims[0].name, "sequence");
  EXPECT_EQ(entry.inputs[0].defaultValue, 1);
  EXPECT_EQ(entry.inputs[1].shape, (std::vector<int64_t>{4, -2}));
  EXPECT_EQ(entry.outputs[0].shape, std::vector<int64_t>{-2});
}

TEST(DescriptionTest, IncompleteEntriesAreRefused) {
  HandLowered model;
  for (const char *signature :
       {"%a: tensor<?xf32> {weft.name = \"a\"}", "%a: tensor<4xf32>", "%a: i64", "%a: tensor<4xi3> {weft.name = \"a\"}",
        "%a: tensor<?xf32> {weft.name = \"a\", weft.dims = [\"n\", \"m\"]}"}) {
    std::string text = "func.func @encode(" + std::string(signature) + ") attributes {weft.entry} { return }";
    auto module = mlir::parseSourceString<mlir::ModuleOp>(text, &model.context);
    ASSERT_TRUE(module) << text;
    Result<ModelDescription> read = describeModel(*module);
    ASSERT_FALSE(read) << text;
    EXPECT_EQ(read.error().code, "W0605");
  }
}

} // namespace
} // namespace weft
