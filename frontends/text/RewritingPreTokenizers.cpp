// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The pre-tokenizers that rewrite the text as they cut it.
//   ByteLevel: "Hi é" -> "Hi", "ĠÃ©"        Metaspace: "Hi you" -> "▁Hi", "▁you"
#include "frontends/text/ByteLevel.h"
#include "frontends/text/Fields.h"
#include "frontends/text/PreTokenizer.h"

#include <algorithm>

namespace weft::text {
namespace {

/// Builds the text anew piece by piece; `write` appends the successor of a piece that is no added token.
template <class Write> void rewritePieces(Pieces &pieces, Write write) {
  AlignedText target;
  target.text.reserve(pieces.text.text.size() + pieces.list.size());
  target.origin.reserve(pieces.text.text.size() + pieces.list.size());
  for (Piece &piece : pieces.list) {
    auto begin = static_cast<uint32_t>(target.text.size());
    if (piece.id >= 0)
      target.append(pieces.text, piece.begin, piece.end);
    else
      write(piece, target);
    piece.begin = begin;
    piece.end = static_cast<uint32_t>(target.text.size());
  }
  pieces.text = std::move(target);
}

void appendCharacter(AlignedText &target, char32_t c, Span span) {
  appendUtf8(target.text, c);
  target.origin.resize(target.text.size(), span);
}

class ByteLevel : public PreTokenizer {
public:
  ByteLevel(bool addPrefixSpace, bool useRegex) : addPrefixSpace(addPrefixSpace), useRegex(useRegex) {}

  Result<void> split(Pieces &pieces) const override {
    if (addPrefixSpace)
      prependBlanks(pieces);
    if (useRegex) {
      auto matcher = [](std::string_view part, std::vector<Match> &matches) -> Result<void> {
        matchGpt2Words(part, matches);
        return {};
      };
      if (Result<void> done = pieces.split(matcher, SplitBehavior::Isolated); !done)
        return done;
    }
    rewritePieces(pieces, [&](const Piece &piece, AlignedText &target) {
      // A character's first byte comes from its place in the input, and so do the others of it.
      for (size_t i = piece.begin; i < piece.end; ++i)
        appendCharacter(target, characterOfByte(static_cast<unsigned char>(pieces.text.text[i])),
                        pieces.text.origin[i]);
    });
    return {};
  }

private:
  static void prependBlanks(Pieces &pieces) {
    auto lacksBlank = [&](const Piece &piece) { return piece.id < 0 && pieces.text.text[piece.begin] != ' '; };
    if (std::none_of(pieces.list.begin(), pieces.list.end(), lacksBlank))
      return;
    rewritePieces(pieces, [&](const Piece &piece, AlignedText &target) {
      if (lacksBlank(piece))
        target.appendByte(' ', pieces.text.origin[piece.begin]);
      target.append(pieces.text, piece.begin, piece.end);
    });
  }

  bool addPrefixSpace, useRegex;
};

class Metaspace : public PreTokenizer {
public:
  explicit Metaspace(MetaspaceOptions options) : options(options) { appendUtf8(replacement, options.replacement); }

  Result<void> split(Pieces &pieces) const override {
    rewritePieces(pieces, [&](const Piece &piece, AlignedText &target) { write(pieces, piece, target); });
    if (!options.split)
      return {};
    Pattern delimiter = Pattern::literal(replacement);
    return pieces.split(
        [&](std::string_view part, std::vector<Match> &matches) { return delimiter.findAll(part, matches); },
        SplitBehavior::MergedWithNext);
  }

private:
  void write(const Pieces &pieces, const Piece &piece, AlignedText &target) const {
    std::string_view part = pieces.view(piece);
    bool starts = part.starts_with(replacement) || part.starts_with(' ');
    bool wanted = options.prepend == MetaspaceOptions::Prepend::Always ||
                  (options.prepend == MetaspaceOptions::Prepend::First && pieces.startsInput(piece));
    if (wanted && !starts)
      appendCharacter(target, options.replacement, pieces.text.origin[piece.begin]);
    for (size_t i = piece.begin; i < piece.end; ++i) {
      if (pieces.text.text[i] == ' ')
        appendCharacter(target, options.replacement, pieces.text.origin[i]);
      else
        target.appendByte(pieces.text.text[i], pieces.text.origin[i]);
    }
  }

  MetaspaceOptions options;
  std::string replacement;
};

} // namespace

std::unique_ptr<PreTokenizer> makeByteLevel(bool addPrefixSpace, bool useRegex) {
  return std::make_unique<ByteLevel>(addPrefixSpace, useRegex);
}

std::unique_ptr<PreTokenizer> makeMetaspace(MetaspaceOptions options) { return std::make_unique<Metaspace>(options); }

Result<MetaspaceOptions> readMetaspace(const nlohmann::json &value, const std::string &place) {
  using Prepend = MetaspaceOptions::Prepend;
  Fields fields(value, place);
  MetaspaceOptions options;
  options.replacement = fields.character("replacement");
  if (fields.optionalValue("prepend_scheme"))
    options.prepend = static_cast<Prepend>(fields.choice("prepend_scheme", {"always", "first", "never"}));
  else if (!fields.optionalBoolean("add_prefix_space").value_or(true))
    options.prepend = Prepend::Never;
  options.split = fields.optionalBoolean("split").value_or(true);
  if (options.prepend != Prepend::Never && !fields.optionalBoolean("add_prefix_space").value_or(true))
    fields.fail("W0302", "add_prefix_space", "false contradicts the prepend_scheme", "delete add_prefix_space");
  if (fields.failed())
    return fields.takeError();
  return options;
}

} // namespace weft::text
