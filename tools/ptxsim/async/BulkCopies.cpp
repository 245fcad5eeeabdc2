// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// cp.async.bulk: copies of any size by one thread, plain or of a tensor's tile (TMA), and their groups.
#include "tools/ptxsim/MemoryAccess.h"
#include "tools/ptxsim/async/Copies.h"
#include "tools/ptxsim/async/MbarrierAccess.h"
#include "tools/ptxsim/async/Reduction.h"
#include "tools/ptxsim/async/TensorMap.h"
#include "tools/ptxsim/matrix/SharedMatrix.h"

namespace weft::ptxsim {
namespace {

struct BulkDetails : Details {
  Address global, shared, mbarrier; // of a tensor, `global` is that of its map
  bool toShared = false;
  std::optional<Reduction> reduction;
};

/// The copy's arrival at its mbarrier: the bytes count down, and those who wait learn of it.
void complete(MbarrierAccess &access, uint32_t bytes) {
  uint32_t phase = access.object.phase;
  BarrierOrder &order = access.order();
  order.gathering.known.raise(order.agent, order.phases + 1);
  access.require(access.object.completeBytes(bytes));
  access.store(phase);
}

void store(const Instruction &i, Warp &warp, int lane, uint64_t to, const std::byte *from, uint32_t bytes,
           const std::optional<Reduction> &reduction) {
  AccessKind kind = reduction ? AccessKind::Atomic : AccessKind::Write;
  std::byte *target = accessMemory(warp, i, lane, Space::Global, to, bytes, 1, kind).bytes;
  if (reduction)
    reduction->apply(target, from, bytes);
  else
    std::memcpy(target, from, bytes);
}

Outcome copyPlain(const Instruction &i, Warp &warp, LaneMask active) {
  const BulkDetails &details = i.as<BulkDetails>();
  AsyncState &async = asyncOf(warp.block);
  forLanes(active, [&](int lane) {
    uint32_t bytes = uint32_t(warp.row(i.sources[0])[lane]);
    uint64_t global = addressIn(details.global, warp, lane), shared = addressIn(details.shared, warp, lane);
    if (bytes % 16)
      warp.fault(FaultKind::Misaligned, "a bulk copy has a multiple of 16 bytes, not " + std::to_string(bytes), lane);
    if (bytes == 0)
      return;
    if (!details.toShared) {
      AsyncState::Agent agent(async, async.of(warp).bulk.agent, async.of(warp).bulk.open());
      Place from = accessMemory(warp, i, lane, details.shared.space, shared, bytes, 16, AccessKind::Read);
      if (global % 16)
        warp.fault(FaultKind::Misaligned, "a bulk copy's address is a multiple of 16", lane, global);
      return store(i, warp, lane, global, from.bytes, bytes, details.reduction);
    }
    MbarrierAccess access(i, warp, lane, details.mbarrier);
    Place from = accessMemory(warp, i, lane, Space::Global, global, bytes, 16, AccessKind::Read);
    AsyncState::Agent agent(async, access.order().agent, access.order().phases + 1);
    std::memcpy(accessMemory(warp, i, lane, details.shared.space, shared, bytes, 16, AccessKind::Write).bytes,
                from.bytes, bytes);
    complete(access, bytes);
  });
  return Outcome::Next;
}

/// The type in which a tensor's elements are reduced.
Type typeOf(TensorElement element) {
  constexpr Type kTypes[] = {Type::U8,  Type::U16, Type::U32, Type::S32,  Type::U64, Type::S64, Type::F16,
                             Type::F32, Type::F32, Type::F64, Type::BF16, Type::F32, Type::F32};
  return kTypes[int(element)];
}

/// The tensor map and the tile's first coordinates of a lane.
struct Tile {
  TensorMap map;
  int32_t at[TensorMap::kMaxRank];

  Tile(const Instruction &i, Warp &warp, int lane, const Address &address) {
    uint64_t where = addressIn(address, warp, lane);
    std::memcpy(&map, accessMemory(warp, i, lane, address.space, where, 128, 64, AccessKind::Read).bytes, sizeof map);
    std::string problem = map.problem();
    if (problem.empty() && map.rank() != int(i.sources.size()))
      problem = "it has rank " + std::to_string(map.rank()) + ", the copy " + std::to_string(i.sources.size());
    if (problem.empty() && map.swizzleSpan() > map.box[0] * map.elementBytes())
      problem = "a row of the box is narrower than the swizzle, which is not simulated";
    if (!problem.empty())
      warp.fault(FaultKind::IllegalInstruction, "the tensor map cannot be used: " + problem, lane, where);
    for (int dimension = 0; dimension < map.rank(); ++dimension)
      at[dimension] = int32_t(uint32_t(warp.row(i.sources[size_t(dimension)])[lane]));
  }

  /// Visits the tile in pieces that keep together in shared memory: (global, offset in the tile, bytes, inside).
  template <typename Visit> void forEachPiece(uint64_t shared, Visit visit) const {
    forEachRun(map, at, [&](const TensorRun &run) {
      for (uint32_t done = 0; done < run.bytes;) {
        uint32_t offset = run.offset + done, bytes = std::min(16 - offset % 16, run.bytes - done);
        uint32_t place = swizzle(uint32_t(shared) + offset, map.swizzleSpan()) - uint32_t(shared);
        visit(run.global + done, place, bytes, run.inside);
        done += bytes;
      }
    });
  }
};

/// Shared memory of a whole tile, which starts at a multiple of 128 bytes.
Place tileMemory(const Instruction &i, Warp &warp, int lane, const Tile &tile, AccessKind kind) {
  const Address &address = i.as<BulkDetails>().shared;
  return accessMemory(warp, i, lane, address.space, addressIn(address, warp, lane), tile.map.tileBytes(), 128, kind);
}

void fillOutside(const TensorMap &map, std::byte *target, uint32_t bytes) {
  uint64_t pattern = map.fillPattern();
  for (uint32_t at = 0; at < bytes; at += uint32_t(map.elementBytes()))
    std::memcpy(target + at, &pattern, size_t(map.elementBytes()));
}

Outcome loadTile(const Instruction &i, Warp &warp, LaneMask active) {
  const BulkDetails &details = i.as<BulkDetails>();
  AsyncState &async = asyncOf(warp.block);
  forLanes(active, [&](int lane) {
    Tile tile(i, warp, lane, details.global);
    MbarrierAccess access(i, warp, lane, details.mbarrier);
    AsyncState::Agent agent(async, access.order().agent, access.order().phases + 1);
    Place shared = tileMemory(i, warp, lane, tile, AccessKind::Write);
    tile.forEachPiece(shared.address, [&](uint64_t global, uint32_t place, uint32_t bytes, bool inside) {
      std::byte *target = shared.bytes + place;
      if (inside)
        std::memcpy(target, accessMemory(warp, i, lane, Space::Global, global, bytes, 1, AccessKind::Read).bytes,
                    bytes);
      else
        fillOutside(tile.map, target, bytes);
    });
    complete(access, tile.map.tileBytes());
  });
  return Outcome::Next;
}

Outcome storeTile(const Instruction &i, Warp &warp, LaneMask active) {
  const BulkDetails &details = i.as<BulkDetails>();
  AsyncState &async = asyncOf(warp.block);
  forLanes(active, [&](int lane) {
    Tile tile(i, warp, lane, details.global);
    AsyncState::Agent agent(async, async.of(warp).bulk.agent, async.of(warp).bulk.open());
    Place shared = tileMemory(i, warp, lane, tile, AccessKind::Read);
    std::optional<Reduction> reduction = details.reduction;
    if (reduction)
      reduction->type = typeOf(tile.map.element);
    tile.forEachPiece(shared.address, [&](uint64_t global, uint32_t place, uint32_t bytes, bool inside) {
      if (inside)
        store(i, warp, lane, global, shared.bytes + place, bytes, reduction);
    });
  });
  return Outcome::Next;
}

Outcome nothing(const Instruction &, Warp &, LaneMask) { return Outcome::Next; }

void decodeReduction(Decoder &d, BulkDetails &details, bool tensor) {
  Reduction reduction;
  int found = d.takeOneOf({"add", "min", "max", "inc", "dec", "and", "or", "xor"});
  if (found < 0)
    d.refuse("a reduction is .add, .min, .max, .inc, .dec, .and, .or or .xor");
  d.take("noftz");
  reduction.op = Reduction::Op(found);
  if (!tensor) // a tensor's type stands in its map
    reduction.type = d.takeType();
  details.reduction = reduction;
}

/// Groups and prefetches; false where it is a copy.
bool decodeGroup(Decoder &d) {
  if (d.take("commit_group")) {
    d.expectOperands(0, 0);
    d.instruction.execute = &commitGroup<&WarpAsync::bulk>;
  } else if (d.take("wait_group")) {
    d.take("read");
    d.expectOperands(1, 1);
    d.instruction.flags = uint32_t(d.immediate(0));
    d.instruction.execute = &waitGroup<&WarpAsync::bulk>;
  } else if (d.take("prefetch")) {
    for (const std::string &modifier : d.modifiers())
      d.take(modifier);
    d.instruction.execute = &nothing;
  } else
    return false;
  return true;
}

/// [map, {x, y, …}]: the address of the map is details.global, the coordinates are sources.
void decodeTensorAddress(Decoder &d, size_t index, BulkDetails &details) {
  const Operand &operand = d.statement.operands[index];
  if (operand.kind != Operand::Kind::Address || operand.elements.size() < 2)
    d.refuse("a tensor's address is [map, {coordinates}]");
  Operand map = operand;
  map.elements.resize(1);
  details.global = d.addressOf(map, Space::Generic);
  for (const Operand &coordinate : operand.elements[1].elements)
    d.instruction.sources.push_back(d.sourceRow(coordinate, Type::S32));
}

} // namespace

void decodeBulkCopy(Decoder &d, bool reduce) {
  if (decodeGroup(d))
    return;
  auto details = std::make_shared<BulkDetails>();
  bool tensor = d.take("tensor");
  if (tensor && d.takeOneOf({"1d", "2d", "3d", "4d", "5d"}) < 0)
    d.refuse("a tensor has .1d to .5d");
  d.take("tile");
  const auto modifiers = d.modifiers();
  auto place = [&](std::string_view prefix) {
    for (size_t index = 0; index < modifiers.size(); ++index)
      if (modifiers[index].starts_with(prefix))
        return int(index);
    return -1;
  };
  int shared = place("shared"), global = place("global");
  if (shared < 0 || global < 0)
    d.refuse("a bulk copy goes between .global and .shared");
  details->toShared = shared < global; // the destination stands first
  d.take(modifiers[size_t(shared)]);
  d.take("global");
  d.take(details->toShared ? "mbarrier::complete_tx::bytes" : "bulk_group");
  bool multicast = d.take("multicast::cluster");
  if (reduce)
    decodeReduction(d, *details, tensor);
  bool policy = d.takeCacheHints();

  size_t sharedIndex = details->toShared ? 0 : 1, globalIndex = 1 - sharedIndex;
  size_t count = 2 + (tensor ? 0 : 1) + (details->toShared ? 1 : 0);
  d.expectOperands(count + multicast + policy, count + multicast + policy);
  details->shared = d.addressOf(d.statement.operands[sharedIndex], Space::Shared);
  if (tensor)
    decodeTensorAddress(d, globalIndex, *details);
  else {
    details->global = d.addressOf(d.statement.operands[globalIndex], Space::Global);
    d.source(2, Type::U32);
  }
  if (details->toShared)
    details->mbarrier = d.addressOf(d.statement.operands[count - 1], Space::Shared);
  d.instruction.execute = !tensor ? &copyPlain : details->toShared ? &loadTile : &storeTile;
  d.instruction.details = details;
}

} // namespace weft::ptxsim
