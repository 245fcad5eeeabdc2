// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Ops on caches. A header of its own: few files need it.
#ifndef WEFT_DIALECTS_WEFT_CACHEOPS_H
#define WEFT_DIALECTS_WEFT_CACHEOPS_H

#include "dialects/weft/WeftDialect.h"

#define GET_OP_CLASSES
#include "dialects/weft/CacheOps.h.inc"

#endif // WEFT_DIALECTS_WEFT_CACHEOPS_H
