// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A model's path into a Graph. Content tells what it is: a folder with config.json is Hugging Face's, a file of text or
// bytecode is MLIR, and a file that begins with GGUF is llama.cpp's.
#include "compiler/DimBounds.h"
#include "compiler/Graph.h"
#include "compiler/IsolatedModule.h"
#include "compiler/RegisterAll.h"
#include "compiler/emit/ModelDescription.h"
#include "dialects/weft/WeftDialect.h"
#include "frontends/gguf/GgufModel.h"
#include "frontends/hf/HuggingFace.h"
#include "frontends/weights/MappedFile.h"
#include "frontends/weights/WeightStore.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/Parser/Parser.h"

#include <set>

namespace weft {
namespace {

namespace fs = std::filesystem;

mlir::DialectRegistry allDialects() {
  mlir::DialectRegistry registry;
  registerAllDialects(registry);
  return registry;
}

ImportOptions optionsOf(const std::map<std::string, DimBounds> &dims, int64_t pageLength) {
  ImportOptions options;
  for (const auto &[name, bounds] : dims)
    options.dimBounds[name] = {bounds.min, bounds.max};
  options.pageLength = pageLength;
  return options;
}

Result<Graph> importFolder(Context &context, const fs::path &path, const std::map<std::string, DimBounds> &dims,
                           int64_t pageLength) {
  std::error_code ignored;
  if (fs::exists(path / "manifest.json", ignored) && !fs::exists(path / "config.json", ignored))
    return Diagnostic{"W0614", "this is a compiled artifact, not a model", path.string(),
                      "run it as it is, or name the model's own folder"};
  Result<WeightStore> opened = WeightStore::open(path);
  if (!opened)
    return opened.takeError();
  auto store = std::make_shared<WeightStore>(std::move(*opened));
  auto module = importHuggingFace(context.impl().mlir, path, *store, optionsOf(dims, pageLength));
  if (!module)
    return module.takeError();
  auto graph = std::make_unique<Graph::Impl>();
  graph->module = std::move(*module);
  graph->weights = {[store](std::string_view name) { return store->find(name); }, store->place()};
  if (fs::exists(path / "tokenizer.json", ignored))
    graph->tokenizer = path / "tokenizer.json";
  graph->source = fs::weakly_canonical(path, ignored).filename().string();
  return Graph(std::move(graph));
}

/// W0162: a tensor that no parameter of the graph is made of. Passing over it could change results.
Result<void> checkAllUsed(mlir::ModuleOp module, const WeightStore &store) {
  std::set<std::string_view> unused;
  for (std::string_view name : store.names())
    unused.insert(name);
  module.walk([&](ParameterOp op) {
    for (llvm::StringRef source : op.getSourceNames())
      if (const TensorView *tensor = store.find(source.str()))
        unused.erase(tensor->name);
  });
  if (unused.empty())
    return {};
  return Diagnostic{"W0162",
                    "the model that the metadata describe has no use for " + std::to_string(unused.size()) +
                        " of the tensors, such as " + printableName(*unused.begin()),
                    store.place(), "the file is damaged, or of a newer kind of model than Weft knows"};
}

Result<Graph> importGguf(Context &context, const fs::path &path, const std::map<std::string, DimBounds> &dims,
                         int64_t pageLength) {
  Result<gguf::GgufFile> file = gguf::GgufFile::open(path);
  if (!file)
    return file.takeError();
  Result<gguf::GgufModel> model = gguf::readGgufModel(std::move(*file));
  if (!model)
    return model.takeError();
  auto store = std::make_shared<WeightStore>(std::move(model->weights));
  auto module = importConfig(context.impl().mlir, Config(std::move(model->config), path.string()), *store,
                             optionsOf(dims, pageLength));
  if (!module)
    return module.takeError();
  if (Result<void> used = checkAllUsed(**module, *store); !used)
    return used.takeError();
  auto graph = std::make_unique<Graph::Impl>();
  graph->module = std::move(*module);
  graph->weights = {[store](std::string_view name) { return store->find(name); }, store->place()};
  graph->tokenizerText = std::move(model->tokenizer);
  graph->source = path.filename().string();
  return Graph(std::move(graph));
}

/// The weights of NAME.mlir lie in NAME.safetensors, if there are any.
Result<TensorLookup> openWeightsBeside(const fs::path &path) {
  fs::path weights = path;
  weights.replace_extension(".safetensors");
  std::error_code ignored;
  if (!fs::exists(weights, ignored))
    return TensorLookup{};
  Result<SafetensorsFile> opened = SafetensorsFile::open(weights);
  if (!opened)
    return opened.takeError();
  auto file = std::make_shared<SafetensorsFile>(std::move(*opened));
  return TensorLookup{[file](std::string_view name) { return file->find(name); }, weights.string()};
}

Result<mlir::OwningOpRef<mlir::ModuleOp>> parseModule(mlir::MLIRContext &context, const fs::path &path,
                                                      const std::string &text) {
  std::optional<Diagnostic> first;
  mlir::ScopedDiagnosticHandler handler(&context, [&](mlir::Diagnostic &diagnostic) {
    if (diagnostic.getSeverity() == mlir::DiagnosticSeverity::Error && !first)
      first = Diagnostic{
          "W0602", diagnostic.str(), placeOf(diagnostic.getLocation()),
          "a model is MLIR text, a GGUF file, or a Hugging Face folder with config.json and model.safetensors"};
  });
  auto module = mlir::parseSourceString<mlir::ModuleOp>(text, &context, path.string());
  if (module)
    return module;
  return first ? std::move(*first) : Diagnostic{"W0602", "the file is not MLIR", path.string(), ""};
}

Result<Graph> importFile(Context &context, const fs::path &path, const std::map<std::string, DimBounds> &dims,
                         int64_t pageLength) {
  Result<MappedFile> file = MappedFile::open(path);
  if (!file)
    return file.takeError();
  if (gguf::isGguf(file->bytes()))
    return importGguf(context, path, dims, pageLength);
  bool bytecode = file->text().starts_with("ML\xefR");
  // Neither text nor MLIR's bytecode: weights, a pickle, a protobuf. MLIR's errors would speak of odd tokens.
  if (!bytecode && file->text().substr(0, 4096).find('\0') != std::string_view::npos)
    return Diagnostic{
        "W0615", "the file is no model that Weft reads", path.string(),
        "a model is MLIR text, a GGUF file, or a Hugging Face folder with config.json and model.safetensors"};
  // Copied: the lexer looks for the zero behind the text, which a mapping need not have.
  std::string text(file->text());
  auto module = parseModule(context.impl().mlir, path, text);
  if (!module)
    return module.takeError();
  if (Result<ModelDescription> described = describeModel(**module); !described)
    return described.takeError();
  if (Result<void> narrowed = narrowDims(**module, dims); !narrowed)
    return narrowed.takeError();
  Result<TensorLookup> weights = openWeightsBeside(path);
  if (!weights)
    return weights.takeError();
  auto graph = std::make_unique<Graph::Impl>();
  graph->module = std::move(*module);
  graph->weights = std::move(*weights);
  graph->source = path.filename().string();
  graph->handWritten = true;
  return Graph(std::move(graph));
}

} // namespace

Context::Impl::Impl() : mlir(allDialects(), mlir::MLIRContext::Threading::DISABLED) {}
Context::Context() : state(std::make_unique<Impl>()) {}
Context::~Context() = default;
Context::Context(Context &&) noexcept = default;
Context &Context::operator=(Context &&) noexcept = default;

Graph::Graph(std::unique_ptr<Impl> state) : state(std::move(state)) {}
Graph::~Graph() = default;
Graph::Graph(Graph &&) noexcept = default;
Graph &Graph::operator=(Graph &&) noexcept = default;

std::string Graph::name() const {
  auto name = (*state->module)->getAttrOfType<mlir::StringAttr>("weft.model");
  return name ? name.str() : "model";
}

std::vector<std::string> Graph::entries() const {
  std::vector<std::string> names;
  for (mlir::Operation &op : state->module->getOps())
    if (op.hasAttr("weft.entry"))
      names.push_back(mlir::SymbolTable::getSymbolName(&op).str());
  return names;
}

std::map<std::string, DimBounds> Graph::dims() const { return readDims(*state->module); }

std::vector<int64_t> Graph::endTokens() const {
  auto ends = (*state->module)->getAttrOfType<mlir::DenseI64ArrayAttr>("weft.end_tokens");
  return ends ? ends.asArrayRef().vec() : std::vector<int64_t>();
}

std::string Graph::tokenizer() const { return state->tokenizerText; }

std::string Graph::text() const { return printModule(*state->module); }

Result<Graph> import(Context &context, const std::string &path, const std::map<std::string, DimBounds> &dimBounds,
                     int64_t pageLength) {
  std::error_code error;
  return fs::is_directory(path, error) ? importFolder(context, path, dimBounds, pageLength)
                                       : importFile(context, path, dimBounds, pageLength);
}

} // namespace weft
