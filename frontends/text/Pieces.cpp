// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Matches of a pattern to pieces.
#include "frontends/text/Pieces.h"

#include <algorithm>

namespace weft::text {

/// Joins a match to the piece before it (in the order of the iterators) where `joins` says so.
template <class Iterator, class Joins>
static std::vector<Match> mergeMatches(Iterator begin, Iterator end, Joins joins) {
  std::vector<Match> merged;
  bool previous = false;
  for (Iterator it = begin; it != end; ++it) {
    if (joins(it->matched, previous) && !merged.empty()) {
      merged.back().begin = std::min(merged.back().begin, it->begin);
      merged.back().end = std::max(merged.back().end, it->end);
    } else {
      merged.push_back(*it);
    }
    previous = it->matched;
  }
  return merged;
}

void applyBehavior(std::vector<Match> &matches, SplitBehavior behavior) {
  auto same = [](bool matched, bool previous) { return matched == previous; };
  auto lone = [](bool matched, bool previous) { return matched && !previous; };
  switch (behavior) {
  case SplitBehavior::Isolated:
    return;
  case SplitBehavior::Removed:
    std::erase_if(matches, [](const Match &match) { return match.matched; });
    return;
  case SplitBehavior::Contiguous:
    matches = mergeMatches(matches.begin(), matches.end(), same);
    return;
  case SplitBehavior::MergedWithPrevious:
    matches = mergeMatches(matches.begin(), matches.end(), lone);
    return;
  case SplitBehavior::MergedWithNext:
    matches = mergeMatches(matches.rbegin(), matches.rend(), lone);
    std::reverse(matches.begin(), matches.end());
    return;
  }
}

Result<void> Pieces::split(const Matcher &matcher, SplitBehavior behavior) {
  std::vector<Piece> result;
  result.reserve(list.size());
  std::vector<Match> matches;
  for (const Piece &piece : list) {
    if (piece.id >= 0) {
      result.push_back(piece);
      continue;
    }
    matches.clear();
    if (Result<void> found = matcher(view(piece), matches); !found)
      return found.takeError();
    applyBehavior(matches, behavior);
    for (const Match &match : matches)
      if (match.begin != match.end)
        result.push_back({piece.begin + match.begin, piece.begin + match.end});
  }
  list = std::move(result);
  return {};
}

void Pieces::splitAtCharacters(bool (*isDelimiter)(char32_t), SplitBehavior behavior) {
  auto matcher = [&](std::string_view part, std::vector<Match> &matches) -> Result<void> {
    uint32_t covered = 0;
    for (size_t position = 0; position < part.size();) {
      auto begin = static_cast<uint32_t>(position);
      if (!isDelimiter(nextCodePoint(part, position)))
        continue;
      if (covered < begin)
        matches.push_back({covered, begin, false});
      covered = static_cast<uint32_t>(position);
      matches.push_back({begin, covered, true});
    }
    if (covered < part.size())
      matches.push_back({covered, static_cast<uint32_t>(part.size()), false});
    return {};
  };
  [[maybe_unused]] Result<void> done = split(matcher, behavior);
  assert(done && "a class of characters always matches");
}

} // namespace weft::text
