// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// An mbarrier object where it lies, for the instructions that change it.
#ifndef WEFT_TOOLS_PTXSIM_ASYNC_MBARRIERACCESS_H
#define WEFT_TOOLS_PTXSIM_ASYNC_MBARRIERACCESS_H

#include "tools/ptxsim/async/AsyncState.h"
#include "tools/ptxsim/async/Mbarrier.h"

namespace weft::ptxsim {

/// Reads the object at an address of a lane; a fault where there is none.
class MbarrierAccess {
public:
  MbarrierAccess(const Instruction &i, Warp &warp, int lane, const Address &address);

  Mbarrier object;

  uint32_t address() const { return where; }
  BarrierOrder &order();

  /// A fault where an operation said what is wrong with it.
  void require(const std::string &problem) const;

  /// Writes the object back; where its phase is no longer `phaseBefore`, those who wait learn what the arrivals knew.
  void store(uint32_t phaseBefore);

private:
  Warp &warp;
  int lane;
  uint32_t where = 0;
  std::byte *word = nullptr;
};

} // namespace weft::ptxsim

#endif
