// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A CUDA driver for tests of what can go wrong: a library with the driver's functions that counts calls, keeps device
// memory in the host's, does copies, fails where a test says so, and runs no kernel but what the test gives it.
// Kernels really run on tools/ptxsim.
#ifndef WEFT_TEST_UNIT_RUNTIME_FAKECUDA_H
#define WEFT_TEST_UNIT_RUNTIME_FAKECUDA_H

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace weft::test {

struct FakeLaunch {
  std::string kernel;
  unsigned grid[3], threads, sharedBytes;
  void **arguments;

  template <class T> T argument(int index) const { return *static_cast<T *>(arguments[index]); }
};

struct FakeMap {
  int type;
  std::vector<uint64_t> extents, strides;
  std::vector<uint32_t> box;
  int swizzle;
};

struct FakeCuda {
  // What it is.
  int version = 13000, devices = 1, architecture = 90;
  std::map<int, int> architectures; // of some, by ordinal, where it is another
  size_t memory = size_t(1) << 30;  // bytes of the device
  int newestPtx = 90;               // 8.3 is 83
  int threadsPerBlock = 1024;       // of any kernel
  bool takesMachineCode = true;
  std::function<void(const FakeLaunch &)> run; // instead of a kernel

  // How it fails: the next call but `failAfter` of this function gives `result`; where it is sticky, all later ones do.
  std::string failing;
  int failAfter = 0, result = 0;
  bool isSticky = false;

  std::string failed; // the function that did

  // What happened.
  std::map<std::string, int> calls;
  std::vector<FakeLaunch> launches;
  std::vector<FakeMap> maps;
  std::vector<std::string> images;                         // that became modules
  std::map<std::string, std::map<int, int>> attributesSet; // of kernels
  std::map<char *, size_t> allocations;
  size_t used = 0;
  int contexts = 0, current = 0, streams = 0, modules = 0;

  /// Fails the call `after` so many more of the function; "*" is any.
  void fail(const std::string &function, int with, bool sticky = false, int after = 0) {
    failing = function;
    result = with;
    isSticky = sticky;
    failAfter = after;
  }
  /// Whether nothing is left of what was taken.
  bool isClean() const { return allocations.empty() && !contexts && !current && !streams && !modules; }
};

/// The one in this process; a test begins by `fakeCuda() = {}`.
FakeCuda &fakeCuda();

} // namespace weft::test

#endif // WEFT_TEST_UNIT_RUNTIME_FAKECUDA_H
