// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A warpgroup's product from tiles that TMA loads with a swizzle, against the sums of integers; and what is wrong with
// uses of wgmma.
#include "SmallKernel.h"
#include "tools/ptxsim/async/TensorMap.h"
#include "tools/ptxsim/matrix/Element.h"

#include <bit>

namespace weft::ptxsim {
namespace {

constexpr int kSize = 64;                       // rows, columns and depth
constexpr uint32_t kA = 1024, kB = 1024 + 8192; // bytes into the buffer and into shared memory
constexpr uint32_t kD = 32768;

int valueOfA(int row, int k) { return (row * 3 + k) % 7 - 3; }
int valueOfB(int k, int column) { return (k + column * 2) % 5 - 2; }

/// A tile of 64 × 64 bf16 at `address`, rows of 128 bytes.
TensorMap mapOf(uint64_t address) {
  TensorMap map = {};
  map.address = address;
  map.rankMinusOne = 1;
  map.element = TensorElement::BF16;
  map.swizzle = TensorSwizzle::Bytes128;
  map.strides[0] = kSize * 2;
  for (int dimension : {0, 1}) {
    map.sizes[dimension] = kSize;
    map.box[dimension] = kSize;
    map.elementStrides[dimension] = 1;
  }
  return map;
}

/// Buffer: the maps of A and B, then A [m, k], then B: [n, k], or [k, n] where `outerMajor`.
void fill(SmallKernel &kernel, bool outerMajor) {
  kernel.address = kernel.device.allocate(kernel.buffer.size() * 4);
  auto *bytes = reinterpret_cast<uint8_t *>(kernel.buffer.data());
  TensorMap a = mapOf(kernel.address + kA), b = mapOf(kernel.address + kB);
  std::memcpy(bytes, &a, 128);
  std::memcpy(bytes + 128, &b, 128);
  for (int row = 0; row < kSize; ++row)
    for (int column = 0; column < kSize; ++column) {
      uint16_t left = encodeBF16(float(valueOfA(row, column)));
      uint16_t right = encodeBF16(float(outerMajor ? valueOfB(row, column) : valueOfB(column, row)));
      std::memcpy(bytes + kA + (row * kSize + column) * 2, &left, 2);
      std::memcpy(bytes + kB + (row * kSize + column) * 2, &right, 2);
    }
}

std::string accumulators() {
  std::string list = "{";
  for (int index = 0; index < 32; ++index)
    list += (index ? ", %f" : "%f") + std::to_string(index);
  return list + "}";
}

/// Loads both tiles to smem + 1024 and smem + 9216 and waits.
const char *const kLoad =
    "setp.ne.u32 %p0, %r0, 0;\n@!%p0 mbarrier.init.shared::cta.b64 [%r1], 1;\nbar.sync 0;\nadd.u32 %r2, %r1, 1024;\n"
    "add.u32 %r3, %r1, 9216;\nadd.u64 %rd1, %rd0, 128;\nmov.b32 %r4, 0;\n@%p0 bra ISSUED;\n"
    "mbarrier.arrive.expect_tx.shared::cta.b64 _, [%r1], 16384;\n"
    "cp.async.bulk.tensor.2d.shared::cluster.global.mbarrier::complete_tx::bytes [%r2], [%rd0, {%r4, %r4}], [%r1];\n"
    "cp.async.bulk.tensor.2d.shared::cta.global.tile.mbarrier::complete_tx::bytes [%r3], [%rd1, {%r4, %r4}], [%r1];\n"
    "ISSUED:\nLOOP:\nmbarrier.try_wait.parity.shared::cta.b64 %p1, [%r1], 0;\n@!%p1 bra LOOP;\n";

/// %rd2 and %rd3: descriptors of A and B: swizzle of 128 bytes, stride 1024.
const char *const kDescriptors =
    "shr.u32 %r5, %r2, 4;\ncvt.u64.u32 %rd2, %r5;\nor.b64 %rd2, %rd2, 4611686293305294848;\n"
    "shr.u32 %r6, %r3, 4;\ncvt.u64.u32 %rd3, %r6;\nor.b64 %rd3, %rd3, 4611686293305294848;\n";

/// Four products along k; the first ignores the accumulators, which hold nothing yet.
std::string products(bool outerMajor) {
  std::string text = "setp.eq.u32 %p2, %r0, -1;\nsetp.ne.u32 %p3, %r0, -1;\n";
  for (int step = 0; step < 4; ++step) {
    text += "add.u64 %rd4, %rd2, " + std::to_string(step * 2) + ";\nadd.u64 %rd5, %rd3, " +
            std::to_string(step * (outerMajor ? 128 : 2)) + ";\n";
    text += "wgmma.mma_async.sync.aligned.m64n64k16.f32.bf16.bf16 " + accumulators() + ", %rd4, %rd5, " +
            (step ? "%p3" : "%p2") + ", 1, 1, 0, " + (outerMajor ? "1" : "0") + ";\n";
  }
  return text + "wgmma.commit_group.sync.aligned;\n";
}

/// D row-major of f32 at the buffer's byte 32768.
std::string storeResult() {
  std::string text =
      "shr.u32 %r7, %r0, 5;\nshl.b32 %r7, %r7, 4;\nand.b32 %r8, %r0, 31;\nshr.u32 %r9, %r8, 2;\n"
      "add.u32 %r7, %r7, %r9;\nand.b32 %r8, %r8, 3;\nshl.b32 %r8, %r8, 1;\nshl.b32 %r7, %r7, 6;\n"
      "add.u32 %r7, %r7, %r8;\nshl.b32 %r7, %r7, 2;\ncvt.u64.u32 %rd6, %r7;\nadd.u64 %rd6, %rd0, %rd6;\n";
  for (int group = 0; group < 8; ++group)
    for (int half = 0; half < 2; ++half) {
      int first = group * 4 + half * 2, offset = int(kD) + (half * 8 * kSize + group * 8) * 4;
      text += "st.global.v2.f32 [%rd6+" + std::to_string(offset) + "], {%f" + std::to_string(first) + ", %f" +
              std::to_string(first + 1) + "};\n";
    }
  return text;
}

TEST(Warpgroup, MultipliesTilesThatTmaLoaded) {
  for (bool outerMajor : {false, true}) {
    SmallKernel kernel;
    fill(kernel, outerMajor);
    kernel.expectNone(std::string(kLoad) + kDescriptors + "wgmma.fence.sync.aligned;\n" + products(outerMajor) +
                          "wgmma.wait_group.sync.aligned 0;\n" + storeResult(),
                      128);
    for (int row = 0; row < kSize; ++row)
      for (int column = 0; column < kSize; ++column) {
        int sum = 0;
        for (int k = 0; k < kSize; ++k)
          sum += valueOfA(row, k) * valueOfB(k, column);
        float got = std::bit_cast<float>(kernel.buffer[size_t(kD / 4 + row * kSize + column)]);
        ASSERT_EQ(got, float(sum)) << row << ", " << column << ", n-major " << outerMajor;
      }
  }
}

TEST(Warpgroup, AccumulatorsAreReadBeforeTheWait) {
  SmallKernel kernel;
  fill(kernel, false);
  kernel.expectFault(std::string(kLoad) + kDescriptors + "wgmma.fence.sync.aligned;\n" + products(false) +
                         storeResult() + "wgmma.wait_group.sync.aligned 0;\n",
                     128, FaultKind::InFlight, "wgmma");
}

TEST(Warpgroup, AccumulatorsAreWrittenBeforeTheWait) {
  SmallKernel kernel;
  fill(kernel, false);
  kernel.expectFault(std::string(kLoad) + kDescriptors + "wgmma.fence.sync.aligned;\n" + products(false) +
                         "mov.f32 %f3, 0f00000000;\nwgmma.wait_group.sync.aligned 0;\n",
                     128, FaultKind::InFlight, "was written before this wait");
}

TEST(Warpgroup, RegistersAreNotFenced) {
  SmallKernel kernel;
  fill(kernel, false);
  kernel.expectFault(std::string(kLoad) + kDescriptors + products(false), 128, FaultKind::InFlight, "no wgmma.fence");
}

TEST(Warpgroup, OperandsAreOverwrittenInFlight) {
  SmallKernel kernel;
  fill(kernel, false);
  std::string overwrite = "bar.sync 0;\n@!%p0 st.shared.u32 [%r2], %r4;\n";
  std::string begin = std::string(kLoad) + kDescriptors + "wgmma.fence.sync.aligned;\n" + products(false);
  kernel.expectFault(begin + overwrite + "wgmma.wait_group.sync.aligned 0;\n", 128, FaultKind::InFlight,
                     "wgmma of warp");
  SmallKernel waited;
  fill(waited, false);
  waited.expectNone(begin + "wgmma.wait_group.sync.aligned 0;\n" + overwrite, 128);
}

TEST(Warpgroup, OperandsAreStoredWithoutAProxyFence) {
  std::string fillTile =
      "add.u32 %r2, %r1, 1024;\nadd.u32 %r3, %r1, 9216;\nshl.b32 %r7, %r0, 7;\nadd.u32 %r8, %r2, %r7;\n"
      "mov.b32 %r4, 0;\nmov.b32 %r9, 0;\nNEXT:\nst.shared.v4.u32 [%r8], {%r4, %r4, %r4, %r4};\n"
      "add.u32 %r8, %r8, 16;\nadd.u32 %r9, %r9, 1;\nsetp.lt.u32 %p4, %r9, 8;\n@%p4 bra NEXT;\n";
  std::string rest = std::string("bar.sync 0;\n") + kDescriptors + "wgmma.fence.sync.aligned;\n" + products(false) +
                     "wgmma.wait_group.sync.aligned 0;\n";
  SmallKernel kernel;
  kernel.expectFault(fillTile + rest, 128, FaultKind::Proxy, "without fence.proxy.async");
  SmallKernel fenced;
  fenced.expectNone(fillTile + "fence.proxy.async.shared::cta;\n" + rest, 128);
}

TEST(Warpgroup, StoresATileWithItsSwizzle) {
  // The tile that TMA loads, stored with the same map: the same bytes.
  SmallKernel kernel;
  fill(kernel, false);
  kernel.expectNone(std::string(kLoad) +
                        "bar.sync 0;\n@%p0 bra STORED;\n"
                        "cp.async.bulk.tensor.2d.global.shared::cta.bulk_group [%rd1, {%r4, %r4}], [%r2];\n"
                        "cp.async.bulk.commit_group;\ncp.async.bulk.wait_group 0;\nSTORED:\n",
                    128);
  for (uint32_t at = 0; at < 8192 / 4; ++at)
    ASSERT_EQ(kernel.buffer[kB / 4 + at], kernel.buffer[kA / 4 + at]) << at;
}

} // namespace
} // namespace weft::ptxsim
