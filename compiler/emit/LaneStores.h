// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Stores of vectors of which one lane is wanted, as stores of that element.
#ifndef WEFT_COMPILER_EMIT_LANESTORES_H
#define WEFT_COMPILER_EMIT_LANESTORES_H

namespace llvm {
class Module;
} // namespace llvm

namespace weft {

/// Runs last before the code generator: only then is it known which masks are constants. On AVX-512, LLVM 22 gives
/// such a store of a truncated vector the width of the numbers before the truncation, and so writes past the end.
void storeLanesAlone(llvm::Module &module);

} // namespace weft

#endif // WEFT_COMPILER_EMIT_LANESTORES_H
