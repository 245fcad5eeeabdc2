// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Ops of mixtures of experts. A header of its own: few files need it.
#ifndef WEFT_DIALECTS_WEFT_ROUTINGOPS_H
#define WEFT_DIALECTS_WEFT_ROUTINGOPS_H

#include "dialects/weft/WeftDialect.h"

#define GET_OP_CLASSES
#include "dialects/weft/RoutingOps.h.inc"

#endif // WEFT_DIALECTS_WEFT_ROUTINGOPS_H
