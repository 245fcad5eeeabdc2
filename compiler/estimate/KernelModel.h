// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A static model of a kernel: what one pass through its main loop costs a block, how many blocks an SM holds, and which
// unit of the SM bounds it. It counts what stands in the PTX; nothing is run, nothing is measured.
#ifndef WEFT_COMPILER_ESTIMATE_KERNELMODEL_H
#define WEFT_COMPILER_ESTIMATE_KERNELMODEL_H

#include "compiler/estimate/GpuChips.h"
#include "compiler/estimate/PtxText.h"

#include <array>

namespace weft {

/// What a block does in one pass through the main loop, all of its threads together.
struct PassCounts {
  int firstLine = 0, lastLine = 0; ///< in the PTX; the whole kernel where it has no loop that computes
  bool isLoop = false;
  double matrixInstructions = 0;          ///< mma and wgmma, of a warp or of a warpgroup
  std::array<double, 5> matrixFlops = {}; ///< by MatrixType
  double floatOps = 0;                    ///< f32 operations of threads; a multiply-add is one
  double specialOps = 0;                  ///< exp2, reciprocal, … of threads
  double issueSlots = 0;                  ///< instructions of warps
  double globalBytes = 0;                 ///< between the device's memory and the SM, if no cache has any of it
  double sharedBytes = 0;                 ///< by loads, stores and ldmatrix
  bool hasUnknownBytes = false;           ///< copies whose size the text does not say

  double flops() const;
};

/// Blocks that an SM holds at once.
struct Occupancy {
  int32_t blocks;
  double share;        ///< of the warps that it could hold
  const char *limiter; ///< "registers", "shared memory", "threads", "blocks"
};

/// Clocks that a unit of an SM is busy with one pass of one block.
struct UnitTime {
  const char *unit;
  double clocks;
};

/// One kernel on one chip.
struct KernelBound {
  const GpuChip *chip;
  Occupancy occupancy;
  std::vector<UnitTime> units; ///< of the SM, the busiest first
  double memoryClocks;         ///< of the SM's share of the device's memory, if no cache has anything
  double matrixShare;          ///< of the matrix units' peak, were the SM's busiest unit never idle; 0: there are none
};

struct KernelModel {
  std::string name, target;
  int32_t threads;
  int64_t sharedBytes;    ///< of a block
  int32_t registers;      ///< of a thread
  bool areRegistersExact; ///< ptxas says so; else estimated from the PTX
  int32_t spillBytes;     ///< 0 where nobody knows
  PassCounts pass;
  std::vector<KernelBound> bounds; ///< for each chip of the target
};

/// How the text of a kernel is read. `threads` and `sharedBytes` are what its launch says.
PassCounts countPass(const PtxKernelText &kernel, int32_t threads);

Occupancy occupancyOn(const GpuChip &chip, int32_t threads, int32_t registers, int64_t sharedBytes);

/// `dynamicShared` bytes are added by the launch. Registers are ptxas's where there is one. W0624: no entry.
Result<KernelModel> modelKernel(const std::string &ptx, int64_t dynamicShared, const std::string &place);

} // namespace weft

#endif // WEFT_COMPILER_ESTIMATE_KERNELMODEL_H
