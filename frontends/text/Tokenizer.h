// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Text to token ids and back, as a Hugging Face tokenizer.json says. The ids are those of PyPI tokenizers.
#ifndef WEFT_FRONTENDS_TEXT_TOKENIZER_H
#define WEFT_FRONTENDS_TEXT_TOKENIZER_H

#include "frontends/diagnostic/Diagnostic.h"
#include "frontends/text/Encoding.h"

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace weft::text {

/// What to do other than as the file says.
struct EncodeOptions {
  bool addSpecialTokens = true;

  enum class Truncate { AsFile, Never, ToMaxLength };
  Truncate truncate = Truncate::AsFile;
  size_t maxLength = 0; ///< for ToMaxLength: tokens with special ones; strategy and side are the file's, if it has any

  enum class Pad { AsFile, Never, Longest, ToLength };
  Pad pad = Pad::AsFile;
  size_t padLength = 0;          ///< for ToLength
  std::optional<uint32_t> padId; ///< in place of the file's. A file without one has 0, or the id of [PAD] or <pad>
};

struct Pipeline;

/// Immutable, cheap to copy, and safe to use from many threads at once.
class Tokenizer {
public:
  /// Reads tokenizer.json; W0101 when it cannot be read, otherwise as fromJson.
  static Result<Tokenizer> fromFile(const std::string &path);
  /// `place` names the text in diagnostics. W011x: not JSON that can be trusted; W0301 to W0304: not a tokenizer
  /// that Weft supports.
  static Result<Tokenizer> fromJson(std::string_view json, const std::string &place);

  /// Encodes a text or a pair. Bytes that are not UTF-8 are read as U+FFFD, one for each maximal broken part, as
  /// Python's bytes.decode('utf-8', 'replace') does. W0305 to W0307: the text has no such encoding.
  Result<Encoding> encode(std::string_view text, std::optional<std::string_view> pair = std::nullopt,
                          const EncodeOptions &options = {}) const;

  /// Encode each text or pair and pad them to the same length, unless the options or the file forbid it.
  Result<std::vector<Encoding>> encodeBatch(const std::vector<std::string> &texts,
                                            const EncodeOptions &options = {}) const;
  Result<std::vector<Encoding>> encodePairs(const std::vector<std::pair<std::string, std::string>> &pairs,
                                            const EncodeOptions &options = {}) const;

  /// Ids without a token are left out, and special tokens too if asked.
  Result<std::string> decode(const std::vector<uint32_t> &ids, bool skipSpecialTokens = true) const;

  size_t vocabularySize() const; ///< added tokens included
  std::optional<uint32_t> tokenToId(const std::string &token) const;
  std::optional<std::string> idToToken(uint32_t id) const;

  /// What the file says about lengths, if anything.
  const std::optional<Truncation> &truncation() const;
  const std::optional<Padding> &padding() const;

private:
  explicit Tokenizer(std::shared_ptr<const Pipeline> pipeline) : pipeline(std::move(pipeline)) {}

  Result<Encoding> encodeUnpadded(std::string_view text, std::optional<std::string_view> pair,
                                  const EncodeOptions &options) const;
  std::optional<Padding> paddingFor(const EncodeOptions &options) const;

  std::shared_ptr<const Pipeline> pipeline;
};

} // namespace weft::text

#endif // WEFT_FRONTENDS_TEXT_TOKENIZER_H
