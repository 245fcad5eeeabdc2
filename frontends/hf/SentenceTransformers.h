// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// SentenceTransformers folders: modules.json lists what follows the encoder. The pooling and normalisation become part
// of the program: output `sentence_embedding` [batch, hidden].
#ifndef WEFT_FRONTENDS_HF_SENTENCETRANSFORMERS_H
#define WEFT_FRONTENDS_HF_SENTENCETRANSFORMERS_H

#include "frontends/builder/GraphBuilder.h"
#include "frontends/diagnostic/Diagnostic.h"

#include <filesystem>
#include <optional>

namespace weft {

enum class PoolingMode { FirstToken, Max, Mean, MeanSqrtLength };

struct SentencePooling {
  PoolingMode mode = PoolingMode::Mean;
  bool normalize = false; ///< to Euclidean length 1
};

/// What modules.json asks for; nothing when the folder has none.
Result<std::optional<SentencePooling>> readSentencePooling(const std::filesystem::path &folder, int64_t hidden);

/// Adds the output `sentence_embedding` of hidden states [tokens, n].
void buildSentenceEmbedding(GraphBuilder &graph, const SentencePooling &pooling, mlir::Value hidden);

} // namespace weft

#endif // WEFT_FRONTENDS_HF_SENTENCETRANSFORMERS_H
