// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A tensor of a GGUF file as those tensors of a Hugging Face folder that it is.
#ifndef WEFT_FRONTENDS_GGUF_STOREDVALUES_H
#define WEFT_FRONTENDS_GGUF_STOREDVALUES_H

#include "frontends/gguf/Architectures.h"
#include "frontends/gguf/GgufFile.h"
#include "frontends/weights/Safetensors.h"

namespace weft::gguf {

/// Heads of queries and of keys, for the changes of rows.
struct HeadCounts {
  int64_t queries = 1;
  int64_t keys = 1;
};

/// Views of f32 values, decoded when they are read; of F32, F16 and BF16 that nothing changes, views of their bytes.
/// `name` is the folder's, with * where there are several. Errors: W0162, the shape does not fit the change.
Result<std::vector<TensorView>> viewsOf(const BlockTensor &tensor, const std::string &name, Change change,
                                        const HeadCounts &heads, const std::string &place);

} // namespace weft::gguf

#endif // WEFT_FRONTENDS_GGUF_STOREDVALUES_H
