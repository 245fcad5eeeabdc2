// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What asynchronous instructions give where they are used rightly: kernels of a few lines, results computed by hand.
#include "SmallKernel.h"
#include "tools/ptxsim/async/TensorMap.h"

#include <bit>

namespace weft::ptxsim {
namespace {

TEST(AsyncOperations, CopiesArriveAtAnMbarrier) {
  // Both warps copy, each thread arrives when its copies have come; everyone then reads the other warp's words.
  std::string body =
      "setp.ne.u32 %p0, %r0, 0;\n@!%p0 mbarrier.init.shared::cta.b64 [%r1], 64;\nbar.sync 0;\nshl.b32 %r2, %r0, 2;\n"
      "add.u32 %r3, %r1, %r2;\ncvt.u64.u32 %rd1, %r2;\nadd.u64 %rd2, %rd0, %rd1;\n"
      "cp.async.ca.shared.global [%r3+64], [%rd2], 4;\ncp.async.mbarrier.arrive.noinc.shared::cta.b64 [%r1];\n"
      "LOOP:\nmbarrier.try_wait.parity.shared::cta.b64 %p1, [%r1], 0;\n@!%p1 bra LOOP;\n"
      "xor.b32 %r4, %r2, 128;\nadd.u32 %r5, %r1, %r4;\nld.shared.u32 %r6, [%r5+64];\nst.global.u32 [%rd2+256], %r6;\n";
  SmallKernel kernel;
  for (uint32_t index = 0; index < 64; ++index)
    kernel.buffer[index] = 500 + index;
  kernel.expectNone(body, 64);
  EXPECT_EQ(kernel.buffer[64], 532u);
  EXPECT_EQ(kernel.buffer[64 + 63], 531u);
}

TEST(AsyncOperations, MbarrierCountsAndTests) {
  std::string body =
      "mbarrier.init.shared::cta.b64 [%r1], 3;\nmbarrier.arrive_drop.shared::cta.b64 %rd1, [%r1];\n"
      "mbarrier.pending_count.b64 %r2, %rd1;\nst.global.u32 [%rd0], %r2;\n"
      "mbarrier.arrive.noComplete.shared::cta.b64 %rd2, [%r1], 1;\nmbarrier.pending_count.b64 %r3, %rd2;\n"
      "st.global.u32 [%rd0+4], %r3;\nmbarrier.test_wait.shared::cta.b64 %p0, [%r1], %rd2;\nselp.u32 %r4, 1, 0, %p0;\n"
      "st.global.u32 [%rd0+8], %r4;\nmbarrier.expect_tx.relaxed.cta.shared::cta.b64 [%r1], 32;\n"
      "mbarrier.arrive.shared::cta.b64 %rd3, [%r1];\nmbarrier.test_wait.parity.shared::cta.b64 %p1, [%r1], 0;\n"
      "selp.u32 %r5, 1, 0, %p1;\nst.global.u32 [%rd0+12], %r5;\n"
      "mbarrier.complete_tx.relaxed.cta.shared::cta.b64 [%r1], 32;\n"
      "mbarrier.test_wait.parity.shared::cta.b64 %p2, [%r1], 0;\nselp.u32 %r6, 1, 0, %p2;\nst.global.u32 [%rd0+16], "
      "%r6;\n"
      // The next phase waits for two: one thread left.
      "mbarrier.arrive.shared::cta.b64 %rd4, [%r1];\nmbarrier.pending_count.b64 %r7, %rd4;\nst.global.u32 [%rd0+20], "
      "%r7;\n"
      "mbarrier.inval.shared::cta.b64 [%r1];\n";
  SmallKernel kernel;
  kernel.expectNone(body, 1);
  const uint32_t expected[] = {3, 2, 0, 0, 1, 2};
  for (size_t index = 0; index < 6; ++index)
    EXPECT_EQ(kernel.buffer[index], expected[index]) << index;
}

TEST(AsyncOperations, ClusterOfOneBlock) {
  std::string body =
      "shl.b32 %r2, %r0, 2;\nadd.u32 %r3, %r1, %r2;\nst.shared.u32 [%r3], "
      "%r0;\nbarrier.cluster.arrive.release.aligned;\n"
      "barrier.cluster.wait.acquire.aligned;\nmov.b32 %r4, 0;\nmapa.shared::cluster.u32 %r5, %r3, %r4;\n"
      "xor.b32 %r5, %r5, 128;\nld.shared::cluster.u32 %r6, [%r5];\nmov.u32 %r7, %cluster_nctarank;\nadd.u32 %r6, %r6, "
      "%r7;\n"
      "griddepcontrol.wait;\ncvt.u64.u32 %rd1, %r2;\nadd.u64 %rd2, %rd0, %rd1;\nst.global.u32 [%rd2], %r6;\n"
      "griddepcontrol.launch_dependents;\nbarrier.cluster.arrive.aligned;\nbarrier.cluster.wait.aligned;\n";
  SmallKernel kernel;
  kernel.expectNone(body, 64);
  EXPECT_EQ(kernel.buffer[5], 38u);
  EXPECT_EQ(kernel.buffer[37], 6u);
}

TEST(AsyncOperations, BulkReductionsAndMulticast) {
  std::string body = "mbarrier.init.shared::cta.b64 [%r1], 1;\nmbarrier.arrive.expect_tx.shared::cta.b64 _, [%r1], "
                     "16;\nadd.u32 %r2, %r1, 64;\n"
                     "mov.b16 %h0, 1;\n"
                     "cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes.multicast::cluster [%r2], "
                     "[%rd0], 16, [%r1], %h0;\n"
                     "LOOP:\nmbarrier.try_wait.parity.shared::cta.b64 %p1, [%r1], 0;\n@!%p1 bra LOOP;\n"
                     "cp.reduce.async.bulk.global.shared::cta.bulk_group.add.f32 [%rd0+16], [%r2], 16;\n"
                     "cp.reduce.async.bulk.global.shared::cta.bulk_group.max.u32 [%rd0+32], [%r2], 16;\n"
                     "cp.async.bulk.commit_group;\ncp.async.bulk.wait_group 0;\n"
                     "cp.async.bulk.prefetch.L2.global [%rd0], 16;\n";
  SmallKernel kernel;
  for (size_t index = 0; index < 4; ++index) {
    kernel.buffer[index] = std::bit_cast<uint32_t>(1.5f + float(index));
    kernel.buffer[4 + index] = std::bit_cast<uint32_t>(10.0f);
    kernel.buffer[8 + index] = index < 2 ? 7 : 0xffffffff;
  }
  kernel.expectNone(body, 1);
  EXPECT_EQ(std::bit_cast<float>(kernel.buffer[6]), 13.5f);
  EXPECT_EQ(kernel.buffer[8], std::bit_cast<uint32_t>(1.5f));
  EXPECT_EQ(kernel.buffer[11], 0xffffffffu);
}

/// f32 [3, 5, 8], boxes of [2, 2, 4].
TensorMap smallMap(uint64_t address, bool nan) {
  TensorMap map = {};
  map.address = address;
  map.rankMinusOne = 2;
  map.element = TensorElement::F32;
  map.fillNan = nan;
  const uint32_t sizes[] = {8, 5, 3}, box[] = {4, 2, 2};
  for (int dimension = 0; dimension < 3; ++dimension) {
    map.sizes[dimension] = sizes[dimension];
    map.box[dimension] = uint16_t(box[dimension]);
    map.elementStrides[dimension] = 1;
  }
  map.strides[0] = 32;
  map.strides[1] = 160;
  return map;
}

TEST(AsyncOperations, TensorTilesBeyondTheEnds) {
  // The tile at (x 6, y 4, z 2): two of four columns, one of two rows, one of two planes are inside. It is read with
  // zeros or NaN beyond, then added to a copy of the tensor, where only what is inside counts.
  std::string body =
      "mbarrier.init.shared::cta.b64 [%r1], 1;\nmbarrier.arrive.expect_tx.shared::cta.b64 _, [%r1], 64;\nadd.u32 %r2, "
      "%r1, 128;\n"
      "mov.b32 %r3, 6;\nmov.b32 %r4, 4;\nmov.b32 %r5, 2;\nadd.u64 %rd1, %rd0, 128;\n"
      "cp.async.bulk.tensor.3d.shared::cluster.global.tile.mbarrier::complete_tx::bytes [%r2], [%rd0, {%r3, %r4, "
      "%r5}], [%r1];\n"
      "LOOP:\nmbarrier.try_wait.parity.shared::cta.b64 %p1, [%r1], 0;\n@!%p1 bra LOOP;\n"
      "cp.reduce.async.bulk.tensor.3d.global.shared::cta.add.tile.bulk_group [%rd1, {%r3, %r4, %r5}], [%r2];\n"
      "cp.async.bulk.commit_group;\ncp.async.bulk.wait_group 0;\n"
      "ld.shared.v4.u32 {%r6, %r7, %r8, %r9}, [%r2];\nst.global.v4.u32 [%rd0+256], {%r6, %r7, %r8, %r9};\n"
      "ld.shared.u32 %r6, [%r2+16];\nst.global.u32 [%rd0+272], %r6;\n";
  for (bool nan : {false, true}) {
    SmallKernel kernel;
    kernel.address = kernel.device.allocate(kernel.buffer.size() * 4);
    TensorMap source = smallMap(kernel.address + 1024, nan), target = smallMap(kernel.address + 2048, false);
    std::memcpy(kernel.buffer.data(), &source, 128);
    std::memcpy(kernel.buffer.data() + 32, &target, 128);
    for (size_t index = 0; index < 120; ++index)
      kernel.buffer[256 + index] = kernel.buffer[512 + index] = std::bit_cast<uint32_t>(float(index));
    kernel.expectNone(body, 1);
    uint32_t outside = nan ? 0x7fffffff : 0;
    size_t first = (2 * 5 + 4) * 8 + 6; // of the tile in the tensor
    EXPECT_EQ(std::bit_cast<float>(kernel.buffer[64]), float(first));
    EXPECT_EQ(std::bit_cast<float>(kernel.buffer[65]), float(first + 1));
    EXPECT_EQ(kernel.buffer[66], outside);
    EXPECT_EQ(kernel.buffer[68], outside);
    EXPECT_EQ(std::bit_cast<float>(kernel.buffer[512 + first]), 2.0f * float(first));
    EXPECT_EQ(std::bit_cast<float>(kernel.buffer[512 + first - 1]), float(first - 1));
  }
}

TEST(AsyncOperations, MatricesGoThroughSharedMemory) {
  // stmatrix of row numbers, read back transposed, and the same by movmatrix.
  std::string body =
      "shr.u32 %r2, %r0, 2;\nand.b32 %r3, %r0, 3;\nshl.b32 %r3, %r3, 1;\nmad.lo.u32 %r4, %r2, 8, %r3;\nadd.u32 %r5, "
      "%r4, 1;\n"
      "shl.b32 %r5, %r5, 16;\nor.b32 %r6, %r4, %r5;\n" // elements 8 · row + column
      "and.b32 %r7, %r0, 7;\nshl.b32 %r7, %r7, 4;\nadd.u32 %r8, %r1, %r7;\n"
      "stmatrix.sync.aligned.m8n8.x1.shared::cta.b16 [%r8], {%r6};\nbar.warp.sync -1;\n"
      "ldmatrix.sync.aligned.m8n8.x1.trans.shared.b16 {%r9}, [%r8];\nmovmatrix.sync.aligned.m8n8.trans.b16 %r10, %r6;\n"
      "mul.wide.u32 %rd1, %r0, 8;\nadd.u64 %rd2, %rd0, %rd1;\nst.global.v2.u32 [%rd2], {%r9, %r10};\n";
  SmallKernel kernel;
  kernel.expectNone(body, 32);
  for (uint32_t lane = 0; lane < 32; ++lane) {
    uint32_t row = lane % 4 * 2, column = lane / 4, expected = (row * 8 + column) | ((row + 1) * 8 + column) << 16;
    EXPECT_EQ(kernel.buffer[lane * 2], expected);
    EXPECT_EQ(kernel.buffer[lane * 2 + 1], expected);
  }
}

} // namespace
} // namespace weft::ptxsim
