// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// mbarrier.*
#include "tools/ptxsim/Decoder.h"
#include "tools/ptxsim/MemoryAccess.h"
#include "tools/ptxsim/async/MbarrierAccess.h"

#include <algorithm>

namespace weft::ptxsim {

MbarrierAccess::MbarrierAccess(const Instruction &i, Warp &warp, int lane, const Address &address)
    : warp(warp), lane(lane) {
  uint64_t value = addressIn(address, warp, lane);
  AsyncState &async = asyncOf(warp.block);
  AsyncState::Quiet quiet(async);
  Place place = accessMemory(warp, i, lane, address.space, value, 8, 8, AccessKind::Atomic);
  if (place.space != Space::Shared)
    warp.fault(FaultKind::Barrier, "an mbarrier object lies in shared memory", lane, value);
  where = uint32_t(place.address);
  async.useMbarrier(warp, i, where);
  word = place.bytes;
  uint64_t bits;
  std::memcpy(&bits, word, sizeof bits);
  if (std::optional<Mbarrier> found = Mbarrier::decode(bits))
    object = *found;
  else
    warp.fault(FaultKind::Barrier, "no mbarrier.init made the 8 bytes there an mbarrier object", lane, where);
}

void MbarrierAccess::require(const std::string &problem) const {
  if (!problem.empty())
    warp.fault(FaultKind::Barrier, problem, lane, where);
}

BarrierOrder &MbarrierAccess::order() { return asyncOf(warp.block).mbarrier(where); }

void MbarrierAccess::store(uint32_t phaseBefore) {
  uint64_t bits = object.encode();
  std::memcpy(word, &bits, sizeof bits);
  if (object.phase == phaseBefore)
    return;
  BarrierOrder &barrier = order();
  ++barrier.phases;
  barrier.opened.known.join(barrier.gathering.known);
  barrier.opened.fenced.join(barrier.gathering.fenced);
}

namespace {

enum Flags : uint32_t { kExpect = 1, kDrop = 2, kNoComplete = 4, kHasCount = 8, kParity = 16, kHasState = 32 };

Outcome init(const Instruction &i, Warp &warp, LaneMask active) {
  forLanes(active, [&](int lane) {
    uint64_t address = addressIn(i.address, warp, lane), count = uint32_t(warp.row(i.sources[0])[lane]);
    if (count < 1 || count > Mbarrier::kMaxCount)
      warp.fault(FaultKind::Barrier, "an mbarrier's count is 1 to 1048575, not " + std::to_string(count), lane,
                 address);
    storeTo<uint64_t>(warp, i, lane, i.address.space, address, Mbarrier::init(uint32_t(count)).encode());
  });
  return Outcome::Next;
}

Outcome invalidate(const Instruction &i, Warp &warp, LaneMask active) {
  forLanes(active, [&](int lane) {
    uint64_t address = addressIn(i.address, warp, lane);
    MbarrierAccess(i, warp, lane, i.address);
    storeTo<uint64_t>(warp, i, lane, i.address.space, address, 0);
  });
  return Outcome::Next;
}

Outcome arrive(const Instruction &i, Warp &warp, LaneMask active) {
  forLanes(active, [&](int lane) {
    MbarrierAccess access(i, warp, lane, i.address);
    Mbarrier &object = access.object;
    uint64_t before = object.encode();
    uint32_t number = i.flags & kHasCount ? uint32_t(warp.row(i.sources[0])[lane]) : 1, phase = object.phase;
    asyncOf(warp.block).order.release(int(warp.index), access.order().gathering);
    if (i.flags & kExpect)
      access.require(object.expectBytes(number));
    uint32_t count = i.flags & kExpect ? 1 : number;
    bool mayComplete = !(i.flags & kNoComplete);
    access.require(i.flags & kDrop ? object.arriveDrop(count, mayComplete) : object.arrive(count, mayComplete));
    access.store(phase);
    if (i.flags & kHasState)
      warp.row(i.destinations[0])[lane] = before;
  });
  return Outcome::Next;
}

Outcome countBytes(const Instruction &i, Warp &warp, LaneMask active) {
  forLanes(active, [&](int lane) {
    MbarrierAccess access(i, warp, lane, i.address);
    uint32_t bytes = uint32_t(warp.row(i.sources[0])[lane]), phase = access.object.phase;
    access.require(i.flags & kExpect ? access.object.expectBytes(bytes) : access.object.completeBytes(bytes));
    access.store(phase);
  });
  return Outcome::Next;
}

/// Whether the phase that the lane names has completed; then it knows what the phase's arrivals knew.
bool test(const Instruction &i, Warp &warp, int lane) {
  MbarrierAccess access(i, warp, lane, i.address);
  uint64_t named = warp.row(i.sources[0])[lane];
  uint32_t parity = uint32_t(named);
  if (!(i.flags & kParity)) {
    std::optional<Mbarrier> state = Mbarrier::decode(named);
    if (!state)
      warp.fault(FaultKind::Barrier, "the state that is waited for did not come from an arrive", lane);
    parity = state->phase;
  }
  if (!access.object.isComplete(parity))
    return false;
  asyncOf(warp.block).order.acquire(int(warp.index), access.order().opened);
  return true;
}

LaneMask testAll(const Instruction &i, Warp &warp, LaneMask active) {
  LaneMask complete = 0;
  forLanes(active, [&](int lane) {
    bool done = test(i, warp, lane);
    complete |= LaneMask(done) << lane;
    warp.row(i.destinations[0])[lane] = done;
  });
  return complete;
}

Outcome testWait(const Instruction &i, Warp &warp, LaneMask active) {
  return testAll(i, warp, active) == active ? Outcome::Next : Outcome::Yield;
}

/// Waits until some lane may go on, however long that takes: a wait that ends with false is a loop in the program,
/// which would hide a deadlock.
Outcome tryWait(const Instruction &i, Warp &warp, LaneMask active) {
  if (testAll(i, warp, active))
    return Outcome::Next;
  MbarrierAccess access(i, warp, std::countr_zero(active), i.address);
  char address[24];
  std::snprintf(address, sizeof address, "0x%x", access.address());
  return blocked(i, warp,
                 "the mbarrier " + std::string(address) + ", whose phase of parity " +
                     std::to_string(access.object.phase) + " lacks " + std::to_string(access.object.pending) +
                     " arrivals and " + std::to_string(access.object.bytes) + " bytes");
}

Outcome pendingCount(const Instruction &i, Warp &warp, LaneMask active) {
  forLanes(active, [&](int lane) {
    std::optional<Mbarrier> state = Mbarrier::decode(warp.row(i.sources[0])[lane]);
    if (!state)
      warp.fault(FaultKind::Barrier, "the operand is no state of an mbarrier", lane);
    warp.row(i.destinations[0])[lane] = state->pending;
  });
  return Outcome::Next;
}

void decodeArrive(Decoder &d, Space space) {
  bool drop = d.take("arrive_drop");
  d.take("arrive");
  uint32_t flags = drop ? kDrop : 0;
  flags |= d.take("expect_tx") ? kExpect : 0;
  flags |= d.take("noComplete") ? kNoComplete : 0;
  // "arrive [address]" without a state is the form for other blocks of a cluster.
  size_t first = d.statement.operands[0].kind == Operand::Kind::Address ? 0 : 1;
  if (first == 1 && !d.isSink(0)) {
    d.destination(0);
    flags |= kHasState;
  }
  d.expectOperands(first + 1, first + 2);
  d.address(first, space);
  if (d.operandCount() > first + 1) {
    d.source(first + 1, Type::U32);
    flags |= kHasCount;
  } else if (flags & kExpect)
    d.refuse("arrive.expect_tx needs a number of bytes");
  d.instruction.flags = flags;
  d.instruction.execute = &arrive;
}

void decodeWait(Decoder &d, Space space, Execute execute) {
  d.instruction.flags = d.take("parity") ? kParity : 0;
  d.expectOperands(3, 4); // a time limit is a hint
  d.destination(0).address(1, space).source(2, d.instruction.flags & kParity ? Type::U32 : Type::B64);
  d.instruction.execute = execute;
}

void decodeMbarrier(Decoder &d) {
  if (d.take("pending_count")) {
    d.take("b64");
    d.expectOperands(2, 2);
    d.destination(0).source(1, Type::B64);
    d.instruction.execute = &pendingCount;
    return;
  }
  Space space = d.takeSpace();
  d.takeMemoryOrder();
  d.take("b64");
  auto has = [&](std::string_view word) {
    return std::find(d.modifiers().begin(), d.modifiers().end(), word) != d.modifiers().end();
  };
  if (has("arrive") || has("arrive_drop"))
    return decodeArrive(d, space);
  if (d.take("test_wait"))
    return decodeWait(d, space, &testWait);
  if (d.take("try_wait"))
    return decodeWait(d, space, &tryWait);
  bool initial = d.take("init"), last = d.take("inval"), expect = d.take("expect_tx");
  if (!initial && !last && !expect && !d.take("complete_tx"))
    d.refuse("this mbarrier operation is not simulated");
  d.expectOperands(last ? 1 : 2, last ? 1 : 2);
  d.address(0, space);
  if (!last)
    d.source(1, Type::U32);
  d.instruction.flags = expect ? kExpect : 0;
  d.instruction.execute = initial ? &init : last ? &invalidate : &countBytes;
}

} // namespace

void registerMbarrier(Registry &registry) { registry.add("mbarrier", decodeMbarrier); }

} // namespace weft::ptxsim
