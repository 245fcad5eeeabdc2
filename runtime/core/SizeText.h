// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Bytes as messages tell them.
#ifndef WEFT_RUNTIME_CORE_SIZETEXT_H
#define WEFT_RUNTIME_CORE_SIZETEXT_H

#include <cstddef>
#include <cstdint>
#include <cstdio>

namespace weft::runtime {

/// "1.5 GB".
struct SizeText {
  explicit SizeText(uint64_t bytes) {
    static const char *const kUnits[] = {"bytes", "kB", "MB", "GB", "TB", "PB", "EB"};
    double size = double(bytes);
    size_t unit = 0;
    for (; size >= 1000; ++unit)
      size /= 1000;
    snprintf(text, sizeof(text), unit ? "%.1f %s" : "%.0f %s", size, kUnits[unit]);
  }
  char text[16];
};

} // namespace weft::runtime

#endif // WEFT_RUNTIME_CORE_SIZETEXT_H
