// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Which element of a matrix lies in which register of which lane, for mma.sync, wgmma, ldmatrix and stmatrix.
// Source: PTX ISA 9.0, "Matrix Fragments for mma.m8n8k4 … m16n8k32", "Register Fragments for wgmma.mma_async",
// "ldmatrix". One rule covers them all: a lane has a group (lane / 4) and a place in it (lane % 4).
#ifndef WEFT_TOOLS_PTXSIM_MATRIX_FRAGMENT_H
#define WEFT_TOOLS_PTXSIM_MATRIX_FRAGMENT_H

namespace weft::ptxsim {

struct Coordinate {
  int row;
  int column;
};

/// Element `item` of register `index` of the A fragment (rows × k): rows is 8 or 16; a register holds `perRegister`
/// elements (2 of f16, 4 of s8, 1 of tf32 and f64).
constexpr Coordinate coordinateOfA(int lane, int index, int item, int rows, int perRegister) {
  int halves = rows / 8; // registers go down the rows first, then along k
  return {lane / 4 + 8 * (index % halves), (index / halves) * 4 * perRegister + lane % 4 * perRegister + item};
}

/// Element `item` of register `index` of the B fragment (k × 8): row is k, column is n.
constexpr Coordinate coordinateOfB(int lane, int index, int item, int perRegister) {
  return {index * 4 * perRegister + lane % 4 * perRegister + item, lane / 4};
}

/// Accumulator number `index` (in elements, not registers) of an 8-row or 16-row tile, of any number of columns: pairs
/// of neighbours in a row, then the row 8 below, then the next 8 columns.
constexpr Coordinate coordinateOfC(int lane, int index, int rows) {
  int halves = rows / 8, pair = index / 2;
  return {lane / 4 + 8 * (pair % halves), pair / halves * 8 + lane % 4 * 2 + index % 2};
}

/// Element `item` (0 or 1) of the register that a lane receives of one 8 × 8 matrix of b16.
constexpr Coordinate coordinateOfMatrix(int lane, int item, bool transposed) {
  int along = lane % 4 * 2 + item, across = lane / 4;
  return transposed ? Coordinate{along, across} : Coordinate{across, along};
}

} // namespace weft::ptxsim

#endif
