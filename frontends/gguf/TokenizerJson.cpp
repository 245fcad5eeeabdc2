// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//   llama: SentencePiece's BPE, whose scores become the ranks of merges; characters without a token are their bytes
//   gpt2:  BPE of bytes with merges; tokenizer.ggml.pre names the expression that cuts the text into words
#include "frontends/gguf/TokenizerJson.h"

#include "frontends/weights/Safetensors.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <unordered_map>

namespace weft::gguf {
namespace {

using nlohmann::json;

constexpr int64_t kControl = 3, kUserDefined = 4, kUnknown = 2, kByte = 6; ///< of tokenizer.ggml.token_type
constexpr size_t kLongestMerged = 1024;        ///< bytes of a token that merges make; published ones stay below 200
constexpr const char *kBlank = "\xE2\x96\x81"; ///< U+2581, which stands for a blank

constexpr const char *kGpt4 = R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}|)"
                              R"( ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr const char *kGpt4OneDigit = R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}|)"
                                      R"( ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr const char *kGpt4o =
    R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|)"
    R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|)"
    R"(\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr const char *kTekken = R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+|)"
                                R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*|)"
                                R"(\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+)";

/// How a text is cut into words, by tokenizer.ggml.pre.
struct WordRule {
  const char *name;
  const char *expression;       ///< null: GPT-2's own
  bool eachDigit = false;       ///< digits are cut off first
  bool wholeWords = false;      ///< a word that is a token is it, whatever merges would make
  bool composed = false;        ///< NFC first
  bool startsByDefault = false; ///< a text begins with the token for it where the file says nothing
};
constexpr WordRule kWordRules[] = {
    {.name = "gpt-2", .expression = nullptr},
    {.name = "phi-2", .expression = nullptr},
    {.name = "mpt", .expression = nullptr},
    {.name = "olmo", .expression = nullptr},
    {.name = "starcoder", .expression = nullptr, .eachDigit = true},
    {.name = "refact", .expression = nullptr, .eachDigit = true},
    {.name = "command-r", .expression = nullptr, .eachDigit = true},
    {.name = "smollm", .expression = nullptr, .eachDigit = true},
    {.name = "llama-bpe", .expression = kGpt4, .wholeWords = true, .startsByDefault = true},
    {.name = "dbrx", .expression = kGpt4},
    {.name = "qwen2", .expression = kGpt4OneDigit, .composed = true},
    {.name = "deepseek-r1-qwen", .expression = kGpt4OneDigit, .composed = true},
    {.name = "stablelm2", .expression = kGpt4OneDigit, .composed = true},
    {.name = "gpt-4o", .expression = kGpt4o},
    {.name = "tekken", .expression = kTekken, .wholeWords = true},
};

/// The lists and numbers of tokenizer.ggml.
class Vocabulary {
public:
  Vocabulary(const Metadata &metadata, const std::string &place) : metadata(metadata), place(place) {}

  Result<void> read();
  const Value *find(const std::string &key) const {
    auto found = metadata.find("tokenizer.ggml." + key);
    return found == metadata.end() ? nullptr : &found->second;
  }
  bool flag(const char *key, bool byDefault) const {
    const Value *value = find(key);
    return value ? value->flag().value_or(byDefault) : byDefault;
  }
  /// The token whose id the key gives; nothing: there is none.
  std::optional<uint32_t> token(const char *key) const {
    const Value *value = find(key);
    std::optional<int64_t> id = value ? value->integer() : std::nullopt;
    return id && *id >= 0 && *id < static_cast<int64_t>(tokens.size()) ? std::optional(static_cast<uint32_t>(*id))
                                                                       : std::nullopt;
  }
  Diagnostic refuse(const std::string &key, const std::string &what) const {
    return {"W0163", what, place + ", metadata \"tokenizer.ggml." + key + "\"",
            "fetch the file again, or give token ids with --inputs"};
  }

  std::vector<std::string_view> tokens;
  std::vector<int64_t> types;

private:
  const Metadata &metadata;
  const std::string &place;
};

Result<void> Vocabulary::read() {
  const Value *list = find("tokens"), *kinds = find("token_type");
  std::optional<std::vector<std::string_view>> texts = list ? list->texts() : std::nullopt;
  if (!texts || texts->empty())
    return refuse("tokens", "the tokenizer has no list of tokens");
  tokens = std::move(*texts);
  types.assign(tokens.size(), 1);
  if (!kinds)
    return {};
  std::optional<std::vector<int64_t>> numbers = kinds->integers();
  if (!numbers || numbers->size() != tokens.size())
    return refuse("token_type", "the tokenizer's types are not one for each token");
  types = std::move(*numbers);
  return {};
}

json vocabularyOf(const Vocabulary &vocabulary) {
  json object = json::object();
  for (size_t id = 0; id < vocabulary.tokens.size(); ++id)
    object.emplace(vocabulary.tokens[id], id); // of two that are spelled alike the first is found, as in ggml
  return object;
}

json addedTokens(const Vocabulary &vocabulary) {
  json list = json::array();
  for (size_t id = 0; id < vocabulary.tokens.size(); ++id)
    if ((vocabulary.types[id] == kControl || vocabulary.types[id] == kUserDefined) && !vocabulary.tokens[id].empty())
      list.push_back({{"id", id},
                      {"content", vocabulary.tokens[id]},
                      {"single_word", false},
                      {"lstrip", false},
                      {"rstrip", false},
                      {"normalized", false},
                      {"special", vocabulary.types[id] == kControl}});
  return list;
}

/// What stands before and behind a text.
json templateOf(const Vocabulary &vocabulary, bool startsByDefault) {
  json single = json::array(), pair = json::array(), special = json::object();
  std::optional<uint32_t> start, end;
  if (vocabulary.flag("add_bos_token", startsByDefault))
    start = vocabulary.token("bos_token_id");
  if (vocabulary.flag("add_eos_token", false))
    end = vocabulary.token("eos_token_id");
  auto add = [&](std::optional<uint32_t> id, int type) {
    if (!id)
      return;
    std::string text(vocabulary.tokens[*id]);
    special[text] = {{"id", text}, {"ids", {*id}}, {"tokens", {text}}};
    json token = {{"SpecialToken", {{"id", text}, {"type_id", type}}}};
    if (type == 0)
      single.push_back(token);
    pair.push_back(token);
  };
  auto addText = [&](const char *name, int type) {
    json text = {{"Sequence", {{"id", name}, {"type_id", type}}}};
    if (type == 0)
      single.push_back(text);
    pair.push_back(text);
  };
  add(start, 0);
  addText("A", 0);
  add(end, 0);
  add(start, 1);
  addText("B", 1);
  add(end, 1);
  return {{"type", "TemplateProcessing"}, {"single", single}, {"pair", pair}, {"special_tokens", special}};
}

/// The merges that a vocabulary with scores stands for: every way to cut a token into two, the best score first.
Result<json> mergesByScore(const Vocabulary &vocabulary) {
  const Value *list = vocabulary.find("scores");
  std::optional<std::vector<double>> scores = list ? list->numbers() : std::nullopt;
  if (!scores || scores->size() != vocabulary.tokens.size())
    return vocabulary.refuse("scores", "the tokenizer's scores are not one for each token");
  std::unordered_map<std::string_view, uint32_t> ids;
  for (size_t id = 0; id < vocabulary.tokens.size(); ++id)
    ids.emplace(vocabulary.tokens[id], id);
  struct Merge {
    double score;
    uint32_t token, left, right;
  };
  std::vector<Merge> merges;
  for (size_t id = 0; id < vocabulary.tokens.size(); ++id) {
    std::string_view text = vocabulary.tokens[id];
    int64_t type = vocabulary.types[id];
    if (type == kControl || type == kUnknown || type == kByte || text.size() > kLongestMerged)
      continue;
    for (size_t cut = 1; cut < text.size(); ++cut) {
      auto left = ids.find(text.substr(0, cut)), right = ids.find(text.substr(cut));
      if ((text[cut] & 0xC0) != 0x80 && left != ids.end() && right != ids.end())
        merges.push_back({(*scores)[id], static_cast<uint32_t>(id), left->second, right->second});
    }
  }
  std::ranges::sort(merges, [](const Merge &a, const Merge &b) {
    return std::tuple(-a.score, a.token, a.left, a.right) < std::tuple(-b.score, b.token, b.left, b.right);
  });
  json pairs = json::array();
  for (const Merge &merge : merges)
    pairs.push_back({vocabulary.tokens[merge.left], vocabulary.tokens[merge.right]});
  return pairs;
}

/// SentencePiece's BPE.
Result<json> pieceTokenizer(const Vocabulary &vocabulary) {
  Result<json> merges = mergesByScore(vocabulary);
  if (!merges)
    return merges.takeError();
  bool hasPrefix = vocabulary.flag("add_space_prefix", true);
  json blanks = {{"type", "Replace"}, {"pattern", {{"String", " "}}}, {"content", kBlank}};
  json prefix = {{"type", "Prepend"}, {"prepend", kBlank}};
  json decoders = {{{"type", "Replace"}, {"pattern", {{"String", kBlank}}}, {"content", " "}},
                   {{"type", "ByteFallback"}},
                   {{"type", "Fuse"}}};
  if (hasPrefix)
    decoders.push_back({{"type", "Strip"}, {"content", " "}, {"start", 1}, {"stop", 0}});
  json model = {{"type", "BPE"},
                {"fuse_unk", true},
                {"byte_fallback", true},
                {"vocab", vocabularyOf(vocabulary)},
                {"merges", std::move(*merges)}};
  if (std::optional<uint32_t> unknown = vocabulary.token("unknown_token_id"))
    model["unk_token"] = vocabulary.tokens[*unknown];
  return json{{"version", "1.0"},
              {"added_tokens", addedTokens(vocabulary)},
              {"normalizer", hasPrefix ? json{{"type", "Sequence"}, {"normalizers", {prefix, blanks}}} : blanks},
              {"post_processor", templateOf(vocabulary, /*startsByDefault=*/true)},
              {"decoder", {{"type", "Sequence"}, {"decoders", decoders}}},
              {"model", std::move(model)}};
}

Result<const WordRule *> findWordRule(const Vocabulary &vocabulary) {
  const Value *value = vocabulary.find("pre");
  std::string_view name = value ? value->text().value_or("") : "gpt-2"; // older files say nothing
  std::string known;
  for (const WordRule &rule : kWordRules) {
    if (name == rule.name)
      return &rule;
    known += std::string(known.empty() ? "" : ", ") + rule.name;
  }
  return vocabulary.refuse("pre", "the rule by which " + printableName(name) +
                                      " cuts a text into words is not supported; supported are " + known);
}

/// BPE of bytes.
Result<json> byteTokenizer(const Vocabulary &vocabulary) {
  Result<const WordRule *> rule = findWordRule(vocabulary);
  if (!rule)
    return rule.takeError();
  const Value *list = vocabulary.find("merges");
  std::optional<std::vector<std::string_view>> merges = list ? list->texts() : std::nullopt;
  if (!merges)
    return vocabulary.refuse("merges", "the tokenizer has no list of merges");
  const WordRule &words = **rule;
  json steps = json::array();
  if (words.eachDigit)
    steps.push_back({{"type", "Digits"}, {"individual_digits", true}});
  if (words.expression)
    steps.push_back(
        {{"type", "Split"}, {"pattern", {{"Regex", words.expression}}}, {"behavior", "Isolated"}, {"invert", false}});
  steps.push_back({{"type", "ByteLevel"},
                   {"add_prefix_space", vocabulary.flag("add_space_prefix", false)},
                   {"trim_offsets", true},
                   {"use_regex", words.expression == nullptr}});
  json decoder = {{"type", "ByteLevel"}, {"add_prefix_space", true}, {"trim_offsets", true}, {"use_regex", true}};
  json model = {
      {"type", "BPE"}, {"ignore_merges", words.wholeWords}, {"vocab", vocabularyOf(vocabulary)}, {"merges", *merges}};
  return json{{"version", "1.0"},
              {"added_tokens", addedTokens(vocabulary)},
              {"normalizer", words.composed ? json{{"type", "NFC"}} : json()},
              {"pre_tokenizer", {{"type", "Sequence"}, {"pretokenizers", steps}}},
              {"post_processor", templateOf(vocabulary, words.startsByDefault)},
              {"decoder", decoder},
              {"model", std::move(model)}};
}

} // namespace

Result<std::string> tokenizerJson(const Metadata &metadata, const std::string &place) {
  Vocabulary vocabulary(metadata, place);
  const Value *kind = vocabulary.find("model");
  if (!kind)
    return std::string();
  std::optional<std::string_view> name = kind->text();
  if (name == "none" || name == "no_vocab")
    return std::string();
  if (name != "llama" && name != "gpt2")
    return vocabulary.refuse("model", "tokenizers of the kind " + printableName(name.value_or("?")) +
                                          " are not supported; supported are llama and gpt2");
  if (Result<void> read = vocabulary.read(); !read)
    return read.takeError();
  Result<json> tokenizer = name == "llama" ? pieceTokenizer(vocabulary) : byteTokenizer(vocabulary);
  if (!tokenizer)
    return tokenizer.takeError();
  return tokenizer->dump(-1, ' ', false, json::error_handler_t::replace);
}

} // namespace weft::gguf
