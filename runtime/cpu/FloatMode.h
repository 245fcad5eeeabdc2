// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Results must not depend on the thread that computes them. The embedding
// program may have set rounding or flush-to-zero on its threads, and a new
// thread inherits that: so generated code runs in the default mode.
#ifndef WEFT_RUNTIME_CPU_FLOATMODE_H
#define WEFT_RUNTIME_CPU_FLOATMODE_H

#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

namespace weft::runtime {

/// Round to nearest, denormals kept, no trap; the old mode comes back at the
/// end of the scope.
class DefaultFloatMode {
public:
#if defined(__x86_64__)
  DefaultFloatMode() : before(_mm_getcsr()) { _mm_setcsr(0x1f80); }
  ~DefaultFloatMode() { _mm_setcsr(before); }

private:
  unsigned before;
#endif
  DefaultFloatMode(const DefaultFloatMode &) = delete;
  DefaultFloatMode &operator=(const DefaultFloatMode &) = delete;
#if !defined(__x86_64__)
public:
  DefaultFloatMode() {}
#endif
};

} // namespace weft::runtime

#endif // WEFT_RUNTIME_CPU_FLOATMODE_H
