// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Opening artifacts: whole ones, and every way in which one can be damaged, foreign or incomplete.
#include "test/unit/runtime/Artifact.h"

#include <sys/stat.h>
#include <unistd.h>

using namespace weft::test;

TEST(Open, WholeArtifact) {
  Artifact artifact;
  OpenModel open(artifact.path);
  EXPECT_STREQ(weft_model_name(open.model), "demo");
  EXPECT_STREQ(weft_model_compiler(open.model), "by hand");
  EXPECT_EQ(weft_model_entry_count(open.model), 1u);
}

TEST(Open, TwoArtifactsAtOnceAreTwoModels) {
  Artifact first, second;
  OpenModel a(first.path), b(second.path);
  OpenSession s(a.model, 1), t(b.model, 1);
  DemoCall call(2, 3);
  ASSERT_EQ(call.run(s.session), WEFT_OK);
  ASSERT_EQ(call.run(t.session), WEFT_OK);
}

// glibc takes libraries of one name for the same; descriptors are used again.
TEST(Open, ASecondModelIsNotTakenForTheFirst) {
  Artifact good, foreign(WEFT_TEST_MODELS "/newer_major.so");
  OpenModel open(good.path);
  expectRefused(foreign.path, WEFT_ERROR_INCOMPATIBLE, "W0405");
}

TEST(Open, FilesMayGoWhileTheModelIsOpen) {
  auto artifact = std::make_unique<Artifact>();
  OpenModel open(artifact->path);
  artifact.reset();
  OpenSession s(open.model, 1);
  DemoCall call(1, 4);
  ASSERT_EQ(call.run(s.session), WEFT_OK);
  call.expectCorrect();
}

TEST(Open, NullArguments) {
  weft_model *model;
  EXPECT_EQ(weft_open(nullptr, nullptr, &model), WEFT_ERROR_ARGUMENT);
  EXPECT_EQ(weft_open("x", nullptr, nullptr), WEFT_ERROR_ARGUMENT);
  weft_close(nullptr);
}

TEST(Open, BadOptions) {
  Artifact artifact;
  weft_model *model;
  weft_open_options options = {4, 0, 0, nullptr};
  EXPECT_EQ(weft_open(artifact.path.c_str(), &options, &model), WEFT_ERROR_ARGUMENT);
  options = {sizeof(options), UINT64_C(1) << 40, 0, nullptr};
  EXPECT_EQ(weft_open(artifact.path.c_str(), &options, &model), WEFT_ERROR_ARGUMENT);
}

TEST(Open, MissingDirectory) { expectRefused("/nonexistent.weft", WEFT_ERROR_FILE, "W0401"); }

TEST(Open, FileInsteadOfDirectory) { expectRefused(WEFT_HAND_WRITTEN_MODEL, WEFT_ERROR_FILE, "W0401"); }

class OpenEachFile : public testing::TestWithParam<const char *> {
protected:
  std::string file() const { return artifact.path + "/" + GetParam(); }
  Artifact artifact;
};
INSTANTIATE_TEST_SUITE_P(Files, OpenEachFile,
                         testing::Values("manifest.json", "model.so", "weights.safetensors", "tokenizer.json"));

TEST_P(OpenEachFile, Missing) {
  std::filesystem::remove(file());
  expectRefused(artifact.path, WEFT_ERROR_FILE, "W0401");
}

TEST_P(OpenEachFile, SymbolicLink) {
  std::filesystem::rename(file(), file() + ".real");
  std::filesystem::create_symlink(file() + ".real", file());
  expectRefused(artifact.path, WEFT_ERROR_FILE, "W0401");
}

TEST_P(OpenEachFile, Fifo) {
  std::filesystem::remove(file());
  ASSERT_EQ(mkfifo(file().c_str(), 0600), 0);
  expectRefused(artifact.path, WEFT_ERROR_FILE, "W0401");
}

TEST_P(OpenEachFile, Directory) {
  std::filesystem::remove(file());
  std::filesystem::create_directory(file());
  expectRefused(artifact.path, WEFT_ERROR_FILE, "W0401");
}

// Every length of small files, some hundred lengths of large ones.
TEST_P(OpenEachFile, Truncated) {
  std::string content = readFile(file());
  size_t step = content.size() / 300 + 1;
  for (size_t length = 0; length < content.size(); length += step) {
    writeFile(file(), content.substr(0, length));
    weft_model *model;
    ASSERT_EQ(weft_open(artifact.path.c_str(), nullptr, &model), WEFT_ERROR_CORRUPT) << length;
  }
}

TEST_P(OpenEachFile, Longer) {
  writeFile(file(), readFile(file()) + "x");
  weft_model *model;
  EXPECT_EQ(weft_open(artifact.path.c_str(), nullptr, &model), WEFT_ERROR_CORRUPT);
}

// Every bit of small files, every bit of some hundred bytes of large ones.
TEST_P(OpenEachFile, OneBitFlipped) {
  std::string content = readFile(file());
  size_t step = content.size() / 700 + 1;
  for (size_t at = 0; at < content.size(); at += step)
    for (int bit = 0; bit < 8; ++bit) {
      patchFile(file(), at, char(content[at] ^ (1 << bit)));
      weft_model *model;
      ASSERT_NE(weft_open(artifact.path.c_str(), nullptr, &model), WEFT_OK) << "byte " << at << ", bit " << bit;
      ASSERT_EQ(model, nullptr);
      patchFile(file(), at, content[at]);
    }
}

TEST(Open, LengthAndDigestHaveCodesOfTheirOwn) {
  Artifact artifact;
  artifact.replaceInManifest("\"bytes\":" + std::to_string(artifact.code.size()), "\"bytes\":12");
  expectRefused(artifact.path, WEFT_ERROR_CORRUPT, "W0403");
  artifact.replaceInManifest(digest(artifact.code), std::string(32, '0'));
  expectRefused(artifact.path, WEFT_ERROR_CORRUPT, "W0404");
}

TEST(Open, TrustedWeightsAreNotHashed) {
  Artifact artifact;
  artifact.replaceInManifest(digest(artifact.weights), std::string(32, '0'));
  expectRefused(artifact.path, WEFT_ERROR_CORRUPT, "W0404");
  weft_open_options options = {sizeof(options), WEFT_OPEN_TRUST_WEIGHTS, 0, nullptr};
  weft_model *model;
  ASSERT_EQ(weft_open(artifact.path.c_str(), &options, &model), WEFT_OK) << weft_last_error();
  weft_close(model);
}

TEST(Open, MalformedManifests) {
  Artifact artifact;
  const std::pair<const char *, const char *> kDamages[] = {
      {"\"format\":1,", ""},
      {"\"format\":1", "\"format\":-1"},
      {"\"format\":1", "\"format\":1.0"},
      {"\"format\":1", "\"format\":99999999999999999999"},
      {"\"format\":1", "\"format\":1,\"format\":1"},
      {kAbi, "[]"},
      {kMinor, "\"other\":0"},
      {"\"model\":\"demo\"", "\"model\":\"other\""},
      {"by hand", "by machine"},
      {"\"portable\"", "\"v4\""},
      {"model.so", "../model.so"},
      {"model.so", ".."},
      {"model.so", "other.so"},
      {"tokenizer.json", "/tokenizer.json"},
      {"tokenizer.json", "a/../tokenizer.json"},
      {"tokenizer.json", "a//tokenizer.json"},
      {"tokenizer.json", "a/b/c/tokenizer.json"},
      {"weights.safetensors", "model.so"},
      {"\"xxh3\"", "\"sha1\""},
      {"\"bytes\"", "\"length\""},
      {"\"xxh3\":\"", "\"xxh3\":\"A"},
      {"}}", "}}}"},
  };
  for (const auto &[from, to] : kDamages) {
    artifact.replaceInManifest(from, to);
    expectRefused(artifact.path, WEFT_ERROR_CORRUPT, "W0402");
  }
}

TEST(Open, ManifestNestedDeeply) {
  Artifact artifact;
  artifact.replaceInManifest("{\"format\"", "{\"source\":" + std::string(100000, '[') + ",\"format\"");
  expectRefused(artifact.path, WEFT_ERROR_CORRUPT, "W0402");
}

TEST(Open, ManifestTooLarge) {
  Artifact artifact;
  writeFile(artifact.path + "/manifest.json", artifact.manifest + std::string(4 << 20, ' '));
  expectRefused(artifact.path, WEFT_ERROR_CORRUPT, "W0402");
}

TEST(Open, ManifestMayTellMore) {
  Artifact artifact;
  artifact.replaceInManifest("{\"format\"", R"({"source":{"name":"caf\u00e9","n":[1,-2.5e3,true,null]},"format")");
  OpenModel open(artifact.path);
}

TEST(Open, OtherAbiInTheManifest) {
  Artifact artifact;
  artifact.replaceInManifest(kMajor, "\"major\":99");
  expectRefused(artifact.path, WEFT_ERROR_INCOMPATIBLE, "W0405");
  artifact.replaceInManifest(kMinor, "\"minor\":9");
  expectRefused(artifact.path, WEFT_ERROR_INCOMPATIBLE, "W0405");
  artifact.replaceInManifest("\"format\":1", "\"format\":2");
  expectRefused(artifact.path, WEFT_ERROR_INCOMPATIBLE, "W0405");
}

TEST(Open, ForeignCode) {
  const std::tuple<const char *, weft_status, const char *> kModels[] = {
      {"newer_major", WEFT_ERROR_INCOMPATIBLE, "W0405"},  {"newer_minor", WEFT_ERROR_INCOMPATIBLE, "W0405"},
      {"other_magic", WEFT_ERROR_CORRUPT, "W0408"},       {"future_cpu", WEFT_ERROR_INCOMPATIBLE, "W0406"},
      {"unresolved_symbol", WEFT_ERROR_CORRUPT, "W0407"}, {"no_descriptor", WEFT_ERROR_CORRUPT, "W0407"},
  };
  for (const auto &[name, status, code] : kModels) {
    Artifact artifact(std::string(WEFT_TEST_MODELS "/") + name + ".so");
    expectRefused(artifact.path, status, code);
  }
}

TEST(Open, TextInsteadOfCode) {
  Artifact artifact;
  artifact.code = "int main() {}";
  artifact.write();
  expectRefused(artifact.path, WEFT_ERROR_CORRUPT, "W0407");
}

// Refusing leaves no descriptor open.
TEST(Open, RefusingLeaksNoDescriptor) {
  Artifact artifact;
  auto countOpen = [] {
    auto files = std::filesystem::directory_iterator("/proc/self/fd");
    return std::distance(begin(files), end(files));
  };
  auto before = countOpen();
  artifact.replaceInManifest(digest(artifact.weights), std::string(32, '0'));
  expectRefused(artifact.path, WEFT_ERROR_CORRUPT, "W0404");
  EXPECT_EQ(countOpen(), before);
}
