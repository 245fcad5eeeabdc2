// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The tokenizer in a GGUF file as a Hugging Face tokenizer.json, which frontends/text reads and artifacts keep.
#ifndef WEFT_FRONTENDS_GGUF_TOKENIZERJSON_H
#define WEFT_FRONTENDS_GGUF_TOKENIZERJSON_H

#include "frontends/diagnostic/Diagnostic.h"
#include "frontends/gguf/Metadata.h"

#include <string>

namespace weft::gguf {

/// tokenizer.ggml.* of the metadata; an empty text where the file has no tokenizer. Errors: W0163, a kind of tokenizer
/// that Weft does not have, or lists that do not fit.
Result<std::string> tokenizerJson(const Metadata &metadata, const std::string &place);

} // namespace weft::gguf

#endif // WEFT_FRONTENDS_GGUF_TOKENIZERJSON_H
