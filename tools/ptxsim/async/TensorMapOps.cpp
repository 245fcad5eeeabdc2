// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// tensormap.replace, tensormap.cp_fenceproxy: kernels that make their own tensor maps.
#include "tools/ptxsim/Decoder.h"
#include "tools/ptxsim/MemoryAccess.h"
#include "tools/ptxsim/async/TensorMap.h"

namespace weft::ptxsim {
namespace {

struct ReplaceDetails : Details {
  std::string field;
  int ordinal = 0;
};

Outcome replace(const Instruction &i, Warp &warp, LaneMask active) {
  const ReplaceDetails &details = i.as<ReplaceDetails>();
  forLanes(active, [&](int lane) {
    TensorMap map;
    uint64_t address = addressIn(i.address, warp, lane);
    std::memcpy(&map, accessMemory(warp, i, lane, i.address.space, address, 128, 64, AccessKind::Read).bytes, 128);
    map.replace(details.field, details.ordinal, warp.row(i.sources[0])[lane]);
    std::memcpy(accessMemory(warp, i, lane, i.address.space, address, 128, 64, AccessKind::Write).bytes, &map, 128);
  });
  return Outcome::Next;
}

struct CopyDetails : Details {
  Address source;
};

/// One copy by the warp together; its lanes name the same addresses.
Outcome copyMap(const Instruction &i, Warp &warp, LaneMask active) {
  const Address &source = i.as<CopyDetails>().source;
  int lane = std::countr_zero(active);
  std::byte map[128];
  uint64_t from = addressIn(source, warp, lane), to = addressIn(i.address, warp, lane);
  std::memcpy(map, accessMemory(warp, i, lane, source.space, from, 128, 128, AccessKind::Read).bytes, 128);
  std::memcpy(accessMemory(warp, i, lane, i.address.space, to, 128, 128, AccessKind::Write).bytes, map, 128);
  return Outcome::Next;
}

void decodeReplace(Decoder &d) {
  auto details = std::make_shared<ReplaceDetails>();
  if (!d.take("tile"))
    d.refuse("only tensor maps of .tile mode are simulated");
  static constexpr std::string_view kFields[] = {"global_address", "rank",          "elemtype", "interleave_layout",
                                                 "swizzle_mode",   "fill_mode",     "box_dim",  "global_dim",
                                                 "global_stride",  "element_stride"};
  for (std::string_view field : kFields)
    if (d.take(field))
      details->field = field;
  Space space = d.takeSpace();
  d.take("b1024");
  Type type = d.takeType();
  bool hasOrdinal = details->field == "box_dim" || details->field == "global_dim" ||
                    details->field == "global_stride" || details->field == "element_stride";
  d.expectOperands(2 + hasOrdinal, 2 + hasOrdinal);
  if (hasOrdinal)
    details->ordinal = int(d.immediate(1));
  if (TensorMap probe = {}; !probe.replace(details->field, details->ordinal, 0))
    d.refuse("a tensor map has no such field: " + details->field + " " + std::to_string(details->ordinal));
  d.address(0, space).source(1 + hasOrdinal, type);
  d.instruction.details = details;
  d.instruction.execute = &replace;
}

void decodeTensormap(Decoder &d) {
  if (d.take("replace"))
    return decodeReplace(d);
  if (!d.take("cp_fenceproxy"))
    d.refuse("tensormap.replace and tensormap.cp_fenceproxy are simulated");
  for (const std::string &modifier : d.modifiers())
    d.take(modifier);
  d.expectOperands(3, 3);
  if (d.immediate(2) != 128)
    d.refuse("a tensor map has 128 bytes");
  auto details = std::make_shared<CopyDetails>();
  d.address(0, Space::Global);
  details->source = d.addressOf(d.statement.operands[1], Space::Shared);
  d.instruction.details = details;
  d.instruction.execute = &copyMap;
}

} // namespace

void registerTensorMaps(Registry &registry) { registry.add("tensormap", decodeTensormap); }

} // namespace weft::ptxsim
