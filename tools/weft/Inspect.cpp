// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// weft inspect: what an artifact or a model is: entries, arrays, dimensions, sizes, code variants, operations.
#include "frontends/weights/MappedFile.h"
#include "frontends/weights/Safetensors.h"
#include "frontends/weights/SafetensorsWriter.h"
#include "tools/weft/InspectKernels.h"
#include "tools/weft/Model.h"

#include <algorithm>
#include <cstdio>
#include <filesystem>

namespace weft::cli {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

struct Options {
  std::string path;
  bool json = false, coverage = false, kernels = false;
  std::vector<std::string> targets;
  std::string against;
};

// ---- Facts, as JSON ----

Json shapeOf(const weft_tensor_info &info) {
  Json shape = Json::array();
  for (int32_t axis = 0; axis < info.rank; ++axis)
    if (info.dim_names[axis])
      shape.push_back(info.dim_names[axis]);
    else
      shape.push_back(std::to_string(info.shape[axis]));
  return shape;
}

Json factsOf(const std::vector<weft_tensor_info> &tensors) {
  Json list = Json::array();
  for (const weft_tensor_info &info : tensors) {
    Json tensor = {{"name", info.name}, {"type", weft_dtype_name(info.dtype)}, {"shape", shapeOf(info)}};
    if (info.index_limit > 0)
      tensor["index_limit"] = info.index_limit;
    if (info.optional)
      tensor["default"] = info.default_value;
    list.push_back(std::move(tensor));
  }
  return list;
}

Json factsOf(const std::vector<TensorInfo> &tensors) {
  Json list = Json::array();
  for (const TensorInfo &info : tensors) {
    Json tensor = {
        {"name", info.name}, {"type", weft_dtype_name(static_cast<int32_t>(info.type))}, {"shape", info.shape}};
    if (info.indexLimit > 0)
      tensor["index_limit"] = info.indexLimit;
    if (info.defaultValue)
      tensor["default"] = *info.defaultValue;
    list.push_back(std::move(tensor));
  }
  return list;
}

/// Bytes of a state where each of its dimensions is 1.
double bytesOfEach(const Json &shape, int32_t dtype) {
  double bytes = double(weft_dtype_size(dtype));
  for (const Json &extent : shape)
    if (std::string text = extent.get<std::string>(); text.find_first_not_of("0123456789") == std::string::npos)
      bytes *= std::stod(text);
  return bytes;
}

/// Names and sizes of what entries keep from call to call, each once.
void addStates(Json &facts, const Json &states, Json &entry) {
  for (const Json &state : states) {
    entry["states"].push_back(state["name"]);
    if (!facts.contains("states"))
      facts["states"] = Json::array();
    if (std::find(facts["states"].begin(), facts["states"].end(), state) == facts["states"].end())
      facts["states"].push_back(state);
  }
}

template <class Info, class Dtype> Json statesOf(const std::vector<Info> &infos, Dtype dtype) {
  Json states = factsOf(infos);
  for (size_t i = 0; i < infos.size(); ++i)
    states[i]["bytes"] = bytesOfEach(states[i]["shape"], dtype(infos[i]));
  return states;
}

/// The variants in model.so and which of them this processor takes; what the manifest lists, if it lists anything.
Json variantsOf(const fs::path &folder) {
  Result<nlohmann::json> manifest = readJsonFile(folder / "manifest.json");
  if (!manifest || !manifest->contains("targets"))
    return Json::array();
  return Json::parse((*manifest)["targets"].dump());
}

Json filesOf(const fs::path &folder) {
  Json files = Json::object();
  std::vector<fs::path> paths;
  std::error_code ignored;
  for (const fs::directory_entry &file : fs::recursive_directory_iterator(folder, ignored))
    if (file.is_regular_file(ignored))
      paths.push_back(file.path());
  std::sort(paths.begin(), paths.end());
  for (const fs::path &path : paths)
    files[path.lexically_relative(folder).string()] = fs::file_size(path, ignored);
  return files;
}

Result<Json> inspectArtifact(const std::string &path) {
  ModelOptions options;
  options.isDescribed = true;
  Result<Model> model = Model::open(path, options);
  if (!model)
    return model.takeError();
  Json facts = {{"kind", "artifact"}, {"model", model->name()}, {"compiler", weft_model_compiler(model->handle())}};
  facts["targets"] = variantsOf(path);
  facts["dims"] = Json::object();
  facts["entries"] = Json::array();
  for (const Entry &entry : model->entries()) {
    for (const weft_dim_info &dim : entry.dims)
      facts["dims"][dim.name] = {dim.min, dim.max};
    Json described = {{"name", entry.name}, {"variant", entry.variant}};
    described["inputs"] = factsOf(entry.inputs);
    described["outputs"] = factsOf(entry.outputs);
    addStates(facts, statesOf(entry.states, [](const weft_tensor_info &info) { return info.dtype; }), described);
    if (std::optional<Work> work = model->work(entry.name)) {
      described["flops_per_token"] = work->flops({{"batch", 1}, {"sequence", 1}});
      described["weight_bytes"] = work->bytesRead({{"batch", 1}, {"sequence", 1}});
    }
    facts["entries"].push_back(std::move(described));
  }
  if (Result<SafetensorsFile> weights = SafetensorsFile::open(fs::path(path) / "weights.safetensors"))
    facts["parameters"] = std::count_if(weights->tensors().begin(), weights->tensors().end(),
                                        [](const auto &tensor) { return !tensor.name.starts_with(kPaddingPrefix); });
  facts["files"] = filesOf(path);
  return facts;
}

/// How often each operation stands in MLIR's text: words such as weft.attention at the head of a line or after "= ".
std::map<std::string, int64_t> countOperations(const std::string &text) {
  std::map<std::string, int64_t> counts;
  for (const char *dialect : {"weft.", "linalg.", "tensor."}) {
    for (size_t at = text.find(dialect); at != std::string::npos; at = text.find(dialect, at + 1)) {
      bool begins = at > 0 && text[at - 1] == ' ';
      size_t end = text.find_first_not_of("abcdefghijklmnopqrstuvwxyz_.", at);
      std::string name = text.substr(at, end - at);
      size_t before = text.find_last_not_of(' ', at - 1);
      bool operation = begins && before != std::string::npos && (text[before] == '\n' || text[before] == '=');
      if (operation && !name.ends_with("yield"))
        ++counts[name];
    }
  }
  return counts;
}

/// Distinct kernels, by name: what the outlined program defines.
Json kernelsOf(const std::string &outlined) {
  Json kernels = Json::array();
  for (size_t at = outlined.find("@kernel_"); at != std::string::npos; at = outlined.find("@kernel_", at + 1)) {
    size_t end = outlined.find('(', at), line = outlined.rfind('\n', at) + 1;
    if (outlined.substr(line, at - line).find("func.func") != std::string::npos)
      kernels.push_back(outlined.substr(at + 1, end - at - 1));
  }
  return kernels;
}

Result<Json> inspectModel(const std::string &path, bool coverage) {
  Context context;
  Result<Graph> graph = import(context, path);
  if (!graph)
    return graph.takeError();
  Json facts = {{"kind", "model"}, {"model", graph->name()}};
  facts["dims"] = Json::object();
  for (const auto &[name, bounds] : graph->dims())
    facts["dims"][name] = {bounds.min, bounds.max};
  facts["entries"] = Json::array();
  for (const EntryInfo &entry : graph->describe()) {
    Work work = graph->work(entry.name);
    Json described = {{"name", entry.name}, {"inputs", factsOf(entry.inputs)}, {"outputs", factsOf(entry.outputs)}};
    addStates(facts, statesOf(entry.states, [](const TensorInfo &info) { return int32_t(info.type); }), described);
    described["flops_per_token"] = work.flops({{"batch", 1}, {"sequence", 1}});
    described["weight_bytes"] = work.bytesRead({{"batch", 1}, {"sequence", 1}});
    facts["entries"].push_back(std::move(described));
  }
  if (!coverage)
    return facts;
  facts["operations"] = countOperations(graph->text());
  CompileOptions options;
  options.stopAfter = "outline";
  Result<std::string> outlined = lower(*graph, options);
  if (!outlined)
    return outlined.takeError();
  facts["kernels"] = kernelsOf(*outlined);
  return facts;
}

// ---- Facts, as text ----

std::string shapeText(const Json &shape) {
  std::string text = "[";
  for (const Json &extent : shape)
    text += (text.size() > 1 ? ", " : "") + extent.get<std::string>();
  return text + "]";
}

void printTensors(const char *title, const Json &tensors) {
  for (const Json &tensor : tensors) {
    std::printf("  %-7s %-20s %s %s", title, tensor["name"].get<std::string>().c_str(),
                tensor["type"].get<std::string>().c_str(), shapeText(tensor["shape"]).c_str());
    if (tensor.contains("index_limit"))
      std::printf(", below %lld", tensor["index_limit"].get<long long>());
    if (tensor.contains("default"))
      std::printf(", default %lld", tensor["default"].get<long long>());
    std::printf("\n");
    title = "";
  }
}

std::string joined(const Json &words, const char *separator = ", ") {
  std::string text;
  for (const Json &word : words)
    text += (text.empty() ? "" : separator) + word.get<std::string>();
  return text;
}

/// "f32 [batch, 16, 1536], 98.3 kB · batch"
void printStates(const Json &states) {
  std::printf("\nkept from call to call\n");
  for (const Json &state : states) {
    std::printf("  %-28s %s %s, %s", state["name"].get<std::string>().c_str(), state["type"].get<std::string>().c_str(),
                shapeText(state["shape"]).c_str(), printableBytes(state["bytes"].get<double>()).c_str());
    for (const Json &extent : state["shape"])
      if (std::string text = extent.get<std::string>(); text.find_first_not_of("0123456789") != std::string::npos)
        std::printf(" · %s", text.c_str());
    std::printf("\n");
  }
}

void printEntry(const Json &entry) {
  std::printf("\nentry %s\n", entry["name"].get<std::string>().c_str());
  printTensors("inputs", entry["inputs"]);
  printTensors("outputs", entry["outputs"]);
  if (entry.contains("states"))
    std::printf("  %-7s %zu, see below\n", "states", entry["states"].size());
  if (entry.contains("flops_per_token"))
    std::printf("  %-7s %.3g MFLOP for one token, %s of weights read\n", "work",
                entry["flops_per_token"].get<double>() * 1e-6,
                printableBytes(entry["weight_bytes"].get<double>()).c_str());
  if (entry.contains("variant"))
    std::printf("  %-7s %s is what this processor runs\n", "code", entry["variant"].get<std::string>().c_str());
}

void printFacts(const std::string &path, const Json &facts) {
  std::printf("%s: %s %s\n", path.c_str(), facts["kind"].get<std::string>().c_str(),
              facts["model"].get<std::string>().c_str());
  if (facts.contains("compiler"))
    std::printf("  %-10s %s\n", "made by", facts["compiler"].get<std::string>().c_str());
  if (facts.contains("targets"))
    std::printf("  %-10s %s\n", "code for", joined(facts["targets"]).c_str());
  for (const auto &[name, range] : facts["dims"].items())
    std::printf("  %-10s %lld to %lld\n", name.c_str(), range[0].get<long long>(), range[1].get<long long>());
  if (facts.contains("files")) {
    std::printf("  %-10s %lld\n", "parameters", facts.value("parameters", 0ll));
    for (const auto &[name, bytes] : facts["files"].items())
      std::printf("  %-20s %s\n", name.c_str(), printableBytes(bytes.get<double>()).c_str());
  }
  for (const Json &entry : facts["entries"])
    printEntry(entry);
  if (facts.contains("states"))
    printStates(facts["states"]);
  if (facts.contains("operations")) {
    std::printf("\noperations, all supported\n");
    for (const auto &[name, count] : facts["operations"].items())
      std::printf("  %6lld  %s\n", count.get<long long>(), name.c_str());
    std::printf("\nkernels, %zu distinct\n", facts["kernels"].size());
    for (const Json &kernel : facts["kernels"])
      std::printf("  %s\n", kernel.get<std::string>().c_str());
  }
}

Result<void> inspect(const Options &options) {
  if (options.kernels)
    return inspectKernels(options.path, options.targets, options.against, options.json);
  if (!options.targets.empty() || !options.against.empty())
    return Diagnostic{"W0512", "--target and --against are about the model of a GPU's kernels", "--target, --against",
                      "add --kernels"};
  Result<Json> facts =
      isArtifact(options.path) ? inspectArtifact(options.path) : inspectModel(options.path, options.coverage);
  if (!facts)
    return facts.takeError();
  if (options.json)
    std::printf("%s\n", facts->dump(2).c_str());
  else
    printFacts(options.path, *facts);
  return {};
}

} // namespace

void addInspect(CLI::App &weft, int &exitCode) {
  auto options = std::make_shared<Options>();
  CLI::App *command = weft.add_subcommand("inspect", "Show what an artifact or a model is")->group("Commands");
  command->add_option("ARTIFACT_OR_MODEL", options->path, "NAME.weft, or what weft compile takes")
      ->required()
      ->type_name("");
  command->add_flag("--coverage", options->coverage, "a model's operations and kernels, or all it lacks");
  command->add_flag("--kernels", options->kernels, "a static model of a GPU's kernels; of a .ptx too");
  command->add_option("--target", options->targets, "with --kernels: nvptx:sm_90a or another GPU")->type_name("TARGET");
  command->add_option("--against", options->against, "with --kernels: compare a .ptx file with this one")
      ->type_name("FILE.ptx");
  command->add_flag("--json", options->json, "print one JSON object");
  command->callback([options, &exitCode] {
    if (Result<void> done = inspect(*options); !done)
      exitCode = fail(done.error());
  });
}

} // namespace weft::cli
