// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Ahead of time: a Graph into an artifact directory, or into the text of a phase.
#include "compiler/Graph.h"
#include "compiler/Pipelines.h"
#include "compiler/emit/Artifact.h"
#include "compiler/emit/DurableFile.h"
#include "compiler/emit/Header.h"
#include "compiler/emit/Manifest.h"
#include "compiler/emit/SharedLibrary.h"
#include "frontends/weights/MappedFile.h"

#include <algorithm>

namespace weft {
namespace {

constexpr double kWeightsEffort = 0.15; ///< beside the phases' efforts

/// All levels where the user names none.
Result<std::vector<const Target *>> artifactTargets(const CompileOptions &options) {
  return parseTargets(options.targets.empty() ? std::vector<std::string>{"cpu"} : options.targets);
}

Result<void> copyTokenizer(const std::filesystem::path &from, const std::filesystem::path &to) {
  Result<MappedFile> file = MappedFile::open(from);
  if (!file)
    return file.takeError();
  return writeFile(to, file->text());
}

/// kernels/TARGET/NAME.ptx and .json of each kernel, once; `names` gets them.
Result<void> writeKernels(const Artifact &artifact, const std::vector<Kernel> &kernels,
                          std::vector<std::string> &names) {
  for (const Kernel &kernel : kernels) {
    std::string stem = "kernels/" + kernel.target + "/" + kernel.name;
    if (std::ranges::find(names, stem + ".ptx") != names.end())
      continue;
    for (const auto &[suffix, text] : {std::pair(".ptx", kernel.ptx), std::pair(".json", metadataText(kernel))}) {
      if (Result<void> written = artifact.write(stem + suffix, text); !written)
        return written;
      names.push_back(stem + suffix);
    }
  }
  return {};
}

/// Everything but the manifest, which lists what is there.
Result<std::vector<std::string>> writeFiles(const Artifact &artifact, const CompiledModel &model,
                                            const Graph::Impl &graph, ProgressMeter &progress) {
  std::vector<std::string> names = {"model.so", "weights.safetensors"};
  progress.begin("link");
  if (Result<void> linked = linkSharedLibrary(model.objects, artifact.file("model.so")); !linked)
    return linked.takeError();
  if (Result<void> written = writeFile(artifact.file("model.h"), headerText(model.description)); !written)
    return written.takeError();
  progress.begin("weights");
  double share = 0;
  auto onShare = [&](double now) { progress.advance("weights", kWeightsEffort * (now - std::exchange(share, now))); };
  if (Result<void> packed =
          writeParameters(artifact.file("weights.safetensors"), model.description.parameters, graph.weights, onShare);
      !packed)
    return packed.takeError();
  if (!graph.tokenizer.empty()) {
    names.push_back("tokenizer.json");
    if (Result<void> copied = copyTokenizer(graph.tokenizer, artifact.file("tokenizer.json")); !copied)
      return copied.takeError();
  }
  if (Result<void> written = writeKernels(artifact, model.kernels, names); !written)
    return written.takeError();
  return names;
}

} // namespace

bool isInternalError(const Diagnostic &diagnostic) { return diagnostic.code == "W0601" || diagnostic.code == "W0690"; }

Result<std::string> lower(const Graph &graph, const CompileOptions &options) {
  Result<std::vector<const Target *>> targets = artifactTargets(options);
  if (!targets)
    return targets.takeError();
  ProgressMeter progress(options.onProgress, compilationEffort(targets->size()));
  return lowerModel(graph, *targets, options, progress);
}

Result<void> compileToArtifact(const Graph &graph, const std::string &path, const CompileOptions &options) {
  Result<std::vector<const Target *>> targets = artifactTargets(options);
  if (!targets)
    return targets.takeError();
  // Begun before the work, so that a place that cannot be written is known at once.
  Result<Artifact> artifact = Artifact::begin(path);
  if (!artifact)
    return artifact.takeError();
  ProgressMeter progress(options.onProgress, compilationEffort(targets->size()) + kWeightsEffort);
  Result<CompiledModel> model = compileModel(graph, *targets, options, progress);
  if (!model)
    return model.takeError();
  Result<std::vector<std::string>> names = writeFiles(*artifact, *model, graph.impl(), progress);
  if (!names)
    return names.takeError();
  std::filesystem::path manifest = artifact->file("manifest.json");
  std::map<std::string, Work> work;
  for (const std::string &entry : graph.entries()) {
    work[entry] = graph.work(entry);
    work[entry].shrinkWeights(options.weightShare());
  }
  Result<std::string> text =
      manifestText(model->description, model->targets, manifest.parent_path(), *names, graph.impl().source, work);
  if (!text)
    return text.takeError();
  if (Result<void> written = writeFile(manifest, *text); !written)
    return written;
  return artifact->commit();
}

} // namespace weft
