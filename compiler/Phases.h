// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The phases of a compilation, in order. Up to outline a phase runs once; from tile on it runs once for each target,
// nvptx only for targets that are devices.
#ifndef WEFT_COMPILER_PHASES_H
#define WEFT_COMPILER_PHASES_H

#include "mlir/Pass/PassManager.h"

#include <span>
#include <string_view>

namespace weft {

enum class PhaseRuns { once, perTarget, perDevice };

struct Phase {
  int number; ///< from 1, as files in a dump folder are numbered
  std::string_view name;
  PhaseRuns runs;
  double effort;                            ///< share of a compilation's time, roughly; per target where it runs so
  void (*addPasses)(mlir::OpPassManager &); ///< null where the phase is no pass pipeline (import, emit)

  bool perTarget() const { return runs != PhaseRuns::once; }
};

std::span<const Phase> allPhases();

/// Null when there is none of this name.
const Phase *findPhase(std::string_view name);

} // namespace weft

#endif // WEFT_COMPILER_PHASES_H
