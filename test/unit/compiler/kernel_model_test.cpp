// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/estimate/KernelModel.h"

#include "gtest/gtest.h"

namespace weft {
namespace {

const GpuChip &chip(int32_t capability) { return *chipsOf(capability).front(); }

TEST(KernelModelTest, OccupancyIsThatOfTheProgrammingGuide) {
  // 65,536 registers: 168 of each of 384 threads leave room for one block.
  EXPECT_EQ(occupancyOn(chip(90), 384, 168, 0).blocks, 1);
  EXPECT_STREQ(occupancyOn(chip(90), 384, 168, 0).limiter, "registers");
  // 2,048 threads of an SM.
  EXPECT_EQ(occupancyOn(chip(80), 1024, 32, 0).blocks, 2);
  EXPECT_EQ(occupancyOn(chip(80), 1024, 32, 0).share, 1);
  // 164 kB of shared memory, 1 kB of it taken with each block.
  EXPECT_EQ(occupancyOn(chip(80), 128, 32, 40 * 1024).blocks, 4);
  EXPECT_STREQ(occupancyOn(chip(80), 128, 32, 40 * 1024).limiter, "shared memory");
  EXPECT_EQ(occupancyOn(chip(80), 128, 32, 164 * 1024).blocks, 0) << "a block cannot have so much";
  EXPECT_EQ(occupancyOn(chip(90), 32, 16, 0).blocks, 32);
}

TEST(KernelModelTest, PeaksOfAnSmMakeThePublishedOnes) {
  EXPECT_NEAR(chip(80).matrixRate(MatrixType::Half), 2048, 5);
  EXPECT_NEAR(chip(90).matrixRate(MatrixType::Half), 4096, 5);
  EXPECT_EQ(chip(80).matrixRate(MatrixType::Fp8), 0);
  EXPECT_TRUE(chipsOf(86).empty());
}

PtxKernelText read(const std::string &body) {
  Result<PtxKernelText> text = readPtx(".target sm_90a\n.entry k()\n.reqntid 384\n{\n.reg .b32 %r<9>;\n.reg .b64 "
                                       "%rd<9>;\n.reg .pred %p<9>;\n" +
                                           body + "}\n",
                                       "k");
  EXPECT_TRUE(text) << text.error().format();
  return *text;
}

TEST(KernelModelTest, LoopsAreSeenInnerOnesFirst) {
  PtxKernelText text =
      read("outer: mov.u32 %r1, 0;\ninner: add.s32 %r1, %r1, 1;\n@%p1 bra inner;\n@%p2 bra outer;\nret;\n");
  ASSERT_EQ(text.loops().size(), 2u);
  EXPECT_EQ(text.loops()[0], (PtxLoop{1, 2}));
  EXPECT_EQ(text.loops()[1], (PtxLoop{0, 1, 2, 3}));
}

TEST(KernelModelTest, WhatLiesInALoopAndLeavesItIsNotOfIt) {
  PtxKernelText text = read("mov.u32 %r1, 0;\nloop: @%p1 bra next;\nst.global.u32 [%rd1], %r1;\nret;\n"
                            "next: add.s32 %r1, %r1, 1;\n@%p2 bra wait;\nbra loop;\nwait: bra loop;\n");
  ASSERT_EQ(text.loops().size(), 1u);
  EXPECT_EQ(text.loops()[0], (PtxLoop{1, 4, 5, 6, 7}));
}

TEST(KernelModelTest, LinesOfASourceAreNoInstructions) {
  PtxKernelText text = read(".loc 1 7 3 // kernel.py:7\nmov.u32 %r1, 0;\n\t.loc\t1 8 3\nret;\n");
  ASSERT_EQ(text.body.size(), 2u);
  EXPECT_EQ(text.body[0].opcode, "mov.u32");
  EXPECT_EQ(text.body[1].opcode, "ret");
}

TEST(KernelModelTest, ALoopMayBeEnteredBehindItsFirstLine) {
  PtxKernelText text = read("bra test;\nbody: add.s32 %r1, %r1, 1;\ntest: @%p1 bra body;\nret;\n");
  ASSERT_EQ(text.loops().size(), 1u);
  EXPECT_EQ(text.loops()[0], (PtxLoop{1, 2}));
}

TEST(KernelModelTest, LabelsAreOfTheirScope) {
  std::string wait = "{ W: @%p1 bra D;\nbra W;\nD: }\n";
  PtxKernelText text =
      read("loop: mov.u32 %r1, 0;\n" + wait + "add.s32 %r1, %r1, 1;\n" + wait + "@%p2 bra loop;\nret;\n");
  ASSERT_EQ(text.loops().size(), 3u);
  EXPECT_EQ(text.loops()[0], (PtxLoop{1, 2}));
  EXPECT_EQ(text.loops()[1], (PtxLoop{4, 5}));
  EXPECT_EQ(text.loops()[2], (PtxLoop{0, 1, 2, 3, 4, 5, 6}));
}

TEST(KernelModelTest, LiveRegistersAreThoseStillNeeded) {
  EXPECT_EQ(liveRegisters(
                read("mov.u32 %r1, 0;\nmov.u32 %r2, 0;\nadd.s32 %r3, %r1, %r2;\nst.global.u32 [%rd1], %r3;\nret;\n")),
            4)
      << "the address in two, and two of the sum";
  EXPECT_EQ(liveRegisters(read("mov.u32 %r1, 0;\nmov.u32 %r2, %r1;\nmov.u32 %r3, %r2;\nret;\n")), 1);
  // What is set before a loop and read in it lives through all of it.
  EXPECT_EQ(liveRegisters(read("mov.u32 %r1, 0;\nmov.u32 %r2, 0;\nloop: add.s32 %r2, %r2, %r1;\n@%p1 bra loop;\n"
                               "st.global.u32 [%rd1], %r2;\nret;\n")),
            4);
}

/// One warp group loads what two others multiply.
TEST(KernelModelTest, RolesOfWarpGroupsAreCountedApart) {
  PtxKernelText text =
      read("setmaxnreg.inc.sync.aligned.u32 232;\nmov.b32 %r3, 32768;\n"
           "load: mbarrier.arrive.expect_tx.shared::cta.b64 _, [%r1], %r3;\n"
           "cp.async.bulk.tensor.2d.shared::cluster.global.tile.mbarrier::complete_tx::bytes [%r1], [%rd1];\n"
           "@%p1 bra load;\n"
           "loop: wgmma.mma_async.sync.aligned.m64n128k16.f32.bf16.bf16 {%r2}, %rd1, %rd2, 1, 1, 1, 0, 0;\n"
           "@%p2 bra loop;\nret;\n");
  PassCounts pass = countPass(text, 384);
  EXPECT_EQ(pass.matrixInstructions, 2);
  EXPECT_EQ(pass.flops(), 2.0 * 2 * 64 * 128 * 16);
  EXPECT_EQ(pass.issueSlots, 2 * 8);
  EXPECT_EQ(pass.globalBytes, 32768);
  EXPECT_FALSE(pass.hasUnknownBytes);
}

} // namespace
} // namespace weft
