// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The hand-written model.so with both variants for a feature that no processor has.
#include "weft/abi.h"
#undef WEFT_CPU_V3
#define WEFT_CPU_V3 (UINT64_C(1) << 50)
#define DEMO_LEAST_FEATURES WEFT_CPU_V3
#include "runtime/demo/hand_written_artifact.c"
