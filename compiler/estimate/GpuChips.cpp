// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/estimate/GpuChips.h"

namespace weft {

// Clocks are those that make the stated matrix peak: 312e12 = 108 SMs · 2048 operations · 1.41 GHz, and 989.4e12 =
// 132 · 4096 · 1.83 GHz. Lanes and limits of an SM are from the CUDA C++ Programming Guide, tables "Throughput of
// Native Arithmetic Instructions" and "Technical Specifications per Compute Capability"; a block may have 1 kB less
// than an SM.
static constexpr const char *kA100 = "NVIDIA A100 Tensor Core GPU Architecture, tables 1 and 4; A100 80GB datasheet";
static constexpr const char *kH100 = "NVIDIA H100 Tensor Core GPU Architecture, table 2; H100 datasheet";
static constexpr const char *kH200 = "NVIDIA H200 datasheet; the chip is the H100's";
static constexpr int32_t kKb = 1024;
static const GpuChip kChips[] = {
    {"A100 SXM 80GB", 80, 108, 312, 156, 624, false, 19.5, 2039e9, 1.41e9, 64, 16, 128, 164 * kKb, 163 * kKb, 2048, 32,
     65536, kA100},
    {"H100 SXM", 90, 132, 989.4, 494.7, 1978.9, true, 66.9, 3352e9, 1.83e9, 128, 16, 128, 228 * kKb, 227 * kKb, 2048,
     32, 65536, kH100},
    {"H200 SXM", 90, 132, 989.4, 494.7, 1978.9, true, 66.9, 4800e9, 1.83e9, 128, 16, 128, 228 * kKb, 227 * kKb, 2048,
     32, 65536, kH200},
};

double GpuChip::matrixRate(MatrixType type) const {
  double tera = type == MatrixType::Half     ? halfTflops
                : type == MatrixType::Tf32   ? tf32Tflops
                : type == MatrixType::Byte   ? byteTops
                : type == MatrixType::Double ? doubleTflops
                : hasFp8                     ? byteTops
                                             : 0;
  return tera * 1e12 / multiprocessors / clock;
}

std::vector<const GpuChip *> chipsOf(int32_t capability) {
  std::vector<const GpuChip *> found;
  for (const GpuChip &chip : kChips)
    if (chip.capability == capability)
      found.push_back(&chip);
  return found;
}

} // namespace weft
