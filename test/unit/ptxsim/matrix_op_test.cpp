// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Products of small integers, which every type holds exactly, put into registers by PTX's tables as written there.
#include "tools/ptxsim/matrix/MatrixOp.h"

#include <gtest/gtest.h>

#include <bit>
#include <cstring>

namespace weft::ptxsim {
namespace {

MatrixOp parse(const char *opcode) {
  std::string problem;
  MatrixOp op = MatrixOp::parse(opcode, problem);
  EXPECT_EQ(problem, "") << opcode;
  return op;
}

int valueOfA(int row, int k) { return (row * 5 + k * 3) % 7 - 3; }
int valueOfB(int k, int column) { return (k * 2 + column * 3) % 5 - 2; }
int valueOfC(int row, int column) { return row - column; }

int expected(int row, int column, int depth) {
  int sum = valueOfC(row, column);
  for (int k = 0; k < depth; ++k)
    sum += valueOfA(row, k) * valueOfB(k, column);
  return sum;
}

uint32_t half(int value) { return encodeF16(float(value)); }
uint32_t brain(int value) { return encodeBF16(float(value)); }
uint32_t word(int value) { return std::bit_cast<uint32_t>(float(value)); }

/// D of an m16n8 product with f32 or s32 accumulators must hold the product of depth `k`.
void expectProduct(const std::vector<LaneRegister> &d, int depth, bool integers) {
  for (int lane = 0; lane < 32; ++lane)
    for (int i = 0; i < 4; ++i) {
      int row = lane / 4 + (i < 2 ? 0 : 8), column = lane % 4 * 2 + (i & 1);
      uint32_t bits = uint32_t(d[size_t(i)][size_t(lane)]);
      EXPECT_EQ(integers ? int32_t(bits) : int32_t(std::bit_cast<float>(bits)), expected(row, column, depth))
          << "lane " << lane << ", element " << i;
    }
}

std::vector<LaneRegister> accumulators(bool integers) {
  std::vector<LaneRegister> c(4);
  for (int lane = 0; lane < 32; ++lane)
    for (int i = 0; i < 4; ++i) {
      int value = valueOfC(lane / 4 + (i < 2 ? 0 : 8), lane % 4 * 2 + (i & 1));
      c[size_t(i)][size_t(lane)] = integers ? uint32_t(value) : word(value);
    }
  return c;
}

template <typename Encode> void expectHalves(const char *opcode, Encode encode) {
  MatrixOp op = parse(opcode);
  std::vector<LaneRegister> a(4), b(2), c = accumulators(false), d(4);
  ASSERT_EQ(op.registersOfA(), 4);
  ASSERT_EQ(op.registersOfB(), 2);
  ASSERT_EQ(op.registersOfD(), 4);
  for (int lane = 0; lane < 32; ++lane)
    for (int i = 0; i < 8; ++i) {
      int group = lane >> 2, place = lane % 4;
      int row = (i < 2 || (4 <= i && i < 6)) ? group : group + 8, k = place * 2 + (i & 1) + (i < 4 ? 0 : 8);
      a[size_t(i / 2)][size_t(lane)] |= uint64_t(encode(valueOfA(row, k))) << (i % 2 * 16);
      if (i < 4)
        b[size_t(i / 2)][size_t(lane)] |= uint64_t(encode(valueOfB(place * 2 + (i & 1) + (i < 2 ? 0 : 8), group)))
                                          << (i % 2 * 16);
    }
  multiply(op, a, b, c, d);
  expectProduct(d, 16, false);
}

TEST(MatrixOp, MultipliesHalves) {
  expectHalves("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32", half);
  expectHalves("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32", brain);
}

TEST(MatrixOp, MultipliesTf32) {
  MatrixOp op = parse("mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32");
  std::vector<LaneRegister> a(4), b(2), c = accumulators(false), d(4);
  for (int lane = 0; lane < 32; ++lane)
    for (int i = 0; i < 4; ++i) {
      int group = lane >> 2, place = lane % 4;
      a[size_t(i)][size_t(lane)] = word(valueOfA(i % 2 ? group + 8 : group, i < 2 ? place : place + 4));
      if (i < 2)
        b[size_t(i)][size_t(lane)] = word(valueOfB(place + i * 4, group));
    }
  multiply(op, a, b, c, d);
  expectProduct(d, 8, false);
}

TEST(MatrixOp, MultipliesBytes) {
  MatrixOp op = parse("mma.sync.aligned.m16n8k32.row.col.s32.s8.s8.s32");
  std::vector<LaneRegister> a(4), b(2), c = accumulators(true), d(4);
  for (int lane = 0; lane < 32; ++lane)
    for (int i = 0; i < 16; ++i) {
      int group = lane >> 2, place = lane % 4;
      int row = (i < 4 || (8 <= i && i < 12)) ? group : group + 8, k = place * 4 + (i & 3) + (i < 8 ? 0 : 16);
      a[size_t(i / 4)][size_t(lane)] |= uint64_t(uint8_t(valueOfA(row, k))) << (i % 4 * 8);
      if (i < 8)
        b[size_t(i / 4)][size_t(lane)] |= uint64_t(uint8_t(valueOfB(place * 4 + (i & 3) + (i < 4 ? 0 : 16), group)))
                                          << (i % 4 * 8);
    }
  multiply(op, a, b, c, d);
  expectProduct(d, 32, true);
}

TEST(MatrixOp, MultipliesDoubles) {
  MatrixOp op = parse("mma.sync.aligned.m8n8k4.row.col.f64.f64.f64.f64");
  std::vector<LaneRegister> a(1), b(1), c(2), d(2);
  for (size_t lane = 0; lane < 32; ++lane) {
    int group = int(lane) >> 2, place = int(lane) % 4;
    a[0][lane] = std::bit_cast<uint64_t>(double(valueOfA(group, place)));
    b[0][lane] = std::bit_cast<uint64_t>(double(valueOfB(place, group)));
    for (int i = 0; i < 2; ++i)
      c[size_t(i)][lane] = std::bit_cast<uint64_t>(double(valueOfC(group, place * 2 + i)));
  }
  multiply(op, a, b, c, d);
  for (size_t lane = 0; lane < 32; ++lane)
    for (int i = 0; i < 2; ++i)
      EXPECT_EQ(std::bit_cast<double>(d[size_t(i)][lane]), expected(int(lane) >> 2, int(lane) % 4 * 2 + i, 4));
}

TEST(MatrixOp, RoundsHalfAccumulatorsOnce) {
  MatrixOp op = parse("mma.sync.aligned.m16n8k8.row.col.f16.f16.f16.f16");
  std::vector<LaneRegister> a(2), b(1), c(2), d(2);
  // Row 0: 2048 + 1 + 1 is 2050 when it is rounded at the end, 2048 when it is rounded after each step.
  c[0][0] = half(2048);
  a[0][0] = half(1) | half(1) << 16;
  b[0][0] = half(1) | half(1) << 16;
  multiply(op, a, b, c, d);
  EXPECT_EQ(d[0][0], half(2050));
}

/// Shared memory with A (64 × 16, rows along k) and B (along n or along k) of bf16 in the 128-byte swizzle.
struct Shared {
  uint8_t bytes[16384] = {};

  void put(uint32_t offset, int value) {
    uint32_t bits = brain(value), place = offset ^ ((offset >> 7 & 7) << 4);
    std::memcpy(bytes + place, &bits, 2);
  }
  const uint8_t *get(uint32_t address) const { return bytes + address; }
};

TEST(MatrixOp, MultipliesAWarpgroupFromSharedMemory) {
  MatrixOp op = parse("wgmma.mma_async.sync.aligned.m64n64k16.f32.bf16.bf16");
  ASSERT_EQ(op.registersOfD(), 32);
  for (bool outerMajorB : {false, true}) {
    Shared shared;
    for (int k = 0; k < 16; ++k)
      for (int i = 0; i < 64; ++i) {
        shared.put(uint32_t(i * 128 + k * 2), valueOfA(i, k)); // a row of 128 bytes has 64 k
        shared.put(uint32_t(8192 + (outerMajorB ? k * 128 + i * 2 : i * 128 + k * 2)), valueOfB(k, i));
      }
    WarpgroupOperands operands;
    operands.sharedA = {0, 16, 1024, 0, 128};
    operands.sharedB = {8192, 16, 1024, 0, 128};
    operands.outerMajorB = outerMajorB;
    for (int warp = 0; warp < 4; ++warp) {
      Accumulator sum;
      sum.f32.assign(16 * 64, 1.0f);
      multiplyWarpgroup(op, warp, operands, [&](uint32_t address) { return shared.get(address); }, sum);
      for (int row = 0; row < 16; ++row)
        for (int column = 0; column < 64; ++column) {
          int total = warp * 16 + row;
          EXPECT_EQ(sum.f32[size_t(row * 64 + column)], expected(total, column, 16) - valueOfC(total, column) + 1);
        }
    }
  }
}

TEST(MatrixOp, RefusesWhatHardwareHasNot) {
  for (const char *opcode :
       {"mma.sync.aligned.m16n8k64.row.col.f32.bf16.bf16.f32", "wgmma.mma_async.sync.aligned.m64n12k16.f32.f16.f16",
        "mma.sync.aligned.m16n8k16.row.row.f32.bf16.bf16.f32", "mma.sp.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32",
        "mma.sync.aligned.m16n8k32.row.col.f32.s8.s8.f32"}) {
    std::string problem;
    MatrixOp::parse(opcode, problem);
    EXPECT_NE(problem, "") << opcode;
  }
}

} // namespace
} // namespace weft::ptxsim
