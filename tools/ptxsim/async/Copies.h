// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The two families of cp.async, which share an opcode, and their groups.
#ifndef WEFT_TOOLS_PTXSIM_ASYNC_COPIES_H
#define WEFT_TOOLS_PTXSIM_ASYNC_COPIES_H

#include "tools/ptxsim/Decoder.h"
#include "tools/ptxsim/async/AsyncState.h"

namespace weft::ptxsim {

/// cp.async of single threads; "async" is taken.
void decodeAsyncCopy(Decoder &d);

/// cp.async.bulk and cp.reduce.async.bulk; "async" and "bulk" are taken.
void decodeBulkCopy(Decoder &d, bool reduce);

/// Ends a group of copies of this kind.
template <AsyncGroups WarpAsync::*kKind> Outcome commitGroup(const Instruction &, Warp &warp, LaneMask) {
  ++(asyncOf(warp.block).of(warp).*kKind).committed;
  return Outcome::Next;
}

/// Waits until at most `flags` groups of this kind are on their way.
template <AsyncGroups WarpAsync::*kKind> Outcome waitGroup(const Instruction &i, Warp &warp, LaneMask) {
  AsyncState &async = asyncOf(warp.block);
  const AsyncGroups &groups = async.of(warp).*kKind;
  if (groups.committed > i.flags)
    async.order.learn(int(warp.index), groups.agent, groups.committed - i.flags);
  return Outcome::Next;
}

} // namespace weft::ptxsim

#endif
