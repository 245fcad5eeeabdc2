// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What cp.reduce.async.bulk does to each element.
#ifndef WEFT_TOOLS_PTXSIM_ASYNC_REDUCTION_H
#define WEFT_TOOLS_PTXSIM_ASYNC_REDUCTION_H

#include "tools/ptxsim/Type.h"

#include <cstddef>

namespace weft::ptxsim {

struct Reduction {
  enum class Op { Add, Min, Max, Inc, Dec, And, Or, Xor };
  Op op = Op::Add;
  Type type = Type::U32;

  /// target[k] = op(target[k], operand[k]) for the elements of `bytes` bytes.
  void apply(std::byte *target, const std::byte *operand, uint32_t bytes) const;
};

} // namespace weft::ptxsim

#endif
