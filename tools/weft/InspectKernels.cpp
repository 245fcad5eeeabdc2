// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/weft/InspectKernels.h"

#include "compiler/estimate/KernelModel.h"
#include "frontends/weights/MappedFile.h"
#include "tools/weft/Model.h"

#include <algorithm>
#include <cstdio>
#include <filesystem>

namespace weft::cli {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr const char *kWhat = "A static model, not a measurement: what stands in the PTX of one pass through each "
                              "kernel's main loop, of one block, "
                              "against published peaks. It knows neither latencies nor caches.";

/// NAME.ptx with what the NAME.json beside it says of the launch.
Result<KernelText> readKernel(const fs::path &path) {
  Result<MappedFile> file = MappedFile::open(path);
  if (!file)
    return file.takeError();
  KernelText text;
  text.ptx = std::string(file->text());
  fs::path metadata = fs::path(path).replace_extension(".json");
  std::error_code ignored;
  if (!fs::exists(metadata, ignored))
    return text;
  Result<nlohmann::json> json = readJsonFile(metadata);
  if (!json)
    return json.takeError();
  if (auto shared = json->find("shared"); shared != json->end() && shared->is_number_integer())
    text.sharedBytes = shared->get<int32_t>();
  return text;
}

Result<std::vector<KernelText>> readArtifact(const fs::path &folder) {
  std::vector<fs::path> paths;
  std::error_code ignored;
  for (const fs::directory_entry &entry : fs::recursive_directory_iterator(folder / "kernels", ignored))
    if (entry.path().extension() == ".ptx")
      paths.push_back(entry.path());
  if (paths.empty())
    return Diagnostic{"W0512", "the artifact has no kernels of GPUs", folder.string(),
                      "compile its model with --target nvptx:sm_90a"};
  std::sort(paths.begin(), paths.end());
  std::vector<KernelText> texts;
  for (const fs::path &path : paths) {
    Result<KernelText> text = readKernel(path);
    if (!text)
      return text.takeError();
    texts.push_back(std::move(*text));
  }
  return texts;
}

Result<std::vector<KernelText>> kernelsAt(const std::string &path, const std::vector<std::string> &targets) {
  bool isText = fs::path(path).extension() == ".ptx", isReady = isText || isArtifact(path);
  if (isReady && !targets.empty())
    return Diagnostic{"W0516", "kernels that are there already are for the GPU that they name", "--target",
                      "leave --target out, or give a model"};
  if (isText) {
    Result<KernelText> text = readKernel(path);
    return text ? Result<std::vector<KernelText>>(std::vector{std::move(*text)}) : text.takeError();
  }
  if (isReady)
    return readArtifact(path);
  for (const std::string &target : targets)
    if (Result<void> checked = checkTarget(target); !checked)
      return checked.takeError();
  Context context;
  Result<Graph> graph = import(context, path);
  if (!graph)
    return graph.takeError();
  CompileOptions options;
  options.targets = targets.empty() ? std::vector<std::string>{"nvptx:sm_90a"} : targets;
  return compileKernels(*graph, options);
}

Json factsOf(const PassCounts &pass) {
  Json facts = {{"is_loop", pass.isLoop},
                {"lines", {pass.firstLine, pass.lastLine}},
                {"flops", pass.flops()},
                {"matrix_instructions", pass.matrixInstructions},
                {"special_operations", pass.specialOps},
                {"f32_operations", pass.floatOps},
                {"issue_slots", pass.issueSlots},
                {"device_memory_bytes", pass.globalBytes},
                {"shared_memory_bytes", pass.sharedBytes}};
  if (pass.matrixInstructions > 0)
    facts["issue_slots_per_matrix_instruction"] = pass.issueSlots / pass.matrixInstructions;
  if (pass.hasUnknownBytes)
    facts["has_copies_of_unknown_size"] = true;
  return facts;
}

Json factsOf(const KernelBound &bound) {
  Json facts = {{"chip", bound.chip->name},
                {"source", bound.chip->source},
                {"blocks_per_sm", bound.occupancy.blocks},
                {"occupancy", bound.occupancy.share},
                {"limited_by", bound.occupancy.limiter}};
  for (const UnitTime &unit : bound.units)
    facts["clocks"][unit.unit] = unit.clocks;
  facts["clocks"]["device memory"] = bound.memoryClocks;
  facts["bound_of_sm"] = bound.units.front().unit;
  facts["share_of_matrix_peak"] = bound.matrixShare;
  return facts;
}

Json factsOf(const KernelModel &kernel) {
  Json facts = {{"name", kernel.name},           {"target", kernel.target},
                {"threads", kernel.threads},     {"shared_bytes", kernel.sharedBytes},
                {"registers", kernel.registers}, {"registers_by", kernel.areRegistersExact ? "ptxas" : "estimate"}};
  if (kernel.areRegistersExact)
    facts["spilled_bytes"] = kernel.spillBytes;
  facts["pass"] = factsOf(kernel.pass);
  facts["chips"] = Json::array();
  for (const KernelBound &bound : kernel.bounds)
    facts["chips"].push_back(factsOf(bound));
  return facts;
}

void printPass(const PassCounts &pass) {
  std::printf("  %s lines %d to %d: %.4g kFLOP, %.4g issue slots", pass.isLoop ? "main loop," : "no loop,",
              pass.firstLine, pass.lastLine, pass.flops() * 1e-3, pass.issueSlots);
  if (pass.matrixInstructions > 0)
    std::printf(", %.4g matrix instructions (%.3g slots each)", pass.matrixInstructions,
                pass.issueSlots / pass.matrixInstructions);
  std::printf("\n    %.4g special functions, %s of device memory%s, %s of shared memory\n", pass.specialOps,
              printableBytes(pass.globalBytes).c_str(), pass.hasUnknownBytes ? " and copies of unknown size" : "",
              printableBytes(pass.sharedBytes).c_str());
}

void printBound(const KernelBound &bound) {
  std::printf("  %s: %d blocks an SM (%.0f %% of its warps, by %s); clocks:", bound.chip->name, bound.occupancy.blocks,
              100 * bound.occupancy.share, bound.occupancy.limiter);
  for (const UnitTime &unit : bound.units)
    if (unit.clocks > 0)
      std::printf("%s %s %.0f", &unit == bound.units.data() ? "" : ",", unit.unit, unit.clocks);
  std::printf("\n    on the SM bound by %s", bound.units.front().unit);
  if (bound.matrixShare > 0)
    std::printf(": at most %.0f %% of the matrix units' peak", 100 * bound.matrixShare);
  std::printf("; device memory %.0f clocks if nothing is cached\n", bound.memoryClocks);
}

void printModel(const KernelModel &kernel) {
  std::printf("\n%s for %s: %d threads, %d registers (%s), %s of shared memory\n", kernel.name.c_str(),
              kernel.target.c_str(), kernel.threads, kernel.registers,
              kernel.areRegistersExact ? "ptxas" : "estimated, there is no ptxas",
              printableBytes(double(kernel.sharedBytes)).c_str());
  if (kernel.spillBytes > 0)
    std::printf("  %d bytes of registers are spilled\n", kernel.spillBytes);
  printPass(kernel.pass);
  for (const KernelBound &bound : kernel.bounds)
    printBound(bound);
  if (kernel.bounds.empty())
    std::printf("  no published peaks are kept for %s\n", kernel.target.c_str());
}

/// A row of the comparison: what both kernels need of something.
struct Row {
  const char *what;
  double ours, theirs;
};

/// For a million operations of the main loop each, so that tiles of different sizes can be compared.
std::vector<Row> rowsOf(const KernelModel &ours, const KernelModel &theirs) {
  double mine = 1e6 / std::max(ours.pass.flops(), 1.0), other = 1e6 / std::max(theirs.pass.flops(), 1.0);
  std::vector<Row> rows = {
      {"registers of a thread", double(ours.registers), double(theirs.registers)},
      {"bytes spilled", double(ours.spillBytes), double(theirs.spillBytes)},
      {"issue slots / MFLOP", mine * ours.pass.issueSlots, other * theirs.pass.issueSlots},
      {"special functions / MFLOP", mine * ours.pass.specialOps, other * theirs.pass.specialOps},
      {"shared memory bytes / MFLOP", mine * ours.pass.sharedBytes, other * theirs.pass.sharedBytes},
      {"device memory bytes / MFLOP", mine * ours.pass.globalBytes, other * theirs.pass.globalBytes}};
  if (!ours.bounds.empty() && !theirs.bounds.empty()) {
    const KernelBound &mineOn = ours.bounds.front(), &otherOn = theirs.bounds.front();
    rows.push_back({"percent of an SM's warps", 100 * mineOn.occupancy.share, 100 * otherOn.occupancy.share});
    rows.push_back({"percent of the matrix peak", 100 * mineOn.matrixShare, 100 * otherOn.matrixShare});
  }
  return rows;
}

Result<void> compareKernels(const KernelModel &ours, const std::string &against, bool json) {
  Result<KernelText> text = readKernel(against);
  if (!text)
    return text.takeError();
  Result<KernelModel> theirs = modelKernel(text->ptx, text->sharedBytes, against);
  if (!theirs)
    return theirs.takeError();
  std::vector<Row> rows = rowsOf(ours, *theirs);
  if (json) {
    Json facts = {{"what", kWhat}, {"ours", factsOf(ours)}, {"theirs", factsOf(*theirs)}};
    for (const Row &row : rows)
      facts["comparison"][row.what] = {row.ours, row.theirs};
    std::printf("%s\n", facts.dump(2).c_str());
    return {};
  }
  printModel(ours);
  printModel(*theirs);
  std::printf("\n%-28s %12s %12s\n", "", ours.name.substr(0, 12).c_str(), theirs->name.substr(0, 12).c_str());
  for (const Row &row : rows)
    std::printf("%-28s %12.4g %12.4g\n", row.what, row.ours, row.theirs);
  return {};
}

Result<void> printModels(const std::vector<KernelModel> &models, bool json) {
  Json all = {{"what", kWhat}, {"kernels", Json::array()}};
  for (const KernelModel &model : models)
    if (json)
      all["kernels"].push_back(factsOf(model));
    else
      printModel(model);
  if (json)
    std::printf("%s\n", all.dump(2).c_str());
  return {};
}

} // namespace

Result<void> inspectKernels(const std::string &path, const std::vector<std::string> &targets,
                            const std::string &against, bool json) {
  Result<std::vector<KernelText>> texts = kernelsAt(path, targets);
  if (!texts)
    return texts.takeError();
  if (!against.empty() && texts->size() != 1)
    return Diagnostic{"W0512", "of several kernels none is compared with another", "--against " + against,
                      "give one .ptx file: an artifact holds them in kernels/"};
  std::vector<KernelModel> models;
  for (const KernelText &text : *texts) {
    Result<KernelModel> model = modelKernel(text.ptx, text.sharedBytes, path);
    if (!model)
      return model.takeError();
    models.push_back(std::move(*model));
  }
  if (!json)
    std::printf("%s\n", kWhat);
  return against.empty() ? printModels(models, json) : compareKernels(models.front(), against, json);
}

} // namespace weft::cli
