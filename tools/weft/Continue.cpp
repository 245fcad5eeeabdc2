// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/weft/Continue.h"

#include "tools/weft/Arrays.h"
#include "tools/weft/Text.h"

#include <cstdio>
#include <numeric>

namespace weft::cli {
namespace {

constexpr int64_t kUsualLength = 128; ///< new tokens of a prompt where no number is given

/// New text of a row up to the first of the strings at which it ends; what may be the begin of one is held back.
class StoppedText {
public:
  explicit StoppedText(const std::vector<std::string> &stops) : stops(&stops) {}

  /// Adds a part; returns what can be shown of it and of what was held back.
  std::string add(const std::string &part) {
    if (hasStopped)
      return "";
    held += part;
    size_t end = std::string::npos, kept = 0;
    for (const std::string &stop : *stops) {
      end = std::min(end, held.find(stop));
      for (size_t length = std::min(stop.size() - 1, held.size()); length > kept; --length)
        if (held.ends_with(std::string_view(stop).substr(0, length)))
          kept = length;
    }
    hasStopped = end != std::string::npos;
    std::string shown = held.substr(0, hasStopped ? end : held.size() - kept);
    held.erase(0, shown.size());
    return shown;
  }
  /// What was held back of a text that ended otherwise.
  std::string rest() const { return hasStopped ? "" : held; }
  bool stopped() const { return hasStopped; }

private:
  const std::vector<std::string> *stops;
  std::string held;
  bool hasStopped = false;
};

/// New text of each row, shown as it comes where there is one row and somebody looks.
class Writer {
public:
  /// `prompts`: input_ids [rows, tokens]. `stops` outlives the writer.
  static Result<Writer> make(const Model &model, const Array &prompts, bool isShown,
                             const std::vector<std::string> &stops) {
    size_t rows = prompts.shape[0], columns = prompts.shape[1];
    Writer writer;
    writer.isShown = isShown && rows == 1;
    for (size_t row = 0; row < rows; ++row) {
      // How a token is spelled may depend on the one before.
      int64_t last = prompts.values<int64_t>()[(row + 1) * columns - 1];
      Result<TextStream> stream = TextStream::make(model, {static_cast<uint32_t>(last)});
      if (!stream)
        return stream.takeError();
      writer.streams.push_back(std::move(*stream));
    }
    writer.texts.resize(rows);
    writer.ends.assign(rows, StoppedText(stops));
    return writer;
  }

  /// Whether the row's text ends here.
  bool add(size_t row, int64_t token) {
    add(row, streams[row].next(static_cast<uint32_t>(token)));
    return ends[row].stopped();
  }

  /// The texts, or the first thing that went wrong with one.
  Result<std::vector<std::string>> finish() {
    for (size_t row = 0; row < streams.size(); ++row) {
      add(row, streams[row].finish());
      show(row, ends[row].rest());
    }
    if (failure)
      return *failure;
    return texts;
  }

private:
  void add(size_t row, Result<std::string> part) {
    if (!part) {
      failure = part.takeError();
      return;
    }
    show(row, ends[row].add(*part));
  }

  void show(size_t row, const std::string &part) {
    texts[row] += part;
    if (isShown) {
      std::fputs(part.c_str(), stdout);
      std::fflush(stdout);
    }
  }

  bool isShown = false;
  std::vector<TextStream> streams;
  std::vector<std::string> texts;
  std::vector<StoppedText> ends;
  std::optional<Diagnostic> failure;
};

struct Told {
  Generated generated;
  std::vector<std::string> texts; ///< that follow the prompts
  std::string variant;
  int threads = 0;
  double loadSeconds = 0;

  int64_t newTokens() const { return std::accumulate(generated.lengths.begin(), generated.lengths.end(), int64_t(0)); }
};

Result<Told> run(const RunArguments &arguments, const ContinueArguments &what, const std::string &inputs,
                 bool isShown) {
  Result<Opened> opened = openToGenerate(arguments);
  if (!opened)
    return opened.takeError();
  auto &[model, prefill, runner] = *opened;
  bool isText = !what.prompts.empty();
  Result<std::vector<Array>> arrays = isText ? encodePrompts(model, prefill, what.prompts) : readArrays(inputs);
  if (!arrays)
    return arrays.takeError();
  std::optional<Writer> writer;
  if (isText) {
    Result<Writer> made = Writer::make(model, arrays->front(), isShown, what.stops);
    if (!made)
      return made.takeError();
    writer = std::move(*made);
    if (isShown && what.prompts.size() == 1)
      std::fputs(what.prompts.front().c_str(), stdout);
  }
  GenerateOptions options = what.generate;
  if (options.maxNewTokens == 0)
    options.maxNewTokens = kUsualLength;
  Result<Generated> generated = generate(model, runner, *arrays, options,
                                         [&](int64_t row, int64_t token) { return writer && writer->add(row, token); });
  if (!generated)
    return generated.takeError();
  Told told{std::move(*generated), {}, runner.variant(), runner.threads(), model.loadSeconds()};
  if (!writer)
    return told;
  Result<std::vector<std::string>> texts = writer->finish();
  if (!texts)
    return texts.takeError();
  told.texts = std::move(*texts);
  return told;
}

nlohmann::json asJson(const Told &told) {
  const Array &sequences = told.generated.sequences;
  nlohmann::json result = {{"entry", "decode"},
                           {"variant", told.variant},
                           {"threads", told.threads},
                           {"load_s", told.loadSeconds},
                           {"prefill_s", told.generated.prefillSeconds},
                           {"decode_s", told.generated.decodeSeconds},
                           {"new_tokens", told.generated.lengths}};
  result["outputs"]["sequences"] = {{"shape", sequences.shape}, {"values", toJson(sequences)}};
  if (!told.texts.empty())
    result["texts"] = told.texts;
  return result;
}

void printTexts(const Told &told, const ContinueArguments &what) {
  if (what.prompts.size() == 1)
    std::printf("\n"); // shown as it came
  for (size_t row = 0; what.prompts.size() > 1 && row < told.texts.size(); ++row)
    std::printf("[%zu] %s%s\n", row + 1, what.prompts[row].c_str(), told.texts[row].c_str());
  const Array &sequences = told.generated.sequences;
  for (int64_t row = 0; what.prompts.empty() && row < sequences.shape[0]; ++row) {
    for (int64_t column = 0; column < sequences.shape[1]; ++column)
      std::printf(column ? " %lld" : "%lld",
                  static_cast<long long>(sequences.values<int64_t>()[row * sequences.shape[1] + column]));
    std::printf("\n");
  }
}

/// On stderr, so that stdout holds nothing but the texts.
void printSpeed(const Told &told) {
  std::fflush(stdout); // the text comes first, where both go to one file
  const Generated &generated = told.generated;
  std::fprintf(stderr, "variant %s, %d thread%s: prompt in %s, %lld new tokens", told.variant.c_str(), told.threads,
               told.threads == 1 ? "" : "s", printableSeconds(generated.prefillSeconds).c_str(),
               static_cast<long long>(told.newTokens()));
  if (generated.steps > 0)
    std::fprintf(stderr, ", %s each", printableSeconds(generated.decodeSeconds / generated.steps).c_str());
  std::fprintf(stderr, "\n");
}

} // namespace

void addContinueArguments(CLI::App &command, ContinueArguments &arguments) {
  command.add_option("--prompt", arguments.prompts, "a text to be continued; give it once for each")
      ->type_name("TEXT")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  command
      .add_option("--max-new-tokens", arguments.generate.maxNewTokens,
                  "continue by so many tokens (default: " + std::to_string(kUsualLength) + ")")
      ->check(CLI::Range(1, 1000000000).description(""))
      ->type_name("N");
  command.add_option("--stop", arguments.stops, "end before this text; give it once for each")
      ->type_name("TEXT")
      ->expected(1)
      ->check(CLI::Validator([](std::string &text) { return std::string(text.empty() ? "an empty text" : ""); }, ""))
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  SamplingOptions &sampling = arguments.generate.sampling;
  command.add_option("--temperature", sampling.temperature, "draw tokens; 0 takes the likeliest (default: 0)")
      ->check(CLI::Range(0.0, 1000.0).description(""))
      ->type_name("T");
  command.add_option("--top-k", sampling.topK, "of the likeliest N (default: 0, all)")
      ->check(CLI::Range(int64_t(0), int64_t(1) << 30).description(""))
      ->type_name("N");
  command.add_option("--top-p", sampling.topP, "of the likeliest with probability P (default: 1)")
      ->check(CLI::Range(0.0, 1.0).description(""))
      ->type_name("P");
  command.add_option("--min-p", sampling.minP, "of those with P of the likeliest's (default: 0)")
      ->check(CLI::Range(0.0, 1.0).description(""))
      ->type_name("P");
  command.add_option("--repetition-penalty", sampling.repetitionPenalty, "of tokens that the text holds (default: 1)")
      ->check(CLI::Range(0.01, 100.0).description(""))
      ->type_name("R");
  command.add_option("--seed", arguments.generate.seed, "of the draws (default: 0)")->type_name("S");
  command.add_flag("--ignore-eos", arguments.generate.ignoreEnd, "go on after a token that ends the text");
}

Result<void> continueTexts(const RunArguments &arguments, const ContinueArguments &what, const std::string &inputs,
                           const std::string &outputs, const std::string &json) {
  Result<Told> told = run(arguments, what, inputs, json != "-");
  if (!told)
    return told.takeError();
  if (!outputs.empty())
    if (Result<void> written = writeArrays(outputs, {told->generated.sequences}); !written)
      return written;
  if (json == "-") {
    std::printf("%s\n", asJson(*told).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace).c_str());
    return {};
  }
  if (!json.empty())
    if (Result<void> written =
            writeFileWhole(json, asJson(*told).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n");
        !written)
      return written;
  printTexts(*told, what);
  printSpeed(*told);
  return {};
}

} // namespace weft::cli
