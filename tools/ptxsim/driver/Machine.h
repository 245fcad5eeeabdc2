// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The simulated device as the driver's functions see it: memory by address, modules, launches.
#ifndef WEFT_TOOLS_PTXSIM_DRIVER_MACHINE_H
#define WEFT_TOOLS_PTXSIM_DRIVER_MACHINE_H

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

namespace weft::ptxsim::driver {

struct MachineModule;

/// What a kernel's directives say.
struct KernelFacts {
  int maxThreads = 1024;              // .maxntid, .reqntid
  int requiredThreads[3] = {0, 0, 0}; // .reqntid; 0: none
  int maxRegisters = 0;               // .maxnreg; 0: none
  int staticShared = 0;               // bytes
  int localBytes = 0;                 // bytes of a thread
  int ptxVersion = 0;                 // times 10
  int parameterCount = 0;
};

struct MachineLaunch {
  std::string kernel;
  uint32_t grid[3];
  uint32_t block[3];
  uint32_t cluster[3];
  uint32_t dynamicShared;
  void **parameters;  // one pointer each, or null
  const void *packed; // CU_LAUNCH_PARAM_BUFFER: all parameters, as the kernel lays them out, or null
  size_t packedBytes;
};

class Machine {
public:
  Machine(int capability, size_t memory);
  ~Machine();

  /// 0 where the device has not so much memory left.
  uint64_t allocate(size_t bytes);
  bool release(uint64_t address);
  size_t allocatedBytes() const;
  bool contains(uint64_t address, size_t bytes) const;
  bool find(uint64_t address, uint64_t &start, size_t &bytes) const;
  void write(uint64_t address, const void *data, size_t bytes);
  void read(uint64_t address, void *data, size_t bytes) const;
  void copy(uint64_t to, uint64_t from, size_t bytes);
  void fill(uint64_t address, const void *pattern, size_t patternBytes, size_t count);

  /// Parses PTX. Returns a Result: SUCCESS, INVALID_PTX, UNSUPPORTED_PTX_VERSION, NO_BINARY_FOR_GPU, with a message.
  int load(const char *text, int newestPtx, MachineModule **module, std::string &message);
  void unload(MachineModule *module);
  bool kernel(const MachineModule *module, const std::string &name, KernelFacts &facts) const;
  bool global(const MachineModule *module, const std::string &name, uint64_t &address, size_t &bytes) const;

  /// Runs a kernel to its end. Returns a Result, with what went wrong and where as text.
  int launch(MachineModule *module, const MachineLaunch &launch, std::string &message);

private:
  struct Impl;
  std::unique_ptr<Impl> impl;
};

} // namespace weft::ptxsim::driver

#endif
