// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What is wrong with a use of asynchronous instructions is found; the same with the wait or fence in its place is not.
#include "SmallKernel.h"

namespace weft::ptxsim {
namespace {

/// Each thread stores its number, then reads its neighbour's of the other warp, with `between` between.
std::string exchange(const std::string &between) {
  return "shl.b32 %r2, %r0, 2;\nadd.u32 %r3, %r1, %r2;\nmov.b32 %r7, -1;\nst.shared.u32 [%r3], %r7;\nbar.sync 0;\n"
         "st.shared.u32 [%r3], %r0;\n" +
         between +
         "\nxor.b32 %r4, %r2, 128;\nadd.u32 %r5, %r1, %r4;\nld.shared.u32 %r6, [%r5];\n"
         "cvt.u64.u32 %rd1, %r2;\nadd.u64 %rd2, %rd0, %rd1;\nst.global.u32 [%rd2], %r6;\n";
}

TEST(AsyncFaults, RaceOfTwoWarps) {
  SmallKernel kernel;
  kernel.expectFault(exchange("bar.warp.sync -1;"), 64, FaultKind::Race, "no barrier is between them");
  SmallKernel ordered;
  ordered.expectNone(exchange("bar.sync 0;"), 64);
  EXPECT_EQ(ordered.buffer[3], 35u);
  EXPECT_EQ(ordered.buffer[35], 3u);
}

TEST(AsyncFaults, NoRaceOfStoresThatChangeNothing) {
  SmallKernel same; // both warps store the same number
  same.expectNone("and.b32 %r2, %r0, 31;\nshl.b32 %r3, %r2, 2;\nadd.u32 %r3, %r1, %r3;\nst.shared.u32 [%r3], %r2;\n",
                  64);
  SmallKernel different;
  different.expectFault(
      "and.b32 %r2, %r0, 31;\nshl.b32 %r3, %r2, 2;\nadd.u32 %r3, %r1, %r3;\nst.shared.u32 [%r3], %r0;\n", 64,
      FaultKind::Race, "writes shared memory that warp 0, lane 0, writes in line");
}

TEST(AsyncFaults, NoRaceOfStrongAccesses) {
  // Warp 0 writes data and raises a flag that warp 1 spins on.
  std::string body = "setp.ge.u32 %p0, %r0, 32;\nst.volatile.shared.u32 [%r1], 0;\nbar.sync 0;\n@%p0 bra READER;\n"
                     "shl.b32 %r2, %r0, 2;\nadd.u32 %r3, %r1, %r2;\nst.shared.u32 [%r3+128], %r0;\nbar.warp.sync -1;\n"
                     "setp.eq.u32 %p1, %r0, 0;\n@%p1 st.volatile.shared.u32 [%r1], 1;\nbra DONE;\n"
                     "READER:\nLOOP:\nld.volatile.shared.u32 %r4, [%r1];\nsetp.eq.u32 %p2, %r4, 0;\n@%p2 bra LOOP;\n"
                     "ld.shared.u32 %r5, [%r1+132];\nst.global.u32 [%rd0], %r5;\nDONE:\n";
  SmallKernel kernel;
  kernel.expectNone(body, 64);
  EXPECT_EQ(kernel.buffer[0], 1u);
  SmallKernel plain; // the same without the flag being strong
  for (size_t at = body.find(".volatile"); at != std::string::npos; at = body.find(".volatile"))
    body.erase(at, 9);
  plain.expectFault(body, 64, FaultKind::Race, "no barrier is between them");
}

TEST(AsyncFaults, RaceOfTwoLanes) {
  std::string body = "shl.b32 %r2, %r0, 2;\nadd.u32 %r3, %r1, %r2;\nst.shared.u32 [%r3], %r0;\n";
  std::string end = "xor.b32 %r4, %r2, 4;\nadd.u32 %r5, %r1, %r4;\nld.shared.u32 %r6, [%r5];\n";
  SmallKernel kernel;
  kernel.expectFault(body + end, 32, FaultKind::Race, "warp 0, lane 1, writes in line");
  SmallKernel ordered;
  ordered.expectNone(body + "bar.warp.sync -1;\n" + end, 32);
}

const char *const kCopy =
    "shl.b32 %r2, %r0, 4;\nadd.u32 %r3, %r1, %r2;\ncvt.u64.u32 %rd1, %r2;\nadd.u64 %rd2, %rd0, %rd1;\n"
    "cp.async.cg.shared.global [%r3], [%rd2], 16;\ncp.async.commit_group;\n";
const char *const kUse = "ld.shared.v4.u32 {%r4, %r5, %r6, %r7}, [%r3];\nadd.u32 %r4, %r4, 1;\n"
                         "st.global.u32 [%rd2], %r4;\n";

TEST(AsyncFaults, CopyThatIsReadBeforeItsWait) {
  SmallKernel kernel;
  kernel.expectFault(std::string(kCopy) + kUse, 32, FaultKind::InFlight, "cp.async of warp 0 writes");
  SmallKernel late; // one group may still be under way
  late.expectFault(std::string(kCopy) + "cp.async.wait_group 1;\n" + kUse, 32, FaultKind::InFlight, "before a wait");
  SmallKernel waited;
  waited.buffer[4] = 41;
  waited.expectNone(std::string(kCopy) + "cp.async.wait_group 0;\n" + kUse, 32);
  EXPECT_EQ(waited.buffer[4], 42u);
}

TEST(AsyncFaults, CopyOfFewerBytesIsFilledWithZeros) {
  SmallKernel kernel;
  for (uint32_t index = 0; index < 8; ++index)
    kernel.buffer[index] = 7;
  kernel.expectNone(
      "cp.async.ca.shared.global [%r1], [%rd0], 16, 8;\ncp.async.wait_all;\n"
      "ld.shared.v4.u32 {%r4, %r5, %r6, %r7}, [%r1];\nst.global.v4.u32 [%rd0+16], {%r4, %r5, %r6, %r7};\n",
      1);
  EXPECT_EQ(kernel.buffer[5], 7u);
  EXPECT_EQ(kernel.buffer[6], 0u);
}

/// Thread 0 copies 64 bytes to smem + 128; every thread reads them; the mbarrier is at smem.
std::string bulk(int expected, const std::string &wait) {
  return "setp.ne.u32 %p0, %r0, 0;\n@%p0 bra READY;\nmbarrier.init.shared::cta.b64 [%r1], 1;\n"
         "fence.mbarrier_init.release.cluster;\nREADY:\nbar.sync 0;\nadd.u32 %r2, %r1, 128;\n@%p0 bra ISSUED;\n"
         "mbarrier.arrive.expect_tx.shared::cta.b64 _, [%r1], " +
         std::to_string(expected) +
         ";\ncp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes [%r2], [%rd0], 64, [%r1];\nISSUED:\n" +
         wait +
         "ld.shared.u32 %r3, [%r2+4];\nadd.u32 %r3, %r3, 1;\nshl.b32 %r4, %r0, 2;\ncvt.u64.u32 %rd1, %r4;\n"
         "add.u64 %rd2, %rd0, %rd1;\nst.global.u32 [%rd2+64], %r3;\n";
}

const char *const kWait = "LOOP:\nmbarrier.try_wait.parity.shared::cta.b64 %p1, [%r1], 0;\n@!%p1 bra LOOP;\n";

TEST(AsyncFaults, BulkCopyThatIsReadBeforeItsMbarrier) {
  SmallKernel kernel;
  kernel.expectFault(bulk(64, "bar.sync 0;\n"), 64, FaultKind::InFlight, "a copy that completes at the mbarrier");
  SmallKernel waited;
  waited.buffer[1] = 9;
  waited.expectNone(bulk(64, kWait), 64);
  EXPECT_EQ(waited.buffer[16], 10u);
  EXPECT_EQ(waited.buffer[16 + 63], 10u);
}

TEST(AsyncFaults, MbarrierThatWaitsForBytesThatNeverCome) {
  SmallKernel kernel;
  kernel.expectFault(bulk(80, kWait), 64, FaultKind::Deadlock,
                     "for the mbarrier 0x400, whose phase of parity 0 lacks 0 arrivals and 16 bytes");
}

TEST(AsyncFaults, BarrierThatAWarpDoesNotReach) {
  SmallKernel kernel;
  kernel.expectFault("setp.ge.u32 %p0, %r0, 64;\n@%p0 bra OTHER;\nbar.sync 1, 96;\nOTHER:\nbar.sync 0;\n", 96,
                     FaultKind::Deadlock, "for barrier 1, where 64 of 96 threads have arrived; not there: warps 2");
}

TEST(AsyncFaults, MbarrierMisused) {
  SmallKernel never;
  never.expectFault("st.shared.u64 [%r1], 0;\nmbarrier.arrive.shared::cta.b64 %rd1, [%r1];\n", 1, FaultKind::Barrier,
                    "no mbarrier.init");
  SmallKernel often;
  often.expectFault("mbarrier.init.shared::cta.b64 [%r1], 2;\nmbarrier.arrive.shared::cta.b64 %rd1, [%r1], 3;\n", 1,
                    FaultKind::Barrier, "arrival of 3");
}

TEST(AsyncFaults, MbarrierThatIsUsedBeforeItsInitialisationIsOrdered) {
  std::string begin = "setp.ne.u32 %p0, %r0, 0;\n@!%p0 mbarrier.init.shared::cta.b64 [%r1], 64;\n";
  std::string end = "mbarrier.arrive.shared::cta.b64 %rd1, [%r1];\n";
  SmallKernel kernel;
  kernel.expectFault(begin + end, 64, FaultKind::Race, "uses an mbarrier that warp 0, lane 0, initialises");
  SmallKernel ordered;
  ordered.expectNone(begin + "bar.sync 0;\n" + end, 64);
  SmallKernel ended; // and ended while the other warp may still use it
  ended.expectFault(begin + "bar.sync 0;\nsetp.lt.u32 %p1, %r0, 32;\n" + end +
                        "bar.arrive 1, 64;\nsetp.ne.u32 %p2, %r0, 63;\n@!%p2 mbarrier.inval.shared::cta.b64 [%r1];\n",
                    64, FaultKind::Race, "initialises or ends in line");
}

TEST(AsyncFaults, MbarrierHandsOverWhatWasWritten) {
  // Warp 0 writes and arrives, warp 1 waits and reads; the state form of the wait.
  std::string body = "setp.ge.u32 %p0, %r0, 32;\nsetp.ne.u32 %p1, %r0, 0;\n"
                     "@!%p1 mbarrier.init.shared::cta.b64 [%r1], 64;\nbar.sync 0;\nshl.b32 %r2, %r0, 2;\n"
                     "add.u32 %r3, %r1, %r2;\n@!%p0 st.shared.u32 [%r3+256], %r0;\n"
                     "mbarrier.arrive.shared::cta.b64 %rd1, [%r1];\n@!%p0 bra DONE;\n"
                     "LOOP:\nmbarrier.try_wait.shared::cta.b64 %p2, [%r1], %rd1;\n@!%p2 bra LOOP;\n"
                     "ld.shared.u32 %r4, [%r3+128];\nst.global.u32 [%rd0], %r4;\nDONE:\n";
  SmallKernel kernel;
  kernel.expectNone(body, 64);
  EXPECT_LT(kernel.buffer[0], 32u);
}

TEST(AsyncFaults, BulkStoreWithoutAProxyFence) {
  std::string fill = "shl.b32 %r2, %r0, 2;\nadd.u32 %r3, %r1, %r2;\nst.shared.u32 [%r3], %r0;\n";
  std::string store = "bar.sync 0;\nsetp.ne.u32 %p0, %r0, 0;\n@%p0 bra DONE;\n"
                      "cp.async.bulk.global.shared::cta.bulk_group [%rd0], [%r1], 128;\n"
                      "cp.async.bulk.commit_group;\ncp.async.bulk.wait_group 0;\nDONE:\n";
  SmallKernel kernel;
  kernel.expectFault(fill + store, 32, FaultKind::Proxy, "without fence.proxy.async");
  SmallKernel fenced;
  fenced.expectNone(fill + "fence.proxy.async.shared::cta;\n" + store, 32);
  EXPECT_EQ(fenced.buffer[31], 31u);
}

TEST(AsyncFaults, BulkStoreWhoseSourceIsOverwritten) {
  std::string body = "st.shared.v4.u32 [%r1], {%r0, %r0, %r0, %r0};\nfence.proxy.async.shared::cta;\n"
                     "cp.async.bulk.global.shared::cta.bulk_group [%rd0], [%r1], 16;\ncp.async.bulk.commit_group;\n";
  std::string reuse = "st.shared.u32 [%r1], %r0;\n";
  SmallKernel kernel;
  kernel.expectFault(body + reuse, 1, FaultKind::InFlight, "cp.async.bulk of warp 0 reads");
  SmallKernel waited;
  waited.expectNone(body + "cp.async.bulk.wait_group.read 0;\n" + reuse, 1);
}

TEST(AsyncFaults, RegistersThatNobodyGivesBack) {
  SmallKernel kernel;
  kernel.directives = ".maxnreg 128";
  kernel.expectFault("setmaxnreg.inc.sync.aligned.u32 160;\n", 128, FaultKind::Deadlock,
                     "for 160 registers a thread; the block has 16384");
  std::string body = "setp.ge.u32 %p0, %r0, 128;\n@%p0 bra CONSUMER;\nsetmaxnreg.dec.sync.aligned.u32 40;\nbra DONE;\n"
                     "CONSUMER:\nsetmaxnreg.inc.sync.aligned.u32 216;\nDONE:\n";
  SmallKernel balanced;
  balanced.directives = ".maxnreg 128";
  balanced.expectNone(body, 256);
}

TEST(AsyncFaults, ElectsOneLane) {
  SmallKernel kernel;
  kernel.expectNone("elect.sync %r2|%p0, -1;\n@%p0 atom.global.add.u32 %r3, [%rd0], 5;\n", 64);
  EXPECT_EQ(kernel.buffer[0], 10u);
}

TEST(AsyncFaults, MatrixInstructionWithoutAllLanes) {
  SmallKernel kernel;
  kernel.expectFault("shl.b32 %r2, %r0, 4;\nadd.u32 %r3, %r1, %r2;\nst.shared.v4.u32 [%r3], {%r0, %r0, %r0, %r0};\n"
                     "bar.warp.sync -1;\nsetp.gt.u32 %p0, %r0, 7;\n@%p0 bra DONE;\n"
                     "ldmatrix.sync.aligned.m8n8.x1.shared.b16 {%r2}, [%r3];\nDONE:\n",
                     32, FaultKind::Divergence, "ldmatrix needs all 32 lanes");
}

TEST(AsyncFaults, CopyOutOfBounds) {
  SmallKernel kernel;
  kernel.expectFault("cp.async.ca.shared.global [%r1], [%rd0+65536], 16;\n", 1, FaultKind::OutOfBounds, "");
  SmallKernel crooked;
  crooked.expectFault("cp.async.ca.shared.global [%r1], [%rd0+4], 16;\n", 1, FaultKind::Misaligned, "");
}

} // namespace
} // namespace weft::ptxsim
