// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/estimate/KernelModel.h"

#include "compiler/Target.h"
#include "compiler/emit/Assembler.h"

#include <algorithm>

namespace weft {
namespace {

constexpr int kWarp = 32, kSchedulers = 4;
constexpr int kRegisterUnit = 256;    ///< registers are handed to warps in so many (all chips of the table)
constexpr int kReservedShared = 1024; ///< bytes that the system takes of each block's shared memory
constexpr int kOverhead = 8; ///< registers for addresses and moves that the text does not show, by the kernels at hand

template <class T> T roundedUp(T value, T unit) { return (value + unit - 1) / unit * unit; }

std::vector<UnitTime> unitTimes(const GpuChip &chip, const PassCounts &pass) {
  double matrix = 0;
  for (MatrixType type : {MatrixType::Half, MatrixType::Tf32, MatrixType::Byte, MatrixType::Fp8, MatrixType::Double}) {
    double flops = pass.matrixFlops[static_cast<int>(type)], rate = chip.matrixRate(type);
    matrix += flops > 0 && rate > 0 ? flops / rate : 0;
  }
  std::vector<UnitTime> units = {{"matrix units", matrix},
                                 {"special functions", pass.specialOps / chip.specialLanes},
                                 {"f32 units", pass.floatOps / chip.floatLanes},
                                 {"issue slots", pass.issueSlots / kSchedulers},
                                 {"shared memory", pass.sharedBytes / chip.sharedBandwidth}};
  std::ranges::sort(units, [](const UnitTime &a, const UnitTime &b) {
    return a.clocks != b.clocks ? a.clocks > b.clocks : std::string_view(a.unit) < b.unit;
  });
  return units;
}

KernelBound boundOn(const GpuChip &chip, const KernelModel &kernel) {
  KernelBound bound{&chip, occupancyOn(chip, kernel.threads, kernel.registers, kernel.sharedBytes),
                    unitTimes(chip, kernel.pass), 0, 0};
  bound.memoryClocks = kernel.pass.globalBytes * chip.multiprocessors * chip.clock / chip.bandwidth;
  for (const UnitTime &unit : bound.units)
    if (std::string_view(unit.unit) == "matrix units" && bound.units.front().clocks > 0)
      bound.matrixShare = unit.clocks / bound.units.front().clocks;
  return bound;
}

/// Registers and spills by ptxas, where there is one that takes the text.
void askPtxas(KernelModel &model, const std::string &ptx) {
  std::optional<std::string> ptxas = findPtxas();
  if (!ptxas)
    return;
  Result<AssembledKernel> assembled = assembleKernel({model.name, model.target, ptx, 0, 0, 0, {}}, *ptxas);
  if (!assembled)
    return;
  model.registers = assembled->registers;
  model.spillBytes = assembled->spillBytes;
  model.areRegistersExact = true;
}

} // namespace

Occupancy occupancyOn(const GpuChip &chip, int32_t threads, int32_t registers, int64_t sharedBytes) {
  int64_t warps = std::max<int64_t>(1, (threads + kWarp - 1) / kWarp);
  int64_t warpRegisters =
      std::max<int64_t>(kRegisterUnit, roundedUp<int64_t>(int64_t(registers) * kWarp, kRegisterUnit));
  struct Limit {
    const char *what;
    int64_t blocks;
  };
  // Each of an SM's four parts has a quarter of the registers, and whole warps.
  int64_t warpsByRegisters = chip.registers / kSchedulers / warpRegisters * kSchedulers;
  Limit limits[] = {{"registers", warpsByRegisters / warps},
                    {"shared memory", chip.sharedBytes / (sharedBytes + kReservedShared)},
                    {"threads", chip.threads / (warps * kWarp)},
                    {"blocks", chip.blocks}};
  const Limit *least = std::ranges::min_element(limits, {}, &Limit::blocks);
  int64_t blocks = sharedBytes > chip.sharedPerBlock ? 0 : least->blocks;
  return {static_cast<int32_t>(blocks), double(blocks * warps * kWarp) / chip.threads, least->what};
}

Result<KernelModel> modelKernel(const std::string &ptx, int64_t dynamicShared, const std::string &place) {
  Result<PtxKernelText> text = readPtx(ptx, place);
  if (!text)
    return text.takeError();
  KernelModel model{text->name, text->target, text->threads, text->sharedBytes + dynamicShared, 0, false, 0, {}, {}};
  model.pass = countPass(*text, model.threads);
  model.registers = std::min(liveRegisters(*text) + kOverhead, text->maxRegisters > 0 ? text->maxRegisters : 255);
  askPtxas(model, ptx);
  const Target *target = findTarget(model.target);
  for (const GpuChip *chip : chipsOf(target ? target->capability : 0))
    model.bounds.push_back(boundOn(*chip, model));
  return model;
}

} // namespace weft
