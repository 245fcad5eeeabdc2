// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Metadata as config.json, tensors under the folder's names, and what is refused on the way.
#include "../weights/TemporaryFiles.h"
#include "GgufBytes.h"

#include "frontends/gguf/GgufModel.h"

#include <gmock/gmock.h>

namespace weft::gguf {
namespace {

using test::array;
using test::raw;
using test::tensor;
using test::text;
using test::value;
using testing::HasSubstr;

std::string named(const char *architecture) {
  return value("general.architecture", ValueType::String, text(architecture));
}
std::string count(const char *key, uint32_t number) { return value(key, ValueType::U32, raw(number)); }
std::string floats(const std::vector<float> &values) {
  std::string bytes;
  for (float each : values)
    bytes += raw(each);
  bytes.resize((bytes.size() + 31) / 32 * 32);
  return bytes;
}

class GgufModelTest : public weft::test::TemporaryDirectory {
protected:
  Result<GgufModel> read(const std::vector<std::string> &values, const std::vector<std::string> &tensors,
                         const std::string &data) {
    Result<GgufFile> file = GgufFile::open(write("model.gguf", test::file(values, tensors, data)));
    EXPECT_TRUE(file) << file.error().format();
    return readGgufModel(std::move(*file));
  }

  void expectRefused(const std::vector<std::string> &values, const std::vector<std::string> &tensors,
                     const std::string &data, const char *code, const char *message) {
    Result<GgufModel> model = read(values, tensors, data);
    ASSERT_FALSE(model);
    EXPECT_EQ(model.error().code, code) << model.error().format();
    EXPECT_THAT(model.error().message, HasSubstr(message));
    EXPECT_THAT(model.error().place, HasSubstr("model.gguf"));
  }

  std::vector<float> valuesOf(const GgufModel &model, const char *name, std::vector<int64_t> shape) {
    const TensorView *view = model.weights.find(name);
    EXPECT_TRUE(view) << name;
    EXPECT_EQ(view->shape, shape);
    std::vector<float> result(view->elements());
    EXPECT_TRUE(readF32(*view, result));
    return result;
  }

  const std::string table = tensor("token_embd.weight", {2, 3}, 0, 0);
  const std::string tableData = floats({1, 2, 3, 4, 5, 6});
};

TEST_F(GgufModelTest, ConfigurationAndTiedTable) {
  std::string epsilon = value("llama.attention.layer_norm_rms_epsilon", ValueType::F32, raw(1e-6f));
  std::string list = array("llama.attention.head_count_kv", ValueType::I32, 2, raw<int32_t>(4) + raw<int32_t>(4));
  auto model = read({named("llama"), count("llama.embedding_length", 2), count("llama.block_count", 7), epsilon, list,
                     count("tokenizer.ggml.eos_token_id", 9), count("tokenizer.ggml.eot_token_id", 8)},
                    {table}, tableData);
  ASSERT_TRUE(model) << model.error().format();
  nlohmann::json expected = {
      {"model_type", "llama"},    {"hidden_size", 2},  {"num_hidden_layers", 7}, {"rms_norm_eps", 1e-6},
      {"num_key_value_heads", 4}, {"vocab_size", 3},   {"eos_token_id", {9, 8}}, {"tie_word_embeddings", true},
      {"attention_bias", false},  {"qkv_bias", false}, {"mlp_bias", false}};
  EXPECT_EQ(model->config, expected);
  EXPECT_TRUE(model->tokenizer.empty());
  EXPECT_EQ(valuesOf(*model, "embed_tokens.weight", {3, 2}), (std::vector<float>{1, 2, 3, 4, 5, 6}));
}

TEST_F(GgufModelTest, RowsOfHeadsAreUnpaired) {
  std::string data = tableData + floats({0, 1, 2, 3, 4, 5, 6, 7});
  auto model = read({named("llama"), count("llama.attention.head_count", 2)},
                    {table, tensor("blk.0.attn_q.weight", {1, 8}, 0, 32)}, data);
  ASSERT_TRUE(model) << model.error().format();
  EXPECT_EQ(valuesOf(*model, "layers.0.self_attn.q_proj.weight", {8, 1}), (std::vector<float>{0, 2, 1, 3, 4, 6, 5, 7}));
}

TEST_F(GgufModelTest, ExpertsAreTensorsOfTheirOwn) {
  std::string data = tableData + floats({1, 2, 3, 4, 5, 6});
  auto model = read({named("llama"), count("llama.expert_count", 3)},
                    {table, tensor("blk.1.ffn_down_exps.weight", {1, 2, 3}, 0, 32)}, data);
  ASSERT_TRUE(model) << model.error().format();
  EXPECT_EQ(model->config["model_type"], "mixtral");
  EXPECT_EQ(valuesOf(*model, "layers.1.block_sparse_moe.experts.2.w2.weight", {2, 1}), (std::vector<float>{5, 6}));
}

TEST_F(GgufModelTest, NormsOfGemmaLoseTheirOne) {
  auto model = read({named("gemma3")}, {table, tensor("output_norm.weight", {2}, 0, 32)}, tableData + floats({1.5, 1}));
  ASSERT_TRUE(model) << model.error().format();
  EXPECT_EQ(valuesOf(*model, "norm.weight", {2}), (std::vector<float>{0.5, 0}));
}

TEST_F(GgufModelTest, RatesOfDecayAreLogarithmsAgain) {
  auto model = read({named("mamba")}, {table, tensor("blk.0.ssm_a", {1, 2}, 0, 32)}, tableData + floats({-1, -1}));
  ASSERT_TRUE(model) << model.error().format();
  EXPECT_EQ(valuesOf(*model, "layers.0.mixer.A_log", {2}), (std::vector<float>{0, 0}));
}

TEST_F(GgufModelTest, FrequenciesOfTheFileDivideThoseOfThePositions) {
  auto model = read({named("llama"), count("llama.context_length", 64)},
                    {table, tensor("rope_freqs.weight", {2}, 0, 32)}, tableData + floats({1, 8}));
  ASSERT_TRUE(model) << model.error().format();
  EXPECT_EQ(model->config["rope_parameters"]["rope_type"], "longrope");
  EXPECT_EQ(model->config["rope_parameters"]["short_factor"], (nlohmann::json{1.0, 8.0}));
}

TEST_F(GgufModelTest, RefusesArchitectures) {
  expectRefused({}, {table}, tableData, "W0161", "does not name its architecture");
  expectRefused({count("general.architecture", 1)}, {table}, tableData, "W0161", "does not name its architecture");
  expectRefused({named("clip")}, {table}, tableData, "W0160", "\"clip\" is not supported");
}

TEST_F(GgufModelTest, RefusesMetadata) {
  expectRefused({named("llama"), count("llama.attention.unheard", 1)}, {table}, tableData, "W0161",
                "something of the model that Weft does not compute");
  expectRefused({named("llama"), value("llama.block_count", ValueType::String, text("2"))}, {table}, tableData, "W0161",
                "the value is no number");
  expectRefused(
      {named("llama"), array("llama.attention.head_count", ValueType::I32, 2, raw<int32_t>(4) + raw<int32_t>(5))},
      {table}, tableData, "W0161", "differs between layers");
  expectRefused({named("llama"), value("llama.rope.scaling.type", ValueType::String, text("odd"))}, {table}, tableData,
                "W0161", "positions are scaled by \"odd\"");
}

TEST_F(GgufModelTest, RefusesTensors) {
  std::string data = tableData + floats({1, 2, 3});
  expectRefused({named("llama")}, {}, "", "W0162", "no table of embeddings");
  expectRefused({named("llama")}, {table, tensor("blk.0.odd.weight", {1}, 0, 32)}, data, "W0162",
                "llama has no tensor of this name");
  expectRefused({named("llama")}, {table, tensor("blk.x.attn_q.weight", {1}, 0, 32)}, data, "W0162",
                "no tensor of this");
  expectRefused({named("llama")}, {table, tensor("blk.0.attn_q.weight", {1, 3}, 0, 32)}, data, "W0162",
                "shape [3, 1] does not fit");
  expectRefused({named("llama")}, {table, tensor("blk.0.ffn_up_exps.weight", {1, 3}, 0, 32)}, data, "W0162",
                "shape [3, 1] does not fit");
}

} // namespace
} // namespace weft::gguf
