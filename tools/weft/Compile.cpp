// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// weft compile: a model into NAME.weft, or into the text of a phase.
#include "tools/weft/Command.h"
#include "tools/weft/Progress.h"

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <thread>

namespace weft::cli {
namespace {

namespace fs = std::filesystem;

struct Options {
  std::string model, output, shape, stopAfter, dumpDir;
  std::vector<std::string> targets, mlir;
  std::string dtype = "f32", weights = "keep", assemble = "auto";
  int threads = 0;
  int64_t pageLength = 0;
  bool remarks = false;
};

/// all-MiniLM-L6-v2/ -> all-MiniLM-L6-v2.weft, in the working directory.
std::string defaultOutput(const std::string &model) {
  std::error_code ignored;
  fs::path path = fs::weakly_canonical(model, ignored);
  fs::path name = fs::is_directory(path, ignored) ? path.filename() : path.stem();
  return name.string() + ".weft";
}

/// Values that are one of a few words. W0503.
Result<void> checkWords(const Options &options) {
  if (Result<void> checked = checkWeights(options.weights); !checked)
    return checked;
  std::string known;
  for (std::string_view phase : phaseNames())
    if (phase != "emit")
      known += (known.empty() ? "" : ", ") + std::string(phase);
  bool valid = options.stopAfter.empty();
  for (std::string_view phase : phaseNames())
    valid |= phase != "emit" && phase == options.stopAfter;
  if (!valid)
    return Diagnostic{"W0503", "'" + options.stopAfter + "' is no phase to stop after", "--stop-after",
                      "use one of " + known};
  if (options.assemble != "auto" && options.assemble != "always" && options.assemble != "never")
    return Diagnostic{"W0503", "'" + options.assemble + "' does not say when to assemble", "--assemble",
                      "use auto (where there is a ptxas), always or never"};
  return {};
}

Result<CompileOptions> compileOptions(const Options &options, ProgressBar &bar) {
  CompileOptions result;
  for (const std::string &target : options.targets)
    if (Result<void> checked = checkTarget(target); !checked)
      return checked.takeError();
  Result<ElementType> dtype = parseDtype(options.dtype);
  if (!dtype)
    return dtype.takeError();
  result.dtype = *dtype;
  result.targets = options.targets;
  result.weights = options.weights;
  result.assemble = options.assemble;
  result.stopAfter = options.stopAfter;
  result.dumpDir = options.dumpDir;
  result.jobs = options.threads > 0 ? options.threads : std::max(1u, std::thread::hardware_concurrency());
  result.onProgress = [&bar](const Progress &progress) { bar.show(progress); };
  if (options.remarks)
    result.onRemark = [&bar](const Remark &remark) {
      bar.clear();
      std::fprintf(stderr, "remark[%s] %s: %s\n", remark.phase.c_str(), remark.place.c_str(), remark.message.c_str());
    };
  return result;
}

double folderBytes(const std::string &folder) {
  double bytes = 0;
  std::error_code ignored;
  for (const fs::directory_entry &file : fs::recursive_directory_iterator(folder, ignored))
    if (file.is_regular_file(ignored))
      bytes += file.file_size(ignored);
  return bytes;
}

/// Runs the phases up to --stop-after; the text goes to -o, or to standard output.
Result<void> writePhase(const Graph &graph, const Options &options, const CompileOptions &compileOptions) {
  Result<std::string> text = lower(graph, compileOptions);
  if (!text)
    return text.takeError();
  if (!options.output.empty() && options.output != "-")
    return writeFileWhole(options.output, *text);
  std::fwrite(text->data(), 1, text->size(), stdout);
  return {};
}

Result<void> compileModel(const Options &options) {
  auto start = std::chrono::steady_clock::now();
  ProgressBar bar;
  if (Result<void> checked = checkWords(options); !checked)
    return checked;
  Result<CompileOptions> chosen = compileOptions(options, bar);
  if (!chosen)
    return chosen.takeError();
  Result<Bounds> bounds = options.shape.empty() ? Bounds() : parseBounds(options.shape);
  if (!bounds)
    return bounds.takeError();
  if (Result<void> applied = applyMlirOptions(options.mlir); !applied)
    return applied;
  Context context;
  Result<Graph> graph = import(context, options.model, *bounds, options.pageLength);
  if (!graph)
    return graph.takeError();
  if (!options.stopAfter.empty())
    return writePhase(*graph, options, *chosen);
  std::string output = options.output.empty() ? defaultOutput(options.model) : options.output;
  Result<void> compiled = compileToArtifact(*graph, output, *chosen);
  bar.clear();
  if (!compiled)
    return compiled;
  double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  std::printf("%s: %s, compiled in %.1f s\n", output.c_str(), printableBytes(folderBytes(output)).c_str(), seconds);
  return {};
}

} // namespace

void addCompile(CLI::App &weft, int &exitCode) {
  auto options = std::make_shared<Options>();
  CLI::App *command = weft.add_subcommand("compile", "Compile a model into an artifact")->group("Commands");
  command->add_option("MODEL", options->model, "Hugging Face folder, GGUF file or MLIR text")
      ->required()
      ->type_name("");
  command->add_option("-o,--output", options->output, "the artifact (default: MODEL's name.weft)")
      ->type_name("NAME.weft");
  command->add_option("--target", options->targets, "cpu, cpu:native, levels: cpu:v4,v3 or nvptx:sm_90a")
      ->type_name("TARGET");
  command->add_option("--shape", options->shape, "bounds, as batch=1..64,sequence=1..512")->type_name("BOUNDS");
  command->add_option("--dtype", options->dtype, "store products' weights as: f32, bf16, f16")->type_name("TYPE");
  command->add_option("--weights", options->weights, "store weights so: keep, int8, int4, q8_0")->type_name("FORM");
  command->add_option("--cache-page", options->pageLength, "keep keys and values in pages of N positions")
      ->check(CLI::Range(int64_t(1), int64_t(1) << 16).description(""))
      ->type_name("N");
  command->add_option("--assemble", options->assemble, "ptxas for kernels of GPUs: auto, always, never")
      ->type_name("WHEN");
  command->add_option("--threads", options->threads, "threads that compile (default: all)")
      ->check(CLI::Range(1, 1024).description(""))
      ->type_name("N");
  command->add_option("--stop-after", options->stopAfter, "print the program after this phase")->type_name("PHASE");
  command->add_option("--dump-dir", options->dumpDir, "write the program after every phase")->type_name("DIR");
  command->add_flag("--remarks", options->remarks, "tell which fusions were missed, and why");
  command->add_option("--mlir", options->mlir, "options for MLIR, in one word")->type_name("'OPTIONS'");
  command->footer("The artifact appears only when it is complete. Phases: import, normalize, fuse,\noutline, tile, "
                  "bufferize, blocks, vectorize, nvptx, cpu.");
  command->callback([options, &exitCode] {
    if (Result<void> done = compileModel(*options); !done)
      exitCode = fail(done.error());
  });
}

} // namespace weft::cli
