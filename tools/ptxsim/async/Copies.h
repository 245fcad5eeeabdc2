// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The two families of cp.async, which share an opcode.
#ifndef WEFT_TOOLS_PTXSIM_ASYNC_COPIES_H
#define WEFT_TOOLS_PTXSIM_ASYNC_COPIES_H

#include "tools/ptxsim/Decoder.h"

namespace weft::ptxsim {

/// cp.async of single threads; "async" is taken.
void decodeAsyncCopy(Decoder &d);

/// cp.async.bulk and cp.reduce.async.bulk; "async" and "bulk" are taken.
void decodeBulkCopy(Decoder &d, bool reduce);

} // namespace weft::ptxsim

#endif
