// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Functions of one number that the compiler applies to the elements of a weight, once.
#ifndef WEFT_DIALECTS_WEFT_ELEMENTFUNCTION_H
#define WEFT_DIALECTS_WEFT_ELEMENTFUNCTION_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"

namespace weft {

/// An op with one operand, and what it computes.
struct ElementFunction {
  llvm::StringLiteral name; ///< of the op: "math.exp"
  double (*apply)(double);
};

/// All functions; to add one, add a line to the table.
llvm::ArrayRef<ElementFunction> elementFunctions();

/// The function of this name, or null.
const ElementFunction *findElementFunction(llvm::StringRef name);

} // namespace weft

#endif // WEFT_DIALECTS_WEFT_ELEMENTFUNCTION_H
