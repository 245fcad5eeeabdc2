// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Plain strings by search, regular expressions by PCRE2.
#include "frontends/text/Pattern.h"

#include "frontends/text/Utf8.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <cassert>

namespace weft::text {
namespace {

/// A pattern that backtracks more than this on one text is out to hang its reader.
constexpr uint32_t kMatchLimit = 5'000'000;

struct FreeMatch {
  void operator()(pcre2_match_data *data) const { pcre2_match_data_free(data); }
  void operator()(pcre2_match_context *context) const { pcre2_match_context_free(context); }
  void operator()(pcre2_compile_context *context) const { pcre2_compile_context_free(context); }
};

std::string errorText(int code) {
  unsigned char buffer[256];
  if (pcre2_get_error_message(code, buffer, sizeof(buffer)) < 0)
    return "PCRE2 error " + std::to_string(code);
  return reinterpret_cast<const char *>(buffer);
}

/// One text under search. Mirrors the iterator of the reference: an empty match right behind a match does not count.
class Search {
public:
  Search(const pcre2_code *code, std::string_view text)
      : code(code), text(text), context(pcre2_match_context_create(nullptr)),
        data(pcre2_match_data_create(1, nullptr)) {
    pcre2_set_match_limit(context.get(), kMatchLimit);
  }

  /// True with the next match in begin, end; false at the end or on an error, which `status` then holds.
  bool next() {
    while (from <= text.size()) {
      status = match();
      if (status < 0)
        return false;
      const PCRE2_SIZE *bounds = pcre2_get_ovector_pointer(data.get());
      begin = bounds[0];
      end = bounds[1];
      if (begin == end && any && end == lastEnd) {
        from += from < text.size() ? sequenceLength(text[from]) : 1;
        continue;
      }
      any = true;
      from = lastEnd = end;
      return true;
    }
    status = PCRE2_ERROR_NOMATCH;
    return false;
  }

  size_t begin = 0, end = 0;
  int status = 0;

private:
  int match() {
    auto subject = reinterpret_cast<PCRE2_SPTR>(text.data());
    int result = pcre2_match(code, subject, text.size(), from, PCRE2_NO_UTF_CHECK, data.get(), context.get());
    if (result == PCRE2_ERROR_JIT_STACKLIMIT) // the interpreter has its stack on the heap
      result =
          pcre2_match(code, subject, text.size(), from, PCRE2_NO_UTF_CHECK | PCRE2_NO_JIT, data.get(), context.get());
    return result;
  }

  const pcre2_code *code;
  std::string_view text;
  std::unique_ptr<pcre2_match_context, FreeMatch> context;
  std::unique_ptr<pcre2_match_data, FreeMatch> data;
  size_t from = 0, lastEnd = 0;
  bool any = false;
};

/// Collects matches and fills the gaps between them.
struct Cuts {
  std::vector<Match> &matches;
  size_t covered = 0;

  void addGap(size_t begin) {
    if (covered != begin)
      matches.push_back({static_cast<uint32_t>(covered), static_cast<uint32_t>(begin), false});
  }
  void addMatch(size_t begin, size_t end) {
    addGap(begin);
    matches.push_back({static_cast<uint32_t>(begin), static_cast<uint32_t>(end), true});
    covered = end;
  }
};

} // namespace

Pattern Pattern::literal(std::string text) {
  Pattern pattern;
  pattern.text = std::move(text);
  return pattern;
}

Result<Pattern> Pattern::regex(const std::string &source, const std::string &place) {
  Result<std::string> translated = translateOniguruma(source, place);
  if (!translated)
    return translated.takeError();
  std::unique_ptr<pcre2_compile_context, FreeMatch> context(pcre2_compile_context_create(nullptr));
  pcre2_set_newline(context.get(), PCRE2_NEWLINE_LF);
  int error = 0;
  PCRE2_SIZE offset = 0;
  pcre2_code *code =
      pcre2_compile(reinterpret_cast<PCRE2_SPTR>(translated->data()), translated->size(),
                    PCRE2_UTF | PCRE2_UCP | PCRE2_MULTILINE | PCRE2_NEVER_BACKSLASH_C, &error, &offset, context.get());
  if (!code)
    return Diagnostic{"W0304", "the pattern \"" + source + "\" cannot be compiled: " + errorText(error), place,
                      "write the pattern without this construct"};
  pcre2_jit_compile(code, PCRE2_JIT_COMPLETE); // where it fails, matching is interpreted
  Pattern pattern;
  pattern.text = source;
  pattern.code = std::shared_ptr<const void>(code, [](pcre2_code *c) { pcre2_code_free(c); });
  return pattern;
}

void Pattern::findLiteral(std::string_view subject, std::vector<Match> &matches) const {
  Cuts cuts{matches};
  // The empty string matches between all characters, as an empty expression does.
  for (size_t from = 0; text.empty() && from <= subject.size();) {
    cuts.addMatch(from, from);
    from += from < subject.size() ? sequenceLength(subject[from]) : 1;
  }
  for (size_t at = 0; !text.empty() && (at = subject.find(text, at)) != std::string_view::npos; at += text.size())
    cuts.addMatch(at, at + text.size());
  cuts.addGap(subject.size());
}

Result<void> Pattern::findAll(std::string_view subject, std::vector<Match> &matches) const {
  matches.clear();
  if (subject.empty()) {
    matches.push_back({0, 0, false});
    return {};
  }
  if (!code) {
    findLiteral(subject, matches);
    return {};
  }
  Cuts cuts{matches};
  Search search(static_cast<const pcre2_code *>(code.get()), subject);
  while (search.next())
    cuts.addMatch(search.begin, search.end);
  if (search.status != PCRE2_ERROR_NOMATCH)
    return Diagnostic{"W0307", "the pattern \"" + text + "\" cannot be matched: " + errorText(search.status), "",
                      "shorten the text, or simplify the pattern in tokenizer.json"};
  cuts.addGap(subject.size());
  return {};
}

} // namespace weft::text
