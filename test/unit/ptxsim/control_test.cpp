// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Branches, loops, calls, barriers, memory: small kernels and what they leave in the buffer.
#include "test/unit/ptxsim/SmallKernel.h"

namespace weft::ptxsim {
namespace {

/// Stores %r2 of each thread into its word of the buffer.
const std::string kStore = "mul.wide.u32 %rd1, %r0, 4;\n add.s64 %rd1, %rd0, %rd1;\n st.global.b32 [%rd1], %r2;\n";

TEST(Control, SidesOfABranchMeetAgain) {
  SmallKernel kernel;
  kernel.expectNone("setp.lt.u32 %p0, %r0, 10;\n mov.b32 %r2, 1;\n @%p0 bra LESS;\n mov.b32 %r2, 2;\n bra MEET;\n"
                    "LESS:\n add.u32 %r2, %r2, 10;\n MEET:\n activemask.b32 %r3;\n popc.b32 %r3, %r3;\n"
                    "mad.lo.u32 %r2, %r3, 100, %r2;\n" +
                        kStore,
                    32);
  for (uint32_t lane = 0; lane < 32; ++lane)
    EXPECT_EQ(kernel.buffer[lane], lane < 10 ? 3211u : 3202u) << lane;
}

TEST(Control, LanesLeaveALoopOneAfterTheOther) {
  SmallKernel kernel;
  kernel.expectNone("mov.b32 %r2, 0;\n mov.b32 %r3, 0;\n LOOP:\n add.u32 %r2, %r2, %r3;\n add.u32 %r3, %r3, 1;\n"
                    "setp.le.u32 %p0, %r3, %r0;\n @%p0 bra LOOP;\n" +
                        kStore,
                    64);
  for (uint32_t thread = 0; thread < 64; ++thread)
    EXPECT_EQ(kernel.buffer[thread], thread * (thread + 1) / 2) << thread;
}

TEST(Control, AnIndexedBranchSendsEachLaneToItsTarget) {
  SmallKernel kernel;
  kernel.expectNone("rem.u32 %r3, %r0, 3;\n TARGETS: .branchtargets A, B, C;\n brx.idx %r3, TARGETS;\n"
                    "A: mov.b32 %r2, 7;\n bra END;\n B: mov.b32 %r2, 8;\n bra END;\n C: mov.b32 %r2, 9;\n END:\n" +
                        kStore,
                    32);
  for (uint32_t lane = 0; lane < 32; ++lane)
    EXPECT_EQ(kernel.buffer[lane], 7 + lane % 3) << lane;
}

TEST(Control, ThreadsThatExitAreNotMissed) {
  SmallKernel kernel;
  kernel.expectNone("setp.ge.u32 %p0, %r0, 40;\n @%p0 exit;\n bar.sync 0;\n mov.b32 %r2, 5;\n" + kStore, 64);
  EXPECT_EQ(kernel.buffer[39], 5u);
  EXPECT_EQ(kernel.buffer[40], 0u);
}

TEST(Control, BarriersReduceOverTheBlock) {
  SmallKernel kernel;
  kernel.expectNone(
      "setp.lt.u32 %p0, %r0, 50;\n barrier.red.popc.u32 %r2, 0, %p0;\n barrier.red.and.pred %p1, 1, %p0;\n"
      "selp.b32 %r3, 1000, 0, %p1;\n add.u32 %r2, %r2, %r3;\n" +
          kStore,
      96);
  EXPECT_EQ(kernel.buffer[95], 50u);
}

TEST(Control, SharedMemoryPassesValuesBetweenWarps) {
  SmallKernel kernel;
  kernel.expectNone(
      "shl.b32 %r3, %r0, 2;\n add.u32 %r3, %r1, %r3;\n st.shared.b32 [%r3], %r0;\n bar.sync 0;\n"
      "sub.u32 %r4, 127, %r0;\n shl.b32 %r4, %r4, 2;\n add.u32 %r4, %r1, %r4;\n ld.shared.b32 %r2, [%r4];\n" +
          kStore,
      128);
  for (uint32_t thread = 0; thread < 128; ++thread)
    EXPECT_EQ(kernel.buffer[thread], 127 - thread);
}

TEST(Control, GenericAddressesReachEverySpace) {
  SmallKernel kernel;
  kernel.expectNone(".local .align 8 .b8 stack[16];\n mov.u64 %rd2, stack;\n cvta.local.u64 %rd3, %rd2;\n"
                    "add.u32 %r4, %r0, 3;\n st.b32 [%rd3+8], %r4;\n ld.local.b32 %r5, [%rd2+8];\n"
                    "cvt.u64.u32 %rd4, %r1;\n cvta.shared.u64 %rd5, %rd4;\n mul.wide.u32 %rd6, %r0, 4;\n"
                    "add.s64 %rd5, %rd5, %rd6;\n st.b32 [%rd5], %r5;\n ld.b32 %r2, [%rd5];\n"
                    "isspacep.shared %p0, %rd5;\n selp.b32 %r6, 100, 0, %p0;\n add.u32 %r2, %r2, %r6;\n" +
                        kStore,
                    64);
  EXPECT_EQ(kernel.buffer[63], 166u);
}

TEST(Control, LoadsExtendAndVectorsKeepTheirOrder) {
  SmallKernel kernel;
  kernel.buffer[0] = 0x0000ff80;
  kernel.expectNone("ld.global.s8 %r2, [%rd0];\n ld.global.u8 %r3, [%rd0];\n ld.global.s16 %r4, [%rd0];\n"
                    "setp.eq.u32 %p0, %r0, 0;\n @%p0 st.global.v4.b32 [%rd0+16], {%r2, %r3, %r4, %r3};\n"
                    "@%p0 ld.global.v2.b64 {%rd4, %rd5}, [%rd0+16];\n @%p0 st.global.b64 [%rd0+32], %rd4;",
                    1);
  EXPECT_EQ(kernel.buffer[4], 0xffffff80u);
  EXPECT_EQ(kernel.buffer[5], 0x80u);
  EXPECT_EQ(kernel.buffer[6], 0xffffff80u);
  EXPECT_EQ(kernel.buffer[9], 0x80u);
}

TEST(Control, FunctionsAreCalledAlsoByThemselves) {
  // factorial by recursion, called by the odd lanes alone
  std::string text = R"(.version 8.6
.target sm_90a
.address_size 64
.func (.param .b32 result) factorial(.param .b32 n)
{
  .reg .pred %p; .reg .b32 %n, %m;
  ld.param.b32 %n, [n];
  setp.gt.u32 %p, %n, 1;
  @%p bra MORE;
  st.param.b32 [result], 1;
  ret;
MORE:
  sub.u32 %m, %n, 1;
  { .param .b32 in; .param .b32 out;
    st.param.b32 [in], %m;
    call.uni (out), factorial, (in);
    ld.param.b32 %m, [out]; }
  mul.lo.u32 %m, %m, %n;
  st.param.b32 [result], %m;
  ret;
}
.visible .entry k(.param .u64 to)
{
  .reg .pred %p; .reg .b32 %t, %v, %o; .reg .b64 %a, %b;
  mov.u32 %t, %tid.x;
  mov.b32 %v, 0;
  and.b32 %o, %t, 1;
  setp.eq.u32 %p, %o, 0;
  @%p bra STORE;
  { .param .b32 in; .param .b32 out;
    st.param.b32 [in], %t;
    call (out), factorial, (in);
    ld.param.b32 %v, [out]; }
STORE:
  ld.param.u64 %a, [to];
  mul.wide.u32 %b, %t, 4;
  add.s64 %a, %a, %b;
  st.global.b32 [%a], %v;
  ret;
})";
  auto parsed = Module::parse(text);
  ASSERT_FALSE(std::holds_alternative<Fault>(parsed)) << std::get<Fault>(parsed).text("k.ptx");
  auto module = std::get<std::shared_ptr<Module>>(parsed);
  Device device;
  device.load(module);
  Launch launch{module->entry("k"), module.get()};
  launch.block = {8, 1, 1};
  uint64_t address = device.allocate(32);
  launch.parameters.resize(8);
  std::memcpy(launch.parameters.data(), &address, 8);
  std::optional<Fault> fault = device.launch(launch);
  ASSERT_FALSE(fault) << fault->text("k.ptx");
  std::vector<uint32_t> got(8), expected{0, 1, 0, 6, 0, 120, 0, 5040};
  device.read(address, std::as_writable_bytes(std::span(got)));
  EXPECT_EQ(got, expected);
}

TEST(Control, AtomicsOf128BitsCompareBothHalves) {
  SmallKernel kernel;
  kernel.buffer[0] = 7;
  kernel.buffer[2] = 9;
  kernel.expectNone(".reg .b128 %q<4>;\n mov.b64 %rd1, 7;\n mov.b64 %rd2, 9;\n mov.b64 %rd3, 8;\n"
                    "mov.b128 %q0, {%rd1, %rd3};\n mov.b128 %q1, {%rd1, %rd2};\n mov.b128 %q2, {%rd3, %rd3};\n"
                    "atom.global.cas.b128 %q3, [%rd0], %q0, %q2;\n" // differs in the upper half: nothing
                    "atom.global.cas.b128 %q3, [%rd0], %q1, %q2;\n mov.b128 {%rd4, %rd5}, %q3;\n"
                    "st.global.v2.b64 [%rd0+16], {%rd4, %rd5};",
                    1);
  std::vector<uint32_t> expected{8, 0, 8, 0, 7, 0, 9, 0};
  EXPECT_EQ(std::vector<uint32_t>(kernel.buffer.begin(), kernel.buffer.begin() + 8), expected);
}

TEST(Control, FreedMemoryIsKnown) {
  SmallKernel kernel;
  uint64_t freed = kernel.device.allocate(64);
  kernel.device.fill(freed, std::byte(0), 64);
  ASSERT_TRUE(kernel.device.free(freed));
  EXPECT_FALSE(kernel.device.free(freed));
  kernel.expectFault("ld.global.b32 %r2, [" + std::to_string(freed + 4) + "];", 32, FaultKind::UseAfterFree,
                     "of 64 bytes was freed");
}

TEST(Control, BlocksThatWaitForOthersRunBesideThem) {
  // Block 0 waits until the last block has counted itself.
  auto parsed = Module::parse(R"(.version 8.6
.target sm_90a
.address_size 64
.visible .entry k(.param .u64 to)
{
  .reg .pred %p; .reg .b32 %r<4>; .reg .b64 %a;
  ld.param.u64 %a, [to];
  atom.global.add.u32 %r0, [%a], 1;
WAIT:
  ld.volatile.global.u32 %r1, [%a];
  setp.lt.u32 %p, %r1, 3;
  @%p bra WAIT;
  ret;
})");
  auto module = std::get<std::shared_ptr<Module>>(parsed);
  Device device;
  device.load(module);
  Launch launch{module->entry("k"), module.get(), {3, 1, 1}};
  uint64_t address = device.allocate(4);
  device.fill(address, std::byte(0), 4);
  launch.parameters.resize(8);
  std::memcpy(launch.parameters.data(), &address, 8);
  std::optional<Fault> fault = device.launch(launch);
  EXPECT_FALSE(fault) << fault->text("k.ptx");
}

} // namespace
} // namespace weft::ptxsim
