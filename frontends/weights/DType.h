// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The element types that safetensors files name.
#ifndef WEFT_FRONTENDS_WEIGHTS_DTYPE_H
#define WEFT_FRONTENDS_WEIGHTS_DTYPE_H

#include <cstdint>
#include <optional>
#include <string_view>

namespace weft {

/// In the order of the format's own list (safetensors/src/tensor.rs).
enum class DType {
  Bool,
  F4,
  F6E2M3,
  F6E3M2,
  U8,
  I8,
  F8E5M2,
  F8E4M3,
  F8E8M0,
  I16,
  U16,
  F16,
  BF16,
  I32,
  U32,
  F32,
  C64,
  F64,
  I64,
  U64
};

/// The name in the file: "F32", "F8_E4M3", ….
std::string_view dtypeName(DType dtype);

std::optional<DType> dtypeFromName(std::string_view name);

/// 4 and 6 occur: such tensors are packed and must fill whole bytes.
uint32_t bitsPerElement(DType dtype);

} // namespace weft

#endif // WEFT_FRONTENDS_WEIGHTS_DTYPE_H
