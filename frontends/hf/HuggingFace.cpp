// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The import as a page: read the configuration, check it, open the entry, build encoder, head and pooling.
#include "frontends/hf/HuggingFace.h"

#include "frontends/hf/Heads.h"
#include "frontends/hf/SentenceTransformers.h"

using namespace mlir;

namespace weft {
namespace {

/// The weights of a folder, as the builder asks for them.
class StoredParameters : public ParameterSource {
public:
  explicit StoredParameters(const WeightStore &weights) : weights(weights) {}

  std::optional<StoredTensor> find(std::string_view name) const override {
    const TensorView *tensor = weights.find(name);
    if (!tensor)
      return std::nullopt;
    return StoredTensor{tensor->name, std::string(dtypeName(tensor->dtype)), tensor->shape};
  }
  std::string place() const override { return weights.place(); }

private:
  const WeightStore &weights;
};

const Architecture *findArchitecture(Config &config) {
  std::string type = config.text("model_type", ""), known;
  for (const Architecture &architecture : architectures()) {
    if (type == architecture.modelType)
      return &architecture;
    known += std::string(known.empty() ? "" : ", ") + architecture.modelType;
  }
  if (!config.has("model_type"))
    config.refuse("W0201", "model_type is missing", "it names the architecture; the supported ones are " + known);
  else
    config.refuse("W0204", "the architecture \"" + type + "\" is not supported", "the supported ones are " + known);
  return nullptr;
}

/// The bounds of a dimension: the user's, within what the model can.
std::pair<int64_t, int64_t> boundsOf(const ImportOptions &options, const char *dim, int64_t byDefault, int64_t limit,
                                     Config &config) {
  auto found = options.dimBounds.find(dim);
  if (found == options.dimBounds.end())
    return {1, byDefault};
  auto [min, max] = found->second;
  if (min < 1 || max < min || max > limit)
    config.refuse("W0208",
                  "the bounds " + std::to_string(min) + ".." + std::to_string(max) + " of " + dim +
                      " are not possible for this model",
                  "choose bounds within 1.." + std::to_string(limit));
  return found->second;
}

void checkDimNames(const ImportOptions &options, Config &config) {
  for (const auto &[dim, range] : options.dimBounds)
    if (dim != "batch" && dim != "sequence")
      config.refuse("W0208", "the model has no dimension \"" + dim + "\"", "its dimensions are batch and sequence");
}

void beginEntry(GraphBuilder &graph, const EncoderModel &model) {
  std::vector<InputSpec> inputs = {{"input_ids", {"batch", "sequence"}, model.vocabulary},
                                   {"attention_mask", {"batch", "sequence"}, 2, 1}};
  if (model.tokenTypes)
    inputs.push_back({"token_type_ids", {"batch", "sequence"}, model.tokenTypes, 0});
  graph.beginEntry("encode", inputs);
}

} // namespace

Result<OwningOpRef<ModuleOp>> importHuggingFace(MLIRContext &context, const std::filesystem::path &folder,
                                                WeightStore &weights, const ImportOptions &options) {
  Result<Config> loaded = Config::load(folder / "config.json");
  if (!loaded)
    return loaded.takeError();
  Config &config = *loaded;
  const Architecture *architecture = findArchitecture(config);
  if (!architecture)
    return config.takeError();
  EncoderModel model = architecture->read(config);
  model.heads.tied = config.flag("tie_word_embeddings", true);
  Result<std::optional<SentencePooling>> pooling = readSentencePooling(folder, model.hidden);
  if (!pooling)
    return pooling.takeError();
  // A sentence transformer is built on the bare encoder, whatever class its weights were saved from.
  Task task = *pooling ? Task::Base : readTask(config, *architecture);
  int64_t labels = readLabelCount(config);
  checkDimNames(options, config);
  auto batch = boundsOf(options, "batch", 64, 1 << 16, config);
  auto sequence = boundsOf(options, "sequence", model.maxTokens, model.maxTokens, config);
  if (config.failed())
    return config.takeError();

  weights.setBasePrefix(architecture->tensorPrefix);
  StoredParameters parameters(weights);
  GraphBuilder graph(context, parameters, architecture->modelType);
  graph.bound("batch", batch.first, batch.second);
  graph.bound("sequence", sequence.first, sequence.second);
  beginEntry(graph, model);
  Value hidden = model.encode(graph);
  buildOutputs(graph, model, task, labels, hidden);
  if (*pooling)
    buildSentenceEmbedding(graph, **pooling, hidden);
  graph.endEntry();
  return graph.finish();
}

Result<OwningOpRef<ModuleOp>> importHuggingFace(MLIRContext &context, const std::filesystem::path &folder,
                                                const ImportOptions &options) {
  Result<WeightStore> weights = WeightStore::open(folder);
  if (!weights)
    return weights.takeError();
  return importHuggingFace(context, folder, *weights, options);
}

} // namespace weft
