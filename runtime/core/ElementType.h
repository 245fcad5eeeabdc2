// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Element types: their names here and in safetensors, their sizes.
#ifndef WEFT_RUNTIME_CORE_ELEMENTTYPE_H
#define WEFT_RUNTIME_CORE_ELEMENTTYPE_H

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace weft::runtime {

struct ElementType {
  const char *name;
  const char *safetensorsName;
  size_t bytes;
  bool integer;
};

/// Null when the number is no element type.
const ElementType *elementType(int32_t dtype);

/// The WEFT_ number of a safetensors type name; 0 when the runtime has none.
int32_t dtypeOfSafetensors(std::string_view name);

/// Bytes of an element of any safetensors type; 0 when the name is unknown.
size_t bytesOfSafetensors(std::string_view name);

/// Text of a shape, "[2, 384]", for messages.
struct ShapeText {
  ShapeText(const int64_t *shape, int32_t rank);
  char text[192];
};

} // namespace weft::runtime

#endif // WEFT_RUNTIME_CORE_ELEMENTTYPE_H
