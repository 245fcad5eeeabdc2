// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "test/conformance/CompiledModule.h"

#include "frontends/weights/SafetensorsWriter.h"
#include "runtime/include/weft/runtime.h"
#include "test/unit/compiler/TemporaryFolder.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace weft::test {
namespace {

constexpr const char *kVariants[] = {"amx",      "v4-bf16",     "v4-vnni",         "v4",        "v3",
                                     "portable", "amx-vectors", "v4-bf16-vectors", "v4-vectors"};

[[noreturn]] void giveUp(const std::string &why, const std::string &text = "") {
  std::fprintf(stderr, "%s\n%s\n", text.c_str(), why.c_str());
  std::exit(2);
}

template <class T> T need(Result<T> result, const std::string &text) {
  if (!result)
    giveUp(result.error().format(), text);
  return std::move(*result);
}

/// Weights are floats, of 32 or 16 bits.
DType storedType(const Array &weight) {
  if (weight.type == ElementType::BF16)
    return DType::BF16;
  return weight.type == ElementType::F16 ? DType::F16 : DType::F32;
}

void writeWeights(const std::string &path, const Arrays &weights) {
  std::vector<TensorView> views;
  for (const Array &weight : weights)
    views.push_back({weight.name, storedType(weight), weight.shape, weight.bytes});
  if (Result<void> written = writeSafetensors(path, views); !written)
    giveUp(written.error().format());
}

weft_tensor tensorOf(const Array &array, const GuardedMemory &memory) {
  weft_tensor tensor = {
      array.name.c_str(), memory.data(), memory.size(), int32_t(array.type), int32_t(array.shape.size()), {}};
  std::copy(array.shape.begin(), array.shape.end(), tensor.shape);
  return tensor;
}

} // namespace

std::string replaced(std::string text, std::initializer_list<std::pair<std::string, std::string>> values) {
  for (const auto &[name, value] : values)
    for (size_t at; (at = text.find(name)) != std::string::npos;)
      text.replace(at, name.size(), value);
  return text;
}

CompiledModule::CompiledModule(const std::string &text, const Arrays &weights, const std::string &targets)
    : context(std::make_unique<Context>()) {
  TemporaryFolder folder;
  std::string path = folder.write("module.mlir", text);
  if (!weights.empty())
    writeWeights(folder.path("module.safetensors").string(), weights);
  Graph graph = need(import(*context, path), text);
  CompileOptions options;
  options.reproducerDir = folder.path("").string();
  const char *device = std::getenv("WEFT_CONFORMANCE_TARGET");
  if (device && *device)
    openOnDevice(graph, options, device, folder.path("module.weft").string(), text);
  else
    compileForCpu(graph, options, targets, text);
}

void CompiledModule::compileForCpu(const Graph &graph, CompileOptions options, const std::string &targets,
                                   const std::string &text) {
  // Tiles in vectors are run beside the instructions; other code of higher levels for v3 only where there are none.
  std::string all = "cpu:amx,v4-bf16,v4-vnni,v4,v3,portable,amx-vectors";
  if (!__builtin_cpu_supports("avx512bf16"))
    all += ",v4-bf16-vectors";
  if (!__builtin_cpu_supports("avx512f"))
    all += ",v4-vectors";
  options.targets = {targets.empty() ? all : targets};
  executable = std::make_unique<Executable>(need(compile(graph, options), text));
  model = executable->model();
  for (const char *variant : kVariants)
    if (session(variant, 1))
      names.push_back(variant);
  if (names.empty())
    giveUp("this processor runs no variant", text);
}

void CompiledModule::openOnDevice(const Graph &graph, CompileOptions options, const std::string &target,
                                  const std::string &path, const std::string &text) {
  options.targets = {target};
  if (Result<void> made = compileToArtifact(graph, path, options); !made)
    giveUp(made.error().format(), text);
  weft_open_options open = {};
  open.size = sizeof(open);
  open.device = "cuda";
  if (weft_open(path.c_str(), &open, &model) != WEFT_OK)
    giveUp(weft_last_error(), text);
  names.push_back(target.substr(target.find(':') + 1));
}

CompiledModule::~CompiledModule() {
  for (auto &[key, session] : sessions)
    weft_session_free(session);
  if (!executable)
    weft_close(model);
}

weft_session *CompiledModule::session(const std::string &variant, int threads) {
  weft_session *&made = sessions[{variant, threads}];
  if (made)
    return made;
  weft_session_options options = {};
  options.size = sizeof(options);
  options.threads = threads;
  options.variant = variant.c_str();
  weft_status status = weft_session_new(model, &options, &made);
  if (status != WEFT_OK && status != WEFT_ERROR_INCOMPATIBLE)
    giveUp(weft_last_error());
  return made;
}

void CompiledModule::reset(const std::string &variant, int threads) {
  if (weft_session_reset(session(variant, threads)) != WEFT_OK)
    giveUp(weft_last_error());
}

Arrays CompiledModule::run(const std::string &variant, const std::string &entry, const Arrays &inputs,
                           RunOptions options) {
  weft_session *chosen = session(variant, options.threads);
  std::vector<GuardedMemory> memory;
  std::vector<weft_tensor> given, wanted;
  for (const Array &input : inputs) {
    memory.emplace_back(input.bytes.size(), options.flush);
    std::copy(input.bytes.begin(), input.bytes.end(), memory.back().data());
    memory.back().protect();
    given.push_back(tensorOf(input, memory.back()));
  }
  Arrays outputs;
  weft_tensor_info info;
  while (weft_model_output(model, entry.c_str(), outputs.size(), &info) == WEFT_OK) {
    weft_tensor tensor = {};
    tensor.name = info.name;
    if (weft_output_shape(chosen, entry.c_str(), given.data(), given.size(), &tensor) != WEFT_OK)
      giveUp(weft_last_error());
    memory.emplace_back(tensor.bytes, options.flush);
    std::memset(memory.back().data(), 0xff, tensor.bytes); // NaN where nothing is stored
    tensor.data = memory.back().data();
    wanted.push_back(tensor);
    outputs.push_back({info.name, ElementType(tensor.dtype), {tensor.shape, tensor.shape + tensor.rank}, {}});
  }
  if (weft_run(chosen, entry.c_str(), given.data(), given.size(), wanted.data(), wanted.size()) != WEFT_OK)
    giveUp(weft_last_error());
  for (size_t i = 0; i < outputs.size(); ++i) {
    auto *bytes = static_cast<const std::byte *>(wanted[i].data);
    outputs[i].bytes.assign(bytes, bytes + wanted[i].bytes);
  }
  return outputs;
}

} // namespace weft::test
