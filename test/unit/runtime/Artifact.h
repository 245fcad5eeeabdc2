// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// An artifact directory around runtime/demo/hand_written_artifact.c, whole until a test damages it.
#ifndef WEFT_TEST_UNIT_RUNTIME_ARTIFACT_H
#define WEFT_TEST_UNIT_RUNTIME_ARTIFACT_H

#include "runtime/core/Digest.h"
#include "runtime/include/weft/abi.h"
#include "runtime/include/weft/runtime.h"

#include "gtest/gtest.h"

#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

namespace weft::test {

constexpr int64_t kVocabulary = 10;
constexpr int64_t kHidden = 16;

inline std::string readFile(const std::string &path) {
  std::ifstream in(path, std::ios::binary);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

inline void writeFile(const std::string &path, const std::string &content) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << content;
}

/// Writes one byte of a file.
inline void patchFile(const std::string &path, size_t at, char byte) {
  std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out);
  file.seekp(std::streamoff(at));
  file.put(byte);
}

inline std::string digest(const std::string &content) { return runtime::digestOf(content.data(), content.size()).text; }

/// The weights that the hand-written model reads; powers of two keep sums exact.
inline float tableAt(int64_t row, int64_t column) { return float(row * 16 + column) / 8; }
inline float biasAt(int64_t column) { return float(column) / 4; }

/// A safetensors file: the header padded with spaces so that the data is aligned.
inline std::string safetensors(std::string header, const std::string &data) {
  while ((8 + header.size()) % 64 != 0)
    header += ' ';
  uint64_t length = header.size();
  std::string file(reinterpret_cast<const char *>(&length), 8);
  return file + header + data;
}

#define WEFT_TEST_QUOTED(x) #x
#define WEFT_TEST_TEXT(x) WEFT_TEST_QUOTED(x)
/// The ABI's version as a manifest has it, and its parts.
constexpr char kMajor[] = "\"major\":" WEFT_TEST_TEXT(WEFT_ABI_MAJOR);
constexpr char kMinor[] = "\"minor\":" WEFT_TEST_TEXT(WEFT_ABI_MINOR);
constexpr char kAbi[] = "{\"major\":" WEFT_TEST_TEXT(WEFT_ABI_MAJOR) ",\"minor\":" WEFT_TEST_TEXT(WEFT_ABI_MINOR) "}";

class Artifact {
public:
  explicit Artifact(const std::string &model = WEFT_HAND_WRITTEN_MODEL) {
    static int number = 0;
    path = testing::TempDir() + "/weft-" + std::to_string(getpid()) + "-" + std::to_string(number++) + ".weft";
    std::filesystem::remove_all(path);
    std::filesystem::create_directory(path);
    code = readFile(model);
    weights = safetensors(R"({"table":{"dtype":"F32","shape":[10,16],"data_offsets":[0,640]},)"
                          R"("bias":{"dtype":"F32","shape":[16],"data_offsets":[640,704]}})",
                          weightData());
    tokenizer = "{}";
    write();
  }
  ~Artifact() { std::filesystem::remove_all(path); }
  Artifact(const Artifact &) = delete;

  /// Writes the files with a manifest that vouches for them.
  void write() {
    writeFile(path + "/model.so", code);
    writeFile(path + "/weights.safetensors", weights);
    writeFile(path + "/tokenizer.json", tokenizer);
    manifest = R"({"format":1,"abi":)" + std::string(kAbi) +
               R"(,"compiler":"by hand","model":"demo",)"
               R"("targets":["v3","portable"],"files":{)" +
               line("model.so", code) + "," + line("weights.safetensors", weights) + "," +
               line("tokenizer.json", tokenizer) + "}}";
    writeFile(path + "/manifest.json", manifest);
  }

  /// Writes the manifest with one piece of text replaced.
  void replaceInManifest(const std::string &from, const std::string &to) {
    size_t at = manifest.find(from);
    ASSERT_NE(at, std::string::npos) << from;
    writeFile(path + "/manifest.json", std::string(manifest).replace(at, from.size(), to));
  }

  static std::string weightData() {
    std::string data;
    auto append = [&](float value) { data.append(reinterpret_cast<const char *>(&value), 4); };
    for (int64_t row = 0; row < kVocabulary; ++row)
      for (int64_t column = 0; column < kHidden; ++column)
        append(tableAt(row, column));
    for (int64_t column = 0; column < kHidden; ++column)
      append(biasAt(column));
    return data;
  }

  std::string path, code, weights, tokenizer, manifest;

private:
  static std::string line(const std::string &name, const std::string &content) {
    return "\"" + name + R"(":{"bytes":)" + std::to_string(content.size()) + R"(,"xxh3":")" + digest(content) + "\"}";
  }
};

/// Opens; expects the status and the code, and a message with place and help.
inline void expectRefused(const std::string &path, weft_status status, const std::string &code) {
  weft_model *model = reinterpret_cast<weft_model *>(1);
  EXPECT_EQ(weft_open(path.c_str(), nullptr, &model), status) << weft_last_error();
  EXPECT_EQ(model, nullptr);
  weft_error error;
  weft_last_error_parts(&error);
  EXPECT_EQ(error.status, status);
  EXPECT_EQ(error.code, code) << weft_last_error();
  EXPECT_STRNE(error.message, "");
  EXPECT_STRNE(error.place, "");
  EXPECT_STRNE(error.help, "");
}

/// A model that is open while the object lives.
struct OpenModel {
  explicit OpenModel(const std::string &path) {
    EXPECT_EQ(weft_open(path.c_str(), nullptr, &model), WEFT_OK) << weft_last_error();
  }
  ~OpenModel() { weft_close(model); }
  weft_model *model = nullptr;
};

struct OpenSession {
  OpenSession(weft_model *model, int32_t threads, const char *variant = nullptr) {
    weft_session_options options = {};
    options.size = sizeof(options);
    options.threads = threads;
    options.variant = variant;
    EXPECT_EQ(weft_session_new(model, &options, &session), WEFT_OK) << weft_last_error();
  }
  ~OpenSession() { weft_session_free(session); }
  weft_session *session = nullptr;
};

/// Buffers of one call of the hand-written model.
struct DemoCall {
  DemoCall(int64_t batch, int64_t sequence)
      : batch(batch), sequence(sequence), ids(size_t(batch * sequence)), scale(ids.size()),
        rows(ids.size() * kHidden, -1), sums(size_t(batch * kHidden), -1) {
    for (size_t i = 0; i < ids.size(); ++i) {
      ids[i] = int64_t(i * 7 % kVocabulary);
      scale[i] = float(i % 5) / 2;
    }
  }

  weft_tensor idsTensor() { return {"ids", ids.data(), ids.size() * 8, WEFT_I64, 2, {batch, sequence}}; }
  weft_tensor scaleTensor() { return {"scale", scale.data(), scale.size() * 4, WEFT_F32, 2, {batch, sequence}}; }
  weft_tensor rowsTensor() { return {"rows", rows.data(), rows.size() * 4, WEFT_F32, 0, {}}; }
  weft_tensor sumsTensor() { return {"sums", sums.data(), sums.size() * 4, WEFT_F32, 0, {}}; }

  weft_status run(weft_session *session) {
    weft_tensor inputs[] = {idsTensor(), scaleTensor()};
    weft_tensor outputs[] = {rowsTensor(), sumsTensor()};
    return weft_run(session, "embed", inputs, 2, outputs, 2);
  }

  float expectedRow(size_t token, int64_t h) const { return scale[token] * tableAt(ids[token], h) + biasAt(h); }

  void expectCorrect() const {
    for (size_t token = 0; token < ids.size(); ++token)
      for (int64_t h = 0; h < kHidden; ++h)
        ASSERT_EQ(rows[token * kHidden + size_t(h)], expectedRow(token, h)) << "token " << token << ", " << h;
    for (int64_t b = 0; b < batch; ++b)
      for (int64_t h = 0; h < kHidden; ++h) {
        float sum = 0;
        for (int64_t s = 0; s < sequence; ++s)
          sum += expectedRow(size_t(b * sequence + s), h);
        ASSERT_EQ(sums[size_t(b * kHidden + h)], sum) << "batch " << b << ", " << h;
      }
  }

  int64_t batch, sequence;
  std::vector<int64_t> ids;
  std::vector<float> scale, rows, sums;
};

} // namespace weft::test

#endif // WEFT_TEST_UNIT_RUNTIME_ARTIFACT_H
