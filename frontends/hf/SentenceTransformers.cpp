// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// modules.json and 1_Pooling/config.json into a SentencePooling, and that into ops.
#include "frontends/hf/SentenceTransformers.h"

#include "frontends/hf/Config.h"
#include "frontends/hf/Heads.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;

namespace weft {
namespace {

struct ModeName {
  const char *name;   ///< in `pooling_mode`
  const char *oldKey; ///< of a flag that chooses it
  std::optional<PoolingMode> mode;
};
const ModeName kModes[] = {
    {"cls", "pooling_mode_cls_token", PoolingMode::FirstToken},
    {"max", "pooling_mode_max_tokens", PoolingMode::Max},
    {"mean", "pooling_mode_mean_tokens", PoolingMode::Mean},
    {"mean_sqrt_len_tokens", "pooling_mode_mean_sqrt_len_tokens", PoolingMode::MeanSqrtLength},
    {"weightedmean", "pooling_mode_weightedmean_tokens", std::nullopt},
    {"lasttoken", "pooling_mode_lasttoken", std::nullopt},
};

/// The modes that the file names: `pooling_mode` as a string or list, or flags; mean where it names none.
std::vector<std::string> namedModes(Config &config) {
  if (config.has("pooling_mode")) {
    if (config.isText("pooling_mode"))
      return {config.text("pooling_mode", "")};
    return config.texts("pooling_mode").value_or(std::vector<std::string>());
  }
  std::vector<std::string> modes;
  for (const ModeName &mode : kModes)
    if (config.flag(mode.oldKey, false))
      modes.push_back(mode.name);
  return modes.empty() ? std::vector<std::string>{"mean"} : modes;
}

Result<PoolingMode> readPooling(const std::filesystem::path &file, int64_t hidden) {
  Result<Config> config = Config::load(file);
  if (!config)
    return config.takeError();
  config->integer({"embedding_dimension", "word_embedding_dimension"}, hidden, hidden, hidden);
  std::vector<std::string> modes = namedModes(*config);
  const char *help = "the supported ones are cls, max, mean and mean_sqrt_len_tokens, one at a time";
  if (modes.size() != 1)
    config->refuse("W0221", "the pooling joins " + std::to_string(modes.size()) + " modes", help);
  for (const ModeName &mode : kModes)
    if (!config->failed() && mode.mode && modes.front() == mode.name)
      return *mode.mode;
  if (!config->failed())
    config->refuse("W0221", "the pooling mode " + modes.front() + " is not supported", help);
  return config->takeError();
}

/// The last component of a Python class: "Pooling" of "sentence_transformers.models.Pooling".
std::string className(const std::string &type) { return type.substr(type.rfind('.') + 1); }

/// One entry of modules.json after the encoder.
Result<void> readModule(Config &module, const std::filesystem::path &folder, int64_t hidden, bool &pooled,
                        SentencePooling &result) {
  std::string type = className(module.text("type", "")), path = module.text("path", "");
  if (type == "Pooling") {
    if (std::filesystem::path(path).is_absolute() || path.find("..") != std::string::npos)
      module.refuse("W0220", "the path " + path + " leads out of the model folder", "correct the path");
    if (module.failed())
      return module.takeError();
    Result<PoolingMode> mode = readPooling(folder / path / "config.json", hidden);
    if (!mode)
      return mode.takeError();
    result.mode = *mode;
    pooled = true;
  } else if (type == "Normalize") {
    result.normalize = true;
  } else if (type != "Dropout") { // which does nothing in inference
    module.refuse("W0220", "the module " + type + " is not supported",
                  "after the encoder, Pooling and Normalize are; compile the folder without modules.json for the bare "
                  "encoder");
  }
  if (module.failed())
    return module.takeError();
  return {};
}

} // namespace

Result<std::optional<SentencePooling>> readSentencePooling(const std::filesystem::path &folder, int64_t hidden) {
  std::filesystem::path file = folder / "modules.json";
  std::error_code error;
  if (!std::filesystem::exists(file, error))
    return std::optional<SentencePooling>();
  Result<std::vector<Config>> modules = Config::loadList(file);
  if (!modules)
    return modules.takeError();
  SentencePooling result;
  bool pooled = false;
  for (auto [index, module] : llvm::enumerate(*modules)) {
    if (index == 0 && className(module.text("type", "")) == "Transformer" && module.text("path", "").empty())
      continue;
    if (index == 0)
      return Diagnostic{"W0220", "the first module is no Transformer in the folder itself", module.where(),
                        "compile the folder that holds the encoder's config.json"};
    if (Result<void> read = readModule(module, folder, hidden, pooled, result); !read)
      return read.takeError();
  }
  if (!pooled)
    return std::optional<SentencePooling>();
  return std::optional<SentencePooling>(result);
}

//===----------------------------------------------------------------------===//
// Ops
//===----------------------------------------------------------------------===//

/// The greatest value of each column over the unmasked tokens: [tokens, n] → [batch, n].
static Value maxOfTokens(GraphBuilder &graph, Value hidden) {
  Value split = graph.splitTokens(hidden);
  OpBuilder &ops = graph.ops();
  // Masked tokens count as −1e9, so that a text without tokens stays finite.
  TypedAttr lowest = ops.getF32FloatAttr(-1e9f);
  Value init = graph.fill({graph.sizes(split)[0], graph.sizes(split)[2]}, lowest);
  return graph.reduce(init, graph.dimsMap(3, {0, 2}), {split, graph.input("attention_mask")},
                      {graph.dimsMap(3, {0, 1, 2}), graph.dimsMap(3, {0, 1})},
                      [&](OpBuilder &b, Location l, ValueRange s) -> Value {
                        Value zero = arith::ConstantOp::create(b, l, b.getI64IntegerAttr(0));
                        Value visible = arith::CmpIOp::create(b, l, arith::CmpIPredicate::ne, s[1], zero);
                        Value hiddenValue = arith::ConstantOp::create(b, l, lowest);
                        Value seen = arith::SelectOp::create(b, l, visible, s[0], hiddenValue);
                        return arith::MaximumFOp::create(b, l, s[2], seen);
                      });
}

/// x / max(‖x‖, 1e-12), row by row.
static Value normalizeRows(GraphBuilder &graph, Value x) {
  OpBuilder &ops = graph.ops();
  Value zeros = graph.fill({graph.sizes(x)[0]}, ops.getF32FloatAttr(0.0f));
  Value squares = graph.reduce(zeros, graph.dimsMap(2, {0}), {x}, {graph.dimsMap(2, {0, 1})},
                               [](OpBuilder &b, Location l, ValueRange s) -> Value {
                                 return arith::AddFOp::create(b, l, s[1], arith::MulFOp::create(b, l, s[0], s[0]));
                               });
  Value lengths = graph.map({squares}, [](OpBuilder &b, Location l, ValueRange s) -> Value {
    Value least = arith::ConstantOp::create(b, l, b.getF32FloatAttr(1e-12f));
    return arith::MaximumFOp::create(b, l, math::SqrtOp::create(b, l, s[0]), least);
  });
  return divideRows(graph, x, lengths);
}

static Value pool(GraphBuilder &graph, PoolingMode mode, Value hidden) {
  switch (mode) {
  case PoolingMode::FirstToken:
    return graph.firstToken(hidden);
  case PoolingMode::Max:
    return maxOfTokens(graph, hidden);
  case PoolingMode::Mean:
    return divideRows(graph, sumOfTokens(graph, hidden), countOfTokens(graph, 1e-9));
  case PoolingMode::MeanSqrtLength: {
    Value roots = graph.map({countOfTokens(graph, 1e-9)}, [](OpBuilder &b, Location l, ValueRange s) -> Value {
      return math::SqrtOp::create(b, l, s[0]);
    });
    return divideRows(graph, sumOfTokens(graph, hidden), roots);
  }
  }
  llvm_unreachable("every mode is built above");
}

void buildSentenceEmbedding(GraphBuilder &graph, const SentencePooling &pooling, Value hidden) {
  GraphBuilder::Scope scope(graph, "sentence_embedding");
  Value embedding = pool(graph, pooling.mode, hidden);
  graph.output("sentence_embedding", pooling.normalize ? normalizeRows(graph, embedding) : embedding, {"batch", ""});
}

} // namespace weft
