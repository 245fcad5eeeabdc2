// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// mov with its packing and unpacking, cvta, isspacep, createpolicy.
#include "tools/ptxsim/MemoryAccess.h"
#include "tools/ptxsim/instructions/Lanes.h"

namespace weft::ptxsim {
namespace {

uint64_t same(uint64_t a) { return a; }

/// {a, b, …} -> one register: a is lowest.
Outcome pack(const Instruction &i, Warp &warp, LaneMask active) {
  uint64_t *result = warp.row(i.destinations[0]);
  forLanes(active, [&](int lane) {
    uint64_t value = 0;
    for (size_t part = 0; part < i.sources.size(); ++part)
      value |= lowBits(warp.row(i.sources[part])[lane], i.bytes * 8) << (part * i.bytes * 8);
    result[lane] = value;
  });
  return Outcome::Next;
}

Outcome unpack(const Instruction &i, Warp &warp, LaneMask active) {
  forLanes(active, [&](int lane) {
    uint64_t value = warp.row(i.sources[0])[lane];
    for (size_t part = 0; part < i.destinations.size(); ++part)
      warp.row(i.destinations[part])[lane] = lowBits(value >> (part * i.bytes * 8), i.bytes * 8);
  });
  return Outcome::Next;
}

/// 128 bits: two rows each way.
Outcome moveTwo(const Instruction &i, Warp &warp, LaneMask active) {
  for (int part = 0; part < 2; ++part) {
    const uint64_t *source = warp.row(i.sources[part]);
    uint64_t *result = warp.row(i.destinations[part]);
    forLanes(active, [&](int lane) { result[lane] = source[lane]; });
  }
  return Outcome::Next;
}

void decodeMov128(Decoder &d) {
  d.destination(0).source(1, Type::B64);
  for (std::vector<Slot> *rows : {&d.instruction.destinations, &d.instruction.sources}) {
    if (rows->size() == 1)
      rows->push_back(rows->front() + 1);
    if (rows->size() != 2)
      d.refuse("128 bits are two of 64");
  }
  d.instruction.execute = moveTwo;
}

void decodeMov(Decoder &d) {
  Type type = d.takeType();
  d.expectOperands(2, 2);
  if (type == Type::B128)
    return decodeMov128(d);
  d.destination(0);
  bool into = d.statement.operands[0].kind == Operand::Kind::Vector;
  bool from = d.statement.operands[1].kind == Operand::Kind::Vector;
  d.source(1, type);
  size_t parts = into ? d.instruction.destinations.size() : d.instruction.sources.size();
  if ((into && from) || parts == 0 || bitsOf(type) % parts != 0)
    d.refuse("the parts do not fit the type");
  d.instruction.bytes = uint8_t(bitsOf(type) / int(parts) / 8);
  if (from)
    d.instruction.validity = Validity::Any;
  d.instruction.execute = into ? unpack : from ? pack : map1<uint64_t, same>;
}

/// A space's addresses to generic ones, or with .to back.
Outcome toSpace(const Instruction &i, Warp &warp, LaneMask active) {
  const uint64_t *a = warp.row(i.sources[0]);
  uint64_t *result = warp.row(i.destinations[0]);
  forLanes(active, [&](int lane) {
    uint64_t address = a[lane];
    if (a[lane] != 0 && !fromGeneric(i.address.space, a[lane], address))
      warp.fault(FaultKind::OutOfBounds,
                 "this generic address is not in the " + std::string(nameOf(i.address.space)) + " space", lane,
                 a[lane]);
    result[lane] = lowBits(address, bitsOf(i.type));
  });
  return Outcome::Next;
}

Outcome fromSpace(const Instruction &i, Warp &warp, LaneMask active) {
  const uint64_t *a = warp.row(i.sources[0]);
  uint64_t *result = warp.row(i.destinations[0]);
  forLanes(active, [&](int lane) { result[lane] = toGeneric(i.address.space, a[lane]); });
  return Outcome::Next;
}

void decodeCvta(Decoder &d) {
  bool to = d.take("to");
  d.instruction.address.space = d.takeSpace();
  if (d.instruction.address.space == Space::Generic)
    d.refuse("the space is missing");
  d.instruction.type = d.takeType();
  takeOperands(d, d.instruction.type, 1);
  d.instruction.execute = to ? toSpace : fromSpace;
}

Outcome isInSpace(const Instruction &i, Warp &warp, LaneMask active) {
  const uint64_t *a = warp.row(i.sources[0]);
  uint64_t *result = warp.row(i.destinations[0]), address;
  forLanes(active, [&](int lane) { result[lane] = fromGeneric(i.address.space, a[lane], address); });
  return Outcome::Next;
}

void decodeIsspacep(Decoder &d) {
  d.instruction.address.space = d.takeSpace();
  takeOperands(d, Type::U64, 1);
  d.instruction.execute = isInSpace;
}

uint64_t zero(uint64_t) { return 0; }
/// A cache policy, which has no effect.
void decodeCreatepolicy(Decoder &d) {
  d.takeSpace();
  d.takeOneOf({"fractional", "range", "cvt"});
  d.takeCacheHints();
  d.takeType();
  d.destination(0);
  for (size_t index = 1; index < d.operandCount(); ++index)
    if (d.statement.operands[index].kind == Operand::Kind::Address)
      d.addressOf(d.statement.operands[index], Space::Generic);
    else
      d.source(index, Type::F32);
  d.instruction.sources = {d.constantRow(0)};
  d.instruction.execute = map1<uint64_t, zero>;
}

} // namespace

void registerMoves(Registry &registry) {
  registry.add("mov", decodeMov);
  registry.add("cvta", decodeCvta);
  registry.add("isspacep", decodeIsspacep);
  registry.add("createpolicy", decodeCreatepolicy);
}

} // namespace weft::ptxsim
