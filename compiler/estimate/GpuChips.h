// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Published peaks of NVIDIA's GPUs.
#ifndef WEFT_COMPILER_ESTIMATE_GPUCHIPS_H
#define WEFT_COMPILER_ESTIMATE_GPUCHIPS_H

#include <cstdint>
#include <span>
#include <vector>

namespace weft {

/// What matrix units multiply; they add in f32 or i32.
enum class MatrixType { Half, Tf32, Byte, Fp8, Double };

struct GpuChip {
  const char *name;
  int32_t capability;      ///< 90 is compute capability 9.0
  int32_t multiprocessors; ///< SMs
  double halfTflops;       ///< dense products of bf16 or f16
  double tf32Tflops;
  double byteTops; ///< of 8-bit integers, and of fp8 where it has it
  bool hasFp8;
  double doubleTflops; ///< of matrix units
  double bandwidth;    ///< bytes a second from the device's memory
  double clock;        ///< Hz at which the matrix peaks are stated
  // Of an SM and a clock.
  int32_t floatLanes;      ///< f32 operations, of which a multiply-add is one
  int32_t specialLanes;    ///< exp2, log2, reciprocal, …
  int32_t sharedBandwidth; ///< bytes
  // Of an SM.
  int32_t sharedBytes;
  int32_t sharedPerBlock;
  int32_t threads, blocks, registers;
  const char *source;

  /// Operations of matrix units that an SM does in a clock, a multiply-add being two; 0: it does not know the type.
  double matrixRate(MatrixType type) const;
};

/// Those whose code a target's kernels are for; empty: none is kept here.
std::vector<const GpuChip *> chipsOf(int32_t capability);

} // namespace weft

#endif // WEFT_COMPILER_ESTIMATE_GPUCHIPS_H
