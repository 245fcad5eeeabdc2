// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// weft run where it continues texts: options, streaming, and what is told afterwards.
#ifndef WEFT_TOOLS_WEFT_CONTINUE_H
#define WEFT_TOOLS_WEFT_CONTINUE_H

#include "tools/weft/Generate.h"

namespace weft::cli {

struct ContinueArguments {
  std::vector<std::string> prompts; ///< or else `inputs`
  std::vector<std::string> stops;   ///< a text ends before the first of these in what is new
  GenerateOptions generate;

  bool given() const { return !prompts.empty() || generate.maxNewTokens > 0; }
};

/// Adds --prompt, --max-new-tokens, --stop, those of SamplingOptions, --seed and --ignore-eos.
void addContinueArguments(CLI::App &command, ContinueArguments &arguments);

/// Continues the prompts or the arrays of the file `inputs`; writes `sequences` to the file `outputs` and all that is
/// known to `json`, where they are named.
Result<void> continueTexts(const RunArguments &run, const ContinueArguments &arguments, const std::string &inputs,
                           const std::string &outputs, const std::string &json);

} // namespace weft::cli

#endif // WEFT_TOOLS_WEFT_CONTINUE_H
