// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "TemporaryFiles.h"
#include "frontends/weights/WeightStore.h"

#include "frontends/weights/SafetensorsWriter.h"

#include <gmock/gmock.h>

namespace weft {
namespace {

using testing::HasSubstr;
namespace fs = std::filesystem;

class WeightStoreTest : public test::TemporaryDirectory {
protected:
  /// One F32 tensor a name, each [2] and filled with its index.
  void writeWeights(const std::string &file, const std::vector<std::string> &names) {
    std::vector<std::vector<float>> values(names.size());
    std::vector<TensorView> tensors;
    for (size_t index = 0; index < names.size(); ++index) {
      values[index].assign(2, static_cast<float>(index));
      tensors.push_back({names[index], DType::F32, {2}, std::as_bytes(std::span(values[index]))});
    }
    ASSERT_TRUE(writeSafetensors(directory / file, tensors));
  }

  void expectRefused(const char *code, const char *message, const char *help = "") {
    auto store = WeightStore::open(directory);
    ASSERT_FALSE(store);
    EXPECT_EQ(store.error().code, code) << store.error().format();
    EXPECT_THAT(store.error().message, HasSubstr(message));
    EXPECT_THAT(store.error().help, HasSubstr(help));
    EXPECT_NE(explainCode(code), nullptr);
  }

  void writeIndex(std::string_view text) { write("model.safetensors.index.json", text); }
};

fs::path fixture(const char *name) { return fs::path(WEFT_TEST_SOURCE_DIR "/fixtures") / name; }

TEST_F(WeightStoreTest, EveryFixtureOpensAndHasFloats) {
  size_t folders = 0;
  for (const fs::directory_entry &entry : fs::directory_iterator(fixture(""))) {
    if (!fs::exists(entry.path() / "config.json"))
      continue;
    ++folders;
    auto store = WeightStore::open(entry.path());
    ASSERT_TRUE(store) << store.error().format();
    EXPECT_FALSE(store->names().empty());
    for (std::string_view name : store->names()) {
      const TensorView *tensor = store->find(name);
      ASSERT_TRUE(tensor) << name;
      EXPECT_EQ(tensor->name, name);
      std::vector<float> values(tensor->elements());
      if (!name.ends_with("position_ids") && tensor->dtype != DType::U8)
        EXPECT_TRUE(readF32(*tensor, values)) << name;
    }
  }
  EXPECT_GE(folders, 70u);
}

TEST_F(WeightStoreTest, ShardsAreOneStore) {
  auto store = WeightStore::open(fixture("bert-sharded"));
  ASSERT_TRUE(store) << store.error().format();
  EXPECT_TRUE(store->find("embeddings.word_embeddings.weight"));
  EXPECT_TRUE(store->find("encoder.layer.2.output.dense.weight"));
  EXPECT_TRUE(store->find("pooler.dense.bias"));
}

TEST_F(WeightStoreTest, ASingleFileComesBeforeAnIndex) {
  writeWeights("model.safetensors", {"single"});
  writeIndex("not even JSON");
  auto store = WeightStore::open(directory);
  ASSERT_TRUE(store) << store.error().format();
  EXPECT_TRUE(store->find("single"));
}

TEST_F(WeightStoreTest, OldNormNames) {
  auto store = WeightStore::open(fixture("bert-old-names"));
  ASSERT_TRUE(store) << store.error().format();
  const TensorView *gamma = store->find("bert.embeddings.LayerNorm.weight");
  ASSERT_TRUE(gamma);
  EXPECT_EQ(gamma->name, "bert.embeddings.LayerNorm.gamma");
  EXPECT_EQ(store->find("cls.predictions.transform.LayerNorm.bias")->name, "cls.predictions.transform.LayerNorm.beta");
  EXPECT_EQ(store->find("cls.predictions.decoder.weight"), nullptr) << "a tied head is absent";
}

TEST_F(WeightStoreTest, BasePrefixIsAddedOrTakenAway) {
  writeWeights("model.safetensors", {"bert.in.weight", "out.weight", "norm.gamma", "bert.norm2.beta"});
  auto store = WeightStore::open(directory);
  ASSERT_TRUE(store) << store.error().format();
  EXPECT_EQ(store->find("in.weight"), nullptr) << "no prefix is known yet";
  store->setBasePrefix("bert");
  EXPECT_EQ(store->find("in.weight")->name, "bert.in.weight");
  EXPECT_EQ(store->find("bert.out.weight")->name, "out.weight");
  EXPECT_EQ(store->find("bert.norm.weight")->name, "norm.gamma");
  EXPECT_EQ(store->find("norm2.bias")->name, "bert.norm2.beta");
  EXPECT_EQ(store->find("bert.bert.in.weight")->name, "bert.in.weight");
  EXPECT_EQ(store->find("bertin.weight"), nullptr);
  EXPECT_EQ(store->find(""), nullptr);
  EXPECT_EQ(store->find("bert."), nullptr);
}

/// w_blocks and w_scales of these shapes and types.
struct FourBits {
  std::vector<int64_t> blocks = {2, 3, 16}, scales = {2, 3};
  DType type = DType::U8;

  void write(const fs::path &file) const {
    std::vector<uint8_t> bytes(4096);
    auto tensor = [&](const char *name, const std::vector<int64_t> &shape, DType dtype) {
      TensorSpec spec{name, dtype, shape};
      return TensorView{name, dtype, shape, std::as_bytes(std::span(bytes)).first(spec.bytes())};
    };
    std::vector<TensorView> tensors = {tensor("w_blocks", blocks, DType::U8), tensor("w_scales", scales, type)};
    ASSERT_TRUE(writeSafetensors(file, tensors));
  }
};

TEST_F(WeightStoreTest, BlocksAndScalesAreATensorOfFourBits) {
  FourBits().write(directory / "model.safetensors");
  auto store = WeightStore::open(directory);
  ASSERT_TRUE(store) << store.error().format();
  const TensorView *tensor = store->find("w");
  ASSERT_TRUE(tensor);
  EXPECT_EQ(tensor->dtype, DType::F4);
  EXPECT_EQ(tensor->shape, (std::vector<int64_t>{2, 96}));
  EXPECT_EQ(tensor->elements(), 192u);
  EXPECT_EQ(tensor->scales.size(), 6u);
  WeightStore moved = std::move(*store);
  EXPECT_EQ(moved.find("w"), tensor);
}

TEST_F(WeightStoreTest, BlocksThatDoNotFitTheirScales) {
  for (const FourBits &wrong : {FourBits{{2, 3, 15}}, FourBits{{2, 4, 16}}, FourBits{{2, 3, 16}, {2, 4}},
                                FourBits{{2, 3, 16}, {2, 3}, DType::BF16}, FourBits{{16}, {}}}) {
    wrong.write(directory / "model.safetensors");
    expectRefused("W0138", "are not blocks of 32 numbers", "one scale each");
  }
}

TEST_F(WeightStoreTest, TheExactNameComesFirst) {
  writeWeights("model.safetensors", {"bert.a.weight", "a.weight", "a.gamma"});
  auto store = WeightStore::open(directory);
  ASSERT_TRUE(store) << store.error().format();
  store->setBasePrefix("bert");
  EXPECT_EQ(store->find("a.weight")->name, "a.weight");
  EXPECT_EQ(store->find("bert.a.weight")->name, "bert.a.weight");
}

TEST_F(WeightStoreTest, RequireNamesWhatIsWrong) {
  writeWeights("model.safetensors", {"a.weight"});
  auto store = WeightStore::open(directory);
  ASSERT_TRUE(store) << store.error().format();
  const int64_t right[] = {2}, wrong[] = {2, 3};
  EXPECT_TRUE(store->require("a.weight", right));
  auto absent = store->require("b.weight", right);
  ASSERT_FALSE(absent);
  EXPECT_EQ(absent.error().code, "W0136");
  EXPECT_THAT(absent.error().message, HasSubstr("\"b.weight\""));
  auto shape = store->require("a.weight", wrong);
  ASSERT_FALSE(shape);
  EXPECT_EQ(shape.error().code, "W0137");
  EXPECT_THAT(shape.error().message, HasSubstr("[2], where config.json makes it [2, 3]"));
}

TEST_F(WeightStoreTest, NoDirectory) {
  auto absent = WeightStore::open(directory / "absent");
  ASSERT_FALSE(absent);
  EXPECT_EQ(absent.error().code, "W0101");
  auto file = WeightStore::open(write("file", ""));
  ASSERT_FALSE(file);
  EXPECT_THAT(file.error().message, HasSubstr("not a directory"));
}

TEST_F(WeightStoreTest, NoWeights) { expectRefused("W0130", "no weights", "model.safetensors.index.json"); }

TEST_F(WeightStoreTest, WeightsOfAnotherName) {
  write("other.safetensors", "");
  write("tf_model.h5", "");
  expectRefused("W0130", "no weights", "here lie \"other.safetensors\", \"tf_model.h5\"");
}

TEST_F(WeightStoreTest, PicklesAreRefusedWithTheWayToConvert) {
  for (const char *name : {"pytorch_model.bin", "pytorch_model-00001-of-00002.bin", "model.pt", "model.pth"}) {
    auto path = write(name, "PK");
    expectRefused("W0131", "pickle", ".save_pretrained(");
    fs::remove(path);
  }
}

TEST_F(WeightStoreTest, APickleBesideSafetensorsDoesNotMatter) {
  writeWeights("model.safetensors", {"a"});
  write("pytorch_model.bin", "PK");
  EXPECT_TRUE(WeightStore::open(directory));
}

TEST_F(WeightStoreTest, APickleUnderAnotherName) {
  write("model.safetensors", std::string("PK\x03\x04\0\0\x08\x08\0\0", 10));
  expectRefused("W0131", "pickle");
}

TEST_F(WeightStoreTest, MissingShardsAreNamedAllAtOnce) {
  writeWeights("b.safetensors", {"y"});
  writeIndex(R"({"weight_map":{"x":"a.safetensors","y":"b.safetensors","z":"c.safetensors"}})");
  expectRefused("W0133", "2 of 3 weight files are missing", "\"a.safetensors\", \"c.safetensors\"");
}

TEST_F(WeightStoreTest, ManyMissingShardsAreCounted) {
  std::string index = "{\"weight_map\":{";
  for (int shard = 0; shard < 30; ++shard)
    index += (shard ? ",\"t" : "\"t") + std::to_string(shard) + "\":\"s" + std::to_string(shard) + "\"";
  writeIndex(index + "}}");
  expectRefused("W0133", "30 of 30", "and 20 more");
}

TEST_F(WeightStoreTest, IndexNamesStayInTheDirectory) {
  writeWeights("a.safetensors", {"x"});
  for (const char *name : {"../a.safetensors", "/etc/passwd", "sub/a.safetensors", "", ".", "..", "a\\u0000b"}) {
    writeIndex("{\"weight_map\":{\"x\":\"" + std::string(name) + "\"}}");
    expectRefused("W0132", "not the name of a file in the same directory");
  }
}

TEST_F(WeightStoreTest, IndexesThatAreNoIndexes) {
  for (const char *text :
       {"[]", "{}", "7", R"({"weight_map":[]})", R"({"weight_map":{}})", R"({"weight_map":{"a":1}})"}) {
    writeIndex(text);
    expectRefused("W0132", "");
  }
  writeIndex("{");
  expectRefused("W0110", "not valid JSON");
  writeIndex(R"({"weight_map":{"a":"x","a":"y"}})");
  expectRefused("W0112", "twice");
}

TEST_F(WeightStoreTest, AShardWithoutTheTensor) {
  writeWeights("a.safetensors", {"x"});
  writeIndex(R"({"weight_map":{"x":"a.safetensors","y":"a.safetensors"}})");
  expectRefused("W0134", "\"y\"");
}

TEST_F(WeightStoreTest, ADamagedShard) {
  write("a.safetensors", "short");
  writeIndex(R"({"weight_map":{"x":"a.safetensors"}})");
  expectRefused("W0120", "5 bytes");
}

} // namespace
} // namespace weft
