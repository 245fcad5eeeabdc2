// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// weft_check_fixture FOLDER [--target amx,v4,v3,portable] [--threads N] [--weights FORM] [--dtype TYPE]
//   [--artifact NAME.weft]
// weft_check_fixture FOLDER --target nvptx:sm_90a --artifact NAME.weft …
//
// Compiles a fixture in memory, runs its batch with each code variant that this processor has, and prints one line for
// each check: outputs within 1e-5 (relative RMS; 8-bit 1e-1, 4-bit 5e-1, bf16 in tiles 2e-2) of float64, with the
// weights rounded there too for --dtype; a causal model's scores in several calls too; the same bits for one thread and
// two, for each row alone, for the rows in another order, with more padding, and ahead of time. Exit code 3 when one
// fails.
#include "runtime/include/weft/runtime.h"
#include "test/e2e/Fixture.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <optional>

namespace weft::test {
namespace {

constexpr double kBound = 1e-5, kQuantizedBound = 1e-1, kFourBitBound = 5e-1, kTilesBound = 2e-2;
constexpr int64_t kMorePadding = 5;
bool failed = false;

[[noreturn]] void giveUp(const Diagnostic &error) {
  std::fprintf(stderr, "%s\n", error.format().c_str());
  std::exit(isInternalError(error) ? 2 : 1);
}

[[noreturn]] void giveUpOnRuntime() {
  std::fprintf(stderr, "%s\n", weft_last_error());
  std::exit(1);
}

void report(bool ok, const std::string &variant, const std::string &what) {
  failed |= !ok;
  std::printf("%s %-8s %s\n", ok ? "ok  " : "FAIL", variant.c_str(), what.c_str());
  std::fflush(stdout);
}

/// A session of a model, whichever way the model came to be.
class Runner {
public:
  /// None where the processor lacks the variant.
  static std::optional<Runner> make(weft_model *model, const std::string &variant, int threads) {
    weft_session_options options = {};
    options.size = sizeof(options);
    options.threads = threads;
    options.variant = variant.c_str();
    Runner runner;
    runner.model = model;
    weft_session *session = nullptr;
    weft_status status = weft_session_new(model, &options, &session);
    if (status == WEFT_ERROR_INCOMPATIBLE)
      return std::nullopt;
    if (status != WEFT_OK)
      giveUpOnRuntime();
    runner.session.reset(session);
    return runner;
  }

  /// The entry of this name, or the first.
  Outputs run(const Batch &batch, const char *name = nullptr) const {
    std::vector<Array> arrays = batch.arrays();
    std::vector<weft_tensor> inputs, outputs;
    for (Array &array : arrays)
      inputs.push_back(tensorOf(array));
    Outputs results(findEntry(name)->output_count);
    for (size_t index = 0; index < results.size(); ++index)
      outputs.push_back(prepare(results[index], name, index, inputs));
    if (weft_run(session.get(), name, inputs.data(), inputs.size(), outputs.data(), outputs.size()) != WEFT_OK)
      giveUpOnRuntime();
    return results;
  }

  std::optional<weft_entry_info> findEntry(const char *name) const {
    for (size_t index = 0; index < weft_model_entry_count(model); ++index) {
      weft_entry_info entry;
      weft_model_entry(model, index, &entry);
      if (!name || std::string_view(entry.name) == name)
        return entry;
    }
    return std::nullopt;
  }

  void reset() const {
    if (weft_session_reset(session.get()) != WEFT_OK)
      giveUpOnRuntime();
  }

private:
  static weft_tensor tensorOf(Array &array) {
    weft_tensor tensor = {array.name.c_str(),  array.bytes.data(),          array.bytes.size(),
                          int32_t(array.type), int32_t(array.shape.size()), {}};
    std::copy(array.shape.begin(), array.shape.end(), tensor.shape);
    return tensor;
  }

  weft_tensor prepare(Output &output, const char *name, size_t index, const std::vector<weft_tensor> &inputs) const {
    weft_tensor_info info;
    weft_tensor tensor = {};
    weft_model_output(model, name, index, &info);
    tensor.name = info.name;
    if (weft_output_shape(session.get(), name, inputs.data(), inputs.size(), &tensor) != WEFT_OK)
      giveUpOnRuntime();
    output.array = {info.name, ElementType(tensor.dtype), {tensor.shape, tensor.shape + tensor.rank}, {}};
    output.array.bytes.assign(tensor.bytes, std::byte(0xff)); // NaN where nothing is stored
    output.byToken = info.rank >= 2 && info.dim_names[1] && std::string_view(info.dim_names[1]) == "sequence";
    return tensorOf(output.array);
  }

  struct Free {
    void operator()(weft_session *session) const { weft_session_free(session); }
  };
  weft_model *model = nullptr;
  std::unique_ptr<weft_session, Free> session;
};

/// Row `row` of the batch against row `otherRow(row)` of another run, over all rows and outputs.
template <class OtherRow>
bool sameRows(const Batch &batch, const Outputs &mine, const Outputs &other, OtherRow otherRow) {
  for (size_t index = 0; index < mine.size(); ++index)
    for (int64_t row = 0; row < batch.rows; ++row)
      if (!sameRow(mine[index], row, other[index], otherRow(row), batch))
        return false;
  return true;
}

void checkValues(const std::string &variant, const Fixture &fixture, const Outputs &outputs, double bound) {
  for (const auto &[name, expected] : fixture.expected) {
    auto same = [&, &name = name](const Output &output) { return output.array.name == name; };
    auto output = std::find_if(outputs.begin(), outputs.end(), same);
    if (output == outputs.end()) {
      report(false, variant, name + ": there is no such output");
      continue;
    }
    double error = relativeRms(*output, expected, fixture.batch);
    char number[32];
    std::snprintf(number, sizeof(number), "%.2e", error);
    report(error <= bound, variant, name + ": relative RMS " + number);
  }
}

/// Scores [rows, vocabulary] after the token in `column`, of those rows whose text has begun there.
void addScores(const Output &got, const Fixture &fixture, int64_t column, double &difference, double &norm) {
  const std::vector<double> &expected = fixture.expected.at("logits");
  const Batch &batch = fixture.batch;
  std::span<const float> values = got.array.values<float>();
  size_t vocabulary = values.size() / batch.rows;
  for (int64_t row = 0; row < batch.rows; ++row)
    for (size_t token = 0; batch.isToken(row, column) && token < vocabulary; ++token) {
      double wanted = expected[(row * batch.columns + column) * vocabulary + token];
      difference += std::pow(values[row * vocabulary + token] - wanted, 2);
      norm += std::pow(wanted, 2);
    }
}

/// A causal model's batch in calls: part of it through `prefill`, twice, and the rest token by token through `decode`.
void checkCalls(const std::string &variant, const Fixture &fixture, const Runner &runner, double bound) {
  const Batch &batch = fixture.batch;
  if (!runner.findEntry("prefill") || batch.columns < 3)
    return;
  runner.reset();
  double difference = 0, norm = 0;
  int64_t first = batch.columns / 2, second = first + batch.columns / 4;
  addScores(runner.run(batch.part(0, first), "prefill")[0], fixture, first - 1, difference, norm);
  // A text starts after padding of its own call: what begins with a call, or later in decode, goes on from padding.
  Fixture begun = fixture;
  for (int64_t row = 0; row < batch.rows; ++row) {
    bool isBegun = batch.isToken(row, first - 1) || (batch.isToken(row, second - 1) && !batch.isToken(row, first));
    for (int64_t column = first; column < batch.columns && !isBegun; ++column)
      begun.batch.inputs.at("attention_mask")[row * batch.columns + column] = 0;
  }
  addScores(runner.run(batch.part(first, second - first), "prefill")[0], begun, second - 1, difference, norm);
  for (int64_t column = second; column < batch.columns; ++column) {
    Batch next = batch.part(column, 1);
    next.inputs = {{"input_ids", next.inputs.at("input_ids")}};
    addScores(runner.run(next, "decode")[0], begun, column, difference, norm);
  }
  double error = std::sqrt(difference / norm);
  char number[32];
  std::snprintf(number, sizeof(number), "%.2e", error);
  report(error <= bound, variant, std::string("prefill and decode: relative RMS ") + number);
}

void checkBits(const std::string &variant, const Batch &batch, const Outputs &outputs, const Runner &runner,
               int64_t longest) {
  auto sameRowNumber = [](int64_t row) { return row; };
  bool alone = true;
  for (int64_t row = 0; row < batch.rows; ++row) {
    Outputs one = runner.run(batch.alone(row));
    for (size_t index = 0; index < outputs.size(); ++index)
      alone &= sameRow(outputs[index], row, one[index], 0, batch);
  }
  report(alone, variant, "each row alone: same bits");
  Outputs reversed = runner.run(batch.reversed());
  report(sameRows(batch, outputs, reversed, [&](int64_t row) { return batch.rows - 1 - row; }), variant,
         "rows in another order: same bits");
  int64_t more = std::min(kMorePadding, longest - batch.columns);
  if (more <= 0)
    return;
  report(sameRows(batch, outputs, runner.run(batch.paddedBy(more)), sameRowNumber), variant,
         "padded by " + std::to_string(more) + ": same bits");
}

struct Options {
  std::string folder, artifact;
  std::string model; ///< what is imported in the folder's place
  std::string targets = "amx,v4-bf16,v4-vnni,v4,v3,portable,amx-vectors";
  std::string weights = "keep";
  std::string dtype = "f32";
  int threads = 1;

  bool isGpu() const { return targets.starts_with("nvptx:"); }
  std::vector<std::string> variants() const;
};

Options parse(int count, char **arguments) {
  Options options;
  for (int index = 1; index < count; ++index) {
    std::string argument = arguments[index];
    if (!argument.starts_with("--"))
      options.folder = argument;
    else if (++index < count && argument == "--target")
      options.targets = arguments[index];
    else if (index < count && argument == "--artifact")
      options.artifact = arguments[index];
    else if (index < count && argument == "--model")
      options.model = arguments[index];
    else if (index < count && argument == "--weights")
      options.weights = arguments[index];
    else if (index < count && argument == "--dtype")
      options.dtype = arguments[index];
    else if (index < count && argument == "--threads")
      options.threads = std::atoi(arguments[index]);
    else
      options.folder.clear(), index = count;
  }
  if (options.folder.empty() || (options.isGpu() && options.artifact.empty())) {
    std::fprintf(stderr, "usage: weft_check_fixture FOLDER [--target amx,v4,v3,portable] [--threads N] "
                         "[--weights FORM] [--dtype TYPE] [--artifact NAME.weft] [--model FILE]\n"
                         "       weft_check_fixture FOLDER --target nvptx:sm_90a --artifact NAME.weft\n");
    std::exit(1);
  }
  return options;
}

std::vector<std::string> split(const std::string &list) {
  std::vector<std::string> items;
  for (size_t begin = 0; begin <= list.size();) {
    size_t end = std::min(list.find(',', begin), list.size());
    items.push_back(list.substr(begin, end - begin));
    begin = end + 1;
  }
  return items;
}

std::vector<std::string> Options::variants() const {
  return split(isGpu() ? targets.substr(std::string_view("nvptx:").size()) : targets);
}

CompileOptions optionsFor(const Options &options) {
  CompileOptions result;
  result.targets = {options.isGpu() ? options.targets : "cpu:" + options.targets};
  result.weights = options.weights;
  result.dtype = options.dtype == "bf16"  ? ElementType::BF16
                 : options.dtype == "f16" ? ElementType::F16
                                          : ElementType::F32;
  return result;
}

/// Levels whose products with weights of that type round activations too.
bool roundsRows(const std::string &variant, const std::string &dtype) {
  bool isBf16 = dtype == "bf16", isGpu = variant.starts_with("sm_") && dtype != "f32";
  return isGpu || (isBf16 && (variant.starts_with("amx") || variant.starts_with("v4-bf16")));
}

double boundOf(const Options &options, const std::string &variant) {
  if (options.weights != "keep")
    return options.weights == "int4" ? kFourBitBound : kQuantizedBound;
  return roundsRows(variant, options.dtype) ? kTilesBound : kBound;
}

/// The bits of an artifact are those of the code in memory.
void checkArtifact(const Options &options, const Graph &graph, weft_model *inMemory, const Batch &batch) {
  if (Result<void> made = compileToArtifact(graph, options.artifact, optionsFor(options)); !made)
    giveUp(made.error());
  weft_model *model = nullptr;
  if (weft_open(options.artifact.c_str(), nullptr, &model) != WEFT_OK)
    giveUpOnRuntime();
  for (const std::string &variant : options.variants()) {
    std::optional<Runner> here = Runner::make(inMemory, variant, 1), there = Runner::make(model, variant, 1);
    if (here && there)
      report(sameRows(batch, here->run(batch), there->run(batch), [](int64_t row) { return row; }), variant,
             "ahead of time: same bits");
  }
  weft_close(model);
}

/// All checks of each variant that this machine can run.
void checkVariants(const Options &options, const Fixture &fixture, weft_model *model, int64_t longest) {
  for (const std::string &variant : options.variants()) {
    std::optional<Runner> runner = Runner::make(model, variant, options.threads);
    if (!runner) {
      std::printf("skip %-8s this processor lacks it\n", variant.c_str());
      continue;
    }
    Outputs outputs = runner->run(fixture.batch);
    checkValues(variant, fixture, outputs, boundOf(options, variant));
    checkCalls(variant, fixture, *runner, boundOf(options, variant));
    std::optional<Runner> other = Runner::make(model, variant, options.threads == 1 ? 2 : 1);
    report(sameRows(fixture.batch, outputs, other->run(fixture.batch), [](int64_t row) { return row; }), variant,
           "one thread and two: same bits");
    checkBits(variant, fixture.batch, outputs, *runner, longest);
  }
}

/// The same from the artifact, on a GPU.
void checkOnDevice(const Options &options, const Fixture &fixture, const Graph &graph) {
  if (Result<void> made = compileToArtifact(graph, options.artifact, optionsFor(options)); !made)
    giveUp(made.error());
  weft_open_options open = {};
  open.size = sizeof(open);
  open.device = "cuda";
  weft_model *model = nullptr;
  if (weft_open(options.artifact.c_str(), &open, &model) != WEFT_OK)
    giveUpOnRuntime();
  checkVariants(options, fixture, model, graph.dims().at("sequence").max);
  weft_close(model);
}

int check(const Options &options) {
  Result<Fixture> fixture = readFixture(options.folder, options.dtype);
  if (!fixture)
    giveUp(fixture.error());
  Context context;
  Result<Graph> graph = import(context, options.model.empty() ? options.folder : options.model);
  if (!graph)
    giveUp(graph.error());
  if (options.isGpu()) {
    checkOnDevice(options, *fixture, *graph);
    return failed ? 3 : 0;
  }
  Result<Executable> executable = compile(*graph, optionsFor(options));
  if (!executable)
    giveUp(executable.error());
  checkVariants(options, *fixture, executable->model(), graph->dims().at("sequence").max);
  if (!options.artifact.empty())
    checkArtifact(options, *graph, executable->model(), fixture->batch);
  return failed ? 3 : 0;
}

} // namespace
} // namespace weft::test

int main(int count, char **arguments) { return weft::test::check(weft::test::parse(count, arguments)); }
