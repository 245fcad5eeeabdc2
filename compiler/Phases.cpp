// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/Phases.h"

#include "compiler/include/weft/Compiler.h"
#include "lowering/bufferize/Passes.h"
#include "lowering/cpu/Passes.h"
#include "lowering/fuse/Passes.h"
#include "lowering/normalize/Passes.h"
#include "lowering/nvptx/Passes.h"
#include "lowering/outline/Passes.h"
#include "lowering/tile/Passes.h"
#include "lowering/vectorize/Passes.h"

#include <array>

namespace weft {

// Efforts were measured on MiniLM.
// clang-format off
static const Phase kPhases[] = {
    {1, "import", PhaseRuns::once, 0.005, nullptr},
    {2, "normalize", PhaseRuns::once, 0.005, buildNormalizePhase},
    {3, "fuse", PhaseRuns::once, 0.005, buildFusePhase},
    {4, "outline", PhaseRuns::once, 0.005, buildOutlinePhase},
    {5, "tile", PhaseRuns::perTarget, 0.005, buildTilePhase},
    {6, "bufferize", PhaseRuns::perTarget, 0.01, buildBufferizePhase},
    {7, "blocks", PhaseRuns::perDevice, 0, buildBlocksPhase},
    {8, "vectorize", PhaseRuns::perTarget, 0.1, buildVectorizePhase},
    {9, "nvptx", PhaseRuns::perDevice, 0, buildNvptxPhase},
    {10, "cpu", PhaseRuns::perTarget, 0.15, buildCpuPhase},
    {11, "emit", PhaseRuns::perTarget, 0.7, nullptr},
};
// clang-format on

std::span<const Phase> allPhases() { return kPhases; }

const Phase *findPhase(std::string_view name) {
  for (const Phase &phase : kPhases)
    if (phase.name == name)
      return &phase;
  return nullptr;
}

std::span<const std::string_view> phaseNames() {
  static const auto kNames = [] {
    std::array<std::string_view, std::size(kPhases)> names;
    for (const Phase &phase : kPhases)
      names[phase.number - 1] = phase.name;
    return names;
  }();
  return kNames;
}

} // namespace weft
