// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A number of a weight that is rounded in groups, taken out of the bytes.
#ifndef WEFT_DIALECTS_WEFT_GROUPWISEELEMENT_H
#define WEFT_DIALECTS_WEFT_GROUPWISEELEMENT_H

#include "dialects/weft/Definition.h"
#include "dialects/weft/GroupForm.h"

namespace weft {
/// Element [k, n] of `panels`, [panels, groups, bytes] behind the dimensions that `leading` are indices of, as f32.
mlir::Value groupwiseElement(DefinitionBuilder &d, mlir::Value panels, mlir::ValueRange leading, GroupForm form,
                             mlir::Value k, mlir::Value n);
} // namespace weft

#endif // WEFT_DIALECTS_WEFT_GROUPWISEELEMENT_H
