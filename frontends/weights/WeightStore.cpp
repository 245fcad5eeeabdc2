// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "frontends/weights/WeightStore.h"

#include "frontends/weights/ForeignContent.h"

#include <algorithm>
#include <cstring>
#include <set>

namespace weft {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr const char *kSingleFile = "model.safetensors";
constexpr const char *kIndexFile = "model.safetensors.index.json";
constexpr const char *kBlocks = "_blocks", *kScales = "_scales"; ///< after the name of a tensor of four bits

/// Never throws, unlike fs::exists without an error code.
bool isThere(const fs::path &path) {
  std::error_code ignored;
  return fs::exists(path, ignored);
}

/// Why there is nothing to open: a pickle, a safetensors file of another name, or nothing at all.
Diagnostic explainAbsence(const fs::path &directory) {
  std::vector<std::string> others;
  std::error_code error;
  for (fs::directory_iterator entry(directory, error), end; !error && entry != end; entry.increment(error)) {
    std::string name = entry->path().filename().string();
    std::string suffix = entry->path().extension().string();
    if ((name.starts_with("pytorch_model") && suffix == ".bin") || suffix == ".pt" || suffix == ".pth")
      return refusePickle(entry->path());
    if (suffix == ".safetensors" || suffix == ".h5" || suffix == ".msgpack" || suffix == ".bin")
      others.push_back(name);
  }
  std::sort(others.begin(), others.end());
  std::string help =
      std::string("a Hugging Face directory has ") + kSingleFile + " or " + kIndexFile + " beside config.json";
  if (!others.empty())
    help += "; here lie";
  for (size_t index = 0; index < std::min<size_t>(others.size(), 5); ++index)
    help += (index ? ", " : " ") + printableName(others[index]);
  return {"W0130", "the directory holds no weights that can be read", directory.string(), help};
}

Diagnostic badIndex(const fs::path &index, const std::string &what) {
  return {"W0132", what, index.string(), "fetch the index again together with the files it names"};
}

/// A name in the index must be of a file beside it: anything else could read files that are not the model's.
bool isPlainFileName(const std::string &name) {
  return !name.empty() && name != "." && name != ".." && name.find('/') == std::string::npos &&
         name.find('\0') == std::string::npos;
}

/// Tensor name → shard file name.
Result<std::map<std::string, std::string>> readIndex(const fs::path &path) {
  Result<json> root = readJsonFile(path);
  if (!root)
    return root.takeError();
  auto map = root->is_object() ? root->find("weight_map") : root->end();
  if (map == root->end() || !map->is_object())
    return badIndex(path, "the index has no object weight_map");
  std::map<std::string, std::string> shards;
  for (const auto &[name, file] : map->items()) {
    if (!file.is_string())
      return badIndex(path, "the entry of " + printableName(name) + " is not the name of a file");
    std::string shard = file.get<std::string>();
    if (!isPlainFileName(shard))
      return badIndex(path, printableName(shard) + " is not the name of a file in the same directory");
    shards.emplace(name, std::move(shard));
  }
  if (shards.empty())
    return badIndex(path, "the index names no tensor");
  return shards;
}

/// All absent shards at once, so that they can be fetched at once.
Result<void> checkPresence(const fs::path &directory, const std::set<std::string> &shards) {
  std::string missing;
  size_t count = 0;
  for (const std::string &shard : shards)
    if (!isThere(directory / shard) && ++count <= 10)
      missing += (missing.empty() ? "" : ", ") + printableName(shard);
  if (count == 0)
    return {};
  if (count > 10)
    missing += " and " + std::to_string(count - 10) + " more";
  return Diagnostic{"W0133",
                    std::to_string(count) + " of " + std::to_string(shards.size()) + " weight files are missing",
                    directory.string(), "fetch " + missing};
}

/// The other name of a norm's weight or bias in files born in TensorFlow; empty when there is none.
std::string oldNormName(const std::string &name) {
  for (auto [now, once] : {std::pair(".weight", ".gamma"), std::pair(".bias", ".beta")})
    if (name.ends_with(now))
      return name.substr(0, name.rfind('.')) + once;
  return {};
}

} // namespace

Result<WeightStore> WeightStore::open(const fs::path &directory) {
  std::error_code error;
  if (!fs::is_directory(directory, error))
    return Diagnostic{"W0101", isThere(directory) ? "this is not a directory" : "there is no such directory",
                      directory.string(), "give the directory that holds config.json"};
  WeightStore store;
  store.directory = directory.string();
  if (Result<void> opened = store.openFiles(); !opened)
    return opened.takeError();
  if (Result<void> joined = store.joinBlocks(); !joined)
    return joined.takeError();
  return store;
}

WeightStore WeightStore::of(std::vector<TensorView> tensors, std::string place, std::shared_ptr<const void> owner) {
  WeightStore store;
  store.directory = std::move(place);
  store.owner = std::move(owner);
  for (TensorView &tensor : tensors) {
    store.joined.push_back(std::move(tensor));
    store.byName.emplace(store.joined.back().name, &store.joined.back());
  }
  return store;
}

Result<void> WeightStore::openFiles() {
  fs::path folder(directory);
  if (!isThere(folder / kSingleFile))
    return isThere(folder / kIndexFile) ? openShards(folder / kIndexFile) : explainAbsence(folder);
  Result<SafetensorsFile> file = SafetensorsFile::open(folder / kSingleFile);
  if (!file)
    return file.takeError();
  files.push_back(std::move(*file));
  for (const TensorView &tensor : files.back().tensors())
    byName.emplace(tensor.name, &tensor);
  return {};
}

Result<void> WeightStore::joinBlocks() {
  for (const auto &[name, blocks] : std::map(byName)) {
    if (!name.ends_with(kBlocks))
      continue;
    std::string base(name.substr(0, name.size() - std::strlen(kBlocks)));
    auto found = byName.find(base + kScales);
    if (found == byName.end() || byName.count(base))
      continue;
    const TensorView *scales = found->second;
    std::vector<int64_t> shape = scales->shape, expected = shape;
    expected.push_back(kBlockOfF4 / 2);
    if (shape.empty() || blocks->shape != expected || blocks->dtype != DType::U8 || scales->dtype != DType::U8)
      return Diagnostic{"W0138",
                        "the tensors " + printableName(name) + " " + printableShape(blocks->shape) + " and " +
                            printableName(scales->name) + " " + printableShape(shape) +
                            " are not blocks of 32 numbers of four bits and their scales",
                        directory, "blocks are U8 [..., 16] and have one scale each, U8 [...]: fetch the files again"};
    shape.back() *= kBlockOfF4;
    joined.push_back({base, DType::F4, std::move(shape), blocks->bytes, scales->bytes});
    byName.emplace(joined.back().name, &joined.back());
  }
  return {};
}

Result<void> WeightStore::openShards(const fs::path &index) {
  Result<std::map<std::string, std::string>> map = readIndex(index);
  if (!map)
    return map.takeError();
  std::set<std::string> shards;
  for (const auto &[name, shard] : *map)
    shards.insert(shard);
  if (Result<void> present = checkPresence(directory, shards); !present)
    return present;
  std::map<std::string, size_t> fileOf;
  for (const std::string &shard : shards) {
    Result<SafetensorsFile> file = SafetensorsFile::open(fs::path(directory) / shard);
    if (!file)
      return file.takeError();
    fileOf.emplace(shard, files.size());
    files.push_back(std::move(*file));
  }
  for (const auto &[name, shard] : *map) {
    const TensorView *tensor = files[fileOf.at(shard)].find(name);
    if (!tensor)
      return Diagnostic{"W0134",
                        "the index says that " + printableName(shard) + " holds " + printableName(name) +
                            ", and it does not",
                        index.string(), "fetch the index again together with the files it names"};
    byName.emplace(tensor->name, tensor);
  }
  return {};
}

const TensorView *WeightStore::findStored(const std::string &name) const {
  auto found = byName.find(name);
  if (found == byName.end())
    found = byName.find(oldNormName(name));
  return found == byName.end() ? nullptr : found->second;
}

const TensorView *WeightStore::find(std::string_view name) const {
  std::string exact(name);
  if (const TensorView *tensor = findStored(exact))
    return tensor;
  if (basePrefix.empty())
    return nullptr;
  std::string prefix = basePrefix + ".";
  return findStored(exact.starts_with(prefix) ? exact.substr(prefix.size()) : prefix + exact);
}

Result<const TensorView *> WeightStore::require(std::string_view name, std::span<const int64_t> shape) const {
  const TensorView *tensor = find(name);
  if (!tensor)
    return Diagnostic{"W0136", "the weights hold no tensor " + printableName(name), directory,
                      "the files may be of another architecture than config.json says; `weft inspect` lists both"};
  if (!std::ranges::equal(tensor->shape, shape))
    return Diagnostic{"W0137",
                      "the tensor " + printableName(tensor->name) + " has shape " + printableShape(tensor->shape) +
                          ", where config.json makes it " + printableShape(shape),
                      directory, "config.json and the weights are of two models: fetch both from one place"};
  return tensor;
}

std::vector<std::string_view> WeightStore::names() const {
  std::vector<std::string_view> result;
  for (const auto &[name, tensor] : byName)
    result.push_back(name);
  return result;
}

} // namespace weft
