// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef WEFT_DIALECTS_WEFT_WEFTOPS_TD
#define WEFT_DIALECTS_WEFT_WEFTOPS_TD

include "dialects/weft/AttentionOps.td"
include "dialects/weft/GroupwiseOps.td"
include "dialects/weft/LayerOps.td"
include "dialects/weft/ProgramOps.td"
include "dialects/weft/QuantizedOps.td"

#endif // WEFT_DIALECTS_WEFT_WEFTOPS_TD
