// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A GGUF file as what a Hugging Face folder would hold of the same model: config.json, tokenizer.json and weights.
#ifndef WEFT_FRONTENDS_GGUF_GGUFMODEL_H
#define WEFT_FRONTENDS_GGUF_GGUFMODEL_H

#include "frontends/gguf/GgufFile.h"
#include "frontends/weights/WeightStore.h"

#include <nlohmann/json.hpp>

namespace weft::gguf {

struct GgufModel {
  nlohmann::json config;
  std::string tokenizer; ///< tokenizer.json as text; empty: the file has none
  WeightStore weights;   ///< keeps the file open
};

/// Errors: W0160 (an architecture without a table), W0161 (metadata that are missing, of a wrong type, or say what no
/// table has), W0162 (a tensor that no table has, or of a wrong shape), W0163 (a tokenizer that Weft does not have).
Result<GgufModel> readGgufModel(GgufFile file);

} // namespace weft::gguf

#endif // WEFT_FRONTENDS_GGUF_GGUFMODEL_H
