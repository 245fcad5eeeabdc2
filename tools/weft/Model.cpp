// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
#include "tools/weft/Model.h"

#include "frontends/weights/MappedFile.h"
#include "tools/weft/Progress.h"

#include <algorithm>
#include <chrono>
#include <filesystem>

namespace weft::cli {

namespace fs = std::filesystem;

Diagnostic runtimeError() {
  weft_error error;
  weft_last_error_parts(&error);
  return {error.code, error.message, error.place, error.help};
}

bool isArtifact(const std::string &path) {
  std::error_code ignored;
  auto has = [&](const char *file) { return fs::exists(fs::path(path) / file, ignored); };
  bool named = fs::is_directory(path, ignored) && fs::path(path).extension() == ".weft";
  return (has("manifest.json") || has("model.so") || named) && !has("config.json");
}

template <class Info> static const Info *findNamed(const std::vector<Info> &infos, std::string_view name) {
  auto found = std::find_if(infos.begin(), infos.end(), [&](const Info &info) { return info.name == name; });
  return found == infos.end() ? nullptr : &*found;
}
const weft_tensor_info *Entry::input(std::string_view name) const { return findNamed(inputs, name); }
const weft_tensor_info *Entry::output(std::string_view name) const { return findNamed(outputs, name); }
const weft_dim_info *Entry::dim(std::string_view name) const { return findNamed(dims, name); }

static Result<Executable> compileInMemory(const std::string &path, const ModelOptions &options,
                                          std::map<std::string, Work> &work, std::vector<int64_t> &ends,
                                          std::string &tokenizer) {
  Context context;
  Result<Graph> graph = import(context, path, options.dimBounds);
  if (!graph)
    return graph.takeError();
  Result<ElementType> dtype = parseDtype(options.dtype);
  if (!dtype)
    return dtype.takeError();
  ProgressBar bar(/*quietWhenPiped=*/true);
  CompileOptions compileOptions;
  compileOptions.targets = options.targets;
  compileOptions.weights = options.weights;
  compileOptions.dtype = *dtype;
  for (const std::string &entry : graph->entries()) {
    work[entry] = graph->work(entry);
    work[entry].shrinkWeights(compileOptions.weightShare());
  }
  ends = graph->endTokens();
  tokenizer = graph->tokenizer();
  compileOptions.onProgress = [&](const Progress &progress) { bar.show(progress); };
  return compile(*graph, compileOptions);
}

/// An artifact is as it was compiled; options that say how would be passed over.
static Result<void> refuseCompileOptions(const std::string &path, const ModelOptions &options) {
  std::string given;
  for (const std::string &target : options.targets)
    given += " --target " + target;
  if (options.weights != ModelOptions().weights)
    given += " --weights " + options.weights;
  if (options.dtype != ModelOptions().dtype)
    given += " --dtype " + options.dtype;
  if (given.empty())
    return {};
  return Diagnostic{"W0516", "an artifact is compiled already:" + given + " cannot change it", path,
                    "compile its model again, with weft compile MODEL" + given +
                        "; --variant chooses among the code that an artifact has"};
}

static Result<weft_model *> openArtifact(const std::string &path, const ModelOptions &options) {
  if (Result<void> free = refuseCompileOptions(path, options); !free)
    return free.takeError();
  weft_open_options opening = {sizeof(opening), options.isDescribed ? WEFT_OPEN_DESCRIBE : 0, options.expertsResident,
                               options.device.c_str()};
  weft_model *opened = nullptr;
  if (weft_open(path.c_str(), &opening, &opened) != WEFT_OK)
    return runtimeError();
  return opened;
}

Result<Model> Model::open(const std::string &path, const ModelOptions &options) {
  auto start = std::chrono::steady_clock::now();
  Model result;
  result.folder = path;
  if (isArtifact(path)) {
    Result<weft_model *> opened = openArtifact(path, options);
    if (!opened)
      return opened.takeError();
    result.model = {*opened, Close()};
    result.isCounting = options.expertsResident > 0;
  } else if (options.expertsResident > 0) {
    return Diagnostic{"W0520", "a model that is compiled in memory keeps all of its weights there",
                      path + " --experts-resident " + std::to_string(options.expertsResident),
                      "compile it to an artifact first: weft compile " + path + " -o NAME.weft"};
  } else if (options.device != "auto" && options.device != "cpu") {
    return Diagnostic{"W0521", "a model that is compiled in memory runs on the CPU",
                      path + " --device " + options.device,
                      "compile it to an artifact first: weft compile " + path + " --target nvptx:sm_90a -o NAME.weft"};
  } else {
    Result<Executable> compiled = compileInMemory(path, options, result.computed, result.ends, result.tokenizerText);
    if (!compiled)
      return compiled.takeError();
    result.executable = std::move(*compiled);
    result.model = {result.executable->model(), [](weft_model *) {}};
  }
  result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return result;
}

weft_experts_info Model::experts() const {
  weft_experts_info info = {};
  weft_model_experts(handle(), &info);
  return info;
}

std::vector<Entry> Model::entries() const {
  std::vector<Entry> result;
  weft_entry_info info;
  for (size_t index = 0; weft_model_entry(handle(), index, &info) == WEFT_OK; ++index) {
    Entry entry{info.name, info.variant ? info.variant : "", {}, {}, {}, {}};
    entry.dims.resize(info.dim_count);
    entry.inputs.resize(info.input_count);
    entry.outputs.resize(info.output_count);
    entry.states.resize(info.state_count);
    for (size_t dim = 0; dim < info.dim_count; ++dim)
      weft_model_dim(handle(), info.name, dim, &entry.dims[dim]);
    for (size_t input = 0; input < info.input_count; ++input)
      weft_model_input(handle(), info.name, input, &entry.inputs[input]);
    for (size_t output = 0; output < info.output_count; ++output)
      weft_model_output(handle(), info.name, output, &entry.outputs[output]);
    for (size_t state = 0; state < info.state_count; ++state)
      weft_model_entry_state(handle(), info.name, state, &entry.states[state]);
    result.push_back(std::move(entry));
  }
  return result;
}

Result<Entry> Model::entry(const std::string &name) const {
  std::string known;
  for (Entry &entry : entries()) {
    if (name.empty() || entry.name == name)
      return std::move(entry);
    known += (known.empty() ? "" : ", ") + entry.name;
  }
  return Diagnostic{"W0508", "the model has no entry '" + name + "'", folder, "its entries are " + known};
}

std::optional<Work> Model::work(const std::string &entry) const {
  if (!artifact()) {
    auto found = computed.find(entry);
    return found == computed.end() ? std::nullopt : std::optional(found->second);
  }
  Result<nlohmann::json> manifest = readJsonFile(fs::path(folder) / "manifest.json");
  if (!manifest)
    return std::nullopt;
  // The runtime has checked what it needs of the manifest; this part is for speeds only.
  try {
    const nlohmann::json &stored = manifest->at("entries").at(entry).at("work");
    Work work;
    work.weightBytes = stored.at("weight_bytes").get<double>();
    for (const nlohmann::json &term : stored.at("terms"))
      work.terms.push_back({term.at("flops").get<double>(), term.at("powers").get<std::map<std::string, int>>()});
    for (const nlohmann::json &weight : stored.value("experts", nlohmann::json::array()))
      work.experts.push_back(
          {weight.at("experts").get<double>(),
           weight.at("bytes").get<double>(),
           {weight.at("rows").get<double>(), weight.at("powers").get<std::map<std::string, int>>()}});
    return work;
  } catch (const nlohmann::json::exception &) {
    return std::nullopt;
  }
}

std::vector<int64_t> Model::endTokens() const {
  if (!artifact())
    return ends;
  Result<nlohmann::json> manifest = readJsonFile(fs::path(folder) / "manifest.json");
  if (!manifest)
    return {};
  try {
    return manifest->value("end_tokens", std::vector<int64_t>());
  } catch (const nlohmann::json::exception &) {
    return {};
  }
}

static fs::path tokenizerFile(const std::string &folder) { return fs::path(folder) / "tokenizer.json"; }

bool Model::hasTokenizer() const {
  std::error_code ignored;
  return !tokenizerText.empty() || fs::exists(tokenizerFile(folder), ignored);
}

Result<text::Tokenizer> Model::tokenizer() const {
  return tokenizerText.empty() ? text::Tokenizer::fromFile(tokenizerFile(folder).string())
                               : text::Tokenizer::fromJson(tokenizerText, folder);
}

// ---- Runner ----

static weft_tensor tensorOf(const Array &array) {
  static const std::byte kNothing{}; // empty arrays need an address too
  weft_tensor tensor = {};
  tensor.name = array.name.c_str();
  tensor.data = const_cast<std::byte *>(array.bytes.empty() ? &kNothing : array.bytes.data());
  tensor.bytes = array.bytes.size();
  tensor.dtype = static_cast<int32_t>(array.type);
  tensor.rank = static_cast<int32_t>(array.shape.size());
  std::copy_n(array.shape.begin(), std::min<size_t>(array.shape.size(), WEFT_MAX_RANK), tensor.shape);
  return tensor;
}

Result<Runner> Runner::make(const Model &model, const Entry &entry, int threads, const std::string &variant) {
  weft_session_options options = {};
  options.size = sizeof(options);
  options.threads = threads;
  options.variant = variant.empty() ? nullptr : variant.c_str();
  weft_session *session = nullptr;
  if (weft_session_new(model.handle(), &options, &session) != WEFT_OK)
    return runtimeError();
  Runner runner;
  runner.session = {session, weft_session_free};
  runner.entry = entry;
  runner.device = model.device();
  return runner;
}

Runner Runner::beside(const Entry &other) const {
  Runner runner;
  runner.session = session;
  runner.entry = other;
  runner.device = device;
  return runner;
}

Result<void> Runner::reset() {
  if (weft_session_reset(session.get()) != WEFT_OK)
    return runtimeError();
  return {};
}

Result<void> Runner::prepare(const std::vector<Array> &inputs, const std::vector<std::string> &names) {
  given = inputs;
  results.clear();
  inputTensors.clear();
  outputTensors.clear();
  for (const Array &input : given)
    inputTensors.push_back(tensorOf(input));
  std::vector<std::string> wanted = names;
  if (wanted.empty())
    for (const weft_tensor_info &info : entry.outputs)
      wanted.push_back(info.name);
  for (const std::string &name : wanted) {
    weft_tensor tensor = {};
    tensor.name = name.c_str();
    if (weft_output_shape(session.get(), entry.name.c_str(), inputTensors.data(), inputTensors.size(), &tensor) !=
        WEFT_OK)
      return runtimeError();
    results.push_back({name, ElementType(tensor.dtype), {tensor.shape, tensor.shape + tensor.rank}, {}});
    results.back().bytes.resize(tensor.bytes);
  }
  for (const Array &output : results)
    outputTensors.push_back(tensorOf(output));
  return {};
}

Result<void> Runner::again() {
  if (weft_run(session.get(), entry.name.c_str(), inputTensors.data(), inputTensors.size(), outputTensors.data(),
               outputTensors.size()) != WEFT_OK)
    return runtimeError();
  return {};
}

Result<std::vector<Array>> Runner::run(const std::vector<Array> &inputs, const std::vector<std::string> &names) {
  if (Result<void> prepared = prepare(inputs, names); !prepared)
    return prepared.takeError();
  if (Result<void> ran = again(); !ran)
    return ran.takeError();
  return results;
}

Result<void> Runner::setState(const Array &state) {
  weft_tensor tensor = tensorOf(state);
  if (weft_session_set_state(session.get(), &tensor) != WEFT_OK)
    return runtimeError();
  return {};
}

Result<std::vector<Array>> Runner::states() {
  std::vector<Array> states;
  for (const weft_tensor_info &info : entry.states) {
    weft_tensor tensor = {};
    tensor.name = info.name;
    if (weft_session_state_shape(session.get(), &tensor) != WEFT_OK)
      return runtimeError();
    states.push_back({info.name, ElementType(tensor.dtype), {tensor.shape, tensor.shape + tensor.rank}, {}});
    states.back().bytes.resize(tensor.bytes);
    tensor = tensorOf(states.back());
    if (weft_session_get_state(session.get(), &tensor) != WEFT_OK)
      return runtimeError();
  }
  return states;
}

int Runner::threads() const {
  weft_session_info info = {};
  weft_session_describe(session.get(), &info);
  return info.threads;
}

std::string Runner::place() const {
  if (device != "cpu")
    return device;
  return std::to_string(threads()) + (threads() == 1 ? " thread" : " threads");
}

std::string Runner::variant() const {
  const char *variant = weft_session_variant(session.get(), entry.name.c_str());
  return variant ? variant : "";
}

void addRunArguments(CLI::App &command, RunArguments &arguments) {
  command.add_option("ARTIFACT_OR_MODEL", arguments.path, "NAME.weft, or what weft compile takes")
      ->required()
      ->type_name("");
  command.add_option("--entry", arguments.entry, "the function to run (default: the first)")->type_name("NAME");
  std::string usual = arguments.threads ? std::to_string(arguments.threads) : "all cores";
  command.add_option("--threads", arguments.threads, "threads (default: " + usual + ")")
      ->check(CLI::Range(1, 1024).description(""))
      ->type_name("N");
  command.add_option("--variant", arguments.variant, "code to run, such as v4-bf16 or v3 (default: best)")
      ->type_name("NAME");
  command.add_option("--target", arguments.targets, "compile a model for this (default: this host)")
      ->type_name("TARGET");
  command.add_option("--weights", arguments.weights, "compile it with weights: keep, int8, int4, q8_0")
      ->type_name("FORM");
  command.add_option("--dtype", arguments.dtype, "compile it with weights of: f32, bf16, f16")->type_name("TYPE");
  command.add_option("--device", arguments.device, "an artifact runs on: auto, cpu, cuda, cuda:N")->type_name("DEVICE");
  command.add_option("--experts-resident", arguments.expertsResident, "experts a layer keeps in memory (default: all)")
      ->check(CLI::Range(int64_t(1), int64_t(1) << 20).description(""))
      ->type_name("N");
}

static Result<void> check(const ModelOptions &options) {
  for (const std::string &target : options.targets)
    if (Result<void> checked = checkTarget(target); !checked)
      return checked;
  if (Result<void> checked = checkWeights(options.weights); !checked)
    return checked;
  if (Result<ElementType> dtype = parseDtype(options.dtype); !dtype)
    return dtype.takeError();
  return {};
}

Result<Opened> open(const RunArguments &arguments) {
  if (Result<void> checked = check(arguments); !checked)
    return checked.takeError();
  Result<Model> model = Model::open(arguments.path, arguments);
  if (!model)
    return model.takeError();
  Result<Entry> entry = model->entry(arguments.entry);
  if (!entry)
    return entry.takeError();
  Result<Runner> runner = Runner::make(*model, *entry, arguments.threads, arguments.variant);
  if (!runner)
    return runner.takeError();
  return Opened{std::move(*model), std::move(*entry), std::move(*runner)};
}

} // namespace weft::cli
