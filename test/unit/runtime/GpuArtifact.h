// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// An artifact around runtime/demo/hand_written_gpu.c and its kernels, whole until a test damages it, and its calls.
#ifndef WEFT_TEST_UNIT_RUNTIME_GPUARTIFACT_H
#define WEFT_TEST_UNIT_RUNTIME_GPUARTIFACT_H

#include "test/unit/runtime/Artifact.h"

#include <map>

namespace weft::test {

constexpr float kAlpha = 2.5f;

class GpuArtifact {
public:
  explicit GpuArtifact(const std::string &model = "hand_written_gpu") {
    static int number = 0;
    path = testing::TempDir() + "/weft-gpu-" + std::to_string(getpid()) + "-" + std::to_string(number++) + ".weft";
    std::filesystem::remove_all(path);
    std::filesystem::create_directories(path + "/kernels/sm_80");
    std::filesystem::create_directories(path + "/kernels/sm_90a");
    files["model.so"] = readFile(std::string(WEFT_TEST_MODELS) + "/" + model + ".so");
    files["weights.safetensors"] = safetensors(R"({"alpha":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})",
                                               std::string(reinterpret_cast<const char *>(&kAlpha), 4));
    for (const char *name :
         {"sm_80/scale.ptx", "sm_80/add.ptx", "sm_90a/scale.ptx", "sm_90a/add.ptx", "sm_90a/scale_tiled.ptx"})
      files[std::string("kernels/") + name] = readFile(std::string(WEFT_DEMO_KERNELS) + "/" + name);
    hasCpu = model != "gpu_only";
    write();
  }
  ~GpuArtifact() { std::filesystem::remove_all(path); }
  GpuArtifact(const GpuArtifact &) = delete;

  /// Writes the files with a manifest that vouches for them.
  void write() {
    std::string list;
    for (const auto &[name, content] : files) {
      writeFile(path + "/" + name, content);
      list += (list.empty() ? "\"" : ",\"") + name + R"(":{"bytes":)" + std::to_string(content.size()) +
              R"(,"xxh3":")" + digest(content) + "\"}";
    }
    writeFile(path + "/manifest.json", R"({"format":1,"abi":)" + std::string(kAbi) +
                                           R"(,"compiler":"by hand","model":"saxpy","targets":["sm_90a","sm_80")" +
                                           (hasCpu ? R"(,"portable")" : "") + R"(],"files":{)" + list + "}}");
  }

  weft_status open(const char *device, weft_model *&model) const {
    weft_open_options options = {sizeof(options), 0, 0, device};
    return weft_open(path.c_str(), &options, &model);
  }

  std::string path;
  std::map<std::string, std::string> files;
  bool hasCpu = true;
};

/// A model on a device while the object lives.
struct ModelOn {
  ModelOn(const GpuArtifact &artifact, const char *device) {
    EXPECT_EQ(artifact.open(device, model), WEFT_OK) << weft_last_error();
  }
  ~ModelOn() { weft_close(model); }
  weft_model *model = nullptr;
};

/// One session that is fed vectors; what it must give is computed beside it.
struct SaxpySession {
  explicit SaxpySession(weft_model *model) {
    EXPECT_EQ(weft_session_new(model, nullptr, &session), WEFT_OK) << weft_last_error();
  }
  /// Takes over a session that was made.
  SaxpySession(weft_model *, weft_session *session) : session(session) {}
  ~SaxpySession() { weft_session_free(session); }

  /// out of n elements that differ from call to call; `withY`: else y is absent, all ones.
  weft_status run(int64_t n, bool withY = true) {
    std::vector<float> x(static_cast<size_t>(n)), y(x.size());
    out.assign(x.size(), -1);
    expected.resize(x.size());
    for (size_t i = 0; i < x.size(); ++i) {
      x[i] = float(int64_t(i * 37 % 101) - 50 + calls);
      y[i] = withY ? float(i % 13) / 4 : 1;
      expected[i] = kAlpha * x[i] + y[i];
    }
    ++calls;
    weft_tensor inputs[] = {{"x", x.data(), x.size() * 4, WEFT_F32, 1, {n}},
                            {"y", y.data(), y.size() * 4, WEFT_F32, 1, {n}}};
    weft_tensor output = {"out", out.data(), out.size() * 4, WEFT_F32, 0, {}};
    weft_status status = weft_run(session, "saxpy", inputs, withY ? 2 : 1, &output, 1);
    if (status != WEFT_OK)
      return status;
    EXPECT_EQ(output.shape[0], n);
    total.resize(x.size());
    for (size_t i = 0; i < x.size(); ++i)
      total[i] += expected[i];
    return WEFT_OK;
  }
  void expectRun(int64_t n, bool withY = true) {
    ASSERT_EQ(run(n, withY), WEFT_OK) << weft_last_error();
    EXPECT_EQ(out, expected) << n;
  }
  /// What the session holds is the sum of all calls.
  void expectStates(int64_t steps) {
    std::vector<float> held(total.size());
    int64_t count = -1;
    weft_tensor state = {"total", held.data(), held.size() * 4, WEFT_F32, 0, {}};
    ASSERT_EQ(weft_session_get_state(session, &state), WEFT_OK) << weft_last_error();
    EXPECT_EQ(held, total);
    state = {"steps", &count, sizeof(count), WEFT_I64, 0, {}};
    ASSERT_EQ(weft_session_get_state(session, &state), WEFT_OK) << weft_last_error();
    EXPECT_EQ(count, steps);
  }

  weft_session *session = nullptr;
  std::vector<float> out, expected, total;
  int calls = 0;
};

} // namespace weft::test

#endif // WEFT_TEST_UNIT_RUNTIME_GPUARTIFACT_H
