// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// cvt: the bits of each result, worked out by hand.
#include "test/unit/ptxsim/ScalarTable.h"

namespace weft::ptxsim {
namespace {

constexpr std::array<int, 4> kOne{32, 32, 0, 0}, kTwo{32, 32, 32, 0}, kToHalf{16, 32, 0, 0}, kToPair{16, 32, 32, 0};

TEST(Conversions, FloatsToIntegersRoundAndClamp) {
  expectRows(std::to_array<ScalarRow>({
      {"cvt.rni.s32.f32 d, a", kOne, 0x40200000, 0, 0, 2}, // 2.5
      {"cvt.rni.s32.f32 d, a", kOne, 0x40600000, 0, 0, 4}, // 3.5
      {"cvt.rzi.s32.f32 d, a", kOne, 0xbff33333, 0, 0, 0xffffffff},
      {"cvt.rmi.s32.f32 d, a", kOne, 0xbff33333, 0, 0, 0xfffffffe},
      {"cvt.rpi.s32.f32 d, a", kOne, 0x3f8ccccd, 0, 0, 2},
      {"cvt.rzi.u32.f32 d, a", kOne, 0xbf800000, 0, 0, 0},
      {"cvt.rzi.s32.f32 d, a", kOne, 0x501502f9, 0, 0, 0x7fffffff}, // 10^10
      {"cvt.rzi.u64.f32 d, a", {64, 32, 0, 0}, 0x501502f9, 0, 0, 10000000000},
      {"cvt.rzi.s32.f32 d, a", kOne, 0x7fffffff, 0, 0, 0},
      {"cvt.rzi.s16.f32 d, a", kToHalf, 0xc7800000, 0, 0, 0x8000}, // -65536
      {"cvt.rni.ftz.s32.f32 d, a", kOne, 0x00000001, 0, 0, 0},
      {"cvt.rni.f32.f32 d, a", kOne, 0x40200000, 0, 0, 0x40000000},
  }));
}

TEST(Conversions, IntegersToFloatsAndIntegers) {
  expectRows(std::to_array<ScalarRow>({
      {"cvt.rn.f32.s32 d, a", kOne, 0xffffffff, 0, 0, 0xbf800000},
      {"cvt.rn.f32.u64 d, a", {32, 64, 0, 0}, ~uint64_t(0), 0, 0, 0x5f800000},
      {"cvt.rz.f32.s32 d, a", kOne, 0x7fffffff, 0, 0, 0x4effffff},
      {"cvt.rn.f64.s64 d, a", {64, 64, 0, 0}, ~uint64_t(0), 0, 0, 0xbff0000000000000},
      {"cvt.rn.f16.s32 d, a", kToHalf, 2049, 0, 0, 0x6800}, // half way to 2050
      {"cvt.s32.s8 d, a", kOne, 0x80, 0, 0, 0xffffff80},
      {"cvt.u32.u16 d, a", {32, 16, 0, 0}, 0xffff, 0, 0, 0xffff},
      {"cvt.s64.s32 d, a", {64, 32, 0, 0}, 0xffffffff, 0, 0, ~uint64_t(0)},
      {"cvt.u64.u32 d, a", {64, 32, 0, 0}, 0xffffffff, 0, 0, 0xffffffff},
      {"cvt.sat.u8.s32 d, a", kOne, 300, 0, 0, 255},
      {"cvt.sat.s8.s32 d, a", kOne, 0xffffff00, 0, 0, 0xffffff80},
      {"cvt.pack.sat.u8.s32.b32 d, a, b, c", {32, 32, 32, 32}, 300, 0xfffffffb, 0x1234, 0x1234ff00},
  }));
}

TEST(Conversions, FloatsToNarrowerFloats) {
  expectRows(std::to_array<ScalarRow>({
      {"cvt.rn.f16.f32 d, a", kToHalf, 0x477ff000, 0, 0, 0x7c00}, // 65520: half way above the largest
      {"cvt.rn.f16.f32 d, a", kToHalf, 0x477fef00, 0, 0, 0x7bff},
      {"cvt.rn.satfinite.f16.f32 d, a", kToHalf, 0x7f800000, 0, 0, 0x7bff},
      {"cvt.rz.f16.f32 d, a", kToHalf, 0x33800000, 0, 0, 0x0001},
      {"cvt.rn.f16.f32 d, a", kToHalf, 0x33000000, 0, 0, 0}, // 2^-25: half way to 2^-24
      {"cvt.rn.relu.f16.f32 d, a", kToHalf, 0xbf800000, 0, 0, 0},
      {"cvt.rn.bf16.f32 d, a", kToHalf, 0x3f808000, 0, 0, 0x3f80},
      {"cvt.rn.bf16.f32 d, a", kToHalf, 0x3f818000, 0, 0, 0x3f82},
      {"cvt.rz.bf16.f32 d, a", kToHalf, 0x3f81ffff, 0, 0, 0x3f81},
      {"cvt.rn.bf16.f32 d, a", kToHalf, 0xffc00000, 0, 0, 0x7fff},
      {"cvt.rn.bf16x2.f32 d, a, b", kTwo, 0x3f800000, 0x40000000, 0, 0x3f804000},
      {"cvt.rz.f16x2.f32 d, a, b", kTwo, 0x3f801fff, 0x40000000, 0, 0x3c004000},
      {"cvt.rna.tf32.f32 d, a", kOne, 0x3f801000, 0, 0, 0x3f802000},
      {"cvt.rn.f32.f64 d, a", {32, 64, 0, 0}, 0x3ff0000010000004, 0, 0, 0x3f800001},
      {"cvt.rm.f32.f64 d, a", {32, 64, 0, 0}, 0x3ff000001fffffff, 0, 0, 0x3f800000},
      {"cvt.sat.f32.f32 d, a", kOne, 0x3fc00000, 0, 0, 0x3f800000},
      {"cvt.f32.f16 d, a", {32, 16, 0, 0}, 0x0001, 0, 0, 0x33800000},
      {"cvt.f32.bf16 d, a", {32, 16, 0, 0}, 0xbf80, 0, 0, 0xbf800000},
      {"cvt.f64.f32 d, a", {64, 32, 0, 0}, 0x3fc00000, 0, 0, 0x3ff8000000000000},
  }));
}

TEST(Conversions, FormatsOfEightBits) {
  expectRows(std::to_array<ScalarRow>({
      {"cvt.rn.satfinite.e4m3x2.f32 d, a, b", kToPair, 0x43e00000, 0x447a0000, 0, 0x7e7e}, // 448, 1000
      {"cvt.rn.satfinite.e4m3x2.f32 d, a, b", kToPair, 0x3f800000, 0x7fffffff, 0, 0x387f},
      {"cvt.rn.satfinite.e4m3x2.f32 d, a, b", kToPair, 0x3b000000, 0xbb800000, 0, 0x0182}, // 2^-9, -2^-8
      {"cvt.rn.satfinite.e5m2x2.f32 d, a, b", kToPair, 0x3f800000, 0x49742400, 0, 0x3c7b}, // 1, 10^6
      {"cvt.rn.f16x2.e4m3x2 d, a", {32, 16, 0, 0}, 0x38b8, 0, 0, 0x3c00bc00},
      {"cvt.rn.relu.f16x2.e5m2x2 d, a", {32, 16, 0, 0}, 0x3cbc, 0, 0, 0x3c000000},
      {"cvt.rn.satfinite.e4m3x2.f16x2 d, a", {16, 32, 0, 0}, 0x3c007c00, 0, 0, 0x387e},
  }));
}

} // namespace
} // namespace weft::ptxsim
