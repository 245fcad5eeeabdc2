// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// weft bench: how fast a model is, as times and as a share of what the core can do.
#include "tools/weft/Arrays.h"
#include "tools/weft/Measure.h"
#include "tools/weft/Model.h"
#include "tools/weft/Npy.h"

#include <cstdio>
#include <filesystem>
#include <unistd.h>

namespace weft::cli {
namespace {

struct Options {
  RunArguments run;
  std::string output, against;
  std::vector<std::string> shapes, inputs;
  int repeat = 0;
  bool json = false;
};

struct Bench {
  std::string model, variant, device, place;
  int threads = 0;
  bool isAlone = true; ///< one thread does all of the work
  double loadSeconds = 0;
  std::vector<Measurement> shapes;
  std::optional<weft_experts_info> experts; ///< where some only are held
};

/// Of what was chosen; 1 where nothing was.
double hitRate(const weft_experts_info &experts) {
  uint64_t chosen = experts.hits + experts.misses;
  return chosen ? double(experts.hits) / double(chosen) : 1.0;
}

/// Four shapes that show a call's fixed cost, usual work, the longest sequence, and a batch; within the bounds.
std::vector<Extents> defaultShapes(const Entry &entry) {
  std::vector<Extents> shapes;
  for (auto [batch, sequence] : {std::pair(1, 16), {1, 128}, {1, 512}, {32, 128}}) {
    Extents extents;
    for (const weft_dim_info &dim : entry.dims) {
      int64_t wanted = std::string_view(dim.name) == "batch" ? batch : sequence;
      extents[dim.name] = std::clamp(wanted, dim.min, dim.max);
    }
    if (std::find(shapes.begin(), shapes.end(), extents) == shapes.end())
      shapes.push_back(extents);
  }
  return shapes;
}

Result<std::vector<Extents>> readShapes(const Options &options, const Entry &entry) {
  if (options.shapes.empty())
    return defaultShapes(entry);
  std::vector<Extents> shapes;
  for (const std::string &text : options.shapes) {
    Result<Bounds> bounds = parseBounds(text);
    if (!bounds)
      return bounds.takeError();
    Extents extents;
    for (const auto &[name, range] : *bounds) {
      if (range.min != range.max)
        return Diagnostic{"W0504", "a measurement needs one extent for '" + name + "', not a range", "--shape " + text,
                          "write --shape batch=1,sequence=128"};
      extents[name] = range.min;
    }
    shapes.push_back(extents);
  }
  return shapes;
}

/// --input NAME=@FILE.npy, each once.
Result<std::vector<Array>> readInputs(const std::vector<std::string> &arguments) {
  std::vector<Array> inputs;
  for (const std::string &argument : arguments) {
    size_t equals = argument.find("=@");
    if (equals == std::string::npos || equals == 0)
      return Diagnostic{"W0503", "'" + argument + "' is not NAME=@FILE.npy", "--input",
                        "write --input input_ids=@ids.npy"};
    Result<Array> array = readArray(argument.substr(equals + 2), argument.substr(0, equals));
    if (!array)
      return array.takeError();
    inputs.push_back(std::move(*array));
  }
  return inputs;
}

void printHead(const Bench &bench) {
  std::printf("%s, variant %s, %s, loaded in %s\n\n", bench.model.c_str(), bench.variant.c_str(), bench.place.c_str(),
              printableSeconds(bench.loadSeconds).c_str());
  std::printf("%-24s %9s %9s %9s %8s %7s %7s\n", "shape", "p50", "p90", "p99", "GF/s", "GB/s", "% peak");
}

void printShape(const Measurement &shape) {
  std::printf("%-24s %9s %9s %9s", printableExtents(shape.extents).c_str(),
              printableSeconds(shape.percentile(0.5)).c_str(), printableSeconds(shape.percentile(0.9)).c_str(),
              printableSeconds(shape.percentile(0.99)).c_str());
  if (shape.flops > 0 && shape.peakGflops > 0)
    std::printf(" %8.1f %7.1f %6.1f%%\n", shape.gflops(), shape.gbps(), shape.percentOfPeak());
  else if (shape.flops > 0)
    std::printf(" %8.1f %7.1f %7s\n", shape.gflops(), shape.gbps(), "-");
  else
    std::printf(" %8s %7s %7s\n", "-", "-", "-");
  std::fflush(stdout);
}

void printFoot(const Bench &bench) {
  if (double peak = bench.shapes.back().peakGflops; peak > 0)
    std::printf("\nThe core's multiply-add peak, measured between the runs: %.0f GF/s.\n", peak);
  std::printf("GF/s counts matrix products and attention, GB/s the weights they read%s.\n",
              bench.isAlone ? ", by the\nthread's processor time" : "");
  if (!bench.experts)
    return;
  const weft_experts_info &experts = *bench.experts;
  std::printf("Experts' weights: %llu hits, %llu misses (%.1f %% hits), %llu given back, %llu asked for ahead.\n",
              static_cast<unsigned long long>(experts.hits), static_cast<unsigned long long>(experts.misses),
              100 * hitRate(experts), static_cast<unsigned long long>(experts.evictions),
              static_cast<unsigned long long>(experts.prefetches));
}

nlohmann::json asJson(const Measurement &shape) {
  nlohmann::json result = {{"shape", shape.extents},          {"times_s", shape.seconds},
                           {"p50_s", shape.percentile(0.5)},  {"p90_s", shape.percentile(0.9)},
                           {"p99_s", shape.percentile(0.99)}, {"speed_s", shape.speedSeconds},
                           {"gflops", shape.gflops()},        {"gbps", shape.gbps()}};
  if (shape.peakGflops > 0) {
    result["fma_peak_gflops"] = shape.peakGflops;
    result["percent_of_peak"] = shape.percentOfPeak();
  }
  return result;
}

/// One shape's fields stand at the top as well, so that a reader of one shape needs no loop.
nlohmann::json asJson(const Bench &bench) {
  nlohmann::json result = asJson(bench.shapes.front());
  result.update({{"model", bench.model},
                 {"variant", bench.variant},
                 {"device", bench.device},
                 {"threads", bench.threads},
                 {"load_s", bench.loadSeconds},
                 {"peak_rss_kb", peakRssKb()},
                 {"shapes", nlohmann::json::array()}});
  for (const Measurement &shape : bench.shapes)
    result["shapes"].push_back(asJson(shape));
  if (const auto &experts = bench.experts)
    result["experts"] = {{"hits", experts->hits},
                         {"misses", experts->misses},
                         {"hit_rate", hitRate(*experts)},
                         {"evictions", experts->evictions},
                         {"prefetches", experts->prefetches}};
  return result;
}

/// What is to be measured: the arrays given, or invented ones for each shape.
Result<std::vector<std::vector<Array>>> allInputs(const Options &options, const Entry &entry) {
  std::vector<std::vector<Array>> all;
  if (!options.inputs.empty()) {
    Result<std::vector<Array>> inputs = readInputs(options.inputs);
    if (!inputs)
      return inputs.takeError();
    all.push_back(std::move(*inputs));
    return all;
  }
  Result<std::vector<Extents>> shapes = readShapes(options, entry);
  if (!shapes)
    return shapes.takeError();
  for (const Extents &extents : *shapes) {
    Result<std::vector<Array>> inputs = inventInputs(entry, extents);
    if (!inputs)
      return inputs.takeError();
    all.push_back(std::move(*inputs));
  }
  return all;
}

const Array *findArray(const std::vector<Array> &arrays, std::string_view name) {
  auto found = std::find_if(arrays.begin(), arrays.end(), [&](const Array &array) { return array.name == name; });
  return found == arrays.end() ? nullptr : &*found;
}

Result<void> bench(const Options &options) {
  Result<Opened> opened = open(options.run);
  if (!opened)
    return opened.takeError();
  auto &[model, entry, runner] = *opened;
  Result<std::vector<std::vector<Array>>> inputs = allInputs(options, entry);
  if (!inputs)
    return inputs.takeError();
  Bench result{model.name(),
               runner.variant(),
               model.device(),
               runner.place(),
               runner.threads(),
               runner.isAlone(),
               model.loadSeconds(),
               {},
               {}};
  if (!options.json)
    printHead(result);
  for (const std::vector<Array> &arrays : *inputs) {
    // What the last shape has left in the session is of its batch.
    if (Result<void> forgotten = runner.reset(); !forgotten)
      return forgotten;
    const Array *context = findArray(arrays, "input_ids"), *next = findArray(arrays, "next_ids");
    Result<Measurement> shape = context && next
                                    ? measureSteps(model, runner, entry, *context, *next)
                                    : measure(runner, entry, model.work(entry.name), arrays, options.repeat);
    if (!shape)
      return shape.takeError();
    result.shapes.push_back(std::move(*shape));
    if (!options.json)
      printShape(result.shapes.back());
  }
  if (model.countsExperts())
    result.experts = model.experts();
  if (options.json)
    std::printf("%s\n", asJson(result).dump().c_str());
  else
    printFoot(result);
  if (!options.output.empty())
    return writeFileWhole(options.output, npyBytes(runner.outputs().front()));
  return {};
}

/// Hands over to benchmarks/run, which times the others beside Weft; returns only when that cannot be.
Diagnostic comparePeers(const Options &options) {
  std::string program = WEFT_SOURCE_DIR "/benchmarks/run";
  std::error_code ignored;
  std::string build = std::filesystem::read_symlink("/proc/self/exe", ignored).parent_path().parent_path();
  std::vector<std::string> arguments = {program, "--peers",   "weft," + options.against,          "--build",
                                        build,   "--threads", std::to_string(options.run.threads)};
  std::string shapes;
  for (const std::string &text : options.shapes) {
    Result<Bounds> bounds = parseBounds(text);
    if (!bounds)
      return bounds.takeError();
    if (!bounds->count("batch") || !bounds->count("sequence"))
      return {"W0513", "--against needs batch and sequence", "--shape " + text, "write --shape batch=1,sequence=128"};
    shapes += (shapes.empty() ? "" : ",") + std::to_string(bounds->at("batch").min) + "x" +
              std::to_string(bounds->at("sequence").min);
  }
  if (!shapes.empty())
    arguments.insert(arguments.end(), {"--shapes", shapes});
  arguments.insert(arguments.end(), {isArtifact(options.run.path) ? "--artifact" : "--model", options.run.path});
  std::vector<char *> pointers;
  for (std::string &argument : arguments)
    pointers.push_back(argument.data());
  pointers.push_back(nullptr);
  execv(program.c_str(), pointers.data());
  return {"W0514", "the comparison with other engines cannot be started", program,
          "it is part of Weft's checkout: run weft from its build folder"};
}

} // namespace

void addBench(CLI::App &weft, int &exitCode) {
  auto options = std::make_shared<Options>();
  CLI::App *command =
      weft.add_subcommand("bench", "Measure an artifact, or a model compiled in memory")->group("Commands");
  command->add_option("--shape", options->shapes, "as batch=1,sequence=128; once for each")
      ->type_name("EXTENTS")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  command->add_option("--input", options->inputs, "an array to run on, instead of a shape")
      ->type_name("NAME=@FILE.npy")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  command->add_option("--output", options->output, "write the first output of the last run")->type_name("FILE.npy");
  command->add_option("--repeat", options->repeat, "runs of each shape (default: a second long)")
      ->check(CLI::Range(1, 1000000).description(""))
      ->type_name("N");
  options->run.threads = 1;
  addRunArguments(*command, options->run);
  command->add_flag("--json", options->json, "print one JSON object instead of the table");
  command->add_option("--against", options->against, "time others too: torch,onnxruntime,openvino,…")
      ->type_name("NAMES");
  command->footer(
      "Without --shape, four usual shapes. The entry decode reads --input input_ids=@…\nfirst and is then fed "
      "--input next_ids=@… token by token. --against runs\nbenchmarks/run of Weft's checkout, which compares "
      "all-MiniLM-L6-v2 in one\ninterleaved run.");
  command->callback([options, &exitCode] {
    if (!options->against.empty()) {
      exitCode = fail(comparePeers(*options));
      return;
    }
    if (Result<void> done = bench(*options); !done)
      exitCode = fail(done.error());
  });
}

} // namespace weft::cli
