// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/emit/Manifest.h"

#include "frontends/weights/MappedFile.h"
#include "runtime/include/weft/abi.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/raw_ostream.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace weft {
namespace {

constexpr int kFormat = 1;

/// High half first, as xxhsum -H2 prints it.
std::string digestText(std::span<const std::byte> bytes) {
  XXH128_hash_t hash = XXH3_128bits(bytes.data(), bytes.size());
  std::string text;
  llvm::raw_string_ostream(text) << llvm::format("%016llx%016llx", static_cast<unsigned long long>(hash.high64),
                                                 static_cast<unsigned long long>(hash.low64));
  return text;
}

nlohmann::ordered_json describeState(const ModelDescription &model, const StateDescription &state) {
  auto shape = nlohmann::ordered_json::array();
  for (int64_t extent : state.shape)
    if (extent < 0)
      shape.push_back(model.stateDims[-(extent + 1)]);
    else
      shape.push_back(extent);
  return {{"name", state.name}, {"shape", std::move(shape)}};
}

nlohmann::ordered_json describeEntry(const ModelDescription &model, const EntryDescription &entry) {
  auto describe = [&](const std::vector<TensorDescription> &tensors) {
    auto list = nlohmann::ordered_json::array();
    for (const TensorDescription &tensor : tensors) {
      auto shape = nlohmann::ordered_json::array();
      for (int64_t extent : tensor.shape)
        if (extent < 0)
          shape.push_back(entry.dims[-(extent + 1)].name);
        else
          shape.push_back(extent);
      list.push_back(
          {{"name", tensor.name}, {"shape", std::move(shape)}, {"optional", tensor.defaultValue.has_value()}});
    }
    return list;
  };
  auto dims = nlohmann::ordered_json::object();
  for (const DimDescription &dim : entry.dims)
    dims[dim.name] = {dim.min, dim.max};
  nlohmann::ordered_json described = {
      {"dims", std::move(dims)}, {"inputs", describe(entry.inputs)}, {"outputs", describe(entry.outputs)}};
  for (int32_t state : entry.states)
    described["states"].push_back(model.states[state].name);
  return described;
}

/// `weft bench` turns times into speeds with it.
nlohmann::ordered_json describeWork(const Work &work) {
  auto terms = nlohmann::ordered_json::array();
  for (const WorkTerm &term : work.terms)
    terms.push_back({{"flops", term.flops}, {"powers", term.powers}});
  nlohmann::ordered_json described = {{"terms", std::move(terms)}, {"weight_bytes", work.weightBytes}};
  for (const ExpertWeight &weight : work.experts)
    described["experts"].push_back({{"experts", weight.experts},
                                    {"bytes", weight.bytes},
                                    {"rows", weight.rows.flops},
                                    {"powers", weight.rows.powers}});
  return described;
}

} // namespace

Result<std::string> manifestText(const ModelDescription &model, const std::vector<const Target *> &targets,
                                 const std::filesystem::path &directory, const std::vector<std::string> &names,
                                 const std::string &source, const std::map<std::string, Work> &work) {
  nlohmann::ordered_json manifest;
  manifest["format"] = kFormat;
  manifest["abi"] = {{"major", WEFT_ABI_MAJOR}, {"minor", WEFT_ABI_MINOR}};
  manifest["compiler"] = compilerVersion();
  manifest["model"] = model.name;
  manifest["targets"] = nlohmann::ordered_json::array();
  for (const Target *target : targets)
    manifest["targets"].push_back(target->isa);
  manifest["files"] = nlohmann::ordered_json::object();
  for (const std::string &name : names) {
    Result<MappedFile> file = MappedFile::open(directory / name);
    if (!file)
      return file.takeError();
    manifest["files"][name] = {{"bytes", file->bytes().size()}, {"xxh3", digestText(file->bytes())}};
  }
  manifest["entries"] = nlohmann::ordered_json::object();
  for (const EntryDescription &entry : model.entries)
    manifest["entries"][entry.name] = describeEntry(model, entry);
  for (const auto &[entry, amount] : work)
    manifest["entries"][entry]["work"] = describeWork(amount);
  for (const StateDescription &state : model.states)
    manifest["states"].push_back(describeState(model, state));
  if (!model.endTokens.empty())
    manifest["end_tokens"] = model.endTokens;
  manifest["source"] = {{"name", source}};
  return manifest.dump(1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

} // namespace weft
