// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/Pipelines.h"

#include "compiler/DimBounds.h"
#include "compiler/Graph.h"
#include "compiler/IsolatedModule.h"
#include "compiler/PhaseRunner.h"
#include "compiler/emit/Descriptor.h"
#include "dialects/weft/GroupForm.h"
#include "llvm/ADT/StringExtras.h"

#include <atomic>
#include <optional>
#include <thread>

namespace weft {
namespace {

/// What one target's phases made.
struct TargetResult {
  std::optional<Diagnostic> error;
  std::vector<Remark> remarks;
  Object object;
  std::vector<Kernel> kernels;
  std::string text;
};

/// Leaves the form of the weights on the module, for the fuse phase.
Result<void> chooseWeights(mlir::ModuleOp module, const std::string &form) {
  if (!llvm::is_contained(weightForms(), form))
    return Diagnostic{"W0617", "'" + form + "' is no form of weights", "", "use " + llvm::join(weightForms(), ", ")};
  if (form != "keep")
    module->setAttr("weft.weights", mlir::StringAttr::get(module.getContext(), form));
  return {};
}

/// Which rides on the module, for the normalize phase; f32 leaves no trace.
Result<void> chooseDtype(mlir::ModuleOp module, ElementType dtype, const std::string &weights) {
  if (dtype != ElementType::F32 && weights != "keep")
    return Diagnostic{"W0618", "weights cannot be stored both as integers and in 16 bits", "CompileOptions::dtype",
                      "use --dtype f32 with --weights " + weights + ", or --weights keep"};
  mlir::Builder builder(module.getContext());
  if (dtype == ElementType::BF16)
    module->setAttr("weft.dtype", mlir::TypeAttr::get(builder.getBF16Type()));
  else if (dtype == ElementType::F16)
    module->setAttr("weft.dtype", mlir::TypeAttr::get(builder.getF16Type()));
  else if (dtype != ElementType::F32)
    return Diagnostic{"W0618", "weights of products cannot be stored in the chosen type", "CompileOptions::dtype",
                      "use F32, BF16 or F16"};
  return {};
}

/// Weights lie as GPUs want them where no other target reads them; it rides on the module, for the normalize phase.
void chooseDevice(mlir::ModuleOp module, llvm::ArrayRef<const Target *> targets) {
  if (llvm::all_of(targets, [](const Target *target) { return target->isGpu(); }))
    module->setAttr("weft.device", mlir::UnitAttr::get(module.getContext()));
}

bool runsFor(const Phase &phase, const Target &target) { return phase.runs != PhaseRuns::perDevice || target.isGpu(); }

class Compilation {
public:
  Compilation(const Graph &graph, const std::vector<const Target *> &targets, const CompileOptions &options,
              ProgressMeter &progress)
      : graph(graph), targets(targets), options(options), progress(progress),
        runner{options.dumpDir, options.reproducerDir, graph.impl().handWritten} {}

  /// Import to outline, once.
  Result<std::unique_ptr<IsolatedModule>> runSharedPhases(const Phase &last) {
    auto module = std::make_unique<IsolatedModule>(*graph.impl().module, wantsRemarks());
    if (Result<void> bounded = narrowDims(module->get(), options.dimBounds); !bounded)
      return bounded.takeError();
    if (Result<void> chosen = chooseWeights(module->get(), options.weights); !chosen)
      return chosen.takeError();
    if (Result<void> chosen = chooseDtype(module->get(), options.dtype, options.weights); !chosen)
      return chosen.takeError();
    chooseDevice(module->get(), targets);
    for (const Phase &phase : allPhases())
      if (!phase.perTarget() && phase.number <= last.number) {
        progress.begin(phase.name);
        if (Result<void> ran = runner.run(phase, *module, ""); !ran)
          return ran.takeError();
        progress.advance(phase.name, phase.effort);
      }
    remarks = module->takeRemarks();
    return module;
  }

  /// Some levels are for products in 8 bits or bf16: a program without them has the same code on a level below.
  void chooseTargets(mlir::ModuleOp outlined) {
    unsigned products = productKindsOf(outlined);
    size_t asked = targets.size();
    for (const Target *&target : targets)
      target = &levelFor(*target, products);
    sortLevels(targets);
    progress.advance("tile", compilationEffort(asked) - compilationEffort(targets.size()));
  }
  const std::vector<const Target *> &chosenTargets() const { return targets; }

  /// Tile to emit for each target, on up to `jobs` threads; results come in the targets' order.
  Result<std::vector<TargetResult>> runTargets(mlir::ModuleOp outlined, const Phase &last,
                                               const std::vector<std::string> &entries) {
    // Copies are made here: reading a module from several threads is not promised to be safe.
    std::vector<std::unique_ptr<IsolatedModule>> modules;
    modules.reserve(targets.size());
    for (size_t index = 0; index < targets.size(); ++index)
      modules.push_back(std::make_unique<IsolatedModule>(outlined, wantsRemarks()));
    std::vector<TargetResult> results(targets.size());
    std::atomic<size_t> next = 0;
    auto work = [&] {
      for (size_t index = next++; index < targets.size(); index = next++)
        runTarget(*modules[index], *targets[index], last, entries, results[index]);
    };
    std::vector<std::thread> threads;
    for (size_t extra = 1; extra < std::min<size_t>(std::max(options.jobs, 1), targets.size()); ++extra)
      threads.emplace_back(work);
    work();
    for (std::thread &thread : threads)
      thread.join();
    for (TargetResult &result : results) {
      if (result.error)
        return std::move(*result.error);
      remarks.insert(remarks.end(), result.remarks.begin(), result.remarks.end());
    }
    return results;
  }

  /// Once all is done, so that their order does not depend on threads.
  void giveRemarks() {
    if (wantsRemarks())
      for (const Remark &remark : remarks)
        options.onRemark(remark);
  }

private:
  bool wantsRemarks() const { return static_cast<bool>(options.onRemark); }

  void runTarget(IsolatedModule &module, const Target &target, const Phase &last,
                 const std::vector<std::string> &entries, TargetResult &result) {
    module.get()->setAttr("weft.target", target.attribute(module.get()->getContext()));
    for (const Phase &phase : allPhases()) {
      if (!phase.perTarget() || phase.number > last.number || !runsFor(phase, target))
        continue;
      std::string label = std::string(phase.name) + " " + target.isa;
      progress.begin(label);
      if (phase.addPasses) {
        if (Result<void> ran = runner.run(phase, module, target.isa); !ran)
          return fail(result, ran.takeError());
      } else {
        if (Result<void> emitted = emit(module.get(), target, entries, result); !emitted)
          return fail(result, runner.withReproducer(emitted.takeError(), phase, module.get(), target.isa));
      }
      progress.advance(label, phase.effort);
    }
    result.remarks = module.takeRemarks();
    if (last.addPasses)
      result.text = printModule(module.get());
  }

  /// Machine code: a GPU's as PTX, then the host's.
  static Result<void> emit(mlir::ModuleOp module, const Target &target, const std::vector<std::string> &entries,
                           TargetResult &result) {
    if (target.isGpu()) {
      Result<std::vector<Kernel>> kernels = takeKernels(module, target);
      if (!kernels)
        return kernels.takeError();
      result.kernels = std::move(*kernels);
    }
    Result<Object> object = emitObject(module, target, entries);
    if (!object)
      return object.takeError();
    result.object = std::move(*object);
    return {};
  }

  static void fail(TargetResult &result, Diagnostic error) { result.error = std::move(error); }

  const Graph &graph;
  std::vector<const Target *> targets;
  const CompileOptions &options;
  ProgressMeter &progress;
  PhaseRunner runner;
  std::vector<Remark> remarks;
};

} // namespace

std::span<const std::string_view> weightForms() {
  static const std::vector<std::string_view> forms = [] {
    std::vector<std::string_view> names = {"keep", "int8"};
    for (const NamedGroupForm &named : groupForms())
      names.emplace_back(named.name);
    return names;
  }();
  return forms;
}

double CompileOptions::weightShare() const {
  if (const NamedGroupForm *named = findGroupForm(weights))
    return static_cast<double>(named->form.bytes()) / (4 * kPanelWidth * named->form.group);
  return weights == "int8" ? 0.25 : dtype == ElementType::F32 ? 1 : 0.5;
}

double compilationEffort(size_t targets) {
  double effort = 0;
  for (const Phase &phase : allPhases())
    effort += phase.effort * (phase.perTarget() ? targets : 1);
  return effort;
}

Result<CompiledModel> compileModel(const Graph &graph, const std::vector<const Target *> &targets,
                                   const CompileOptions &options, ProgressMeter &progress) {
  const Phase &last = allPhases().back();
  Compilation compilation(graph, targets, options, progress);
  Result<std::unique_ptr<IsolatedModule>> outlined = compilation.runSharedPhases(last);
  if (!outlined)
    return outlined.takeError();
  compilation.chooseTargets((*outlined)->get());
  Result<ModelDescription> description = describeModel((*outlined)->get());
  if (!description)
    return description.takeError();
  Result<std::vector<TargetResult>> results =
      compilation.runTargets((*outlined)->get(), last, description->entryNames());
  if (!results)
    return results.takeError();
  CompiledModel model{std::move(*description), compilation.chosenTargets(), {}, {}};
  for (TargetResult &result : *results) {
    model.objects.push_back(std::move(result.object));
    llvm::append_range(model.kernels, result.kernels);
  }
  Result<Object> descriptor = emitDescriptor(model.description, model.targets, model.kernels);
  if (!descriptor)
    return descriptor.takeError();
  model.objects.push_back(std::move(*descriptor));
  compilation.giveRemarks();
  return model;
}

Result<std::string> lowerModel(const Graph &graph, const std::vector<const Target *> &targets,
                               const CompileOptions &options, ProgressMeter &progress) {
  const Phase *last = findPhase(options.stopAfter.empty() ? "cpu" : options.stopAfter);
  if (!last || last->name == "emit")
    return Diagnostic{"W0613", "'" + options.stopAfter + "' is no phase that one can stop after", "",
                      "use import, normalize, fuse, outline, tile, bufferize, blocks, vectorize, nvptx or cpu"};
  Compilation compilation(graph, targets, options, progress);
  Result<std::unique_ptr<IsolatedModule>> shared = compilation.runSharedPhases(*last);
  if (!shared)
    return shared.takeError();
  std::string text;
  if (!last->perTarget()) {
    text = printModule((*shared)->get());
  } else {
    compilation.chooseTargets((*shared)->get());
    Result<std::vector<TargetResult>> results = compilation.runTargets((*shared)->get(), *last, {});
    if (!results)
      return results.takeError();
    for (auto [target, result] : llvm::zip_equal(compilation.chosenTargets(), *results))
      text += "// Target " + std::string(target->isa) + ".\n" + result.text;
  }
  compilation.giveRemarks();
  return text;
}

} // namespace weft
