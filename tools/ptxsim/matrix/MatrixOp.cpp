// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/ptxsim/matrix/MatrixOp.h"

#include "tools/ptxsim/matrix/Fragment.h"
#include "tools/ptxsim/matrix/Product.h"

#include <bit>
#include <cstdio>
#include <cstring>

namespace weft::ptxsim {

static std::vector<std::string_view> split(std::string_view text) {
  std::vector<std::string_view> words;
  while (!text.empty()) {
    size_t dot = std::min(text.find('.'), text.size());
    words.push_back(text.substr(0, dot));
    text.remove_prefix(std::min(dot + 1, text.size()));
  }
  return words;
}

/// Shapes that hardware has for a type of A: k is 256 bits of a row for wgmma, 128 or 256 (f64: up to 1024) for mma.
static bool isShape(const MatrixOp &op) {
  int bits = op.k * bitsOf(op.a);
  if (op.warpgroup)
    return op.m == 64 && op.n % 8 == 0 && op.n >= 8 && op.n <= 256 && bits == 256;
  if (op.a == Element::F64)
    return op.n == 8 && ((op.m == 8 && op.k == 4) || (op.m == 16 && (op.k == 4 || op.k == 8 || op.k == 16)));
  if (op.m == 8 && op.n == 8)
    return isInteger(op.a) && bits == 128;
  return op.m == 16 && op.n == 8 && (bits == 128 || bits == 256);
}

MatrixOp MatrixOp::parse(std::string_view opcode, std::string &problem) {
  MatrixOp op;
  op.warpgroup = opcode.starts_with("wgmma");
  std::vector<Element> types;
  bool rowColumn[2] = {false, false};
  for (std::string_view word : split(opcode)) {
    if (std::optional<Element> element = elementOf(word))
      types.push_back(*element);
    else if (std::sscanf(std::string(word).c_str(), "m%dn%dk%d", &op.m, &op.n, &op.k) == 3 || word == "mma" ||
             word == "wgmma" || word == "mma_async" || word == "sync" || word == "aligned" || word == "kind::f8f6f4")
      continue;
    else if (word == "satfinite")
      op.saturate = true;
    else if (word == "row")
      rowColumn[0] = true;
    else if (word == "col")
      rowColumn[1] = true;
    else {
      problem = "modifier ." + std::string(word) + " of a matrix product is not simulated";
      return op;
    }
  }
  if (types.size() != (op.warpgroup ? 3 : 4) || (!op.warpgroup && !(rowColumn[0] && rowColumn[1]))) {
    problem = "a matrix product needs its types, and mma.sync .row.col";
    return op;
  }
  op.d = types[0], op.a = types[1], op.b = types[2], op.c = op.warpgroup ? op.d : types[3];
  if (!isShape(op) || isInteger(op.a) != isInteger(op.b) || isInteger(op.a) != (op.d == Element::S32))
    problem = "no such matrix product";
  return op;
}

static int perRegister(Element element) { return element == Element::F64 ? 1 : 32 / bitsOf(element); }

static int registersFor(Element element, int elements) { return elements / 32 / perRegister(element); }

int MatrixOp::registersOfA() const { return registersFor(a, rows() * k); }
int MatrixOp::registersOfB() const { return registersFor(b, k * n); }
int MatrixOp::registersOfC() const { return registersFor(c, rows() * n); }
int MatrixOp::registersOfD() const { return registersFor(d, rows() * n); }

/// The integer in an element's bits.
static int32_t integerOf(Element element, uint32_t bits) { return int32_t(decodeElement(element, bits)); }

/// Visits every element of a fragment: its coordinate, and its bits in the registers.
template <typename Visit, typename Place>
static void forEachElement(Element element, std::span<const LaneRegister> registers, Place place, Visit visit) {
  int items = perRegister(element), bits = bitsOf(element);
  for (int index = 0; index < int(registers.size()); ++index)
    for (int lane = 0; lane < 32; ++lane)
      for (int item = 0; item < items; ++item) {
        uint64_t word = registers[size_t(index)][size_t(lane)];
        if (bits < 32)
          word = word >> (item * bits) & ((1u << bits) - 1);
        visit(place(lane, index, item), word);
      }
}

Accumulator unpackC(const MatrixOp &op, std::span<const LaneRegister> registers) {
  Accumulator sum;
  size_t size = size_t(op.rows() * op.n);
  int items = perRegister(op.c);
  auto place = [&](int lane, int index, int item) { return coordinateOfC(lane, index * items + item, op.rows()); };
  auto at = [&](Coordinate c) { return size_t(c.row * op.n + c.column); };
  if (op.c == Element::F64) {
    sum.f64.resize(size);
    forEachElement(op.c, registers, place,
                   [&](Coordinate c, uint64_t w) { sum.f64[at(c)] = std::bit_cast<double>(w); });
  } else if (op.c == Element::S32) {
    sum.s32.resize(size);
    forEachElement(op.c, registers, place, [&](Coordinate c, uint64_t w) { sum.s32[at(c)] = int32_t(uint32_t(w)); });
  } else {
    sum.f32.resize(size);
    forEachElement(op.c, registers, place,
                   [&](Coordinate c, uint64_t w) { sum.f32[at(c)] = decodeElement(op.c, uint32_t(w)); });
  }
  return sum;
}

static uint64_t encode(const MatrixOp &op, const Accumulator &sum, size_t at) {
  switch (op.d) {
  case Element::F64:
    return std::bit_cast<uint64_t>(sum.f64[at]);
  case Element::S32:
    return uint32_t(sum.s32[at]);
  case Element::F16:
    return encodeF16(sum.f32[at]);
  default:
    return std::bit_cast<uint32_t>(sum.f32[at]);
  }
}

void packD(const MatrixOp &op, const Accumulator &sum, std::span<LaneRegister> registers) {
  int items = perRegister(op.d);
  for (int index = 0; index < int(registers.size()); ++index)
    for (int lane = 0; lane < 32; ++lane) {
      uint64_t word = 0;
      for (int item = 0; item < items; ++item) {
        Coordinate c = coordinateOfC(lane, index * items + item, op.rows());
        word |= encode(op, sum, size_t(c.row * op.n + c.column)) << (item * 16);
      }
      registers[size_t(index)][size_t(lane)] = word;
    }
}

/// A of a warp (rows × k) or B (k × n) as numbers of one type.
template <typename Value, typename Decode>
static std::vector<Value> unpackA(const MatrixOp &op, std::span<const LaneRegister> registers, Decode decode) {
  std::vector<Value> values(size_t(op.rows() * op.k));
  int items = perRegister(op.a);
  forEachElement(
      op.a, registers,
      [&](int lane, int index, int item) { return coordinateOfA(lane, index, item, op.rows(), items); },
      [&](Coordinate c, uint64_t word) { values[size_t(c.row * op.k + c.column)] = decode(op.a, word); });
  return values;
}

template <typename Value, typename Decode>
static std::vector<Value> unpackB(const MatrixOp &op, std::span<const LaneRegister> registers, Decode decode) {
  std::vector<Value> values(size_t(op.k * op.n));
  int items = perRegister(op.b);
  forEachElement(
      op.b, registers, [&](int lane, int index, int item) { return coordinateOfB(lane, index, item, items); },
      [&](Coordinate c, uint64_t word) { values[size_t(c.row * op.n + c.column)] = decode(op.b, word); });
  return values;
}

static float decodeFloat(Element element, uint64_t word) { return decodeElement(element, uint32_t(word)); }
static int32_t decodeInteger(Element element, uint64_t word) { return integerOf(element, uint32_t(word)); }
static double decodeDouble(Element, uint64_t word) { return std::bit_cast<double>(word); }

void multiply(const MatrixOp &op, std::span<const LaneRegister> a, std::span<const LaneRegister> b,
              std::span<const LaneRegister> c, std::span<LaneRegister> d) {
  Accumulator sum = unpackC(op, c);
  int rows = op.rows();
  if (op.a == Element::F64)
    accumulateF64(sum.f64.data(), unpackA<double>(op, a, decodeDouble).data(),
                  unpackB<double>(op, b, decodeDouble).data(), rows, op.n, op.k);
  else if (isInteger(op.a))
    accumulateS32(sum.s32.data(), unpackA<int32_t>(op, a, decodeInteger).data(),
                  unpackB<int32_t>(op, b, decodeInteger).data(), rows, op.n, op.k, op.saturate);
  else
    accumulateF32(sum.f32.data(), unpackA<float>(op, a, decodeFloat).data(), unpackB<float>(op, b, decodeFloat).data(),
                  rows, op.n, op.k);
  packD(op, sum, d);
}

/// Reads rows `first` to first + `count` of m or n, all k, and gives each value to `store`. Sixteen bytes hold
/// neighbours along k, or along m or n.
template <typename Decode, typename Store>
static void unpackShared(Element element, const SharedMatrix &matrix, bool outerMajor, int first, int count, int depth,
                         const LoadShared &load, Decode decode, Store store) {
  int bytes = bitsOf(element) / 8, chunk = 16 / bytes;
  int outerStep = outerMajor ? chunk : 1, depthStep = outerMajor ? 1 : chunk;
  for (int outer = 0; outer < count; outer += outerStep)
    for (int k = 0; k < depth; k += depthStep) {
      const uint8_t *source = load(matrix.address(first + outer, k, bytes, outerMajor));
      for (int item = 0; item < chunk; ++item) {
        uint32_t word = 0;
        std::memcpy(&word, source + size_t(item) * size_t(bytes), size_t(bytes));
        store(outer + (outerMajor ? item : 0), k + (outerMajor ? 0 : item), decode(element, word));
      }
    }
}

template <typename Value, typename Decode>
static void unpackOperands(const MatrixOp &op, int warp, const WarpgroupOperands &operands, const LoadShared &load,
                           Decode decode, std::vector<Value> &a, std::vector<Value> &b) {
  if (operands.a.empty()) {
    a.resize(size_t(op.rows() * op.k));
    unpackShared(op.a, operands.sharedA, operands.outerMajorA, warp * 16, 16, op.k, load, decode,
                 [&](int row, int k, Value value) { a[size_t(row * op.k + k)] = value; });
  } else
    a = unpackA<Value>(op, operands.a, decode);
  b.resize(size_t(op.k * op.n));
  unpackShared(op.b, operands.sharedB, operands.outerMajorB, 0, op.n, op.k, load, decode,
               [&](int column, int k, Value value) { b[size_t(k * op.n + column)] = value; });
  if (operands.negateA != operands.negateB)
    for (Value &value : a)
      value = -value;
}

void multiplyWarpgroup(const MatrixOp &op, int warp, const WarpgroupOperands &operands, const LoadShared &load,
                       Accumulator &sum) {
  if (isInteger(op.a)) {
    std::vector<int32_t> a, b;
    unpackOperands(op, warp, operands, load, decodeInteger, a, b);
    accumulateS32(sum.s32.data(), a.data(), b.data(), op.rows(), op.n, op.k, op.saturate);
  } else {
    std::vector<float> a, b;
    unpackOperands(op, warp, operands, load, decodeFloat, a, b);
    accumulateF32(sum.f32.data(), a.data(), b.data(), op.rows(), op.n, op.k);
  }
}

} // namespace weft::ptxsim
