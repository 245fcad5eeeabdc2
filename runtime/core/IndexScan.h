// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Whole numbers in arrays of any element type: checks of indices, fills.
#ifndef WEFT_RUNTIME_CORE_INDEXSCAN_H
#define WEFT_RUNTIME_CORE_INDEXSCAN_H

#include <cstdint>

namespace weft::runtime {

/// The position of the first value outside [0, limit); `count` if there is
/// none. The element type is a whole number.
uint64_t findOutOfRange(int32_t dtype, const void *data, uint64_t count, int64_t limit);

/// A value of an array of whole numbers.
int64_t valueAt(int32_t dtype, const void *data, uint64_t at);

/// Writes `value` to elements [begin, end).
void fillWith(int32_t dtype, void *data, uint64_t begin, uint64_t end, int64_t value);

} // namespace weft::runtime

#endif // WEFT_RUNTIME_CORE_INDEXSCAN_H
