// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
#include "tools/ptxsim/MemoryAccess.h"

#include "tools/ptxsim/Device.h"

#include <algorithm>

namespace weft::ptxsim {
namespace {

uint64_t windowOf(Space space) {
  switch (space) {
  case Space::Shared:
    return kSharedWindow;
  case Space::Local:
    return kLocalWindow;
  case Space::Param:
    return kParamWindow;
  default:
    return 0;
  }
}

/// What an access asks for.
struct Request {
  Warp &warp;
  const Instruction &instruction;
  int lane;
  uint32_t bytes;
  AccessKind kind;

  [[noreturn]] void outOfBounds(Space space, uint64_t address, const std::string &where) const {
    std::string verb = kind == AccessKind::Read    ? "a read of "
                       : kind == AccessKind::Write ? "a write of "
                                                   : "an atomic of ";
    warp.fault(FaultKind::OutOfBounds,
               verb + std::to_string(bytes) + " bytes in the " + std::string(nameOf(space)) + " space, " + where, lane,
               address);
  }
};

Place globalPlace(const Request &request, uint64_t address) {
  Allocation *allocation = request.warp.block.device.find(address);
  if (!allocation)
    request.outOfBounds(Space::Global, address, "where nothing was allocated");
  uint64_t offset = address - allocation->address;
  if (offset >= allocation->bytes || request.bytes > allocation->bytes - offset)
    request.outOfBounds(Space::Global, address,
                        std::to_string(offset) + " bytes from the start of the nearest " + allocation->name + " of " +
                            std::to_string(allocation->bytes) + " bytes");
  if (allocation->freed)
    request.warp.fault(FaultKind::UseAfterFree,
                       "the " + allocation->name + " of " + std::to_string(allocation->bytes) + " bytes was freed",
                       request.lane, address);
  if (allocation->readOnly && request.kind != AccessKind::Read)
    request.warp.fault(FaultKind::ReadOnly, "a write to the constant " + allocation->name, request.lane, address);
  return {allocation->data.get() + offset, allocation->written.get() + offset, Space::Global, address};
}

Place within(const Request &request, Space space, uint64_t address, uint64_t base, std::vector<std::byte> &bytes,
             std::vector<uint8_t> &written) {
  uint64_t offset = address - base;
  if (address < base || offset > bytes.size() || request.bytes > bytes.size() - offset)
    request.outOfBounds(space, address,
                        "which has " + std::to_string(bytes.size()) + " bytes from " + std::to_string(base));
  return {bytes.data() + offset, written.data() + offset, space, address};
}

Place parameterPlace(const Request &request, uint64_t address) {
  Warp &warp = request.warp;
  Frame &frame = warp.frame();
  if (address & kFrameParameter) {
    uint64_t offset = address & ~kFrameParameter, size = frame.function->frameParameterBytes;
    if (offset > size || request.bytes > size - offset)
      request.outOfBounds(Space::Param, offset, "which has " + std::to_string(size) + " bytes");
    size_t at = size_t(request.lane) * size + offset;
    return {frame.parameters.data() + at, frame.parametersWritten.data() + at, Space::Param, address};
  }
  const std::vector<std::byte> &bytes = warp.block.launch.parameters;
  if (address > bytes.size() || request.bytes > bytes.size() - address)
    request.outOfBounds(Space::Param, address, "which has " + std::to_string(bytes.size()) + " bytes");
  if (request.kind != AccessKind::Read)
    warp.fault(FaultKind::ReadOnly, "a write to the parameters of the kernel", request.lane, address);
  // A launch writes all its parameters; no flag says so.
  return {const_cast<std::byte *>(bytes.data()) + address, nullptr, Space::Param, address};
}

Place find(const Request &request, Space space, uint64_t address) {
  Block &block = request.warp.block;
  switch (space) {
  case Space::Shared:
    return within(request, space, address, kSharedBase, block.shared, block.sharedWritten);
  case Space::Local: {
    uint32_t thread = request.warp.thread(request.lane);
    return within(request, space, address, kLocalBase, block.local[thread], block.localWritten[thread]);
  }
  case Space::Param:
    return parameterPlace(request, address);
  default:
    return globalPlace(request, address);
  }
}

void checkWritten(const Request &request, const Place &place) {
  if (!place.written)
    return;
  if (request.kind == AccessKind::Write) {
    std::memset(place.written, 1, request.bytes);
    return;
  }
  if (!request.warp.block.device.options.checkMemory)
    return;
  const uint8_t *missing = static_cast<const uint8_t *>(std::memchr(place.written, 0, request.bytes));
  if (missing)
    request.warp.fault(FaultKind::UninitializedMemory,
                       "nothing has written byte " + std::to_string(missing - place.written) + " of the " +
                           std::to_string(request.bytes) + " read in the " + std::string(nameOf(place.space)) +
                           " space",
                       request.lane, place.address);
}

/// The space that a generic address lies in, and its address there.
Space spaceOfGeneric(uint64_t generic, uint64_t &address) {
  if (generic >= kSharedWindow)
    for (Space space : {Space::Shared, Space::Local, Space::Param})
      if (fromGeneric(space, generic, address))
        return space;
  address = generic;
  return Space::Global;
}

} // namespace

uint64_t toGeneric(Space space, uint64_t address) {
  uint64_t window = windowOf(space);
  // A null pointer stays null, as no variable lies at 0. A kernel's first parameter does.
  return window && (address || space == Space::Param) ? window + address : address;
}

bool fromGeneric(Space space, uint64_t generic, uint64_t &address) {
  uint64_t window = windowOf(space);
  if (window) {
    address = generic - window;
    return generic >= window && generic < window + kWindowBytes;
  }
  address = generic;
  return generic < kSharedWindow || generic >= kParamWindow + kWindowBytes;
}

Place accessMemory(Warp &warp, const Instruction &instruction, int lane, Space space, uint64_t address, uint32_t bytes,
                   uint32_t alignment, AccessKind kind, const void *data) {
  Request request{warp, instruction, lane, bytes, kind};
  uint64_t inSpace = address;
  if (space == Space::Generic)
    space = spaceOfGeneric(address, inSpace);
  if (alignment > 1 && inSpace % alignment != 0)
    warp.fault(FaultKind::Misaligned,
               "an access of " + std::to_string(bytes) + " bytes needs an address that is a multiple of " +
                   std::to_string(alignment),
               lane, address);
  Place place = find(request, space, inSpace);
  // Unwritten bytes that happen to be equal make a value of their own.
  bool rewrites = warp.block.observer && data && place.written && !std::memchr(place.written, 0, bytes) &&
                  !std::memcmp(place.bytes, data, bytes);
  checkWritten(request, place);
  if (warp.block.observer && place.space != Space::Param)
    warp.block.observer->access({warp, instruction, lane, place.space, place.address, bytes, kind != AccessKind::Write,
                                 kind != AccessKind::Read, kind == AccessKind::Atomic, rewrites});
  return place;
}

} // namespace weft::ptxsim
