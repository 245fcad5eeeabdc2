// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Metadata and names through an architecture's tables. What no table has is refused: it could change results.
#include "frontends/gguf/GgufModel.h"

#include "frontends/gguf/StoredValues.h"
#include "frontends/gguf/TokenizerJson.h"

#include <algorithm>
#include <charconv>

namespace weft::gguf {
namespace {

using nlohmann::json;

const char *const kAnotherFile =
    "the file is damaged, or of a newer kind than Weft knows; fetch the model's folder from "
    "the Hugging Face Hub, which may be supported";

/// A float32 as the number that its author wrote: 1e-06, not 9.999999974752427e-07.
double shortest(float value) {
  char text[32];
  auto end = std::to_chars(text, text + sizeof(text), value).ptr;
  double result = value;
  std::from_chars(text, end, result);
  return result;
}

/// Nothing: no value of a config.json. Of an array that has one value everywhere, that value.
std::optional<json> jsonOf(const Value &value) {
  if (std::optional<bool> flag = value.flag())
    return json(*flag);
  if (std::optional<int64_t> integer = value.integer())
    return json(*integer);
  if (std::optional<double> number = value.number())
    return json(value.type == ValueType::F32 ? shortest(static_cast<float>(*number)) : *number);
  std::optional<std::vector<int64_t>> integers = value.integers();
  if (!integers || integers->empty() ||
      std::ranges::any_of(*integers, [&](int64_t each) { return each != integers->front(); }))
    return std::nullopt;
  return json(integers->front());
}

class ModelReader {
public:
  explicit ModelReader(const GgufFile &file) : file(file) {}

  Result<json> readConfig();
  Result<std::vector<TensorView>> readTensors();

private:
  Result<void> findArchitecture();
  Result<void> readFields(json &config);
  Result<void> readScaling(json &config);
  Result<void> readFrequencies(json &config);
  Result<void> readWindows(json &config);
  void readEnds(json &config);
  const BlockTensor *findTensor(std::string_view name) const;
  Result<std::vector<TensorView>> readTensor(const BlockTensor &tensor, const HeadCounts &heads);

  Diagnostic wrong(const std::string &key, const std::string &what) const {
    return {"W0161", what, file.place() + ", metadata " + printableName(key), kAnotherFile};
  }

  const GgufFile &file;
  const GgufArchitecture *architecture = nullptr;
  ModelFacts facts{file.metadata(), {}};
};

Result<void> ModelReader::findArchitecture() {
  auto found = file.metadata().find("general.architecture");
  std::optional<std::string_view> name = found == file.metadata().end() ? std::nullopt : found->second.text();
  if (!name)
    return wrong("general.architecture", "the file does not name its architecture");
  std::string known;
  for (const GgufArchitecture &candidate : ggufArchitectures()) {
    if (*name == candidate.name) {
      architecture = &candidate;
      facts.prefix = std::string(*name) + ".";
      return {};
    }
    known += std::string(known.empty() ? "" : ", ") + candidate.name;
  }
  return Diagnostic{"W0160", "the architecture " + printableName(*name) + " is not supported in GGUF files",
                    file.place(), "the supported ones are " + known + "; more are supported as Hugging Face folders"};
}

Result<void> ModelReader::readFields(json &config) {
  for (const auto &[key, value] : file.metadata()) {
    if (!key.starts_with(facts.prefix))
      continue;
    const ConfigField *field = nullptr;
    for (std::span<const ConfigField> list : architecture->fields)
      for (const ConfigField &row : list)
        if (key.substr(facts.prefix.size()) == row.key)
          field = &row;
    if (!field)
      return wrong(key, "the file says something of the model that Weft does not compute");
    if (!field->field)
      continue;
    std::optional<json> converted = jsonOf(value);
    if (!converted)
      return wrong(key, value.type == ValueType::Array ? "the value differs between layers, which Weft does not compute"
                                                       : "the value is no number");
    config[field->field] = std::move(*converted);
  }
  return {};
}

/// How positions are scaled. W0161: in a way that config.json could not say either.
Result<void> ModelReader::readScaling(json &config) {
  double width = facts.number("attention.key_length", 0), heads = facts.number("attention.head_count", 0);
  if (width == 0 && heads > 0)
    width = facts.number("embedding_length", 0) / heads;
  double turned = facts.number("rope.dimension_count", width);
  if (width > 0 && turned != width)
    config["partial_rotary_factor"] = turned / width;
  const Value *type = facts.find("rope.scaling.type");
  std::string_view name = type ? type->text().value_or("?") : facts.find("rope.scaling.factor") ? "linear" : "none";
  if (name == "none")
    return {};
  if (name != "linear" && name != "yarn")
    return wrong(facts.prefix + "rope.scaling.type", "positions are scaled by " + printableName(name));
  json scaling = {{"rope_type", name}, {"factor", facts.number("rope.scaling.factor", 1)}};
  if (facts.find("rope.scaling.original_context_length"))
    scaling["original_max_position_embeddings"] = facts.count("rope.scaling.original_context_length");
  if (config.contains("rope_theta"))
    scaling["rope_theta"] = config["rope_theta"];
  config["rope_parameters"] = scaling;
  return {};
}

/// Llama 3 divides the frequencies of its positions by numbers that are a tensor of the file. LongRoPE does just that.
Result<void> ModelReader::readFrequencies(json &config) {
  const BlockTensor *factors = findTensor("rope_freqs.weight");
  if (!factors)
    return {};
  std::vector<float> values(factors->elements());
  BlockDecoder(*factors->format).decode(factors->bytes, values);
  std::vector<double> numbers(values.begin(), values.end());
  json scaling = {
      {"rope_type", "longrope"}, {"short_factor", numbers}, {"long_factor", numbers}, {"attention_factor", 1.0}};
  if (config.contains("rope_theta"))
    scaling["rope_theta"] = config["rope_theta"];
  if (config.contains("max_position_embeddings"))
    scaling["original_max_position_embeddings"] = config["max_position_embeddings"];
  config["rope_parameters"] = scaling;
  return {};
}

/// Which layers see a window: one truth value for each, or every so many see all.
Result<void> ModelReader::readWindows(json &config) {
  const Value *pattern = facts.find("attention.sliding_window_pattern");
  if (!pattern)
    return {};
  if (std::optional<int64_t> every = pattern->integer()) {
    config["sliding_window_pattern"] = *every;
    return {};
  }
  std::optional<std::vector<bool>> slides = pattern->flags();
  if (!slides)
    return wrong(facts.prefix + "attention.sliding_window_pattern", "the pattern is no integer and no truth values");
  for (bool slide : *slides)
    config["layer_types"].push_back(slide ? "sliding_attention" : "full_attention");
  return {};
}

void ModelReader::readEnds(json &config) {
  std::vector<int64_t> ends;
  for (const char *key : {"tokenizer.ggml.eos_token_id", "tokenizer.ggml.eot_token_id", "tokenizer.ggml.eom_token_id"})
    if (auto found = file.metadata().find(key); found != file.metadata().end())
      if (std::optional<int64_t> id = found->second.integer(); id && std::ranges::find(ends, *id) == ends.end())
        ends.push_back(*id);
  if (!ends.empty())
    config["eos_token_id"] = ends;
}

const BlockTensor *ModelReader::findTensor(std::string_view name) const {
  auto found = std::ranges::find(file.tensors(), name, &BlockTensor::name);
  return found == file.tensors().end() ? nullptr : &*found;
}

Result<json> ModelReader::readConfig() {
  if (Result<void> found = findArchitecture(); !found)
    return found.takeError();
  json config = {{"model_type", architecture->modelType}};
  for (auto step :
       {&ModelReader::readFields, &ModelReader::readScaling, &ModelReader::readFrequencies, &ModelReader::readWindows})
    if (Result<void> done = (this->*step)(config); !done)
      return done.takeError();
  const BlockTensor *table = findTensor("token_embd.weight");
  if (!table || table->shape.size() != 2)
    return Diagnostic{"W0162", "the file has no table of embeddings, token_embd.weight", file.place(), kAnotherFile};
  config["vocab_size"] = table->shape[0];
  config["tie_word_embeddings"] = findTensor("output.weight") == nullptr;
  // Whether there are biases is a field of a folder; in a file they are there or not.
  bool attends = findTensor("blk.0.attn_q.bias") != nullptr;
  config["attention_bias"] = config["qkv_bias"] = attends;
  config["mlp_bias"] = findTensor("blk.0.ffn_up.bias") != nullptr;
  readEnds(config);
  if (architecture->finish)
    architecture->finish(config, facts);
  return config;
}

/// The layer's number where `name` is `pattern` with a number for its #; empty where it has none; nothing: another
/// name.
std::optional<std::string> match(std::string_view name, std::string_view pattern) {
  size_t mark = pattern.find('#');
  if (mark == std::string_view::npos)
    return name == pattern ? std::optional<std::string>("") : std::nullopt;
  std::string_view before = pattern.substr(0, mark), after = pattern.substr(mark + 1);
  if (!name.starts_with(before) || !name.ends_with(after) || name.size() <= before.size() + after.size())
    return std::nullopt;
  std::string number(name.substr(before.size(), name.size() - before.size() - after.size()));
  bool isNumber = std::ranges::all_of(number, [](char c) { return c >= '0' && c <= '9'; });
  return isNumber ? std::optional(number) : std::nullopt;
}

/// Where rows change places, so do the numbers of a bias; all else was done to weights alone.
Change changeOfBias(Change change) {
  return change == Change::QueryRows || change == Change::KeyRows ? change : Change::None;
}

std::string withBias(std::string_view name) {
  constexpr std::string_view kWeight = ".weight";
  return std::string(name.substr(0, name.size() - kWeight.size())) + ".bias";
}

Result<std::vector<TensorView>> ModelReader::readTensor(const BlockTensor &tensor, const HeadCounts &heads) {
  auto named = [&](std::string_view pattern, std::string name,
                   Change change) -> std::optional<Result<std::vector<TensorView>>> {
    std::optional<std::string> layer = match(tensor.name, pattern);
    if (!layer)
      return std::nullopt;
    if (size_t mark = name.find('#'); mark != std::string::npos)
      name.replace(mark, 1, *layer);
    return viewsOf(tensor, name, change, heads, file.place());
  };
  for (std::span<const TensorName> list : architecture->tensors)
    for (const TensorName &row : list) {
      if (auto views = named(row.gguf, row.name, row.change))
        return std::move(*views);
      if (std::string_view(row.gguf).ends_with(".weight"))
        if (auto views = named(withBias(row.gguf), withBias(row.name), changeOfBias(row.change)))
          return std::move(*views);
    }
  return Diagnostic{"W0162",
                    "the architecture " + std::string(architecture->name) + " has no tensor of this name in Weft",
                    file.place() + ", tensor " + printableName(tensor.name), kAnotherFile};
}

Result<std::vector<TensorView>> ModelReader::readTensors() {
  HeadCounts heads{facts.count("attention.head_count"), facts.count("attention.head_count_kv")};
  if (!facts.find("attention.head_count_kv"))
    heads.keys = heads.queries;
  std::vector<TensorView> tensors;
  for (const BlockTensor &tensor : file.tensors()) {
    if (tensor.name == "rope_freqs.weight")
      continue;
    Result<std::vector<TensorView>> views = readTensor(tensor, heads);
    if (!views)
      return views.takeError();
    std::ranges::move(*views, std::back_inserter(tensors));
  }
  return tensors;
}

} // namespace

Result<GgufModel> readGgufModel(GgufFile opened) {
  auto file = std::make_shared<const GgufFile>(std::move(opened));
  ModelReader reader(*file);
  Result<json> config = reader.readConfig();
  if (!config)
    return config.takeError();
  Result<std::string> tokenizer = tokenizerJson(file->metadata(), file->place());
  if (!tokenizer)
    return tokenizer.takeError();
  Result<std::vector<TensorView>> tensors = reader.readTensors();
  if (!tensors)
    return tensors.takeError();
  std::string place = file->place();
  return GgufModel{std::move(*config), std::move(*tokenizer),
                   WeightStore::of(std::move(*tensors), std::move(place), std::move(file))};
}

} // namespace weft::gguf
