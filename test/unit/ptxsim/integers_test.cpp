// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Integers, bits and comparisons: the bits of each result, worked out by hand.
#include "test/unit/ptxsim/ScalarTable.h"

namespace weft::ptxsim {
namespace {

constexpr std::array<int, 4> kTwo{32, 32, 32, 0}, kThree{32, 32, 32, 32}, kOne{32, 32, 0, 0}, kLong{64, 64, 64, 0};
constexpr std::array<int, 4> kCompare{1, 32, 32, 0};
constexpr uint64_t kAllOnes = ~uint64_t(0);

TEST(Integers, SumsProductsQuotients) {
  expectRows(std::to_array<ScalarRow>({
      {"add.s32 d, a, b", kTwo, 0x7fffffff, 1, 0, 0x80000000},
      {"add.sat.s32 d, a, b", kTwo, 0x7fffffff, 1, 0, 0x7fffffff},
      {"sub.sat.s32 d, a, b", kTwo, 0x80000000, 1, 0, 0x80000000},
      {"sub.u16 d, a, b", {16, 16, 16, 0}, 0, 1, 0, 0xffff},
      {"mul.lo.s32 d, a, b", kTwo, 0x10001, 0x10001, 0, 0x20001},
      {"mul.hi.u32 d, a, b", kTwo, 0xffffffff, 0xffffffff, 0, 0xfffffffe},
      {"mul.hi.s32 d, a, b", kTwo, 0xffffffff, 0xffffffff, 0, 0},
      {"mul.hi.u64 d, a, b", kLong, uint64_t(1) << 63, 2, 0, 1},
      {"mul.hi.s64 d, a, b", kLong, kAllOnes, 1, 0, kAllOnes},
      {"mul.wide.s32 d, a, b", {64, 32, 32, 0}, 0xfffffffe, 3, 0, kAllOnes - 5},
      {"mul.wide.u16 d, a, b", {32, 16, 16, 0}, 0xffff, 0xffff, 0, 0xfffe0001},
      {"mad.lo.s32 d, a, b, c", kThree, 7, 6, 0xffffffff, 41},
      {"mad.hi.u32 d, a, b, c", kThree, 0x80000000, 4, 5, 7},
      {"mad.wide.u32 d, a, b, c", {64, 32, 32, 64}, 0xffffffff, 2, 1, 0x1ffffffff},
      {"div.s32 d, a, b", kTwo, 0xfffffff9, 2, 0, 0xfffffffd},
      {"rem.s32 d, a, b", kTwo, 0xfffffff9, 2, 0, 0xffffffff},
      {"div.u64 d, a, b", kLong, kAllOnes, 16, 0, kAllOnes >> 4},
      {"min.s32 d, a, b", kTwo, 0xffffffff, 1, 0, 0xffffffff},
      {"max.u32 d, a, b", kTwo, 0xffffffff, 1, 0, 0xffffffff},
      {"max.s16x2 d, a, b", kTwo, 0xffff0002, 0x00000001, 0, 0x00000002},
      {"abs.s32 d, a", kOne, 0xfffffff9, 0, 0, 7},
      {"neg.s16 d, a", {16, 16, 0, 0}, 1, 0, 0, 0xffff},
      {"sad.u32 d, a, b, c", kThree, 3, 7, 10, 14},
      {"mul24.lo.s32 d, a, b", kTwo, 0xffffff, 3, 0, 0xfffffffd},
      {"dp4a.s32.s32 d, a, b, c", kThree, 0x010203ff, 0x01010101, 10, 15},
      {"dp4a.u32.s32 d, a, b, c", kThree, 0x000000ff, 0x000000ff, 0, 0xffffff01},
      {"dp2a.lo.s32.s32 d, a, b, c", kThree, 0x00020001, 0x09090403, 5, 16},
      {"dp2a.hi.s32.s32 d, a, b, c", kThree, 0x00020001, 0x04030909, 5, 16},
  }));
}

TEST(Integers, CarriesGoFromOneInstructionToTheNext) {
  SmallKernel kernel;
  kernel.expectNone(
      "add.cc.u32 %r2, 0xffffffff, 1;\n addc.cc.u32 %r3, 0xffffffff, 0;\n addc.u32 %r4, 5, 6;\n"
      "sub.cc.u32 %r5, 0, 1;\n subc.u32 %r6, 10, 3;\n"
      "mad.lo.cc.u32 %r7, 0xffffffff, 0xffffffff, 0xffffffff;\n madc.hi.u32 %r8, 0xffffffff, 0xffffffff, 0;\n"
      "st.global.v4.b32 [%rd0], {%r2, %r3, %r4, %r5};\n st.global.v2.b32 [%rd0+16], {%r6, %r7};\n"
      "st.global.b32 [%rd0+24], %r8;",
      32);
  // (2^32 - 1)^2 + 2^32 - 1 = (2^32 - 1) 2^32
  std::vector<uint32_t> expected{0, 0, 12, 0xffffffff, 6, 0, 0xffffffff};
  EXPECT_EQ(std::vector<uint32_t>(kernel.buffer.begin(), kernel.buffer.begin() + 7), expected);
}

TEST(Integers, BitsAreShiftedMovedAndCounted) {
  expectRows(std::to_array<ScalarRow>({
      {"shl.b32 d, a, b", kTwo, 1, 32, 0, 0},
      {"shr.u32 d, a, b", kTwo, 0x80000000, 31, 0, 1},
      {"shr.s32 d, a, b", kTwo, 0x80000000, 40, 0, 0xffffffff},
      {"shr.s16 d, a, b", {16, 16, 32, 0}, 0x8000, 4, 0, 0xf800},
      {"shl.b64 d, a, b", {64, 64, 32, 0}, 1, 63, 0, uint64_t(1) << 63},
      {"shf.l.wrap.b32 d, a, b, c", kThree, 0x80000000, 1, 33, 3},
      {"shf.r.wrap.b32 d, a, b, c", kThree, 0x80000000, 1, 1, 0xc0000000},
      {"shf.r.clamp.b32 d, a, b, c", kThree, 0x80000000, 1, 40, 1},
      {"lop3.b32 d, a, b, c, 0xE8", kThree, 0xf, 0x3, 0x5, 0x7},
      {"lop3.b32 d, a, b, c, 0x96", kThree, 0xf, 0x3, 0x5, 0x9},
      {"prmt.b32 d, a, b, 0x5410", kTwo, 0x33221100, 0x77665544, 0, 0x55441100},
      {"prmt.b32 d, a, b, 0x8898", kTwo, 0x00007f80, 0, 0, 0xffff00ff},
      {"prmt.b32.rc16 d, a, b, 1", kTwo, 0x33221100, 0, 0, 0x33223322},
      {"prmt.b32.f4e d, a, b, 1", kTwo, 0x33221100, 0x77665544, 0, 0x44332211},
      {"bfe.u32 d, a, 8, 8", kOne, 0x12345678, 0, 0, 0x56},
      {"bfe.s32 d, a, 4, 4", kOne, 0x80, 0, 0, 0xfffffff8},
      {"bfe.s32 d, a, 28, 8", kOne, 0x80000000, 0, 0, 0xfffffff8},
      {"bfe.u64 d, a, 60, 8", {64, 64, 0, 0}, kAllOnes, 0, 0, 15},
      {"bfi.b32 d, a, b, 8, 8", kTwo, 0xff, 0x12345678, 0, 0x1234ff78},
      {"bfi.b32 d, a, b, 28, 8", kTwo, 0xff, 0, 0, 0xf0000000},
      {"bmsk.clamp.b32 d, a, b", kTwo, 4, 8, 0, 0xff0},
      {"szext.wrap.s32 d, a, b", kTwo, 0x80, 8, 0, 0xffffff80},
      {"popc.b64 d, a", {32, 64, 0, 0}, kAllOnes, 0, 0, 64},
      {"clz.b32 d, a", kOne, 1, 0, 0, 31},
      {"clz.b64 d, a", {32, 64, 0, 0}, 0, 0, 0, 64},
      {"brev.b32 d, a", kOne, 1, 0, 0, 0x80000000},
      {"bfind.u32 d, a", kOne, 0x10, 0, 0, 4},
      {"bfind.shiftamt.u32 d, a", kOne, 0x10, 0, 0, 27},
      {"bfind.s32 d, a", kOne, 0xffffffff, 0, 0, 0xffffffff},
      {"fns.b32 d, a, 0, 2", kOne, 0xa, 0, 0, 3},
      {"fns.b32 d, a, 3, -2", kOne, 0xa, 0, 0, 1},
      {"not.b16 d, a", {16, 16, 0, 0}, 0xff, 0, 0, 0xff00},
      {"cnot.b32 d, a", kOne, 0, 0, 0, 1},
      {"xor.b64 d, a, b", kLong, kAllOnes, 1, 0, kAllOnes - 1},
      {"mov.b64 d, {a, b}", {64, 32, 32, 0}, 1, 2, 0, 0x200000001},
      {"mov.b64 {_, d}, a", {32, 64, 0, 0}, 0x200000001, 0, 0, 2},
  }));
}

TEST(Integers, ComparisonsKnowSignsAndNans) {
  expectRows(std::to_array<ScalarRow>({
      {"setp.lt.s32 d, a, b", kCompare, 0xffffffff, 1, 0, 1},
      {"setp.lo.u32 d, a, b", kCompare, 0xffffffff, 1, 0, 0},
      {"setp.hs.u32 d, a, b", kCompare, 1, 1, 0, 1},
      {"setp.lt.f32 d, a, b", kCompare, 0x7fffffff, 0x3f800000, 0, 0},
      {"setp.ltu.f32 d, a, b", kCompare, 0x7fffffff, 0x3f800000, 0, 1},
      {"setp.ne.f32 d, a, b", kCompare, 0x7fffffff, 0x3f800000, 0, 0},
      {"setp.num.f32 d, a, b", kCompare, 0x7fffffff, 0x3f800000, 0, 0},
      {"setp.eq.ftz.f32 d, a, b", kCompare, 1, 0, 0, 1},
      {"setp.eq.f32 d, a, b", kCompare, 1, 0, 0, 0},
      {"setp.gt.f16 d, a, b", {1, 16, 16, 0}, 0x4000, 0x3c00, 0, 1},
      {"setp.lt.bf16 d, a, b", {1, 16, 16, 0}, 0xbf80, 0x3f80, 0, 1},
      {"setp.gt.f64 d, a, b", {1, 64, 64, 0}, 0x4000000000000000, 0x3ff0000000000000, 0, 1},
      {"setp.eq.and.b32 d, a, b, c", {1, 32, 32, 1}, 3, 3, 0, 0},
      {"setp.eq.xor.b32 d, a, b, !c", {1, 32, 32, 1}, 3, 3, 1, 1},
      {"set.gt.u32.f32 d, a, b", kTwo, 0x40000000, 0x3f800000, 0, 0xffffffff},
      {"set.gt.f32.s32 d, a, b", kTwo, 2, 1, 0, 0x3f800000},
      {"set.lt.f16x2.f16x2 d, a, b", kTwo, 0x3c004000, 0x40003c00, 0, 0x3c000000},
      {"selp.b32 d, a, b, c", {32, 32, 32, 1}, 5, 6, 1, 5},
      {"slct.b32.s32 d, a, b, c", kThree, 5, 6, 0xffffffff, 6},
      {"slct.b32.f32 d, a, b, c", kThree, 5, 6, 0x80000000, 5},
      {"testp.subnormal.f32 d, a", {1, 32, 0, 0}, 1, 0, 0, 1},
      {"testp.infinite.f32 d, a", {1, 32, 0, 0}, 0xff800000, 0, 0, 1},
      {"testp.notanumber.f64 d, a", {1, 64, 0, 0}, 0x7ff8000000000000, 0, 0, 1},
  }));
}

} // namespace
} // namespace weft::ptxsim
