// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Ahead of time: a Graph into an artifact directory, or into the text of a phase.
#include "compiler/Graph.h"
#include "compiler/Pipelines.h"
#include "compiler/emit/Artifact.h"
#include "compiler/emit/Assembler.h"
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

Result<void> copyTokenizer(const Graph::Impl &graph, const std::filesystem::path &to) {
  if (graph.tokenizer.empty())
    return writeFile(to, graph.tokenizerText);
  Result<MappedFile> file = MappedFile::open(graph.tokenizer);
  if (!file)
    return file.takeError();
  return writeFile(to, file->text());
}

/// The kernel's machine code; empty where there is to be none.
Result<std::string> machineCode(const Kernel &kernel, const CompileOptions &options) {
  std::optional<std::string> ptxas = options.assemble == "never" ? std::nullopt : findPtxas();
  if (!ptxas)
    return std::string();
  Result<AssembledKernel> assembled = assembleKernel(kernel, *ptxas);
  if (assembled)
    return std::move(assembled->cubin);
  if (options.assemble == "always")
    return assembled.takeError();
  if (options.onRemark) // the PTX will do
    options.onRemark({"emit", kernel.name, assembled.error().message});
  return std::string();
}

/// kernels/TARGET/NAME.ptx, .json and .cubin of each kernel, once; `names` gets them.
Result<void> writeKernels(const Artifact &artifact, const std::vector<Kernel> &kernels, const CompileOptions &options,
                          std::vector<std::string> &names) {
  for (const Kernel &kernel : kernels) {
    std::string stem = "kernels/" + kernel.target + "/" + kernel.name;
    if (std::ranges::find(names, stem + ".ptx") != names.end())
      continue;
    Result<std::string> code = machineCode(kernel, options);
    if (!code)
      return code.takeError();
    for (const auto &[suffix, bytes] : {std::pair(".ptx", kernel.ptx), std::pair(".json", metadataText(kernel)),
                                        std::pair(".cubin", std::move(*code))}) {
      if (bytes.empty())
        continue;
      if (Result<void> written = artifact.write(stem + suffix, bytes); !written)
        return written;
      names.push_back(stem + suffix);
    }
  }
  return {};
}

/// W0622: machine code is asked for that nothing can make.
Result<void> checkAssembly(const CompileOptions &options) {
  if (options.assemble != "auto" && options.assemble != "always" && options.assemble != "never")
    return Diagnostic{"W0622", "'" + options.assemble + "' does not say when to assemble", "CompileOptions::assemble",
                      "use auto, always or never"};
  if (options.assemble == "always" && !findPtxas())
    return Diagnostic{
        "W0622", "there is no ptxas to assemble kernels with", "PATH",
        "install CUDA's compiler (PyPI: nvidia-cuda-nvcc), name it in WEFT_PTXAS, or use --assemble auto"};
  return {};
}

/// Everything but the manifest, which lists what is there.
Result<std::vector<std::string>> writeFiles(const Artifact &artifact, const CompiledModel &model,
                                            const Graph::Impl &graph, const CompileOptions &options,
                                            ProgressMeter &progress) {
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
  if (!graph.tokenizer.empty() || !graph.tokenizerText.empty()) {
    names.push_back("tokenizer.json");
    if (Result<void> copied = copyTokenizer(graph, artifact.file("tokenizer.json")); !copied)
      return copied.takeError();
  }
  if (Result<void> written = writeKernels(artifact, model.kernels, options, names); !written)
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

Result<std::vector<KernelText>> compileKernels(const Graph &graph, const CompileOptions &options) {
  Result<std::vector<const Target *>> targets = artifactTargets(options);
  if (!targets)
    return targets.takeError();
  if (!targets->front()->isGpu())
    return Diagnostic{"W0610", "kernels are of GPUs", targets->front()->isa, "use --target nvptx:sm_90a"};
  ProgressMeter progress(options.onProgress, compilationEffort(targets->size()));
  Result<CompiledModel> model = compileModel(graph, *targets, options, progress);
  if (!model)
    return model.takeError();
  std::vector<KernelText> texts;
  for (Kernel &kernel : model->kernels) {
    auto isSame = [&](const KernelText &text) { return text.name == kernel.name && text.target == kernel.target; };
    if (std::ranges::none_of(texts, isSame))
      texts.push_back({kernel.name, kernel.target, std::move(kernel.ptx), kernel.threads, kernel.sharedBytes});
  }
  return texts;
}

Result<void> compileToArtifact(const Graph &graph, const std::string &path, const CompileOptions &options) {
  Result<std::vector<const Target *>> targets = artifactTargets(options);
  if (!targets)
    return targets.takeError();
  if (Result<void> checked = checkAssembly(options); !checked)
    return checked;
  // Begun before the work, so that a place that cannot be written is known at once.
  Result<Artifact> artifact = Artifact::begin(path);
  if (!artifact)
    return artifact.takeError();
  ProgressMeter progress(options.onProgress, compilationEffort(targets->size()) + kWeightsEffort);
  Result<CompiledModel> model = compileModel(graph, *targets, options, progress);
  if (!model)
    return model.takeError();
  Result<std::vector<std::string>> names = writeFiles(*artifact, *model, graph.impl(), options, progress);
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
