// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Whether the pipelines between roles can wait for ever.
#ifndef WEFT_DIALECTS_TILE_PIPELINECHECK_H
#define WEFT_DIALECTS_TILE_PIPELINECHECK_H

#include "dialects/tile/TileOps.h"

namespace weft::tile {

/// What is wrong, and where.
struct PipelineFault {
  mlir::Operation *where;
  std::string what;
};

/// Runs the pipeline ops of a producer and its consumers, with all that is unknown before them being 1, 2, … up to two
/// more than a pipeline has stages; two unknown values never are the same. A filling waits for releases and a wait for
/// fillings, in the order of the program, and nothing else decides: so whether a run ends does not depend on how the
/// threads are scheduled, and one run of each is enough.
std::optional<PipelineFault> findPipelineFault(RolesOp roles);

} // namespace weft::tile

#endif // WEFT_DIALECTS_TILE_PIPELINECHECK_H
