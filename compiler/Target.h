// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Target names as users write them ("cpu:amx,v4,v3", "cpu:native") into what the phases and LLVM need to know.
#ifndef WEFT_COMPILER_TARGET_H
#define WEFT_COMPILER_TARGET_H

#include "dialects/weft/WeftDialect.h"
#include "frontends/diagnostic/Diagnostic.h"
#include "lowering/analysis/ProductKinds.h"

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace weft {

/// A level of the x86-64 psABI, as code is made for it; or one above: `v4-vnni` has dot products of bytes, `v4-bf16`
/// those of bf16 too, `amx` tiles of both.
struct Target {
  const char *isa;           ///< "v3": its name in artifacts and on the command line
  int64_t lanes;             ///< f32 values in a vector register
  int64_t registers;         ///< vector registers
  const char *cpu;           ///< LLVM's name
  const char *features;      ///< LLVM's, beyond those of `cpu`
  uint64_t requiredFeatures; ///< WEFT_CPU_ bits that the loader tests
  unsigned products;         ///< ProductKinds that it is faster in than `without`
  const char *without;       ///< the level that has the same code where a program has none of these; null: none

  TargetAttr attribute(mlir::MLIRContext *context) const;
};

/// Every level, best first.
std::span<const Target> allTargets();

/// The best level that this processor runs, by its feature bits: a model number can be masked by a hypervisor.
const Target &nativeTarget();

/// The level to compile a program for that has products of these ProductKinds: the target itself, or the best one below
/// that has the same code.
const Target &levelFor(const Target &target, unsigned products);

/// Sorts levels, the best first, and drops repeats.
void sortLevels(std::vector<const Target *> &levels);

/// The named levels without repeats, best first, as a model's variants are sorted. Each item of `names` is "cpu",
/// "cpu:" with levels, or a level. W0610: no such target.
Result<std::vector<const Target *>> parseTargets(const std::vector<std::string> &names);

} // namespace weft

#endif // WEFT_COMPILER_TARGET_H
