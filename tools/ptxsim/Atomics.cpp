// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// atom and red: read, combine, write in one step; lanes one after another in their order.
// Source: PTX ISA 9.0, "atom", "red".
#include "tools/ptxsim/Decoder.h"
#include "tools/ptxsim/MemoryAccess.h"
#include "tools/ptxsim/async/Reduction.h"

#include <array>
#include <cmath>
#include <optional>

namespace weft::ptxsim {
namespace {

struct AtomicDetails : Details {
  enum class Kind { Combine, Exchange, CompareAndSwap } kind = Kind::Combine;
  Reduction reduction;
};

/// atom.add.f32 on global memory takes subnormal numbers as zeros and gives such (PTX ISA); on shared memory it does
/// not.
float flushed(float value) { return std::fpclassify(value) == FP_SUBNORMAL ? std::copysign(0.0f, value) : value; }

void combine(const Instruction &i, const Place &place, std::byte *target, uint64_t operand) {
  const Reduction &reduction = i.as<AtomicDetails>().reduction;
  if (reduction.type == Type::F32 && reduction.op == Reduction::Op::Add && place.space == Space::Global) {
    float left, right;
    std::memcpy(&left, target, 4);
    std::memcpy(&right, &operand, 4);
    left = flushed(flushed(left) + flushed(right));
    std::memcpy(target, &left, 4);
    return;
  }
  reduction.apply(target, reinterpret_cast<const std::byte *>(&operand), i.bytes);
}

/// One element of one lane; returns what was there.
uint64_t update(const Instruction &i, Warp &warp, int lane, const Place &place, int element) {
  const AtomicDetails &details = i.as<AtomicDetails>();
  std::byte *target = place.bytes + size_t(element) * i.bytes;
  uint64_t old = 0, operand = warp.row(i.sources[size_t(element)])[lane];
  std::memcpy(&old, target, i.bytes);
  switch (details.kind) {
  case AtomicDetails::Kind::Combine:
    combine(i, place, target, operand);
    break;
  case AtomicDetails::Kind::CompareAndSwap: {
    uint64_t mask = i.bytes == 8 ? ~uint64_t(0) : (uint64_t(1) << (8 * i.bytes)) - 1;
    operand = old == (operand & mask) ? warp.row(i.sources[1])[lane] : old;
    [[fallthrough]];
  }
  case AtomicDetails::Kind::Exchange:
    std::memcpy(target, &operand, i.bytes);
    break;
  }
  return old;
}

Outcome atomic(const Instruction &i, Warp &warp, LaneMask active) {
  uint32_t bytes = uint32_t(i.bytes) * i.count;
  forLanes(active, [&](int lane) {
    uint64_t address = addressIn(i.address, warp, lane);
    Place place = accessMemory(warp, i, lane, i.address.space, address, bytes, bytes, AccessKind::Atomic);
    if (place.space != Space::Global && place.space != Space::Shared)
      warp.fault(FaultKind::OutOfBounds, "an atomic operation is on global or shared memory", lane, address);
    for (int element = 0; element < i.count; ++element) {
      uint64_t old = update(i, warp, lane, place, element);
      if (!i.destinations.empty())
        warp.row(i.destinations[size_t(element)])[lane] = old;
    }
  });
  return Outcome::Next;
}

/// 128 bits are two rows each, and are compared and written as one.
Outcome atomicWide(const Instruction &i, Warp &warp, LaneMask active) {
  bool compares = i.as<AtomicDetails>().kind == AtomicDetails::Kind::CompareAndSwap;
  auto value = [&](Slot row, int lane) { return std::array{warp.row(row)[lane], warp.row(row + 1)[lane]}; };
  forLanes(active, [&](int lane) {
    uint64_t address = addressIn(i.address, warp, lane);
    std::byte *bytes = accessMemory(warp, i, lane, i.address.space, address, 16, 16, AccessKind::Atomic).bytes;
    std::array<uint64_t, 2> old, fresh = value(i.sources.back(), lane);
    std::memcpy(old.data(), bytes, 16);
    if (!compares || old == value(i.sources[0], lane))
      std::memcpy(bytes, fresh.data(), 16);
    for (int half = 0; half < 2 && !i.destinations.empty(); ++half)
      warp.row(i.destinations[0] + half)[lane] = old[size_t(half)];
  });
  return Outcome::Next;
}

std::optional<Reduction::Op> takeOperation(Decoder &d) {
  int found = d.takeOneOf({"add", "min", "max", "inc", "dec", "and", "or", "xor"});
  return found < 0 ? std::nullopt : std::optional(Reduction::Op(found));
}

void decodeAtomic(Decoder &d, bool returns) {
  auto details = std::make_shared<AtomicDetails>();
  d.takeMemoryOrder();
  Space space = d.takeSpace();
  if (std::optional<Reduction::Op> op = takeOperation(d))
    details->reduction.op = *op;
  else if (d.take("exch"))
    details->kind = AtomicDetails::Kind::Exchange;
  else if (d.take("cas"))
    details->kind = AtomicDetails::Kind::CompareAndSwap;
  else
    d.refuse("the operation is missing");
  d.take("noftz");
  bool policy = d.takeCacheHints();
  int count = d.takeVector();
  Type type = d.takeType();
  bool wide = type == Type::B128;
  if (wide && details->kind == AtomicDetails::Kind::Combine)
    d.refuse("128 bits are exchanged, or compared and swapped");
  details->reduction.type = type == Type::F16x2 ? Type::F16 : type == Type::BF16x2 ? Type::BF16 : type;
  d.instruction.type = type;
  d.instruction.bytes = uint8_t(bytesOf(type));
  d.instruction.count = uint8_t(count);
  size_t first = returns ? 1 : 0, last = first + (details->kind == AtomicDetails::Kind::CompareAndSwap ? 3 : 2);
  d.expectOperands(last + policy, last + policy);
  if (returns)
    d.destination(0);
  d.address(first, space);
  for (size_t index = first + 1; index < last; ++index)
    d.source(index, type);
  d.instruction.details = details;
  d.instruction.execute = wide ? &atomicWide : &atomic;
}

void decodeAtom(Decoder &d) { decodeAtomic(d, true); }
void decodeRed(Decoder &d) { decodeAtomic(d, false); }

} // namespace

void registerAtomics(Registry &registry) {
  registry.add("atom", decodeAtom);
  registry.add("red", decodeRed);
}

} // namespace weft::ptxsim
