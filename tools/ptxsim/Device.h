// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The simulated GPU: global memory with a flag for each byte that was written, loaded modules, launches.
#ifndef WEFT_TOOLS_PTXSIM_DEVICE_H
#define WEFT_TOOLS_PTXSIM_DEVICE_H

#include "tools/ptxsim/Block.h"

#include <functional>
#include <span>

namespace weft::ptxsim {

struct Allocation {
  uint64_t address = 0;
  uint64_t bytes = 0;
  bool freed = false;
  bool readOnly = false; ///< constants
  std::string name;      ///< for messages: "allocation", or a variable's name
  std::unique_ptr<std::byte[]> data;
  std::unique_ptr<uint8_t[]> written;
};

struct Launch {
  const Function *function = nullptr;
  const Module *module = nullptr;
  std::array<uint32_t, 3> grid{1, 1, 1};
  std::array<uint32_t, 3> block{1, 1, 1};
  std::array<uint32_t, 3> cluster{1, 1, 1};
  uint32_t dynamicShared = 0;
  std::vector<std::byte> parameters{}; ///< laid out as Function::parameters says

  uint32_t threads() const { return block[0] * block[1] * block[2]; }
};

struct DeviceOptions {
  uint64_t warpBudget = uint64_t(1) << 28; ///< warp instructions of one launch
  uint64_t sharedLimit = 227 * 1024;       ///< of one block, static and dynamic
  bool checkRegisters = true;              ///< reads of registers that nothing wrote are faults
  bool checkMemory = true;                 ///< reads of memory that nothing wrote are faults
  /// Makes the observer of a block; empty: none.
  std::function<std::unique_ptr<AccessObserver>(const Block &)> observe = observeRaces;
};

struct Statistics {
  uint64_t threadInstructions = 0;
  uint64_t warpInstructions = 0;
  double seconds = 0;
};

class Device {
public:
  explicit Device(DeviceOptions options = {});

  DeviceOptions options;

  /// Bytes that nothing has written yet, aligned to 512. 0 bytes are an allocation too.
  uint64_t allocate(uint64_t bytes, std::string name = "allocation");
  /// False: it is no start of a live allocation.
  bool free(uint64_t address);
  /// False: outside of any live allocation.
  bool write(uint64_t address, std::span<const std::byte> bytes);
  bool read(uint64_t address, std::span<std::byte> bytes) const;
  bool fill(uint64_t address, std::byte value, uint64_t bytes);
  /// The allocation that holds the address, freed or not, or the nearest one below; null where there is none.
  Allocation *find(uint64_t address);
  const Allocation *find(uint64_t address) const;

  /// Gives the module's global and constant variables memory. Once a module.
  void load(std::shared_ptr<Module> module);
  /// Frees them.
  void unload(const Module &module);

  /// Runs the whole grid. What went wrong, if anything; memory is then as the fault left it.
  std::optional<Fault> launch(const Launch &launch);
  const Statistics &statistics() const { return total; }

  /// Instructions that the running launch has executed: the clock of its kernels.
  uint64_t clock = 0;

private:
  std::optional<Fault> refuse(const Launch &launch) const;
  void runBlocks(const Launch &launch);

  std::map<uint64_t, Allocation> allocations; ///< by address
  Allocation *last = nullptr;                 ///< that find returned
  uint64_t nextAddress = 0x10'0000'0000;
  std::vector<std::shared_ptr<Module>> modules;
  Statistics total;
};

} // namespace weft::ptxsim

#endif // WEFT_TOOLS_PTXSIM_DEVICE_H
