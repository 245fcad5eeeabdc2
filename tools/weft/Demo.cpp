// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// weft demo: ranks a dozen sentences against a question, then shows how fast that was.
#include "tools/weft/Measure.h"
#include "tools/weft/Text.h"

#include <algorithm>
#include <cstdio>
#include <numeric>

namespace weft::cli {
namespace {

constexpr const char *kQuestion = "How does a compiler make a program fast?";

const std::vector<std::string> kSentences = {
    "An optimizing compiler rewrites code so that it runs in less time.",
    "Loops are cut into tiles that fit the cache of the processor.",
    "The cat sat on the warm mat and fell asleep.",
    "Vector instructions work on many numbers at once.",
    "Heavy rain is expected in the mountains tonight.",
    "Fusing operations saves trips to memory.",
    "Bread rises because yeast makes gas.",
    "The train to the coast leaves at half past nine.",
    "A weaver draws the weft thread through the warp.",
    "She plays the violin in the city's orchestra.",
    "Machine code is what the processor understands.",
    "Drinking water often helps against a headache.",
};

/// Below this the model is a toy: its ranking says little.
constexpr double kTinyFlopsPerToken = 5e6;

void printRule(const char *title) { std::printf("\n  %s\n  %s\n", title, std::string(76, '-').c_str()); }

/// " ########       0.71  text", best first.
void printRanking(const Array &embeddings) {
  int64_t question = embeddings.shape[0] - 1;
  std::vector<int64_t> order(question);
  std::iota(order.begin(), order.end(), int64_t(0));
  std::vector<double> similarity;
  for (int64_t row : order)
    similarity.push_back(cosine(embeddings, row, question));
  std::sort(order.begin(), order.end(),
            [&](int64_t a, int64_t b) { return std::pair(-similarity[a], a) < std::pair(-similarity[b], b); });
  std::printf("  Q: %s\n\n", kQuestion);
  for (int64_t row : order) {
    int bar = std::clamp(static_cast<int>(similarity[row] * 10 + 0.5), 0, 10);
    std::printf("  %5.2f %-10s %s\n", similarity[row], std::string(bar, '#').c_str(), kSentences[row].c_str());
  }
}

std::vector<Extents> shapesWithin(const Entry &entry) {
  std::vector<Extents> shapes;
  for (auto [batch, sequence] : {std::pair<int64_t, int64_t>(1, 16), {1, 128}, {1, 512}, {32, 128}}) {
    const weft_dim_info *rows = entry.dim("batch"), *columns = entry.dim("sequence");
    Extents extents = {{"batch", std::clamp(batch, rows->min, rows->max)},
                       {"sequence", std::clamp(sequence, columns->min, columns->max)}};
    if (std::find(shapes.begin(), shapes.end(), extents) == shapes.end())
      shapes.push_back(extents);
  }
  return shapes;
}

Result<void> printSpeed(Runner &runner, const Entry &entry, const std::optional<Work> &work) {
  std::printf("  %-14s %11s %11s %11s %10s %15s\n", "batch x length", "p50", "p90", "p99", "GF/s", "% of FMA peak");
  double peak = 0;
  for (const Extents &extents : shapesWithin(entry)) {
    Result<std::vector<Array>> inputs = inventInputs(entry, extents);
    if (!inputs)
      return inputs.takeError();
    Result<Measurement> shape = measure(runner, entry, work, *inputs, 0);
    if (!shape)
      return shape.takeError();
    std::string name = std::to_string(extents.at("batch")) + " x " + std::to_string(extents.at("sequence"));
    std::printf("  %-14s %11s %11s %11s %10.1f %14.1f%%\n", name.c_str(),
                printableSeconds(shape->percentile(0.5)).c_str(), printableSeconds(shape->percentile(0.9)).c_str(),
                printableSeconds(shape->percentile(0.99)).c_str(), shape->gflops(), shape->percentOfPeak());
    std::fflush(stdout);
    peak = shape->peakGflops;
  }
  std::printf(
      "\n  FMA peak of this core, measured between the runs: %.0f GF/s.\n  GF/s count the thread's processor time.\n",
      peak);
  return {};
}

bool isTiny(const std::optional<Work> &work) {
  return work && work->flops({{"batch", 1}, {"sequence", 1}}) < kTinyFlopsPerToken;
}

Result<void> demo(const std::string &path) {
  Result<Model> model = Model::open(path);
  if (!model)
    return model.takeError();
  Result<Entry> entry = model->entry("");
  if (!entry)
    return entry.takeError();
  if (!entry->output("sentence_embedding") || !entry->dim("batch") || !entry->dim("sequence"))
    return Diagnostic{"W0515", "the model has no output 'sentence_embedding'", path,
                      "the demo takes a sentence transformer: a folder with modules.json"};
  std::vector<std::string> texts = kSentences;
  texts.push_back(kQuestion);
  Result<std::vector<Array>> inputs = encodeTexts(*model, *entry, texts);
  if (!inputs)
    return inputs.takeError();
  Result<Runner> runner = Runner::make(*model, *entry, 1);
  if (!runner)
    return runner.takeError();
  Result<std::vector<Array>> outputs = runner->run(*inputs, {"sentence_embedding"});
  if (!outputs)
    return outputs.takeError();
  std::optional<Work> work = model->work(entry->name);
  std::printf("\n  %s (%s), code for %s, loaded in %s\n", path.c_str(), model->name().c_str(),
              runner->variant().c_str(), printableSeconds(model->loadSeconds()).c_str());
  printRule("A dozen sentences, ranked against a question by cosine similarity");
  printRanking(outputs->front());
  if (isTiny(work))
    std::printf("\n  This model is tiny: it knows shared words and no meaning, so its ranking\n  means little.\n");
  printRule("Speed, one thread");
  return printSpeed(*runner, *entry, work);
}

} // namespace

void addDemo(CLI::App &weft, int &exitCode) {
  auto path = std::make_shared<std::string>();
  CLI::App *command = weft.add_subcommand("demo", "Rank sentences by their meaning, and time it")->group("Commands");
  command->add_option("ARTIFACT_OR_MODEL", *path, "NAME.weft, or what weft compile takes")->required()->type_name("");
  command->callback([path, &exitCode] {
    if (Result<void> done = demo(*path); !done)
      exitCode = fail(done.error());
  });
}

} // namespace weft::cli
