// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/Phases.h"

#include "compiler/include/weft/Compiler.h"
#include "lowering/bufferize/Passes.h"
#include "lowering/cpu/Passes.h"
#include "lowering/fuse/Passes.h"
#include "lowering/normalize/Passes.h"
#include "lowering/outline/Passes.h"
#include "lowering/tile/Passes.h"

#include <array>

namespace weft {

// Efforts were measured on MiniLM.
// clang-format off
static const Phase kPhases[] = {
    {1, "import", false, 0.005, nullptr},
    {2, "normalize", false, 0.005, buildNormalizePhase},
    {3, "fuse", false, 0.005, buildFusePhase},
    {4, "outline", false, 0.005, buildOutlinePhase},
    {5, "tile", true, 0.005, buildTilePhase},
    {6, "bufferize", true, 0.01, buildBufferizePhase},
    {7, "cpu", true, 0.25, buildCpuPhase},
    {8, "emit", true, 0.7, nullptr},
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
