// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/cpu/CpuFeatures.h"

#include <atomic>
#include <cstdio>
#if defined(__x86_64__)
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace weft::runtime {

#if defined(__x86_64__)
namespace {
struct Registers {
  uint32_t eax = 0, ebx = 0, ecx = 0, edx = 0;
};

/// All zero when the processor does not know the leaf.
Registers cpuid(uint32_t leaf, uint32_t subleaf) {
  Registers r;
  __get_cpuid_count(leaf, subleaf, &r.eax, &r.ebx, &r.ecx, &r.edx);
  return r;
}

constexpr bool has(uint64_t word, uint64_t bits) { return (word & bits) == bits; }
constexpr uint32_t bit(int index) { return uint32_t(1) << index; }

/// XCR0: the register state that the operating system saves.
uint64_t savedState() {
  constexpr uint32_t kOsxsave = bit(27);
  if (!has(cpuid(1, 0).ecx, kOsxsave))
    return 0;
  uint32_t low, high;
  __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return uint64_t(high) << 32 | low;
}
/// Whose processors start `vdpbf16ps` as often as a multiply-add (Zen 4, Zen 5); Intel's take two to four times as
/// long.
bool isAmd() {
  Registers vendor = cpuid(0, 0);
  return vendor.ebx == 0x68747541 && vendor.edx == 0x69746e65 && vendor.ecx == 0x444d4163; // "AuthenticAMD"
}
} // namespace

// Bit numbers: Intel SDM, volume 2, CPUID; AMD APM, volume 3, appendix E.
static uint64_t detect() {
  constexpr uint64_t kYmm = 0x6, kZmm = 0xe6, kTiles = 0x60000; // in XCR0
  uint64_t saved = savedState();
  Registers basic = cpuid(1, 0);
  Registers more = cpuid(7, 0);
  Registers extended = cpuid(0x80000001, 0);
  uint64_t features = 0;
  // FMA 12, CX16 13, SSE4.1 19, SSE4.2 20, MOVBE 22, POPCNT 23, AVX 28, F16C 29
  constexpr uint32_t kBasic = bit(12) | bit(13) | bit(19) | bit(20) | bit(22) | bit(23) | bit(28) | bit(29);
  constexpr uint32_t kBmiAvx2 = bit(3) | bit(5) | bit(8); // BMI1, AVX2, BMI2
  constexpr uint32_t kLzcnt = bit(5);
  if (has(saved, kYmm) && has(basic.ecx, kBasic) && has(more.ebx, kBmiAvx2) && has(extended.ecx, kLzcnt))
    features |= WEFT_CPU_V3;
  // F 16, DQ 17, CD 28, BW 30, VL 31
  constexpr uint32_t kAvx512 = bit(16) | bit(17) | bit(28) | bit(30) | bit(31);
  if ((features & WEFT_CPU_V3) && has(saved, kZmm) && has(more.ebx, kAvx512))
    features |= WEFT_CPU_V4;
  if ((features & WEFT_CPU_V4) && has(more.ecx, bit(11)))
    features |= WEFT_CPU_VNNI;
  if ((features & WEFT_CPU_V4) && has(cpuid(7, 1).eax, bit(5)))
    features |= WEFT_CPU_BF16;
  if ((features & WEFT_CPU_BF16) && isAmd())
    features |= WEFT_CPU_FAST_BF16;
  if (has(saved, kTiles) && has(more.edx, bit(24))) {
    features |= has(more.edx, bit(25)) ? WEFT_CPU_AMX_INT8 : 0;
    features |= has(more.edx, bit(22)) ? WEFT_CPU_AMX_BF16 : 0;
  }
  return features;
}

uint64_t cpuFeatures() {
  // Detecting twice is harmless; the top bit says that it was done.
  constexpr uint64_t kKnown = UINT64_C(1) << 63;
  static std::atomic<uint64_t> cached{0};
  uint64_t features = cached.load(std::memory_order_relaxed);
  if (!features) {
    features = detect() | kKnown;
    cached.store(features, std::memory_order_relaxed);
  }
  return features & ~kKnown;
}

bool requestAmx() {
  constexpr long kRequestPermission = 0x1023; // ARCH_REQ_XCOMP_PERM
  constexpr long kTileData = 18;              // XFEATURE_XTILEDATA
  return syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
}
#else
uint64_t cpuFeatures() { return 0; }
bool requestAmx() { return false; }
#endif

FeatureText::FeatureText(uint64_t features) {
  static constexpr const char *kNames[] = {"x86-64-v3",   "x86-64-v4",   "amx-int8",        "amx-bf16",
                                           "avx512-vnni", "avx512-bf16", "fast avx512-bf16"};
  constexpr int kCount = sizeof(kNames) / sizeof(*kNames);
  size_t used = 0;
  text[0] = '\0';
  for (int i = 0; i < kCount; ++i)
    if (features >> i & 1)
      used += snprintf(text + used, sizeof(text) - used, "%s%s", used ? ", " : "", kNames[i]);
  if (uint64_t unknown = features >> kCount)
    used += snprintf(text + used, sizeof(text) - used, "%sfeatures unknown to this runtime (%#llx)", used ? ", " : "",
                     static_cast<unsigned long long>(unknown << kCount));
  if (!used)
    snprintf(text, sizeof(text), "no special feature");
}

} // namespace weft::runtime
