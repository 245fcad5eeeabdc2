// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Arithmetic of f32, f64, f16, bf16: the bits of each result, worked out by hand.
#include "test/unit/ptxsim/ScalarTable.h"

namespace weft::ptxsim {
namespace {

constexpr std::array<int, 4> kTwo{32, 32, 32, 0}, kThree{32, 32, 32, 32}, kOne{32, 32, 0, 0};
constexpr uint64_t kHalf = 0x3f000000, kUnit = 0x3f800000, kPair = 0x40000000, kTriple = 0x40400000;
constexpr uint64_t kMinusZero = 0x80000000, kInfinity = 0x7f800000, kNan = 0x7fffffff;

TEST(Floats, SumsRoundAsTheModifierSays) {
  expectRows(std::to_array<ScalarRow>({
      {"add.f32 d, a, b", kTwo, kUnit, kPair, 0, kTriple},
      {"add.rn.f32 d, a, b", kTwo, kUnit, 0x33800000, 0, kUnit}, // 1 + 2^-24, half way
      {"add.rp.f32 d, a, b", kTwo, kUnit, 0x33800000, 0, 0x3f800001},
      {"add.rz.f32 d, a, b", kTwo, kUnit, 0x33800000, 0, kUnit},
      {"add.rm.f32 d, a, b", kTwo, kUnit, 0xb3000000, 0, 0x3f7fffff}, // 1 - 2^-25
      {"sub.rn.f32 d, a, b", kTwo, kUnit, 0x33000000, 0, kUnit},
      {"add.f32 d, a, b", kTwo, 1, 0, 0, 1},
      {"add.ftz.f32 d, a, b", kTwo, 1, 0, 0, 0},
      {"add.sat.f32 d, a, b", kTwo, 0x3f400000, kHalf, 0, kUnit},
      {"sub.f32 d, a, b", kTwo, kInfinity, kInfinity, 0, kNan},
      {"mul.f32 d, a, b", kTwo, kTriple, kHalf, 0, 0x3fc00000},
      {"mul.ftz.f32 d, a, b", kTwo, 0x00800000, kHalf, 0, 0},
      {"mul.f32 d, a, b", kTwo, 0x00800000, kHalf, 0, 0x00400000},
  }));
}

TEST(Floats, FusedProductsRoundOnce) {
  expectRows(std::to_array<ScalarRow>({
      // (1 + 2^-12)^2 - (1 + 2^-11) = 2^-24
      {"fma.rn.f32 d, a, b, c", kThree, 0x3f800800, 0x3f800800, 0xbf801000, 0x33800000},
      {"fma.rn.f32 d, a, b, c", kThree, 0x3f800001, 0x3f800001, 0, 0x3f800002},
      {"fma.rp.f32 d, a, b, c", kThree, 0x3f800001, 0x3f800001, 0, 0x3f800003},
      {"mad.rz.f32 d, a, b, c", kThree, 0x3f800001, 0x3f800001, 0, 0x3f800002},
      {"fma.rn.f64 d, a, b, c",
       {64, 64, 64, 64},
       0x3ff0000000000001,
       0x3ff0000000000001,
       0xbff0000000000002,
       0x3970000000000000}, // 2^-104
  }));
}

TEST(Floats, ExtremaOfNumbersNansAndZeros) {
  expectRows(std::to_array<ScalarRow>({
      {"min.f32 d, a, b", kTwo, kNan, kUnit, 0, kUnit},
      {"max.f32 d, a, b", kTwo, kUnit, kNan, 0, kUnit},
      {"min.NaN.f32 d, a, b", kTwo, kUnit, 0xffc00000, 0, kNan},
      {"min.f32 d, a, b", kTwo, 0, kMinusZero, 0, kMinusZero},
      {"max.f32 d, a, b", kTwo, kMinusZero, 0, 0, 0},
      {"max.xorsign.abs.f32 d, a, b", kTwo, 0xc0400000, kUnit, 0, 0xc0400000},
      {"neg.f32 d, a", kOne, 0, 0, 0, kMinusZero},
      {"abs.f32 d, a", kOne, 0xc0400000, 0, 0, kTriple},
      {"copysign.f32 d, a, b", kTwo, kMinusZero, kUnit, 0, 0xbf800000},
  }));
}

TEST(Floats, QuotientsRootsAndApproximations) {
  expectRows(std::to_array<ScalarRow>({
      {"div.rn.f32 d, a, b", kTwo, kUnit, kTriple, 0, 0x3eaaaaab},
      {"div.rz.f32 d, a, b", kTwo, kUnit, kTriple, 0, 0x3eaaaaaa},
      {"div.full.f32 d, a, b", kTwo, kTriple, kPair, 0, 0x3fc00000},
      {"div.approx.ftz.f32 d, a, b", kTwo, kTriple, 0x7f000000, 0, 0},
      {"rcp.rn.f32 d, a", kOne, kTriple, 0, 0, 0x3eaaaaab},
      {"sqrt.rn.f32 d, a", kOne, kPair, 0, 0, 0x3fb504f3},
      {"sqrt.rp.f32 d, a", kOne, kPair, 0, 0, 0x3fb504f4},
      {"rsqrt.approx.f32 d, a", kOne, 0x40800000, 0, 0, kHalf},
      {"ex2.approx.f32 d, a", kOne, kTriple, 0, 0, 0x41000000},
      {"ex2.approx.ftz.f32 d, a", kOne, 0xc3160000, 0, 0, 0}, // 2^-150
      {"lg2.approx.f32 d, a", kOne, 0x41000000, 0, 0, kTriple},
      {"sin.approx.f32 d, a", kOne, 0, 0, 0, 0},
      {"cos.approx.f32 d, a", kOne, 0, 0, 0, kUnit},
      {"tanh.approx.f32 d, a", kOne, kInfinity, 0, 0, kUnit},
      {"div.rn.f64 d, a, b", {64, 64, 64, 0}, 0x3ff0000000000000, 0x4008000000000000, 0, 0x3fd5555555555555},
  }));
}

TEST(Floats, HalvesRoundTheExactResultOnce) {
  expectRows(std::to_array<ScalarRow>({
      {"add.f16 d, a, b", {16, 16, 16, 0}, 0x3c00, 0x4000, 0, 0x4200},
      {"add.rn.f16 d, a, b", {16, 16, 16, 0}, 0x3c00, 0x1000, 0, 0x3c00},          // 1 + 2^-11, half way
      {"fma.rn.f16 d, a, b, c", {16, 16, 16, 16}, 0x3c00, 0x1001, 0x3c00, 0x3c01}, // a little more
      {"fma.rn.f16 d, a, b, c", {16, 16, 16, 16}, 0x7bff, 0x4000, 0xfbff, 0x7bff}, // no overflow in between
      {"fma.rn.relu.f16 d, a, b, c", {16, 16, 16, 16}, 0xbc00, 0x3c00, 0, 0},
      {"add.sat.f16 d, a, b", {16, 16, 16, 0}, 0x3c00, 0x3c00, 0, 0x3c00},
      {"add.rn.bf16 d, a, b", {16, 16, 16, 0}, 0x3f80, 0x3f80, 0, 0x4000},
      {"mul.f16x2 d, a, b", kTwo, 0x40003c00, 0x42004200, 0, 0x46004200},
      {"fma.rn.bf16x2 d, a, b, c", kThree, 0x3f804000, 0x40004000, 0x3f803f80, 0x404040a0},
      {"neg.f16x2 d, a", kOne, 0x3c00bc00, 0, 0, 0xbc003c00},
      {"abs.bf16x2 d, a", kOne, 0xbf803f80, 0, 0, 0x3f803f80},
      {"max.NaN.bf16x2 d, a, b", kTwo, 0x7fff4000, 0x3f803f80, 0, 0x7fff4000},
      {"min.f16x2 d, a, b", kTwo, 0x7fff4000, 0x3c003c00, 0, 0x3c003c00},
      {"ex2.approx.f16 d, a", {16, 16, 0, 0}, 0x4200, 0, 0, 0x4800},
      {"tanh.approx.bf16x2 d, a", kOne, 0x7f80ff80, 0, 0, 0x3f80bf80},
  }));
}

} // namespace
} // namespace weft::ptxsim
