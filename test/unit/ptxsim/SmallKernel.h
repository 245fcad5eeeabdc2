// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Runs a kernel of a few lines of PTX on one block. Its one parameter is the address of a buffer; `smem` is its dynamic
// shared memory.
#ifndef WEFT_TEST_UNIT_PTXSIM_SMALLKERNEL_H
#define WEFT_TEST_UNIT_PTXSIM_SMALLKERNEL_H

#include "tools/ptxsim/Device.h"

#include <gtest/gtest.h>

#include <cstring>

namespace weft::ptxsim {

struct SmallKernel {
  Device device;
  std::vector<uint32_t> buffer = std::vector<uint32_t>(16384); // 64 KiB, copied in and out
  uint64_t address = 0;
  uint32_t shared = 64 * 1024;
  std::string directives;

  static std::string text(const std::string &body, uint32_t threads, const std::string &directives) {
    return ".version 8.6\n.target sm_90a\n.address_size 64\n.extern .shared .align 1024 .b8 smem[];\n"
           ".visible .entry k(.param .u64 k_param_0)\n.reqntid " +
           std::to_string(threads) + "\n" + directives +
           "\n{\n.reg .pred %p<16>;\n.reg .b16 %h<16>;\n.reg .b32 %r<256>;\n.reg .b64 %rd<32>;\n.reg .f32 %f<256>;\n"
           "mov.u32 %r0, %tid.x;\nmov.b32 %r1, smem;\nld.param.u64 %rd0, [k_param_0];\n" +
           body + "\nret;\n}\n";
  }

  /// The fault of `threads` threads that run `body`: %r0 is %tid.x, %r1 the address of smem, %rd0 that of the buffer.
  std::optional<Fault> run(const std::string &body, uint32_t threads) {
    auto parsed = Module::parse(text(body, threads, directives));
    if (Fault *fault = std::get_if<Fault>(&parsed))
      return *fault;
    auto module = std::get<std::shared_ptr<Module>>(parsed);
    device.load(module);
    if (!address)
      address = device.allocate(buffer.size() * 4);
    device.write(address, std::as_bytes(std::span(buffer)));
    Launch launch;
    launch.module = module.get();
    launch.function = module->entry("k");
    launch.block = {threads, 1, 1};
    launch.dynamicShared = shared;
    launch.parameters.resize(8);
    std::memcpy(launch.parameters.data(), &address, 8);
    std::optional<Fault> fault = device.launch(launch);
    device.read(address, std::as_writable_bytes(std::span(buffer)));
    return fault;
  }

  void expectFault(const std::string &body, uint32_t threads, FaultKind kind, const std::string &words) {
    std::optional<Fault> fault = run(body, threads);
    ASSERT_TRUE(fault) << "no fault of " << words;
    EXPECT_EQ(nameOf(fault->kind), nameOf(kind)) << fault->text("k.ptx");
    EXPECT_NE(fault->message.find(words), std::string::npos) << fault->text("k.ptx");
    EXPECT_GT(fault->line, 0);
  }

  void expectNone(const std::string &body, uint32_t threads) {
    std::optional<Fault> fault = run(body, threads);
    EXPECT_FALSE(fault) << fault->text("k.ptx");
  }
};

} // namespace weft::ptxsim

#endif
