// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// weft run: texts or arrays through a model once, or continued token by token.
#include "tools/weft/Arrays.h"
#include "tools/weft/Continue.h"
#include "tools/weft/Model.h"
#include "tools/weft/Text.h"

#include <chrono>
#include <cstdio>

namespace weft::cli {
namespace {

struct Options {
  RunArguments run;
  std::string inputs, outputs, json, states, saveStates;
  std::vector<std::string> texts;
  ContinueArguments continued;
};

struct Ran {
  Entry entry;
  std::string variant, device, place;
  int threads = 0;
  double loadSeconds = 0, runSeconds = 0;
  std::vector<Array> outputs, states;
};

Result<void> checkOptions(const Options &options) {
  int given = !options.texts.empty() + !options.inputs.empty() + !options.continued.prompts.empty();
  if (given != 1)
    return Diagnostic{"W0512",
                      given ? "of texts, prompts and arrays, more than one is given" : "there is nothing to run on",
                      "weft run", "give --text \"…\" or --prompt \"…\", once or more, or --inputs in.npz"};
  if (!options.texts.empty() && options.continued.given())
    return Diagnostic{"W0512", "a --text is run through the model, not continued", "weft run",
                      "give --prompt \"…\" to continue it"};
  if (options.continued.given() && !(options.states + options.saveStates).empty())
    return Diagnostic{"W0512", "states are set and saved around one call, not around a continuation", "weft run",
                      "run --entry prefill and --entry decode with --inputs, or leave --states and --save-states out"};
  for (const std::string *path : {&options.inputs, &options.outputs, &options.states, &options.saveStates})
    if (Result<void> checked = checkArraysPath(*path); !path->empty() && !checked)
      return checked;
  return {};
}

/// What an earlier run left.
Result<void> setStates(Runner &runner, const std::string &path) {
  if (path.empty())
    return {};
  Result<std::vector<Array>> states = readArrays(path);
  if (!states)
    return states.takeError();
  for (const Array &state : *states)
    if (Result<void> set = runner.setState(state); !set)
      return set;
  return {};
}

Result<Ran> run(const Options &options) {
  Result<Opened> opened = open(options.run);
  if (!opened)
    return opened.takeError();
  auto &[model, entry, runner] = *opened;
  Result<std::vector<Array>> inputs =
      options.texts.empty() ? readArrays(options.inputs) : encodeTexts(model, entry, options.texts);
  if (!inputs)
    return inputs.takeError();
  if (Result<void> set = setStates(runner, options.states); !set)
    return set.takeError();
  auto start = std::chrono::steady_clock::now();
  Result<std::vector<Array>> outputs = runner.run(*inputs);
  if (!outputs)
    return outputs.takeError();
  double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  Result<std::vector<Array>> states = runner.states();
  if (!states)
    return states.takeError();
  return Ran{entry,   runner.variant(),    model.device(),    runner.place(), runner.threads(), model.loadSeconds(),
             seconds, std::move(*outputs), std::move(*states)};
}

const Array *embeddingOf(const Ran &ran) {
  for (const Array &output : ran.outputs)
    if (output.name == "sentence_embedding" && output.shape.size() == 2 && output.type == ElementType::F32)
      return &output;
  return nullptr;
}

void printArray(const Array &array) {
  constexpr size_t kShown = 4;
  std::printf("  %-20s %-18s", array.name.c_str(), typeText(array).c_str());
  for (size_t index = 0; index < std::min(kShown, elementCount(array)); ++index)
    std::printf(" %8.4f", elementOf(array, index));
  std::printf(elementCount(array) > kShown ? " …\n" : "\n");
}

void printSummary(const Ran &ran) {
  std::printf("%s, variant %s, %s, %s\n\n", ran.entry.name.c_str(), ran.variant.c_str(), ran.place.c_str(),
              printableSeconds(ran.runSeconds).c_str());
  for (const Array &output : ran.outputs)
    printArray(output);
  if (!ran.states.empty())
    std::printf("\n  kept for the next call\n");
  constexpr size_t kStatesShown = 4; // a model has as many as layers
  for (size_t index = 0; index < std::min(kStatesShown, ran.states.size()); ++index)
    printArray(ran.states[index]);
  if (ran.states.size() > kStatesShown)
    std::printf("  and %zu more\n", ran.states.size() - kStatesShown);
  const Array *embedding = embeddingOf(ran);
  if (!embedding || embedding->shape[0] < 2)
    return;
  int64_t rows = std::min<int64_t>(embedding->shape[0], 10);
  std::printf("\n  cosine of the texts\n     ");
  for (int64_t column = 0; column < rows; ++column)
    std::printf(" %6lld", static_cast<long long>(column + 1));
  for (int64_t row = 0; row < rows; ++row) {
    std::printf("\n  %3lld", static_cast<long long>(row + 1));
    for (int64_t column = 0; column < rows; ++column)
      std::printf(" %6.3f", cosine(*embedding, row, column));
  }
  std::printf("\n");
}

nlohmann::json asJson(const Ran &ran) {
  nlohmann::json result = {{"entry", ran.entry.name},
                           {"variant", ran.variant},
                           {"device", ran.device},
                           {"threads", ran.threads},
                           {"load_s", ran.loadSeconds},
                           {"run_s", ran.runSeconds},
                           {"outputs", nlohmann::json::object()}};
  for (const Array &output : ran.outputs)
    result["outputs"][output.name] = {{"shape", output.shape}, {"values", toJson(output)}};
  for (const Array &state : ran.states)
    result["states"][state.name] = {{"shape", state.shape}}; // large: --save-states has the values
  if (const Array *embedding = embeddingOf(ran))
    for (int64_t row = 0; row < embedding->shape[0]; ++row)
      for (int64_t column = 0; column < embedding->shape[0]; ++column)
        result["cosine"][row][column] = cosine(*embedding, row, column);
  return result;
}

Result<void> runAndTell(const Options &options) {
  if (Result<void> checked = checkOptions(options); !checked)
    return checked;
  if (options.continued.given())
    return continueTexts(options.run, options.continued, options.inputs, options.outputs, options.json);
  Result<Ran> ran = run(options);
  if (!ran)
    return ran.takeError();
  if (!options.outputs.empty())
    if (Result<void> written = writeArrays(options.outputs, ran->outputs); !written)
      return written;
  if (!options.saveStates.empty())
    if (Result<void> written = writeArrays(options.saveStates, ran->states); !written)
      return written;
  if (options.json == "-") {
    std::printf("%s\n", asJson(*ran).dump().c_str());
    return {};
  }
  if (!options.json.empty())
    if (Result<void> written = writeFileWhole(options.json, asJson(*ran).dump() + "\n"); !written)
      return written;
  printSummary(*ran);
  return {};
}

} // namespace

void addRun(CLI::App &weft, int &exitCode) {
  auto options = std::make_shared<Options>();
  CLI::App *command = weft.add_subcommand("run", "Run an artifact, or a model compiled in memory")->group("Commands");
  command->add_option("--text", options->texts, "a text; give it once for each")
      ->type_name("TEXT")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  command->add_option("--inputs", options->inputs, "arrays, in .npz or .safetensors")->type_name("FILE");
  command->add_option("--outputs", options->outputs, "write all outputs, likewise")->type_name("FILE");
  command->add_option("--states", options->states, "begin with states that an earlier run saved")->type_name("FILE");
  command->add_option("--save-states", options->saveStates, "write what lives from call to call")->type_name("FILE");
  command->add_option("--json", options->json, "write all outputs as JSON; - prints it")->type_name("FILE");
  addContinueArguments(*command, options->continued);
  addRunArguments(*command, options->run);
  command->footer(
      "Arrays have the names of the model's inputs: input_ids, attention_mask, …\nweft inspect lists them. With "
      "--max-new-tokens their input_ids are continued:\nthe output is sequences.");
  command->callback([options, &exitCode] {
    if (Result<void> done = runAndTell(*options); !done)
      exitCode = fail(done.error());
  });
}

} // namespace weft::cli
