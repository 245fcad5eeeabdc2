// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the processor and the operating system let generated code use. Decided
// by feature bits, never by a model number: virtual machines mask both.
#ifndef WEFT_RUNTIME_CPU_CPUFEATURES_H
#define WEFT_RUNTIME_CPU_CPUFEATURES_H

#include "runtime/include/weft/abi.h"

namespace weft::runtime {

/// The WEFT_CPU_ bits of this machine.
uint64_t cpuFeatures();

/// Asks the system for the AMX tiles, once a process; true when granted. Bits
/// of AMX in cpuFeatures() say only that the machine has them.
bool requestAmx();

/// Text of a set of WEFT_CPU_ bits: "x86-64-v3, amx-int8".
struct FeatureText {
  explicit FeatureText(uint64_t features);
  char text[128];
};

} // namespace weft::runtime

#endif // WEFT_RUNTIME_CPU_CPUFEATURES_H
