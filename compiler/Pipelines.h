// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A graph through all phases: into objects that the linker or the JIT takes, or into text where one stops on the way.
#ifndef WEFT_COMPILER_PIPELINES_H
#define WEFT_COMPILER_PIPELINES_H

#include "compiler/ProgressMeter.h"
#include "compiler/Target.h"
#include "compiler/emit/ModelDescription.h"
#include "compiler/emit/ObjectEmitter.h"
#include "compiler/emit/PtxEmitter.h"
#include "compiler/include/weft/Compiler.h"

namespace weft {

/// Machine code and what there is to say about it.
struct CompiledModel {
  ModelDescription description;
  std::vector<const Target *> targets; ///< best first
  std::vector<Object> objects;         ///< one for each target, then the descriptor
  std::vector<Kernel> kernels;         ///< of GPUs, those of each target together
};

/// The effort that compileModel will report for this many targets.
double compilationEffort(size_t targets);

/// Errors: those of the phases, W0605, W0610 to W0612, W0690.
Result<CompiledModel> compileModel(const Graph &graph, const std::vector<const Target *> &targets,
                                   const CompileOptions &options, ProgressMeter &progress);

/// The text after `options.stopAfter`.
Result<std::string> lowerModel(const Graph &graph, const std::vector<const Target *> &targets,
                               const CompileOptions &options, ProgressMeter &progress);

} // namespace weft

#endif // WEFT_COMPILER_PIPELINES_H
