// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A model's description into model.h: for C and C++ programs, its sizes as constants and one typed function an entry.
//
//   #define BERT_ENCODE_MAX_BATCH 64
//   static inline weft_status bert_encode(weft_session *session, int64_t batch, int64_t sequence,
//                                         const int64_t *input_ids, …, float *last_hidden_state);
#ifndef WEFT_COMPILER_EMIT_HEADER_H
#define WEFT_COMPILER_EMIT_HEADER_H

#include "compiler/emit/ModelDescription.h"

namespace weft {

std::string headerText(const ModelDescription &model);

} // namespace weft

#endif // WEFT_COMPILER_EMIT_HEADER_H
