// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Texts continued token by token: prefill reads them, decode goes on from what the session keeps.
#ifndef WEFT_TOOLS_WEFT_GENERATE_H
#define WEFT_TOOLS_WEFT_GENERATE_H

#include "tools/weft/Model.h"
#include "tools/weft/Sampler.h"

#include <functional>

namespace weft::cli {

struct GenerateOptions {
  int64_t maxNewTokens = 0; ///< 0: not asked for
  SamplingOptions sampling;
  uint64_t seed = 0;      ///< of the first row; the others have those after it
  bool ignoreEnd = false; ///< goes on after a token that ends a text
};

struct Generated {
  Array sequences; ///< I64 [batch, tokens]: the inputs and what follows; after its end a row repeats its last token
  std::vector<int64_t> lengths; ///< new tokens of each row, the one that ends it included
  double prefillSeconds = 0, decodeSeconds = 0;
  int64_t steps = 0; ///< calls of decode
};

/// Continues `inputs` (input_ids, and attention_mask where rows are padded on the left). `onToken` hears of each new
/// token of a row, and says whether the row ends there. W0517: the model does not generate; W0518: rows are padded on
/// the right; W0519: scores that are no numbers; W04xx: the runtime refuses the inputs.
Result<Generated> generate(const Model &model, Runner &prefill, const std::vector<Array> &inputs,
                           const GenerateOptions &options,
                           const std::function<bool(int64_t row, int64_t token)> &onToken);

/// A model with the entry prefill ready to run, for `generate`. W0517: it has none.
Result<Opened> openToGenerate(const RunArguments &arguments);

} // namespace weft::cli

#endif // WEFT_TOOLS_WEFT_GENERATE_H
