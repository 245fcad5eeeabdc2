// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Every access of memory goes through here: address -> bytes, after the checks (bounds, alignment, freed, written).
// Handlers of any family use these functions and never touch Block::shared or an allocation themselves.
#ifndef WEFT_TOOLS_PTXSIM_MEMORYACCESS_H
#define WEFT_TOOLS_PTXSIM_MEMORYACCESS_H

#include "tools/ptxsim/Block.h"

#include <cstring>

namespace weft::ptxsim {

/// Where an address leads.
struct Place {
  std::byte *bytes;
  uint8_t *written; ///< one flag for each byte
  Space space;      ///< never Generic
  uint64_t address; ///< in that space
};

enum class AccessKind : uint8_t { Read, Write, Atomic };

/// The address of an instruction's operand in one lane.
inline uint64_t addressIn(const Address &address, Warp &warp, int lane) {
  uint64_t base = address.base == kNoSlot ? 0 : warp.row(address.base)[lane];
  uint64_t sum = base + uint64_t(address.offset);
  return address.baseBits == 32 ? uint32_t(sum) : sum;
}

/// Checks and finds `bytes` bytes; a read of bytes that nothing wrote is a fault, a write marks them as written. The
/// address must be a multiple of `alignment`. `data`: what will be written, where the caller knows it.
Place accessMemory(Warp &warp, const Instruction &instruction, int lane, Space space, uint64_t address, uint32_t bytes,
                   uint32_t alignment, AccessKind kind, const void *data = nullptr);

template <class T> T loadFrom(Warp &warp, const Instruction &i, int lane, Space space, uint64_t address) {
  T value;
  std::memcpy(&value, accessMemory(warp, i, lane, space, address, sizeof(T), sizeof(T), AccessKind::Read).bytes,
              sizeof(T));
  return value;
}
template <class T> void storeTo(Warp &warp, const Instruction &i, int lane, Space space, uint64_t address, T value) {
  std::memcpy(accessMemory(warp, i, lane, space, address, sizeof(T), sizeof(T), AccessKind::Write, &value).bytes,
              &value, sizeof(T));
}

/// The generic address of `address` in `space`, and back. False: it does not lie in that space.
uint64_t toGeneric(Space space, uint64_t address);
bool fromGeneric(Space space, uint64_t generic, uint64_t &address);

} // namespace weft::ptxsim

#endif // WEFT_TOOLS_PTXSIM_MEMORYACCESS_H
