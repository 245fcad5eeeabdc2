// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// ld, ldu, st of every space, width and vector.
#include "tools/ptxsim/MemoryAccess.h"
#include "tools/ptxsim/instructions/Lanes.h"

namespace weft::ptxsim {
namespace {

/// Elements of up to 8 bytes; the whole vector is one access with its size as alignment.
Outcome load(const Instruction &i, Warp &warp, LaneMask active) {
  const uint32_t total = uint32_t(i.bytes) * i.count;
  const bool extend = isSigned(i.type);
  Slot rows[8];
  std::copy(i.destinations.begin(), i.destinations.end(), rows);
  forLanes(active, [&](int lane) {
    uint64_t address = addressIn(i.address, warp, lane);
    const std::byte *bytes =
        accessMemory(warp, i, lane, i.address.space, address, total, total, AccessKind::Read).bytes;
    for (int element = 0; element < i.count; ++element) {
      uint64_t value = 0;
      std::memcpy(&value, bytes + element * i.bytes, i.bytes);
      warp.row(rows[element])[lane] =
          extend ? lowBits(uint64_t(signExtended(value, 8 * i.bytes)), i.destinationBits) : value;
    }
  });
  return Outcome::Next;
}

Outcome store(const Instruction &i, Warp &warp, LaneMask active) {
  const uint32_t total = uint32_t(i.bytes) * i.count;
  forLanes(active, [&](int lane) {
    uint64_t address = addressIn(i.address, warp, lane);
    std::byte data[32];
    for (int element = 0; element < i.count; ++element)
      std::memcpy(data + element * i.bytes, &warp.row(i.sources[element])[lane], i.bytes);
    Place place = accessMemory(warp, i, lane, i.address.space, address, total, total, AccessKind::Write, data);
    std::memcpy(place.bytes, data, total);
  });
  return Outcome::Next;
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
  d.instruction.execute = load;
}

void decodeStore(Decoder &d) {
  takeAccess(d);
  d.expectOperands(2, 3);
  d.address(0, d.instruction.address.space);
  d.source(1, d.instruction.type);
  if (d.operandCount() == 3)
    d.sourceRow(d.statement.operands[2], Type::B64);
  splitWide(d, d.instruction.sources);
  d.instruction.execute = store;
}

} // namespace

void registerMemory(Registry &registry) {
  registry.add("ld", decodeLoad);
  registry.add("ldu", decodeLoad);
  registry.add("st", decodeStore);
}

} // namespace weft::ptxsim
