// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// mma.sync and wgmma.mma_async by their names, on registers: what each lane holds goes into plain matrices, is
// multiplied, and goes back.
#ifndef WEFT_TOOLS_PTXSIM_MATRIX_MATRIXOP_H
#define WEFT_TOOLS_PTXSIM_MATRIX_MATRIXOP_H

#include "tools/ptxsim/matrix/Element.h"
#include "tools/ptxsim/matrix/SharedMatrix.h"

#include <array>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace weft::ptxsim {

/// One register of all lanes of a warp; registers of 32 bits use the low half.
using LaneRegister = std::array<uint64_t, 32>;

/// A matrix product as its opcode says it.
struct MatrixOp {
  int m = 0, n = 0, k = 0;
  Element a = Element::F16, b = Element::F16, c = Element::F32, d = Element::F32;
  bool saturate = false;
  bool warpgroup = false; // wgmma: each of four warps has 16 of the 64 rows

  /// Reads "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32" and the like; `problem` says why it cannot.
  static MatrixOp parse(std::string_view opcode, std::string &problem);

  int rows() const { return warpgroup ? 16 : m; } // of one warp
  int registersOfA() const;                       // of one lane
  int registersOfB() const;
  int registersOfC() const;
  int registersOfD() const;
};

/// A warp's rows of a product, dense and row-major, in the type in which they are added.
struct Accumulator {
  std::vector<float> f32;
  std::vector<double> f64;
  std::vector<int32_t> s32;
};

/// C of a warp from its registers (of element type `op.c`).
Accumulator unpackC(const MatrixOp &op, std::span<const LaneRegister> registers);

/// D of a warp into its registers, rounded to `op.d`.
void packD(const MatrixOp &op, const Accumulator &sum, std::span<LaneRegister> registers);

/// mma.sync: D = A · B + C, everything in registers.
void multiply(const MatrixOp &op, std::span<const LaneRegister> a, std::span<const LaneRegister> b,
              std::span<const LaneRegister> c, std::span<LaneRegister> d);

/// Operands of wgmma in shared memory are read in aligned chunks of 16 bytes: the bytes at an address.
using LoadShared = std::function<const uint8_t *(uint32_t address)>;

/// wgmma, one warp's rows: sum += A · B with signs. A from registers where `a` is not empty, else from shared memory.
struct WarpgroupOperands {
  std::span<const LaneRegister> a;
  SharedMatrix sharedA, sharedB;
  bool outerMajorA = false, outerMajorB = false;
  bool negateA = false, negateB = false;
};
void multiplyWarpgroup(const MatrixOp &op, int warp, const WarpgroupOperands &operands, const LoadShared &load,
                       Accumulator &sum);

} // namespace weft::ptxsim

#endif
