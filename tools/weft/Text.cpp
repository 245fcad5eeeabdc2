// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
#include "tools/weft/Text.h"

#include "tools/weft/PagedTexts.h"

#include <algorithm>
#include <cmath>

namespace weft::cli {
namespace {

using text::EncodeOptions;
using text::Encoding;

/// `pad` Longest: results do not depend on padding, and a fixed length would only cost time.
Result<std::vector<Encoding>> encode(const Model &model, const std::vector<std::string> &texts,
                                     EncodeOptions::Pad pad) {
  Result<text::Tokenizer> tokenizer = model.tokenizer();
  if (!tokenizer)
    return tokenizer.takeError();
  EncodeOptions options;
  options.pad = pad;
  return tokenizer->encodeBatch(texts, options);
}

/// Tokens that stand for text.
size_t tokensOfText(const Encoding &encoding) {
  return std::count(encoding.specialTokensMask.begin(), encoding.specialTokensMask.end(), 0u);
}

Result<void> checkTexts(const std::vector<Encoding> &encodings, const Model &model, const Entry &entry) {
  const weft_dim_info *sequence = entry.dim("sequence");
  for (size_t row = 0; row < encodings.size(); ++row) {
    const Encoding &encoding = encodings[row];
    std::string which = "text " + std::to_string(row + 1);
    if (tokensOfText(encoding) == 0)
      return Diagnostic{"W0511", which + " is empty", model.path(), "give a text with at least one word"};
    int64_t length = std::count(encoding.attentionMask.begin(), encoding.attentionMask.end(), 1u);
    if (sequence && length > sequence->max)
      return Diagnostic{"W0511",
                        which + " has " + std::to_string(length) + " tokens, the model takes at most " +
                            std::to_string(sequence->max),
                        model.path(), "cut the text into parts"};
  }
  return {};
}

/// Each text's tokens, checked.
Result<std::vector<Encoding>> tokensOf(const Model &model, const Entry &entry, const std::vector<std::string> &texts,
                                       EncodeOptions::Pad pad) {
  if (!entry.input("input_ids") || !model.hasTokenizer())
    return Diagnostic{"W0507",
                      entry.input("input_ids") ? "the model has no tokenizer.json" : "the model takes no token ids",
                      model.path(), "give arrays with --inputs in.npz"};
  Result<std::vector<Encoding>> encodings = encode(model, texts, pad);
  if (!encodings)
    return encodings;
  if (Result<void> checked = checkTexts(*encodings, model, entry); !checked)
    return checked.takeError();
  return encodings;
}

} // namespace

Result<std::vector<Array>> encodePrompts(const Model &model, const Entry &entry,
                                         const std::vector<std::string> &prompts) {
  Result<std::vector<Encoding>> encodings = tokensOf(model, entry, prompts, EncodeOptions::Pad::Never);
  if (!encodings)
    return encodings.takeError();
  size_t longest = 0;
  for (const Encoding &encoding : *encodings)
    longest = std::max(longest, encoding.size());
  std::vector<int64_t> ids, mask;
  for (const Encoding &encoding : *encodings) {
    ids.insert(ids.end(), longest - encoding.size(), 0);
    ids.insert(ids.end(), encoding.ids.begin(), encoding.ids.end());
    mask.insert(mask.end(), longest - encoding.size(), 0);
    mask.insert(mask.end(), encoding.size(), 1);
  }
  std::vector<int64_t> shape = {static_cast<int64_t>(prompts.size()), static_cast<int64_t>(longest)};
  std::vector<Array> inputs{Array::of("input_ids", shape, ids)};
  if (entry.input("attention_mask") || isPaged(entry))
    inputs.push_back(Array::of("attention_mask", shape, mask));
  return inputs;
}

Result<std::vector<Array>> encodeTexts(const Model &model, const Entry &entry, const std::vector<std::string> &texts) {
  // What the entry keeps, and gives of the last token, is the text's then, and not its padding's.
  if (!entry.states.empty())
    return encodePrompts(model, entry, texts);
  Result<std::vector<Encoding>> encodings = tokensOf(model, entry, texts, EncodeOptions::Pad::Longest);
  if (!encodings)
    return encodings.takeError();
  std::vector<int64_t> shape = {static_cast<int64_t>(texts.size()), static_cast<int64_t>(encodings->front().size())};
  std::vector<Array> inputs;
  auto add = [&](const char *name, std::vector<uint32_t> Encoding::*part) {
    std::vector<int64_t> values;
    for (const Encoding &encoding : *encodings)
      values.insert(values.end(), (encoding.*part).begin(), (encoding.*part).end());
    if (entry.input(name))
      inputs.push_back(Array::of(name, shape, values));
  };
  add("input_ids", &Encoding::ids);
  add("attention_mask", &Encoding::attentionMask);
  add("token_type_ids", &Encoding::typeIds);
  return inputs;
}

Result<TextStream> TextStream::make(const Model &model, std::vector<uint32_t> before) {
  Result<text::Tokenizer> tokenizer = model.tokenizer();
  if (!tokenizer)
    return tokenizer.takeError();
  return TextStream(std::move(*tokenizer), std::move(before));
}

/// The text of all tokens without that of those shown; less what may still change, unless the `whole` is asked for.
Result<std::string> TextStream::tail(bool whole) {
  Result<std::string> before = tokenizer.decode({tokens.begin(), tokens.begin() + shown});
  Result<std::string> all = before ? tokenizer.decode(tokens) : before;
  if (!all)
    return all;
  constexpr std::string_view kBroken = "\uFFFD"; // a character whose bytes are not all there
  if (all->size() <= before->size() || (!whole && all->ends_with(kBroken)))
    return std::string();
  tokens.erase(tokens.begin(), tokens.begin() + shown);
  shown = tokens.size();
  return all->substr(before->size());
}

Result<std::string> TextStream::next(uint32_t token) {
  tokens.push_back(token);
  return tail(/*whole=*/false);
}

Result<std::string> TextStream::finish() { return tail(/*whole=*/true); }

double cosine(const Array &rows, int64_t i, int64_t j) {
  int64_t width = rows.shape[1];
  const float *left = rows.values<float>().data() + i * width, *right = rows.values<float>().data() + j * width;
  double product = 0, leftNorm = 0, rightNorm = 0;
  for (int64_t index = 0; index < width; ++index) {
    product += double(left[index]) * right[index];
    leftNorm += double(left[index]) * left[index];
    rightNorm += double(right[index]) * right[index];
  }
  double norm = std::sqrt(leftNorm * rightNorm);
  return norm > 0 ? product / norm : 0;
}

} // namespace weft::cli
