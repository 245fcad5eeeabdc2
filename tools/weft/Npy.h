// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// NumPy's file of one array (.npy) into an Array, and back. The format is numpy.lib.format's: magic, version, the
// length of a header that is a Python dictionary, the data.
#ifndef WEFT_TOOLS_WEFT_NPY_H
#define WEFT_TOOLS_WEFT_NPY_H

#include "compiler/include/weft/Compiler.h"

#include <span>
#include <string>

namespace weft::cli {

/// What a file says of its array.
struct NpyHeader {
  ElementType type;
  std::vector<int64_t> shape;
  size_t dataOffset;
  size_t dataBytes;
};

/// The longest header that is read: one of a plain array has about 100 bytes.
constexpr size_t kMaxNpyHeader = 64 * 1024;

/// Reads the header at the start of `bytes`. W0505: it is no such file, or holds what Weft does not take (objects,
/// other byte orders, Fortran's order); `place` names it.
Result<NpyHeader> parseNpyHeader(std::span<const std::byte> bytes, const std::string &place);

/// The whole file. W0505.
Result<Array> parseNpy(std::span<const std::byte> bytes, const std::string &name, const std::string &place);

/// The file's bytes.
std::string npyBytes(const Array &array);

} // namespace weft::cli

#endif // WEFT_TOOLS_WEFT_NPY_H
