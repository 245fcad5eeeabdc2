// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/ptxsim/race/SharedShadow.h"

#include <algorithm>

namespace weft::ptxsim {

SharedShadow::SharedShadow(uint32_t bytes, Ordering &order) : ordering(order), words((bytes + 3) / 4) {}

bool SharedShadow::ordered(const SharedAccess &access, Stamp stamp) const {
  int agent = int(stamp.agent);
  if (agent == access.warp && (stamp.lane == SharedAccess::kAnyLane || access.lane == SharedAccess::kAnyLane))
    return true;
  if (agent == access.warp)
    return stamp.clock < ordering.now(access.warp) || (int(stamp.lane) == access.lane && stamp.lane < 32);
  // What an agent does itself, one after another, is in order where its kind keeps order: the caller says so by a
  // clock that it has learned. Products into the same group read side by side and need no order.
  return ordering.knows(access.warp, agent, stamp.clock);
}

template <typename Visit> std::optional<Conflict> SharedShadow::visit(const SharedAccess &access, Visit each) {
  uint32_t end = access.address + access.bytes;
  for (uint32_t at = access.address & ~3u; at < end && at / 4 < words.size(); at += 4) {
    uint32_t from = std::max(at, access.address) - at, to = std::min(at + 4, end) - at;
    Stamp stamp{uint64_t(access.agent), uint64_t(access.lane), ((1u << to) - 1) & ~((1u << from) - 1),
                access.clock & 0x7fffffu, access.line & 0x1fffffu};
    if (std::optional<Conflict> conflict = each(words[at / 4], stamp)) {
      conflict->address = at;
      return conflict;
    }
  }
  return std::nullopt;
}

void SharedShadow::addReader(Word &word, Stamp stamp) {
  for (uint32_t index = word.readers; index; index = readers[index - 1].next) {
    Stamp &known = readers[index - 1].stamp;
    if (known.agent != stamp.agent)
      continue;
    // One entry an agent: its latest clock; several lanes of one clock become all lanes.
    uint64_t mask = known.mask | stamp.mask;
    if (known.clock == stamp.clock && known.lane != stamp.lane && stamp.lane != SharedAccess::kAnyLane)
      stamp.lane = SharedAccess::kAllLanes;
    known = stamp;
    known.mask = mask;
    return;
  }
  uint32_t index = freeReaders;
  if (index)
    freeReaders = readers[index - 1].next;
  else {
    readers.emplace_back();
    index = uint32_t(readers.size());
  }
  readers[index - 1] = {stamp, word.readers};
  word.readers = index;
}

void SharedShadow::dropReaders(Word &word) {
  while (uint32_t index = word.readers) {
    word.readers = readers[index - 1].next;
    readers[index - 1].next = freeReaders;
    freeReaders = index;
  }
}

std::optional<Conflict> SharedShadow::read(const SharedAccess &access) {
  bool async = !ordering.isGeneric(access.agent);
  return visit(access, [&](Word &word, Stamp stamp) -> std::optional<Conflict> {
    Stamp writer = word.writer;
    if (writer.mask & stamp.mask) {
      Conflict conflict{Conflict::Race, 0, true, int(writer.agent), int(writer.lane), uint32_t(writer.line)};
      if (!ordered(access, writer))
        return conflict;
      conflict.kind = Conflict::MissingFence;
      if (async && ordering.isGeneric(conflict.otherAgent) &&
          !ordering.fenced(access.warp, conflict.otherAgent, uint32_t(writer.clock)))
        return conflict;
    }
    addReader(word, stamp);
    return std::nullopt;
  });
}

std::optional<Conflict> SharedShadow::write(const SharedAccess &access, bool unchanged) {
  return visit(access, [&](Word &word, Stamp stamp) -> std::optional<Conflict> {
    Stamp writer = word.writer;
    // Lanes of one store to one place: PTX lets any of them win, and programs store the same value so.
    bool together = writer.agent == stamp.agent && writer.clock == stamp.clock && writer.line == stamp.line;
    // A copy under way may still change what is there.
    auto harmless = [&](Stamp other) { return unchanged && ordering.isGeneric(int(other.agent)); };
    if ((writer.mask & stamp.mask) && !together && !ordered(access, writer) && !harmless(writer))
      return Conflict{Conflict::Race, 0, true, int(writer.agent), int(writer.lane), uint32_t(writer.line)};
    for (uint32_t index = word.readers; index; index = readers[index - 1].next)
      if (Stamp reader = readers[index - 1].stamp;
          (reader.mask & stamp.mask) && !ordered(access, reader) && !harmless(reader))
        return Conflict{Conflict::Race, 0, false, int(reader.agent), int(reader.lane), uint32_t(reader.line)};
    if (stamp.mask == 15)
      dropReaders(word);
    if (writer.agent == stamp.agent && writer.clock == stamp.clock && writer.mask && !(writer.mask & stamp.mask)) {
      stamp.mask |= writer.mask;
      if (writer.lane != stamp.lane)
        stamp.lane = SharedAccess::kAllLanes;
    }
    word.writer = stamp;
    return std::nullopt;
  });
}

void SharedShadow::forget(uint32_t address, uint32_t bytes) {
  for (uint32_t at = address & ~3u; at < address + bytes && at / 4 < words.size(); at += 4) {
    words[at / 4].writer.mask = 0;
    dropReaders(words[at / 4]);
  }
}

} // namespace weft::ptxsim
