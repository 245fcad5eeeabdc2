// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/core/ElementType.h"

#include "runtime/include/weft/runtime.h"

#include <cstdio>

namespace weft::runtime {

// Indexed by the WEFT_ number.
static constexpr ElementType kTypes[] = {{nullptr, "", 0, false},  {"f32", "F32", 4, false},   {"f64", "F64", 8, false},
                                         {"f16", "F16", 2, false}, {"bf16", "BF16", 2, false}, {"i8", "I8", 1, true},
                                         {"i16", "I16", 2, true},  {"i32", "I32", 4, true},    {"i64", "I64", 8, true},
                                         {"u8", "U8", 1, true},    {"bool", "BOOL", 1, true}};

const ElementType *elementType(int32_t dtype) {
  return dtype >= WEFT_F32 && dtype <= WEFT_BOOL ? &kTypes[dtype] : nullptr;
}

int32_t dtypeOfSafetensors(std::string_view name) {
  for (int32_t dtype = WEFT_F32; dtype <= WEFT_BOOL; ++dtype)
    if (name == kTypes[dtype].safetensorsName)
      return dtype;
  return 0;
}

size_t bytesOfSafetensors(std::string_view name) {
  if (int32_t dtype = dtypeOfSafetensors(name))
    return kTypes[dtype].bytes;
  // Types that no parameter has yet, but that a valid file may hold.
  if (name == "F8_E4M3" || name == "F8_E5M2" || name == "F8_E8M0")
    return 1;
  if (name == "U16")
    return 2;
  if (name == "U32")
    return 4;
  if (name == "U64" || name == "C64")
    return 8;
  return 0;
}

ShapeText::ShapeText(const int64_t *shape, int32_t rank) {
  // 8 extents of at most 20 characters and separators fit.
  size_t used = snprintf(text, sizeof(text), "[");
  for (int32_t axis = 0; axis < rank && axis < WEFT_MAX_RANK; ++axis)
    used += snprintf(text + used, sizeof(text) - used, "%s%lld", axis ? ", " : "", static_cast<long long>(shape[axis]));
  snprintf(text + used, sizeof(text) - used, "]");
}

} // namespace weft::runtime

const char *weft_dtype_name(int32_t dtype) {
  const auto *type = weft::runtime::elementType(dtype);
  return type ? type->name : "unknown";
}

size_t weft_dtype_size(int32_t dtype) {
  const auto *type = weft::runtime::elementType(dtype);
  return type ? type->bytes : 0;
}
