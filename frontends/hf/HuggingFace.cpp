// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The import as a page: read the configuration, check it, open the entries, build body, head and pooling.
#include "frontends/hf/HuggingFace.h"

#include "frontends/hf/Causal.h"
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
    std::string_view dtype = tensor->scales.empty() ? dtypeName(tensor->dtype) : "MXFP4";
    return StoredTensor{tensor->name, std::string(dtype), tensor->shape};
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

void checkDimNames(const ImportOptions &options, bool hasContext, Config &config) {
  std::vector<llvm::StringRef> names = {"batch", "sequence"};
  if (hasContext && options.pageLength)
    names.insert(names.end(), {"blocks", "pages"});
  else if (hasContext)
    names.push_back("context");
  for (const auto &[dim, range] : options.dimBounds)
    if (!llvm::is_contained(names, dim))
      config.refuse("W0208", "the model has no dimension \"" + dim + "\"",
                    "its dimensions are " + llvm::join(llvm::ArrayRef(names).drop_back(), ", ") + " and " +
                        names.back().str());
}

/// Pages of a cache, where nothing is said: room for so many texts of the usual context.
constexpr int64_t kTextsByDefault = 16;
constexpr int64_t kMostPages = int64_t(1) << 31;

/// The pages of a session, and those of one text.
void boundPages(GraphBuilder &graph, const ImportOptions &options, int64_t longest, Config &config) {
  int64_t length = options.pageLength, most = llvm::divideCeil(longest, length);
  int64_t usual = llvm::divideCeil(std::min(longest, kContextByDefault), length);
  auto blocks = boundsOf(options, "blocks", most, most, config);
  auto pages = boundsOf(options, "pages", usual * kTextsByDefault, kMostPages, config);
  graph.bound("blocks", blocks.first, blocks.second);
  graph.bound("pages", pages.first, pages.second);
}

/// W0209: pages are asked for where something else lives from call to call, or where nothing does.
void checkPages(const CausalModel &model, Task task, Config &config) {
  const char *help = "leave --cache-page out";
  if (task != Task::CausalLM)
    return config.refuse(
        "W0209", "only models that continue texts have caches, and this one has no language model's head", help);
  if (model.longestContext == 0)
    return config.refuse("W0209", "the model keeps no keys and values, so there is nothing that pages could hold",
                         help);
  if (const StateSpec *state = findUnpagedState(model))
    config.refuse("W0209",
                  "the model keeps " + state->name +
                      " of a text, which is no row for each position: pages hold "
                      "keys and values only",
                  help);
}

/// What one folder is imported with.
struct Import {
  MLIRContext &context;
  std::filesystem::path folder; ///< empty: there is none
  WeightStore &weights;
  const ImportOptions &options;
  Config &config;
  const Architecture &architecture;

  /// A builder whose dimensions have the bounds of the user and the model. Failures of `config` come first.
  GraphBuilder begin(const StoredParameters &parameters, int64_t longest, int64_t longestByDefault,
                     int64_t longestContext = 0) {
    checkDimNames(options, longestContext > 0, config);
    auto batch = boundsOf(options, "batch", 64, 1 << 16, config);
    auto sequence = boundsOf(options, "sequence", longestByDefault, longest, config);
    weights.setBasePrefix(architecture.tensorPrefix);
    GraphBuilder graph(context, parameters, architecture.modelType);
    graph.bound("batch", batch.first, batch.second);
    graph.bound("sequence", sequence.first, sequence.second);
    if (longestContext > 0 && options.pageLength > 0) {
      boundPages(graph, options, longestContext, config);
    } else if (longestContext > 0) {
      auto context = boundsOf(options, "context", std::min(longestContext, kContextByDefault), longestContext, config);
      graph.bound("context", context.first, context.second);
    }
    return graph;
  }
};

Result<OwningOpRef<ModuleOp>> importEncoder(Import in) {
  if (in.options.pageLength > 0)
    in.config.refuse("W0209", "an encoder has no caches", "leave --cache-page out");
  EncoderModel model = in.architecture.read(in.config);
  model.heads.tied = in.config.flag("tie_word_embeddings", true);
  Result<std::optional<SentencePooling>> pooling = std::optional<SentencePooling>();
  if (!in.folder.empty())
    pooling = readSentencePooling(in.folder, model.hidden);
  if (!pooling)
    return pooling.takeError();
  // A sentence transformer is built on the bare encoder, whatever class its weights were saved from.
  Task task = *pooling ? Task::Base : readTask(in.config, in.architecture);
  int64_t labels = readLabelCount(in.config);
  StoredParameters parameters(in.weights);
  GraphBuilder graph = in.begin(parameters, model.maxTokens, model.maxTokens);
  if (in.config.failed())
    return in.config.takeError();
  std::vector<InputSpec> inputs = {{"input_ids", {"batch", "sequence"}, model.vocabulary},
                                   {"attention_mask", {"batch", "sequence"}, 2, 1}};
  if (model.tokenTypes)
    inputs.push_back({"token_type_ids", {"batch", "sequence"}, model.tokenTypes, 0});
  graph.beginEntry("encode", inputs);
  Value hidden = model.encode(graph);
  buildOutputs(graph, model, task, labels, hidden);
  if (*pooling)
    buildSentenceEmbedding(graph, **pooling, hidden);
  graph.endEntry();
  return graph.finish();
}

/// The tokens that end a text: by generation_config.json, or where the folder has none, by config.json. Those outside
/// of the vocabulary never come.
Result<std::vector<int64_t>> readEndTokens(const Import &in, int64_t byDefault) {
  std::filesystem::path file = in.folder / "generation_config.json";
  std::optional<std::vector<int64_t>> ends;
  if (std::error_code ignored; !in.folder.empty() && std::filesystem::exists(file, ignored)) {
    Result<Config> generation = Config::load(file);
    if (!generation)
      return generation.takeError();
    ends = generation->integers("eos_token_id");
    if (generation->failed())
      return generation->takeError();
  }
  if (!ends)
    ends = in.config.integers("eos_token_id");
  return ends.value_or(std::vector<int64_t>{byDefault});
}

Result<OwningOpRef<ModuleOp>> importCausal(Import in) {
  CausalModel model = in.architecture.readCausal(in.config);
  Result<std::vector<int64_t>> ends = readEndTokens(in, model.endToken);
  if (!ends)
    return ends.takeError();
  Task task = readTask(in.config, in.architecture);
  StoredParameters parameters(in.weights);
  CacheLayout cache{in.options.pageLength};
  if (cache.isPaged() && !in.config.failed())
    checkPages(model, task, in.config);
  int64_t longest = model.longestText ? model.longestText : kLongestText;
  GraphBuilder graph = in.begin(parameters, longest, std::min(longest, kLongestTextByDefault), model.longestContext);
  if (in.config.failed())
    return in.config.takeError();
  buildCausalEntries(graph, model, task, cache);
  Result<OwningOpRef<ModuleOp>> module = graph.finish();
  if (module)
    (**module)->setAttr("weft.end_tokens", DenseI64ArrayAttr::get(&in.context, *ends));
  return module;
}

} // namespace

static Result<OwningOpRef<ModuleOp>> importModel(MLIRContext &context, const std::filesystem::path &folder,
                                                 Config &config, WeightStore &weights, const ImportOptions &options) {
  const Architecture *architecture = findArchitecture(config);
  if (!architecture)
    return config.takeError();
  Import in{context, folder, weights, options, config, *architecture};
  return architecture->readCausal ? importCausal(in) : importEncoder(in);
}

Result<OwningOpRef<ModuleOp>> importHuggingFace(MLIRContext &context, const std::filesystem::path &folder,
                                                WeightStore &weights, const ImportOptions &options) {
  Result<Config> config = Config::load(folder / "config.json");
  if (!config)
    return config.takeError();
  return importModel(context, folder, *config, weights, options);
}

Result<OwningOpRef<ModuleOp>> importConfig(MLIRContext &context, Config config, WeightStore &weights,
                                           const ImportOptions &options) {
  return importModel(context, {}, config, weights, options);
}

Result<OwningOpRef<ModuleOp>> importHuggingFace(MLIRContext &context, const std::filesystem::path &folder,
                                                const ImportOptions &options) {
  Result<WeightStore> weights = WeightStore::open(folder);
  if (!weights)
    return weights.takeError();
  return importHuggingFace(context, folder, *weights, options);
}

} // namespace weft
