// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/Target.h"

#include "compiler/include/weft/Compiler.h"
#include "runtime/include/weft/abi.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/TargetParser/Host.h"

#include <optional>

namespace weft {

// Best first. 512-bit vectors have to be asked for: LLVM prefers 256 bits on some processors that have both.
static constexpr uint64_t kV4 = WEFT_CPU_V3 | WEFT_CPU_V4;
static constexpr uint64_t kVnni = kV4 | WEFT_CPU_VNNI;
static constexpr uint64_t kBf16 = kVnni | WEFT_CPU_BF16;
static const Target kTargets[] = {
    {"amx", 16, 32, "x86-64-v4", "-prefer-256-bit,+avx512vnni,+avx512bf16,+amx-tile,+amx-int8,+amx-bf16",
     kBf16 | WEFT_CPU_AMX_INT8 | WEFT_CPU_AMX_BF16, kByteProducts | kHalfProducts, "v4"},
    {"v4-bf16", 16, 32, "x86-64-v4", "-prefer-256-bit,+avx512vnni,+avx512bf16", kBf16 | WEFT_CPU_FAST_BF16,
     kHalfProducts, "v4-vnni"},
    {"v4-vnni", 16, 32, "x86-64-v4", "-prefer-256-bit,+avx512vnni", kVnni, kByteProducts, "v4"},
    {"v4", 16, 32, "x86-64-v4", "-prefer-256-bit", kV4, kNoProducts, nullptr},
    {"v3", 8, 16, "x86-64-v3", "", WEFT_CPU_V3, kNoProducts, nullptr},
    {"portable", 4, 16, "x86-64", "", 0, kNoProducts, nullptr},
};
// The passes of levels above v3 with code for v3, for tests on processors without them.
static const Target kEmulated[] = {
    {"amx-vectors", 8, 16, "x86-64-v3", "", WEFT_CPU_V3, kByteProducts | kHalfProducts, "v3"},
    {"v4-bf16-vectors", 16, 32, "x86-64-v3", "", WEFT_CPU_V3, kByteProducts | kHalfProducts, "v4-vectors"},
    {"v4-vectors", 16, 32, "x86-64-v3", "", WEFT_CPU_V3, kNoProducts, nullptr},
};
// GPUs: a vector is 16 threads (lowering/nvptx), and a tile of products has as many registers as 32 vectors. PTX 8.3
// has all that we emit, and drivers know it since CUDA 12.3. wgmma, setmaxnreg and TMA's tiles are in sm_90a alone, so
// its code runs on no later GPU.
static constexpr const char *kPtx = "+ptx83";
static const Target kGpus[] = {
    {"sm_90a", 16, 32, "sm_90a", kPtx, 0, kNoProducts, nullptr, Device::Cuda, 90, true},
    {"sm_90", 16, 32, "sm_90", kPtx, 0, kNoProducts, nullptr, Device::Cuda, 90, false},
    {"sm_89", 16, 32, "sm_89", kPtx, 0, kNoProducts, nullptr, Device::Cuda, 89, false},
    {"sm_86", 16, 32, "sm_86", kPtx, 0, kNoProducts, nullptr, Device::Cuda, 86, false},
    {"sm_80", 16, 32, "sm_80", kPtx, 0, kNoProducts, nullptr, Device::Cuda, 80, false},
};

TargetAttr Target::attribute(mlir::MLIRContext *context) const {
  context->getOrLoadDialect<WeftDialect>(); // a module without any weft op has not loaded it
  return TargetAttr::get(context, isa, lanes, registers, cpu, features);
}

std::span<const Target> allTargets() { return kTargets; }

std::span<const Target> gpuTargets() { return kGpus; }

const Target &hostTarget() { return *findTarget("portable"); }

const Target *findTarget(llvm::StringRef isa) {
  for (std::span<const Target> table :
       {std::span<const Target>(kTargets), std::span<const Target>(kEmulated), std::span<const Target>(kGpus)})
    for (const Target &target : table)
      if (isa == target.isa)
        return &target;
  return nullptr;
}

/// Whether `vdpbf16ps` starts as often as a multiply-add: on Zen 4 and 5 it does, Intel's take two to four cycles
/// (measured on Sapphire Rapids).
static bool hasFastBf16() {
  using namespace llvm::sys::detail::x86;
  return getVendorSignature() == VendorSignatures::AUTHENTIC_AMD;
}

const Target &nativeTarget() {
  llvm::StringMap<bool> host = llvm::sys::getHostCPUFeatures();
  auto hasAll = [&](std::initializer_list<llvm::StringRef> names) {
    return llvm::all_of(names, [&](llvm::StringRef name) { return host.lookup(name); });
  };
  bool v3 = hasAll({"avx", "avx2", "bmi", "bmi2", "f16c", "fma", "lzcnt", "movbe"});
  bool v4 = v3 && hasAll({"avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"});
  bool vnni = v4 && host.lookup("avx512vnni"), bf16 = vnni && host.lookup("avx512bf16");
  bool amx = bf16 && hasAll({"amx-tile", "amx-int8", "amx-bf16"});
  return *findTarget(amx                     ? "amx"
                     : bf16 && hasFastBf16() ? "v4-bf16"
                     : vnni                  ? "v4-vnni"
                     : v4                    ? "v4"
                     : v3                    ? "v3"
                                             : "portable");
}

const Target &levelFor(const Target &target, unsigned products) {
  const Target *level = &target;
  while (level->without && !(level->products & products))
    level = findTarget(level->without);
  return *level;
}

std::span<const std::string_view> targetLevels() {
  static const std::vector<std::string_view> names = [] {
    std::vector<std::string_view> all;
    for (const Target &target : kTargets)
      all.emplace_back(target.isa);
    all.emplace_back("native");
    for (const Target &target : kEmulated)
      all.emplace_back(target.isa);
    return all;
  }();
  return names;
}

std::span<const std::string_view> gpuArchitectures() {
  static const std::vector<std::string_view> names = [] {
    std::vector<std::string_view> all;
    for (const Target &target : kGpus)
      all.emplace_back(target.isa);
    return all;
  }();
  return names;
}

std::string_view nativeLevel() { return nativeTarget().isa; }

void sortLevels(std::vector<const Target *> &levels) {
  // Each table's order is best first; emulated levels come last.
  auto place = [](const Target *level) {
    auto isIn = [level](std::span<const Target> table) { return level >= table.data() && level <= &table.back(); };
    return std::pair(isIn(kEmulated) ? 2 : isIn(kTargets) ? 1 : 0, level);
  };
  llvm::sort(levels, [&](const Target *a, const Target *b) { return place(a) < place(b); });
  levels.erase(std::unique(levels.begin(), levels.end()), levels.end());
}

/// The target that a name of the list stands for: of either device, or of the one that the item begins with.
static const Target *findName(llvm::StringRef name, std::optional<Device> device) {
  const Target *target = name == "native" ? &nativeTarget() : findTarget(name);
  return target && (!device || target->device == *device) ? target : nullptr;
}

/// What one item of the list stands for; empty when nothing does.
static std::vector<const Target *> findItem(llvm::StringRef item) {
  std::vector<const Target *> found;
  if (item == "cpu") {
    for (const Target &target : kTargets)
      found.push_back(&target);
    return found;
  }
  std::optional<Device> device;
  if (item.consume_front("cpu:"))
    device = Device::Cpu;
  else if (item.consume_front("nvptx:"))
    device = Device::Cuda;
  llvm::SmallVector<llvm::StringRef> names;
  item.split(names, ',');
  for (llvm::StringRef name : names) {
    found.push_back(findName(name.trim(), device));
    if (!found.back())
      return {};
  }
  return found;
}

/// W0610, with what there is of the kind that was asked for.
static Diagnostic noSuchTarget(const std::string &name) {
  llvm::StringRef text = name;
  std::string help = text.contains("nvptx") || text.contains("sm_")
                         ? "use nvptx: with some of " + llvm::join(gpuArchitectures(), ", ") + ", as in nvptx:sm_90a"
                         : "use cpu (all levels), cpu:native, a list such as cpu:amx,v4,v3,portable, or nvptx:sm_90a";
  return {"W0610", "'" + name + "' is no target that Weft compiles for", "", help};
}

Result<std::vector<const Target *>> parseTargets(const std::vector<std::string> &names) {
  std::vector<const Target *> targets;
  for (const std::string &name : names) {
    std::vector<const Target *> found = findItem(name);
    if (found.empty())
      return noSuchTarget(name);
    llvm::append_range(targets, found);
  }
  // Weights are packed as the kernels of one device read them.
  auto isGpu = [](const Target *target) { return target->isGpu(); };
  if (llvm::any_of(targets, isGpu) && !llvm::all_of(targets, isGpu))
    return Diagnostic{"W0609", "an artifact is for processors or for GPUs, not for both", llvm::join(names, " "),
                      "compile one artifact for cpu and another one for nvptx"};
  sortLevels(targets);
  return targets;
}

} // namespace weft
