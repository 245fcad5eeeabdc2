// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// mma.sync, ldmatrix, stmatrix, movmatrix.
#include "tools/ptxsim/Decoder.h"
#include "tools/ptxsim/MemoryAccess.h"
#include "tools/ptxsim/async/AsyncState.h"
#include "tools/ptxsim/matrix/Fragment.h"
#include "tools/ptxsim/matrix/MatrixOp.h"

#include <algorithm>

namespace weft::ptxsim {
namespace {

struct MatrixDetails : Details {
  MatrixOp op;
};

std::vector<LaneRegister> registersOf(Warp &warp, const Slot *slots, int count) {
  std::vector<LaneRegister> registers(static_cast<size_t>(count));
  for (int index = 0; index < count; ++index)
    std::copy_n(warp.row(slots[index]), kLanes, registers[size_t(index)].begin());
  return registers;
}

Outcome multiplyInRegisters(const Instruction &i, Warp &warp, LaneMask active) {
  requireWholeWarp(warp, active, "mma.sync");
  const MatrixOp &op = i.as<MatrixDetails>().op;
  int a = op.registersOfA(), b = op.registersOfB();
  std::vector<LaneRegister> d(i.destinations.size());
  multiply(op, registersOf(warp, i.sources.data(), a), registersOf(warp, i.sources.data() + a, b),
           registersOf(warp, i.sources.data() + a + b, op.registersOfC()), d);
  for (size_t index = 0; index < d.size(); ++index)
    std::copy_n(d[index].begin(), kLanes, warp.row(i.destinations[index]));
  return Outcome::Next;
}

void decodeMma(Decoder &d) {
  std::string problem;
  auto details = std::make_shared<MatrixDetails>();
  details->op = MatrixOp::parse(d.statement.fullName(), problem);
  if (!problem.empty())
    d.refuse(problem);
  for (const std::string &modifier : d.modifiers())
    d.take(modifier);
  d.expectOperands(4, 4);
  const MatrixOp &op = details->op;
  Type type = op.a == Element::F64 ? Type::F64 : Type::B32;
  d.destination(0).source(1, type).source(2, type).source(3, op.c == Element::F32 ? Type::F32 : type);
  size_t sources = size_t(op.registersOfA() + op.registersOfB() + op.registersOfC());
  if (d.instruction.sources.size() != sources || d.instruction.destinations.size() != size_t(op.registersOfD()))
    d.refuse("the vectors of this product have " + std::to_string(op.registersOfD()) + ", " +
             std::to_string(op.registersOfA()) + ", " + std::to_string(op.registersOfB()) + " and " +
             std::to_string(op.registersOfC()) + " registers");
  d.instruction.details = details;
  d.instruction.execute = &multiplyInRegisters;
}

/// The address of row `row` of matrix `matrix` stands in lane matrix * 8 + row.
Place rowOf(const Instruction &i, Warp &warp, int matrix, int row, AccessKind kind, const void *data = nullptr) {
  int lane = matrix * 8 + row;
  return accessMemory(warp, i, lane, i.address.space, addressIn(i.address, warp, lane), 16, 16, kind, data);
}

Outcome loadMatrices(const Instruction &i, Warp &warp, LaneMask active) {
  requireWholeWarp(warp, active, "ldmatrix");
  LaneRegister values[4] = {};
  for (int matrix = 0; matrix < int(i.destinations.size()); ++matrix) {
    uint16_t elements[8][8];
    for (int row = 0; row < 8; ++row)
      std::memcpy(elements[row], rowOf(i, warp, matrix, row, AccessKind::Read).bytes, 16);
    for (int lane = 0; lane < kLanes; ++lane)
      for (int item = 0; item < 2; ++item) {
        Coordinate at = coordinateOfMatrix(lane, item, i.flags != 0);
        values[matrix][size_t(lane)] |= uint64_t(elements[at.row][at.column]) << (16 * item);
      }
  }
  for (size_t matrix = 0; matrix < i.destinations.size(); ++matrix) // an address may be a destination: write last
    std::copy_n(values[matrix].begin(), kLanes, warp.row(i.destinations[matrix]));
  return Outcome::Next;
}

Outcome storeMatrices(const Instruction &i, Warp &warp, LaneMask active) {
  requireWholeWarp(warp, active, "stmatrix");
  for (int matrix = 0; matrix < int(i.sources.size()); ++matrix) {
    uint16_t elements[8][8];
    const uint64_t *values = warp.row(i.sources[size_t(matrix)]);
    for (int lane = 0; lane < kLanes; ++lane)
      for (int item = 0; item < 2; ++item) {
        Coordinate at = coordinateOfMatrix(lane, item, i.flags != 0);
        elements[at.row][at.column] = uint16_t(values[lane] >> (16 * item));
      }
    for (int row = 0; row < 8; ++row)
      std::memcpy(rowOf(i, warp, matrix, row, AccessKind::Write, elements[row]).bytes, elements[row], 16);
  }
  return Outcome::Next;
}

Outcome transposeMatrix(const Instruction &i, Warp &warp, LaneMask active) {
  requireWholeWarp(warp, active, "movmatrix");
  uint16_t elements[8][8];
  const uint64_t *values = warp.row(i.sources[0]);
  LaneRegister result = {};
  for (int lane = 0; lane < kLanes; ++lane)
    for (int item = 0; item < 2; ++item) {
      Coordinate at = coordinateOfMatrix(lane, item, false);
      elements[at.row][at.column] = uint16_t(values[lane] >> (16 * item));
    }
  for (int lane = 0; lane < kLanes; ++lane)
    for (int item = 0; item < 2; ++item) {
      Coordinate at = coordinateOfMatrix(lane, item, true);
      result[size_t(lane)] |= uint64_t(elements[at.row][at.column]) << (16 * item);
    }
  std::copy_n(result.begin(), kLanes, warp.row(i.destinations[0]));
  return Outcome::Next;
}

/// Modifiers of ldmatrix and stmatrix; returns the number of matrices.
int decodeMatrices(Decoder &d) {
  d.take("sync");
  d.take("aligned");
  if (!d.take("m8n8"))
    d.refuse("only matrices of m8n8 are simulated");
  int count = 1 << std::max(0, d.takeOneOf({"x1", "x2", "x4"}));
  d.instruction.flags = d.take("trans");
  if (!d.take("b16"))
    d.refuse("only elements of .b16 are simulated");
  d.expectOperands(2, 2);
  return count;
}

void decodeLdmatrix(Decoder &d) {
  Space space = d.takeSpace();
  int count = decodeMatrices(d);
  d.destination(0).address(1, space);
  if (int(d.instruction.destinations.size()) != count)
    d.refuse("as many registers as matrices are needed: " + std::to_string(count));
  d.instruction.execute = &loadMatrices;
}

void decodeStmatrix(Decoder &d) {
  Space space = d.takeSpace();
  int count = decodeMatrices(d);
  d.address(0, space).source(1, Type::B32);
  if (int(d.instruction.sources.size()) != count)
    d.refuse("as many registers as matrices are needed: " + std::to_string(count));
  d.instruction.execute = &storeMatrices;
}

void decodeMovmatrix(Decoder &d) {
  for (const char *modifier : {"sync", "aligned", "m8n8", "trans", "b16"})
    if (!d.take(modifier))
      d.refuse("movmatrix is .sync.aligned.m8n8.trans.b16");
  d.expectOperands(2, 2);
  d.destination(0).source(1, Type::B32);
  d.instruction.execute = &transposeMatrix;
}

} // namespace

void registerMatrix(Registry &registry) {
  registry.add("mma", decodeMma);
  registry.add("ldmatrix", decodeLdmatrix);
  registry.add("stmatrix", decodeStmatrix);
  registry.add("movmatrix", decodeMovmatrix);
}

} // namespace weft::ptxsim
