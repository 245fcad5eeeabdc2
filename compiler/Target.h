// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Target names as users write them ("cpu:amx,v4,v3", "cpu:native", "nvptx:sm_90a") into what the phases and LLVM need
// to know.
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

/// What kernels run on.
enum class Device { Cpu, Cuda };

/// A level of the x86-64 psABI, as code is made for it; or one above: `v4-vnni` has dot products of bytes, `v4-bf16`
/// those of bf16 too, `amx` tiles of both. Or an architecture of NVIDIA's GPUs: `sm_90a` is compute capability 9.0 with
/// the instructions that no other has.
struct Target {
  const char *isa;           ///< "v3": its name in artifacts and on the command line
  int64_t lanes;             ///< f32 values in a vector register; of a GPU, threads that stand for one
  int64_t registers;         ///< vector registers; 32-bit registers that a thread can have
  const char *cpu;           ///< LLVM's name
  const char *features;      ///< LLVM's, beyond those of `cpu`; of a GPU its PTX version
  uint64_t requiredFeatures; ///< WEFT_CPU_ bits that the loader tests
  unsigned products;         ///< ProductKinds that it is faster in than `without`
  const char *without;       ///< the level that has the same code where a program has none of these; null: none
  Device device = Device::Cpu;
  int32_t capability = 0;      ///< of a GPU: 90 is compute capability 9.0
  bool capabilityOnly = false; ///< of a GPU: its code runs on that capability alone, not on later ones

  bool isGpu() const { return device == Device::Cuda; }
  TargetAttr attribute(mlir::MLIRContext *context) const;
};

/// Every level of processors, best first.
std::span<const Target> allTargets();

/// Every architecture of GPUs, best first.
std::span<const Target> gpuTargets();

/// Null: no level and no architecture has this name.
const Target *findTarget(llvm::StringRef isa);

/// What the host's part of code for a GPU is made for: any x86-64 will do.
const Target &hostTarget();

/// The best level that this processor runs, by its feature bits: a model number can be masked by a hypervisor.
const Target &nativeTarget();

/// The level to compile a program for that has products of these ProductKinds: the target itself, or the best one below
/// that has the same code.
const Target &levelFor(const Target &target, unsigned products);

/// Sorts levels, the best first, and drops repeats.
void sortLevels(std::vector<const Target *> &levels);

/// The named levels without repeats, best first, as a model's variants are sorted. Each item of `names` is "cpu",
/// "cpu:" with levels, "nvptx:" with architectures, or a level or architecture alone. W0609: processors and GPUs
/// together. W0610: no such target.
Result<std::vector<const Target *>> parseTargets(const std::vector<std::string> &names);

} // namespace weft

#endif // WEFT_COMPILER_TARGET_H
