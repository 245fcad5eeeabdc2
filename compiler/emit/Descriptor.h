// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A model's description into an object that holds it as a weft_abi_model under the symbol weft_model_descriptor.
#ifndef WEFT_COMPILER_EMIT_DESCRIPTOR_H
#define WEFT_COMPILER_EMIT_DESCRIPTOR_H

#include "compiler/Target.h"
#include "compiler/emit/ModelDescription.h"
#include "compiler/emit/ObjectEmitter.h"
#include "compiler/emit/PtxEmitter.h"

namespace weft {

/// The descriptor refers to the variants' functions for `targets`, best first (see variantSymbol), and lists `kernels`,
/// those of each target together.
Result<Object> emitDescriptor(const ModelDescription &model, const std::vector<const Target *> &targets,
                              const std::vector<Kernel> &kernels = {});

} // namespace weft

#endif // WEFT_COMPILER_EMIT_DESCRIPTOR_H
