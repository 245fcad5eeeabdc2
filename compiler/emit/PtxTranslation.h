// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// weft-translate --weft-to-ptx: the kernels of a module after its last phase as PTX, for those who develop the
// compiler.
#ifndef WEFT_COMPILER_EMIT_PTXTRANSLATION_H
#define WEFT_COMPILER_EMIT_PTXTRANSLATION_H

namespace weft {

void registerPtxTranslation();

} // namespace weft

#endif // WEFT_COMPILER_EMIT_PTXTRANSLATION_H
