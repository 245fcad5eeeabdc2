// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Memory that grows: a range of addresses, of which the system gives a page
// when it is first touched. Plain data, all zero when empty, so that it can
// lie in an Array; whoever holds it releases it.
#ifndef WEFT_RUNTIME_CORE_RESERVATION_H
#define WEFT_RUNTIME_CORE_RESERVATION_H

#include <cstdint>

namespace weft::runtime {

struct Reservation {
  char *begin;
  uint64_t bytes;

  /// At least so long from now on; what was written stays, perhaps elsewhere.
  /// Nothing happens when it is long enough. False, with nothing changed, when
  /// the system refuses.
  bool grow(uint64_t least);
  /// Gives touched pages back: all is zero again.
  void clear();
  void release();
};

} // namespace weft::runtime

#endif // WEFT_RUNTIME_CORE_RESERVATION_H
