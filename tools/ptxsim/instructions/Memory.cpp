// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// ld, ldu, st of every space, width and vector.
#include "tools/ptxsim/MemoryAccess.h"
#include "tools/ptxsim/instructions/Lanes.h"

namespace weft::ptxsim {
namespace {

/// Elements of type T; the whole vector is one access with its size as alignment.
template <class T> Outcome load(const Instruction &i, Warp &warp, LaneMask active) {
  const uint32_t total = uint32_t(sizeof(T)) * i.count;
  uint64_t *rows[8];
  for (int element = 0; element < i.count; ++element)
    rows[element] = warp.row(i.destinations[element]);
  // A signed element fills its register with its sign.
  const int width = i.destinationBits;
  forLanes(active, [&](int lane) {
    uint64_t address = addressIn(i.address, warp, lane);
    const std::byte *bytes =
        accessMemory(warp, i, lane, i.address.space, address, total, total, AccessKind::Read).bytes;
    for (int element = 0; element < i.count; ++element) {
      T value;
      std::memcpy(&value, bytes + element * sizeof(T), sizeof(T));
      rows[element][lane] = std::is_signed_v<T> ? lowBits(uint64_t(int64_t(value)), width) : uint64_t(value);
    }
  });
  return Outcome::Next;
}

template <class T> Outcome store(const Instruction &i, Warp &warp, LaneMask active) {
  const uint32_t total = uint32_t(sizeof(T)) * i.count;
  const uint64_t *rows[8];
  for (int element = 0; element < i.count; ++element)
    rows[element] = warp.row(i.sources[element]);
  forLanes(active, [&](int lane) {
    uint64_t address = addressIn(i.address, warp, lane);
    T data[8];
    for (int element = 0; element < i.count; ++element)
      data[element] = T(rows[element][lane]);
    Place place = accessMemory(warp, i, lane, i.address.space, address, total, total, AccessKind::Write, data);
    std::memcpy(place.bytes, data, total);
  });
  return Outcome::Next;
}

/// The handler of elements of `bytes` bytes.
Execute loadOf(int bytes, bool sign) {
  switch (bytes) {
  case 1:
    return sign ? load<int8_t> : load<uint8_t>;
  case 2:
    return sign ? load<int16_t> : load<uint16_t>;
  case 4:
    return sign ? load<int32_t> : load<uint32_t>;
  default:
    return load<uint64_t>;
  }
}

Execute storeOf(int bytes) {
  return bytes == 1 ? store<uint8_t> : bytes == 2 ? store<uint16_t> : bytes == 4 ? store<uint32_t> : store<uint64_t>;
}

void takeAccess(Decoder &d) {
  Instruction &i = d.instruction;
  for (const std::string &modifier : d.modifiers())
    if (modifier == "volatile" || modifier == "relaxed" || modifier == "acquire" || modifier == "release")
      i.flags |= Instruction::kStrong;
  d.takeMemoryOrder();
  i.address.space = d.takeSpace();
  d.takeCacheHints();
  i.count = uint8_t(d.takeVector());
  i.type = d.takeType();
  i.bytes = uint8_t(bytesOf(i.type));
  if (i.type == Type::Pred || isFloat(i.type) != (i.type >= Type::F16 && i.type <= Type::F64) || i.type == Type::TF32)
    d.refuse("this type has no memory");
}

/// A 128-bit value is two rows of 64.
void splitWide(Decoder &d, std::vector<Slot> &rows) {
  Instruction &i = d.instruction;
  if (i.type == Type::B128) {
    std::vector<Slot> halves;
    for (Slot row : rows)
      halves.insert(halves.end(), {row, row + 1});
    rows = halves;
    i.bytes = 8;
    i.count *= 2;
  }
  if (rows.size() != i.count || i.count > 8)
    d.refuse("the vector has another number of elements");
}

void decodeLoad(Decoder &d) {
  takeAccess(d);
  d.expectOperands(2, 3); // the third is a cache policy
  d.destination(0);
  const Operand &first = d.statement.operands[0];
  if (first.kind == Operand::Kind::Vector && !first.elements.empty())
    d.instruction.destinationBits = uint8_t(std::max(bitsOf(first.elements[0].type), bitsOf(d.instruction.type)));
  d.address(1, d.instruction.address.space);
  if (d.operandCount() == 3)
    d.sourceRow(d.statement.operands[2], Type::B64);
  splitWide(d, d.instruction.destinations);
  d.instruction.execute = loadOf(d.instruction.bytes, isSigned(d.instruction.type));
}

void decodeStore(Decoder &d) {
  takeAccess(d);
  d.expectOperands(2, 3);
  d.address(0, d.instruction.address.space);
  d.source(1, d.instruction.type);
  if (d.operandCount() == 3)
    d.sourceRow(d.statement.operands[2], Type::B64);
  splitWide(d, d.instruction.sources);
  d.instruction.execute = storeOf(d.instruction.bytes);
}

} // namespace

void registerMemory(Registry &registry) {
  registry.add("ld", decodeLoad);
  registry.add("ldu", decodeLoad);
  registry.add("st", decodeStore);
}

} // namespace weft::ptxsim
