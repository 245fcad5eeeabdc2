// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/Target.h"

#include "runtime/include/weft/abi.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/TargetParser/Host.h"

namespace weft {

// Best first. 512-bit vectors have to be asked for: LLVM prefers 256 bits on some processors that have both.
static constexpr uint64_t kV4 = WEFT_CPU_V3 | WEFT_CPU_V4;
static const Target kTargets[] = {
    {"amx", 16, 32, "x86-64-v4", "-prefer-256-bit,+avx512vnni,+avx512bf16,+amx-tile,+amx-int8,+amx-bf16",
     kV4 | WEFT_CPU_VNNI | WEFT_CPU_BF16 | WEFT_CPU_AMX_INT8 | WEFT_CPU_AMX_BF16},
    {"v4", 16, 32, "x86-64-v4", "-prefer-256-bit", kV4},
    {"v3", 8, 16, "x86-64-v3", "", WEFT_CPU_V3},
    {"portable", 4, 16, "x86-64", "", 0},
};
// The passes of levels v4 and amx with code for v3, for tests on processors without them.
static const Target kEmulated[] = {
    {"amx-vectors", 8, 16, "x86-64-v3", "", WEFT_CPU_V3},
    {"v4-vectors", 16, 32, "x86-64-v3", "", WEFT_CPU_V3},
};

TargetAttr Target::attribute(mlir::MLIRContext *context) const {
  context->getOrLoadDialect<WeftDialect>(); // a module without any weft op has not loaded it
  return TargetAttr::get(context, isa, lanes, registers, cpu, features);
}

std::span<const Target> allTargets() { return kTargets; }

static const Target &findTarget(llvm::StringRef isa) {
  return *llvm::find_if(kTargets, [&](const Target &target) { return isa == target.isa; });
}

const Target &nativeTarget() {
  llvm::StringMap<bool> host = llvm::sys::getHostCPUFeatures();
  auto hasAll = [&](std::initializer_list<llvm::StringRef> names) {
    return llvm::all_of(names, [&](llvm::StringRef name) { return host.lookup(name); });
  };
  bool v3 = hasAll({"avx", "avx2", "bmi", "bmi2", "f16c", "fma", "lzcnt", "movbe"});
  bool v4 = v3 && hasAll({"avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"});
  bool amx = v4 && hasAll({"avx512vnni", "avx512bf16", "amx-tile", "amx-int8", "amx-bf16"});
  return findTarget(amx ? "amx" : v4 ? "v4" : v3 ? "v3" : "portable");
}

const Target &withoutTiles(const Target &target) {
  std::string_view isa = target.isa;
  return isa == "amx" ? findTarget("v4") : isa == "amx-vectors" ? findTarget("v3") : target;
}

/// The targets that one level's name stands for.
static std::vector<const Target *> findLevel(llvm::StringRef level) {
  if (level == "native")
    return {&nativeTarget()};
  for (const Target &target : kTargets)
    if (level == target.isa)
      return {&target};
  for (const Target &target : kEmulated)
    if (level == target.isa)
      return {&target};
  return {};
}

/// What one item of the list stands for; empty when nothing does.
static std::vector<const Target *> findItem(llvm::StringRef item) {
  std::vector<const Target *> found;
  if (item == "cpu") {
    for (const Target &target : kTargets)
      found.push_back(&target);
    return found;
  }
  item.consume_front("cpu:");
  llvm::SmallVector<llvm::StringRef> levels;
  item.split(levels, ',');
  for (llvm::StringRef level : levels) {
    std::vector<const Target *> named = findLevel(level.trim());
    if (named.empty())
      return {};
    llvm::append_range(found, named);
  }
  return found;
}

Result<std::vector<const Target *>> parseTargets(const std::vector<std::string> &names) {
  std::vector<const Target *> targets;
  for (const std::string &name : names) {
    std::vector<const Target *> found = findItem(name);
    if (found.empty())
      return Diagnostic{"W0610", "'" + name + "' is no target that Weft compiles for", "",
                        "use cpu (all levels), cpu:native, or a list such as cpu:amx,v4,v3,portable"};
    llvm::append_range(targets, found);
  }
  // The table's order is best first; emulated levels come last.
  auto place = [](const Target *target) {
    bool isEmulated = target >= std::begin(kEmulated) && target < std::end(kEmulated);
    return std::pair(isEmulated, target);
  };
  llvm::sort(targets, [&](const Target *a, const Target *b) { return place(a) < place(b); });
  targets.erase(std::unique(targets.begin(), targets.end()), targets.end());
  return targets;
}

} // namespace weft
