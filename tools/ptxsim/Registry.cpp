// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Which file executes which opcode.
#include "tools/ptxsim/Decoder.h"

namespace weft::ptxsim {

Registry::Registry() {
  registerCluster(*this);
  registerCopies(*this);
  registerMatrix(*this);
  registerMbarrier(*this);
  registerTensorMaps(*this);
  registerWarpgroup(*this);
  registerArithmetic(*this);
  registerIntegers(*this);
  registerTranscendentals(*this);
  registerComparisons(*this);
  registerBits(*this);
  registerMoves(*this);
  registerConversions(*this);
  registerControl(*this);
  registerCalls(*this);
  registerBarriers(*this);
  registerMemory(*this);
  registerAtomics(*this);
  registerWarpWide(*this);
}

const Registry &Registry::get() {
  static const Registry registry;
  return registry;
}

void Registry::add(std::string_view opcode, Decode decode) { decoders.insert_or_assign(std::string(opcode), decode); }

Decode Registry::find(std::string_view opcode) const {
  auto found = decoders.find(opcode);
  return found == decoders.end() ? nullptr : found->second;
}

} // namespace weft::ptxsim
