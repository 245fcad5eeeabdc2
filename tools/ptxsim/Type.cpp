// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
#include "tools/ptxsim/Type.h"

#include <utility>

namespace weft::ptxsim {
namespace {

struct TypeRow {
  std::string_view name;
  Type type;
  int bits;
};
constexpr TypeRow kTypes[] = {
    {"none", Type::None, 0},      {"pred", Type::Pred, 1},      {"b8", Type::B8, 8},
    {"b16", Type::B16, 16},       {"b32", Type::B32, 32},       {"b64", Type::B64, 64},
    {"b128", Type::B128, 128},    {"u8", Type::U8, 8},          {"u16", Type::U16, 16},
    {"u32", Type::U32, 32},       {"u64", Type::U64, 64},       {"s8", Type::S8, 8},
    {"s16", Type::S16, 16},       {"s32", Type::S32, 32},       {"s64", Type::S64, 64},
    {"f16", Type::F16, 16},       {"bf16", Type::BF16, 16},     {"tf32", Type::TF32, 32},
    {"f32", Type::F32, 32},       {"f64", Type::F64, 64},       {"u16x2", Type::U16x2, 32},
    {"s16x2", Type::S16x2, 32},   {"f16x2", Type::F16x2, 32},   {"bf16x2", Type::BF16x2, 32},
    {"e4m3x2", Type::E4M3x2, 16}, {"e5m2x2", Type::E5M2x2, 16}, {"e4m3", Type::E4M3, 8},
    {"e5m2", Type::E5M2, 8},
};

constexpr std::pair<std::string_view, Space> kSpaces[] = {
    {"global", Space::Global},      {"shared", Space::Shared},
    {"shared::cta", Space::Shared}, {"shared::cluster", Space::Shared},
    {"local", Space::Local},        {"const", Space::Const},
    {"param", Space::Param},        {"param::entry", Space::Param},
    {"param::func", Space::Param},
};

} // namespace

Type typeNamed(std::string_view modifier) {
  for (const TypeRow &row : kTypes)
    if (row.name == modifier && row.type != Type::None)
      return row.type;
  return Type::None;
}

// The table is in the order of the enumeration.
std::string_view nameOf(Type type) { return kTypes[static_cast<int>(type)].name; }
int bitsOf(Type type) { return kTypes[static_cast<int>(type)].bits; }

Space spaceNamed(std::string_view modifier) {
  for (auto [name, space] : kSpaces)
    if (name == modifier)
      return space;
  return Space::Generic;
}

std::string_view nameOf(Space space) {
  for (auto [name, known] : kSpaces)
    if (known == space)
      return name;
  return "generic";
}

} // namespace weft::ptxsim
