// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// weights.safetensors whose digest is right and whose content is not.
#include "test/unit/runtime/Artifact.h"

using namespace weft::test;

namespace {
const char *const kTable = R"("table":{"dtype":"F32","shape":[10,16],"data_offsets":[0,640]})";
const char *const kBias = R"("bias":{"dtype":"F32","shape":[16],"data_offsets":[640,704]})";

std::string object(const std::string &members) { return "{" + members + "}"; }
std::string both() { return std::string(kTable) + "," + kBias; }

void expectWeights(const std::string &file, const char *code) {
  Artifact artifact;
  artifact.weights = file;
  artifact.write();
  SCOPED_TRACE(file.substr(0, 400));
  expectRefused(artifact.path, WEFT_ERROR_CORRUPT, code);
}

void expectHeader(const std::string &header, const char *code) {
  expectWeights(safetensors(header, Artifact::weightData()), code);
}

std::string replaced(std::string text, const std::string &from, const std::string &to) {
  return text.replace(text.find(from), from.size(), to);
}
} // namespace

TEST(Weights, OrderAndPaddingTensorsDoNotMatter) {
  Artifact artifact;
  std::string padding = R"("weft.padding":{"dtype":"U8","shape":[3],"data_offsets":[704,707]})";
  std::string meta = R"("__metadata__":{"format":"pt"},)";
  artifact.weights = safetensors(object(meta + padding + "," + kBias + "," + kTable), Artifact::weightData() + "abc");
  artifact.write();
  OpenModel open(artifact.path);
}

TEST(Weights, HeaderLength) {
  expectWeights("", "W0409");
  expectWeights("1234567", "W0409");
  expectWeights(std::string("\xff\xff\xff\xff\xff\xff\xff\xff", 8) + "{}", "W0409");
  expectWeights(std::string("\x00\xe1\xf5\x06\x00\x00\x00\x00", 8) + "{}", "W0409"); // 116 MB
  expectWeights(std::string("\x03\x00\x00\x00\x00\x00\x00\x00", 8) + "{}", "W0409");
  expectWeights(std::string("\x00\x00\x00\x00\x00\x00\x00\x00", 8), "W0409");
}

TEST(Weights, NotJson) {
  for (const char *header : {"[]", "{", "nonsense", "{}{}", "{\"a\":1}", "{\"\x01\":{}}", "{\"\xff\":{}}",
                             "{\"\\u0000\":{}}", "{\"\\ud800\":{}}"})
    expectHeader(header, "W0409");
}

TEST(Weights, MalformedTensors) {
  const std::pair<const char *, const char *> kDamages[] = {
      {"\"F32\"", "\"F31\""},
      {"\"F32\"", "\"F64\""},
      {"\"F32\"", "32"},
      {"\"dtype\"", "\"type\""},
      {"\"shape\":[10,16],", ""},
      {"\"shape\":[10,16]", "\"shape\":[10,16],\"shape\":[10,16]"},
      {"[10,16]", "[-10,16]"},
      {"[10,16]", "[10,17]"},
      {"[10,16]", "[4294967296,4294967296]"},
      {"[10,16]", "[18446744073709551615,16]"},
      {"[10,16]", "[1,1,1,1,1,1,1,10,16]"},
      {"[0,640]", "[640,0]"},
      {"[0,640]", "[0]"},
      {"[0,640]", "[0,640,0]"},
      {"[0,640]", "[1,641]"},
      {"[640,704]", "[576,640]"},
      {"[640,704]", "[704,768]"},
      {"[640,704]", "[18446744073709551552,64]"},
      {"\"bias\"", "\"table\""},
      {"\"bias\"", "\"t\\u0061ble\""},
  };
  for (const auto &[from, to] : kDamages)
    expectHeader(object(replaced(both(), from, to)), "W0409");
}

TEST(Weights, Holes) {
  expectHeader(object(kBias), "W0409");  // before the first
  expectHeader(object(kTable), "W0409"); // after the last
  expectWeights(safetensors(object(both()), Artifact::weightData() + "x"), "W0409");
  expectWeights(safetensors(object(both()), Artifact::weightData().substr(1)), "W0409");
}

TEST(Weights, OtherThanTheModelReads) {
  expectHeader(object(replaced(both(), "\"bias\"", "\"bass\"")), "W0410");
  expectHeader(object(replaced(both(), "\"F32\"", "\"I32\"")), "W0410");
  expectHeader(object(replaced(both(), "[10,16]", "[16,10]")), "W0410");
  expectHeader(object(replaced(both(), "[10,16]", "[160]")), "W0410");
}

TEST(Weights, NotAligned) {
  std::string header = object(both());
  while ((8 + header.size()) % 64 != 32)
    header += ' ';
  uint64_t length = header.size();
  expectWeights(std::string(reinterpret_cast<const char *>(&length), 8) + header + Artifact::weightData(), "W0410");
}

// Any prefix of a header is refused, wherever it ends.
TEST(Weights, TruncatedHeader) {
  std::string header = object(both());
  Artifact artifact;
  for (size_t length = 0; length < header.size(); ++length) {
    artifact.weights = safetensors(header.substr(0, length), Artifact::weightData());
    artifact.write();
    weft_model *model;
    ASSERT_EQ(weft_open(artifact.path.c_str(), nullptr, &model), WEFT_ERROR_CORRUPT) << length;
  }
}

// Damage that no digest catches: refused, and no crash.
TEST(Weights, OneBitOfTheHeaderFlipped) {
  Artifact artifact;
  std::string file = artifact.path + "/weights.safetensors";
  weft_open_options trusting = {sizeof(trusting), WEFT_OPEN_TRUST_WEIGHTS, 0, nullptr};
  for (size_t at = 0; at < artifact.weights.size() - Artifact::weightData().size(); ++at)
    for (int bit = 0; bit < 8; ++bit) {
      patchFile(file, at, char(artifact.weights[at] ^ (1 << bit)));
      weft_model *model;
      ASSERT_NE(weft_open(artifact.path.c_str(), &trusting, &model), WEFT_OK) << "byte " << at << ", bit " << bit;
      patchFile(file, at, artifact.weights[at]);
    }
}
