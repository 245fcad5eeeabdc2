// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/core/IndexScan.h"

#include "runtime/include/weft/abi.h"

#include <limits>
#include <type_traits>

namespace weft::runtime {

// Counts offenders in blocks without a branch, which the compiler vectorises;
// looks for the place only where there is one. A negative value is a large
// unsigned one, so one comparison tests both ends.
template <class T> static uint64_t scan(const T *values, uint64_t count, int64_t limit) {
  using Unsigned = std::make_unsigned_t<T>;
  constexpr uint64_t kLargest = uint64_t(std::numeric_limits<T>::max());
  constexpr uint64_t kBlock = 1024; // elements; stays in the L1 cache
  if (uint64_t(limit) > kLargest && std::is_unsigned_v<T>)
    return count; // every value of this type lies below
  uint64_t within = uint64_t(limit) > kLargest ? kLargest + 1 : uint64_t(limit);
  Unsigned bound = static_cast<Unsigned>(within);
  for (uint64_t begin = 0; begin < count; begin += kBlock) {
    uint64_t end = begin + kBlock < count ? begin + kBlock : count;
    Unsigned offenders = 0;
    for (uint64_t i = begin; i < end; ++i)
      offenders |= static_cast<Unsigned>(values[i]) >= bound;
    if (offenders)
      for (uint64_t i = begin; i < end; ++i)
        if (static_cast<Unsigned>(values[i]) >= bound)
          return i;
  }
  return count;
}

uint64_t findOutOfRange(int32_t dtype, const void *data, uint64_t count, int64_t limit) {
  switch (dtype) {
  case WEFT_I8:
    return scan(static_cast<const int8_t *>(data), count, limit);
  case WEFT_I16:
    return scan(static_cast<const int16_t *>(data), count, limit);
  case WEFT_I32:
    return scan(static_cast<const int32_t *>(data), count, limit);
  case WEFT_I64:
    return scan(static_cast<const int64_t *>(data), count, limit);
  default:
    return scan(static_cast<const uint8_t *>(data), count, limit);
  }
}

int64_t valueAt(int32_t dtype, const void *data, uint64_t at) {
  switch (dtype) {
  case WEFT_I8:
    return static_cast<const int8_t *>(data)[at];
  case WEFT_I16:
    return static_cast<const int16_t *>(data)[at];
  case WEFT_I32:
    return static_cast<const int32_t *>(data)[at];
  case WEFT_I64:
    return static_cast<const int64_t *>(data)[at];
  default:
    return static_cast<const uint8_t *>(data)[at];
  }
}

template <class T> static void fill(void *data, uint64_t begin, uint64_t end, int64_t value) {
  T *elements = static_cast<T *>(data);
  for (uint64_t i = begin; i < end; ++i)
    elements[i] = static_cast<T>(value);
}

void fillWith(int32_t dtype, void *data, uint64_t begin, uint64_t end, int64_t value) {
  switch (dtype) {
  case WEFT_F32:
    return fill<float>(data, begin, end, value);
  case WEFT_F64:
    return fill<double>(data, begin, end, value);
  case WEFT_I16:
  case WEFT_F16:
  case WEFT_BF16:
    return fill<int16_t>(data, begin, end, value);
  case WEFT_I32:
    return fill<int32_t>(data, begin, end, value);
  case WEFT_I64:
    return fill<int64_t>(data, begin, end, value);
  default:
    return fill<uint8_t>(data, begin, end, value);
  }
}

} // namespace weft::runtime
