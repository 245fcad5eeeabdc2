// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// barrier.cluster, which shares its opcode with the barriers of a block.
#ifndef WEFT_TOOLS_PTXSIM_ASYNC_CLUSTER_H
#define WEFT_TOOLS_PTXSIM_ASYNC_CLUSTER_H

#include "tools/ptxsim/Decoder.h"

namespace weft::ptxsim {

/// "cluster" is taken.
void decodeClusterBarrier(Decoder &d);

} // namespace weft::ptxsim

#endif
