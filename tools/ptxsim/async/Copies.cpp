// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// cp.async: copies of 4, 8 or 16 bytes from global to shared memory, in groups of a thread.
#include "tools/ptxsim/async/Copies.h"

#include "tools/ptxsim/MemoryAccess.h"
#include "tools/ptxsim/async/MbarrierAccess.h"

namespace weft::ptxsim {
namespace {

struct CopyDetails : Details {
  Address source;
  enum class Size { Whole, Partial, Ignored } size = Size::Whole; // what sources[0] says
};

uint32_t bytesToRead(const Instruction &i, Warp &warp, int lane) {
  const CopyDetails &details = i.as<CopyDetails>();
  if (details.size == CopyDetails::Size::Whole)
    return i.bytes;
  uint32_t value = uint32_t(warp.row(i.sources[0])[lane]);
  if (details.size == CopyDetails::Size::Ignored)
    return value & 1 ? 0 : i.bytes;
  if (value > i.bytes)
    warp.fault(FaultKind::IllegalInstruction,
               "the source has " + std::to_string(value) + " bytes, more than the copy's " + std::to_string(i.bytes),
               lane);
  return value;
}

Outcome copy(const Instruction &i, Warp &warp, LaneMask active) {
  const CopyDetails &details = i.as<CopyDetails>();
  AsyncState &async = asyncOf(warp.block);
  const AsyncGroups &groups = async.of(warp).copies;
  forLanes(active, [&](int lane) {
    std::byte data[16] = {}; // what the source does not give is 0
    uint32_t bytes = bytesToRead(i, warp, lane);
    uint64_t from = addressIn(details.source, warp, lane), to = addressIn(i.address, warp, lane);
    if (from % i.bytes)
      warp.fault(FaultKind::Misaligned, "the source of a copy must be a multiple of its size", lane, from);
    if (bytes)
      std::memcpy(data, accessMemory(warp, i, lane, Space::Global, from, bytes, 1, AccessKind::Read).bytes, bytes);
    AsyncState::Agent agent(async, groups.agent, groups.open());
    std::memcpy(accessMemory(warp, i, lane, i.address.space, to, i.bytes, i.bytes, AccessKind::Write).bytes, data,
                i.bytes);
  });
  return Outcome::Next;
}

Outcome waitAll(const Instruction &, Warp &warp, LaneMask) {
  AsyncState &async = asyncOf(warp.block);
  AsyncGroups &groups = async.of(warp).copies;
  async.order.learn(int(warp.index), groups.agent, ++groups.committed);
  return Outcome::Next;
}

/// The mbarrier learns of the thread's copies so far. Without .noinc the arrival was added to what the phase waits for
/// before, so that it changes no count.
Outcome arriveWhenCopied(const Instruction &i, Warp &warp, LaneMask active) {
  AsyncState &async = asyncOf(warp.block);
  AsyncGroups &groups = async.of(warp).copies;
  forLanes(active, [&](int lane) {
    MbarrierAccess access(i, warp, lane, i.address);
    uint32_t phase = access.object.phase;
    access.order().gathering.known.raise(groups.agent, groups.open());
    if (i.flags)
      access.require(access.object.arrive(1));
    access.store(phase);
  });
  ++groups.committed; // later copies are not those of this arrival
  return Outcome::Next;
}

} // namespace

static void decodeArrival(Decoder &d) {
  d.instruction.flags = d.take("noinc");
  Space space = d.takeSpace();
  d.take("b64");
  d.expectOperands(1, 1);
  d.address(0, space == Space::Generic ? Space::Generic : Space::Shared);
  d.instruction.execute = &arriveWhenCopied;
}

static void decodeCopy(Decoder &d) {
  auto details = std::make_shared<CopyDetails>();
  bool policy = d.takeCacheHints();
  if (!d.take("shared") && !d.take("shared::cta"))
    d.refuse("cp.async copies to .shared");
  if (!d.take("global"))
    d.refuse("cp.async copies from .global");
  d.expectOperands(3 + policy, 4 + policy);
  int64_t bytes = d.immediate(2);
  if (bytes != 4 && bytes != 8 && bytes != 16)
    d.refuse("a copy has 4, 8 or 16 bytes, not " + std::to_string(bytes));
  d.instruction.bytes = uint8_t(bytes);
  d.address(0, Space::Shared);
  details->source = d.addressOf(d.statement.operands[1], Space::Global);
  if (d.operandCount() - policy > 3) {
    bool ignored = d.statement.operands[3].type == Type::Pred;
    details->size = ignored ? CopyDetails::Size::Ignored : CopyDetails::Size::Partial;
    d.source(3, ignored ? Type::Pred : Type::U32);
  }
  d.instruction.details = details;
  d.instruction.execute = &copy;
}

void decodeAsyncCopy(Decoder &d) {
  if (d.take("mbarrier")) {
    d.take("arrive");
    return decodeArrival(d);
  }
  if (d.take("commit_group")) {
    d.expectOperands(0, 0);
    d.instruction.execute = &commitGroup<&WarpAsync::copies>;
  } else if (d.take("wait_group")) {
    d.expectOperands(1, 1);
    d.instruction.flags = uint32_t(d.immediate(0));
    d.instruction.execute = &waitGroup<&WarpAsync::copies>;
  } else if (d.take("wait_all")) {
    d.expectOperands(0, 0);
    d.instruction.execute = &waitAll;
  } else
    decodeCopy(d);
}

static void decodeCp(Decoder &d) {
  bool reduce = d.take("reduce");
  if (!d.take("async"))
    d.refuse("only cp.async is simulated");
  if (d.take("bulk"))
    decodeBulkCopy(d, reduce);
  else
    decodeAsyncCopy(d);
}

void registerCopies(Registry &registry) { registry.add("cp", decodeCp); }

} // namespace weft::ptxsim
