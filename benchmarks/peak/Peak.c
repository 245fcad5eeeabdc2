/* Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * Peak loops, each one block of assembly: a compiler spills an array of accumulators to the stack and then shows a
 * third of the rate. */
#define _GNU_SOURCE
#include "benchmarks/peak/Peak.h"

#include <cpuid.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#ifndef __x86_64__
#error "the peak loops are written for x86-64"
#endif

/* An iteration of a loop is short (8 to 20 cycles), a run about a third of a millisecond: long against the clock's
 * resolution, short against a scheduler's time slice, so that the best run was not interrupted. */
enum { kIterations = 60000, kRuns = 24, kPasses = 5, kLargePage = 2 << 20 };

static double threadSeconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* 28 accumulators of 16 lanes: two FMA ports of 4 cycles latency need 8; 28 is what a 14x32 register tile holds. */
#define FMA(n) "vfmadd231ps %%zmm30, %%zmm31, %%zmm" #n "\n\t"
#define HALF_DOT(n) "vdpbf16ps %%zmm30, %%zmm31, %%zmm" #n "\n\t"
#define BYTE_DOT(n) "vpdpbusd %%zmm30, %%zmm31, %%zmm" #n "\n\t"
#define ZERO(n) "vpxord %%zmm" #n ", %%zmm" #n ", %%zmm" #n "\n\t"
#define FIRST14(X) X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11) X(12) X(13)
#define NEXT14(X) X(14) X(15) X(16) X(17) X(18) X(19) X(20) X(21) X(22) X(23) X(24) X(25) X(26) X(27)
#define ALL28(X) FIRST14(X) NEXT14(X)
#define LOOP28(STEP)                                                                                                   \
  uint64_t count = kIterations;                                                                                        \
  __asm__ volatile(ALL28(ZERO) ZERO(30) ZERO(31) /* */                                                                 \
                   ".p2align 6\n"                                                                                      \
                   "1:\n\t" ALL28(STEP) /* */                                                                          \
                   "dec %[count]\n\t"                                                                                  \
                   "jnz 1b\n\t"                                                                                        \
                   "vzeroupper\n\t"                                                                                    \
                   : [count] "+r"(count)                                                                               \
                   :                                                                                                   \
                   : "cc", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10",    \
                     "xmm11", "xmm12", "xmm13", "xmm14", "xmm15", "xmm16", "xmm17", "xmm18", "xmm19", "xmm20",         \
                     "xmm21", "xmm22", "xmm23", "xmm24", "xmm25", "xmm26", "xmm27", "xmm30", "xmm31")
enum { kSteps28 = 28 * 16 * 2 };
__attribute__((target("avx512f"))) static double fmaV4(void) {
  LOOP28(FMA);
  return (double)kSteps28 * kIterations;
}
__attribute__((target("avx512f"))) static double halfDots(void) {
  LOOP28(HALF_DOT);
  return 2.0 * kSteps28 * kIterations;
}
__attribute__((target("avx512f"))) static double byteDots(void) {
  LOOP28(BYTE_DOT);
  return 4.0 * kSteps28 * kIterations;
}
#undef LOOP28
#undef FMA
#undef HALF_DOT
#undef BYTE_DOT
#undef ZERO

#define XMM_CLOBBERS                                                                                                   \
  "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13",  \
      "xmm14", "xmm15"

/* 12 accumulators of 8 lanes, as a 6x16 register tile holds; twice an iteration. */
#define FMA(n) "vfmadd231ps %%ymm14, %%ymm15, %%ymm" #n "\n\t"
#define ZERO(n) "vxorps %%ymm" #n ", %%ymm" #n ", %%ymm" #n "\n\t"
#define ALL12(X) X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11)
__attribute__((target("avx2,fma"))) static double fmaV3(void) {
  uint64_t count = kIterations;
  __asm__ volatile(ALL12(ZERO) ZERO(14) ZERO(15) //
                   ".p2align 6\n"
                   "1:\n\t" ALL12(FMA) ALL12(FMA) //
                   "dec %[count]\n\t"
                   "jnz 1b\n\t"
                   "vzeroupper\n\t"
                   : [count] "+r"(count)
                   :
                   : "cc", XMM_CLOBBERS);
  return 24.0 * 8 * 2 * kIterations;
}
#undef FMA
#undef ZERO

/* SSE2 has no FMA: seven products and seven sums of 4 lanes in independent chains; twice an iteration. */
#define STEP(mul, add) "mulps %%xmm15, %%xmm" #mul "\n\taddps %%xmm15, %%xmm" #add "\n\t"
#define ZERO(n) "xorps %%xmm" #n ", %%xmm" #n "\n\t"
#define ALL7(X) X(0, 7) X(1, 8) X(2, 9) X(3, 10) X(4, 11) X(5, 12) X(6, 13)
#define ZERO2(a, b) ZERO(a) ZERO(b)
static double fmaPortable(void) {
  uint64_t count = kIterations;
  __asm__ volatile(ALL7(ZERO2) ZERO(15) //
                   ".p2align 6\n"
                   "1:\n\t" ALL7(STEP) ALL7(STEP) //
                   "dec %[count]\n\t"
                   "jnz 1b\n\t"
                   : [count] "+r"(count)
                   :
                   : "cc", XMM_CLOBBERS);
  return 2.0 * 7 * 8 * kIterations;
}

/* Tiles 0 to 5 are sums, 6 and 7 operands: a multiplication takes 16 cycles and its result 52, so that four sums would
 * do. All tiles are 16 rows of 64 bytes: 16 x 16 sums of 32 (bf16) or 64 (int8) products an instruction. */
typedef struct {
  uint8_t palette, start, reserved[14];
  uint16_t rowBytes[16];
  uint8_t rows[16];
} TileConfig;
enum { kTileSums = 6, kTiles = 8, kTileIterations = 4096 };

#define TILES6(X) X(0) X(1) X(2) X(3) X(4) X(5)
#define CLEAR(n) "tilezero %%tmm" #n "\n\t"
#define TILE_LOOP(STEP)                                                                                                \
  __asm__ volatile("ldtilecfg (%[config])\n\t" TILES6(CLEAR) CLEAR(6) CLEAR(7) /* */                                   \
                   ".p2align 6\n"                                                                                      \
                   "1:\n\t" TILES6(STEP) TILES6(STEP) /* */                                                            \
                   "dec %[count]\n\t"                                                                                  \
                   "jnz 1b\n\t"                                                                                        \
                   "tilerelease\n\t"                                                                                   \
                   : [count] "+r"(count)                                                                               \
                   : [config] "r"(&config)                                                                             \
                   : "cc", "memory")

static TileConfig wholeTiles(void) {
  TileConfig config = {.palette = 1};
  for (int tile = 0; tile < kTiles; ++tile) {
    config.rowBytes[tile] = 64;
    config.rows[tile] = 16;
  }
  return config;
}

__attribute__((target("amx-tile,amx-bf16"))) static double tilesBf16(void) {
  TileConfig config = wholeTiles();
  uint64_t count = kTileIterations;
#define MULTIPLY(n) "tdpbf16ps %%tmm7, %%tmm6, %%tmm" #n "\n\t"
  TILE_LOOP(MULTIPLY);
#undef MULTIPLY
  return 2.0 * kTileSums * kTileIterations * 16 * 16 * 32 * 2;
}

__attribute__((target("amx-tile,amx-int8"))) static double tilesInt8(void) {
  TileConfig config = wholeTiles();
  uint64_t count = kTileIterations;
#define MULTIPLY(n) "tdpbssd %%tmm7, %%tmm6, %%tmm" #n "\n\t"
  TILE_LOOP(MULTIPLY);
#undef MULTIPLY
  return 2.0 * kTileSums * kTileIterations * 16 * 16 * 64 * 2;
}
#undef CLEAR

/* AMX is there, and Linux lets this process have the tiles' state. */
static int hostHasTiles(void) {
  enum { kRequestPermission = 0x1023, kTileData = 18 }; /* ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA */
  unsigned a = 0, b = 0, c = 0, d = 0;
  const unsigned needed = 1u << 22 | 1u << 24 | 1u << 25; /* AMX-BF16, AMX-TILE, AMX-INT8 */
  if (!__get_cpuid_count(7, 0, &a, &b, &c, &d) || (d & needed) != needed)
    return 0;
  return syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
}

/* Reads `stream` bytes (a multiple of 64) from each of the four quarters of a buffer. One sequential stream alone
 * reaches only about half of what a core can read from memory. */
__attribute__((target("avx2"))) static void readV3(const char *data, int64_t stream) {
  int64_t offset = 0;
  const char *second = data + stream, *third = second + stream, *fourth = third + stream;
#define READ(base)                                                                                                     \
  "vmovaps (" base ",%[offset]), %%ymm0\n\tvmovaps 32(" base ",%[offset]), %%ymm1\n\t"                                 \
  "prefetcht0 1024(" base ",%[offset])\n\t"
  __asm__ volatile("1:\n\t" READ("%[a]") READ("%[b]") READ("%[c]") READ("%[d]") //
                   "add $64, %[offset]\n\t"
                   "cmp %[stream], %[offset]\n\t"
                   "jl 1b\n\t"
                   "vzeroupper\n\t"
                   : [offset] "+r"(offset)
                   : [a] "r"(data), [b] "r"(second), [c] "r"(third), [d] "r"(fourth), [stream] "r"(stream)
                   : "cc", "memory", "xmm0", "xmm1");
#undef READ
}

static void readPortable(const char *data, int64_t stream) {
  int64_t offset = 0;
  const char *second = data + stream, *third = second + stream, *fourth = third + stream;
#define READ(base)                                                                                                     \
  "movaps (" base ",%[offset]), %%xmm0\n\tmovaps 16(" base ",%[offset]), %%xmm1\n\t"                                   \
  "movaps 32(" base ",%[offset]), %%xmm2\n\tmovaps 48(" base ",%[offset]), %%xmm3\n\t"                                 \
  "prefetcht0 1024(" base ",%[offset])\n\t"
  __asm__ volatile("1:\n\t" READ("%[a]") READ("%[b]") READ("%[c]") READ("%[d]") //
                   "add $64, %[offset]\n\t"
                   "cmp %[stream], %[offset]\n\t"
                   "jl 1b\n\t"
                   : [offset] "+r"(offset)
                   : [a] "r"(data), [b] "r"(second), [c] "r"(third), [d] "r"(fourth), [stream] "r"(stream)
                   : "cc", "memory", "xmm0", "xmm1", "xmm2", "xmm3");
#undef READ
}

typedef struct {
  const char *name;
  double (*fma)(void); /* returns the floating-point operations of a run */
  void (*read)(const char *data, int64_t stream);
} PeakTarget;

static const PeakTarget kTargets[] = {
    {"v4", fmaV4, readV3}, {"v3", fmaV3, readV3}, {"portable", fmaPortable, readPortable}};

static int hostHas(const PeakTarget *target) {
  __builtin_cpu_init();
  if (target->fma == fmaV4)
    __builtin_cpu_init();
  return __builtin_cpu_supports("avx512f") != 0;
  if (target->fma == fmaV3)
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  return 1;
}

static const PeakTarget *bestTarget(void) {
  const PeakTarget *target = kTargets;
  while (!hostHas(target)) /* "portable", the last, is always there */
    ++target;
  return target;
}

const char *weft_peak_target(void) { return bestTarget()->name; }

/* The best of several runs of a loop that returns its operations, in GF/s. */
static double bestRate(double (*loop)(void)) {
  double best = 0;
  for (int run = 0; run < kRuns; ++run) {
    double start = threadSeconds();
    double operations = loop();
    double seconds = threadSeconds() - start;
    if (seconds > 0 && operations / seconds > best)
      best = operations / seconds;
  }
  return best * 1e-9;
}

double weft_peak_fma_gflops(void) { return bestRate(bestTarget()->fma); }

double weft_peak_fma_gflops_of(const char *target) {
  for (size_t i = 0; i < sizeof(kTargets) / sizeof(kTargets[0]); ++i)
    if (strcmp(kTargets[i].name, target) == 0)
      return hostHas(&kTargets[i]) ? bestRate(kTargets[i].fma) : 0;
  return 0;
}

double weft_peak_bf16_gflops(void) {
  if (hostHasTiles())
    return bestRate(tilesBf16);
  __builtin_cpu_init();
  return __builtin_cpu_supports("avx512bf16") ? bestRate(halfDots) : 0;
}

double weft_peak_int8_gflops(void) {
  if (hostHasTiles())
    return bestRate(tilesInt8);
  __builtin_cpu_init();
  return __builtin_cpu_supports("avx512vnni") ? bestRate(byteDots) : 0;
}

double weft_peak_read_gbps(int64_t bytes) {
  bytes &= ~INT64_C(4095);
  if (bytes <= 0)
    return 0;
  /* Huge pages where the kernel gives them: page walks are no part of what is measured. */
  size_t mapped = (size_t)bytes + kLargePage;
  char *map = mmap(NULL, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (map == MAP_FAILED)
    return 0;
  madvise(map, mapped, MADV_HUGEPAGE);
  char *data = map + (kLargePage - (uintptr_t)map % kLargePage) % kLargePage;
  memset(data, 1, (size_t)bytes);

  const PeakTarget *target = bestTarget();
  int64_t repeats = bytes >= (INT64_C(32) << 20) ? 1 : (INT64_C(32) << 20) / bytes;
  double best = 0;
  for (int pass = 0; pass < kPasses; ++pass) {
    double start = threadSeconds();
    for (int64_t repeat = 0; repeat < repeats; ++repeat)
      target->read(data, bytes / 4);
    double seconds = threadSeconds() - start;
    double rate = (double)bytes * (double)repeats / seconds;
    best = seconds > 0 && rate > best ? rate : best;
  }
  munmap(map, mapped);
  return best * 1e-9;
}
