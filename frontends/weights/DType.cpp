// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "frontends/weights/DType.h"

#include <iterator>

namespace weft {
namespace {

struct DTypeFacts {
  std::string_view name;
  uint32_t bits;
};

constexpr DTypeFacts kFacts[] = {
    {"BOOL", 8},    {"F4", 4},      {"F6_E2M3", 6}, {"F6_E3M2", 6}, {"U8", 8},   {"I8", 8},    {"F8_E5M2", 8},
    {"F8_E4M3", 8}, {"F8_E8M0", 8}, {"I16", 16},    {"U16", 16},    {"F16", 16}, {"BF16", 16}, {"I32", 32},
    {"U32", 32},    {"F32", 32},    {"C64", 64},    {"F64", 64},    {"I64", 64}, {"U64", 64},
};
static_assert(std::size(kFacts) == static_cast<size_t>(DType::U64) + 1, "one line a dtype");

} // namespace

std::string_view dtypeName(DType dtype) { return kFacts[static_cast<size_t>(dtype)].name; }

uint32_t bitsPerElement(DType dtype) { return kFacts[static_cast<size_t>(dtype)].bits; }

std::optional<DType> dtypeFromName(std::string_view name) {
  for (size_t index = 0; index < std::size(kFacts); ++index)
    if (kFacts[index].name == name)
      return static_cast<DType>(index);
  return std::nullopt;
}

} // namespace weft
