// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A Graph into code of this process.
#include "compiler/jit/Executable.h"

#include "compiler/Graph.h"
#include "compiler/Pipelines.h"

namespace weft {

/// Beside the phases' efforts: packing the weights in memory.
static constexpr double kWeightsEffort = 0.08;

Diagnostic runtimeError() {
  weft_error error;
  weft_last_error_parts(&error);
  return {error.code, error.message, error.place, error.help};
}

Result<Executable> compile(const Graph &graph, const CompileOptions &options) {
  Result<std::vector<const Target *>> targets =
      parseTargets(options.targets.empty() ? std::vector<std::string>{"cpu:native"} : options.targets);
  if (!targets)
    return targets.takeError();
  if (!targets->empty() && targets->front()->isGpu())
    return Diagnostic{"W0604", "kernels of a GPU cannot be compiled in memory", targets->front()->isa,
                      "compile an artifact with weft compile --target nvptx:" + std::string(targets->front()->isa) +
                          ", and run that"};
  ProgressMeter progress(options.onProgress, compilationEffort(targets->size()) + kWeightsEffort);
  Result<CompiledModel> model = compileModel(graph, *targets, options, progress);
  if (!model)
    return model.takeError();
  progress.begin("weights");
  Result<ParameterBlock> parameters = ParameterBlock::create(model->description.parameters, graph.impl().weights);
  if (!parameters)
    return parameters.takeError();
  Result<JitEngine> engine = JitEngine::link(model->objects);
  if (!engine)
    return engine.takeError();
  auto executable = std::make_shared<Executable::Impl>(std::move(*engine), std::move(*parameters));
  weft_status status = weft_open_linked(executable->engine.descriptor(), executable->parameters.pointers().data(),
                                        nullptr, &executable->model);
  if (status != WEFT_OK)
    return runtimeError();
  progress.advance("weights", kWeightsEffort);
  return Executable(std::move(executable));
}

Executable::Executable(std::shared_ptr<Impl> state) : state(std::move(state)) {}

weft_model *Executable::model() const { return state->model; }

Result<Session> Executable::session(const SessionOptions &options) const {
  std::vector<weft_dim_limit> limits;
  for (const auto &[name, max] : options.dimLimits)
    limits.push_back({name.c_str(), max});
  weft_session_options chosen = {};
  chosen.size = sizeof(chosen);
  chosen.threads = options.threads;
  chosen.variant = options.variant.empty() ? nullptr : options.variant.c_str();
  chosen.dim_limits = limits.data();
  chosen.dim_limit_count = limits.size();
  auto session = std::make_unique<Session::Impl>();
  session->executable = state;
  if (weft_session_new(state->model, &chosen, &session->session) != WEFT_OK)
    return runtimeError();
  return Session(std::move(session));
}

} // namespace weft
