// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A kernel written in the tile dialect, lowered to PTX by the passes and run on the simulated GPU.
#ifndef WEFT_TEST_CONFORMANCE_TILEKERNEL_H
#define WEFT_TEST_CONFORMANCE_TILEKERNEL_H

#include "tools/ptxsim/Device.h"

#include <gtest/gtest.h>

#include <array>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

namespace weft::test {

/// What a launch is given, in order.
class Arguments {
public:
  Arguments &add(uint64_t value) { return append(&value, sizeof value, 8); }
  Arguments &add(int32_t value) { return append(&value, sizeof value, 4); }
  Arguments &add(float value) { return append(&value, sizeof value, 4); }
  /// A tensor map by value.
  Arguments &addMap(const void *map) { return append(map, 128, 64); }

  std::vector<std::byte> bytes;

private:
  Arguments &append(const void *value, size_t size, size_t alignment) {
    bytes.resize((bytes.size() + alignment - 1) / alignment * alignment);
    auto *from = static_cast<const std::byte *>(value);
    bytes.insert(bytes.end(), from, from + size);
    return *this;
  }
};

class TileKernel {
public:
  /// The first kernel of a .mlir file below test/, each first string of `values` replaced by the second. Fails the
  /// test, and then nothing else runs, where it does not compile.
  TileKernel(const std::string &file, const std::string &target,
             std::initializer_list<std::pair<std::string, std::string>> values = {});

  template <typename T> uint64_t upload(const std::vector<T> &values) {
    uint64_t address = device.allocate(values.size() * sizeof(T));
    device.write(address, std::as_bytes(std::span(values)));
    return address;
  }
  template <typename T> std::vector<T> download(uint64_t address, size_t count) {
    std::vector<T> values(count);
    EXPECT_TRUE(device.read(address, std::as_writable_bytes(std::span(values))));
    return values;
  }
  /// Of 16-bit numbers with a swizzle of 128 bytes; extents innermost first.
  std::array<std::byte, 128> tensorMap(uint64_t address, const std::vector<uint32_t> &extents,
                                       const std::vector<uint16_t> &box);
  /// Fails the test with the simulator's message where the kernel does something wrong.
  void launch(std::array<uint32_t, 3> grid, Arguments arguments);

private:
  ptxsim::Device device;
  std::shared_ptr<ptxsim::Module> module;
  std::string name;
  uint32_t threads = 0, sharedBytes = 0;
};

} // namespace weft::test

#endif // WEFT_TEST_CONFORMANCE_TILEKERNEL_H
