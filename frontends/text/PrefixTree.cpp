// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Sorted strings to a tree, level by level.
#include "frontends/text/PrefixTree.h"

#include <algorithm>

namespace weft::text {

PrefixTree::PrefixTree(std::vector<std::pair<std::string_view, uint32_t>> strings) {
  std::sort(strings.begin(), strings.end());
  // Of each node: the range of strings that pass through it, and its depth.
  struct Range {
    size_t begin, end, depth;
  };
  std::vector<Range> ranges{{0, strings.size(), 0}};
  nodes.emplace_back();
  labels.push_back(0);
  for (uint32_t node = 0; node < nodes.size(); ++node) {
    auto [begin, end, depth] = ranges[node];
    if (begin < end && strings[begin].first.size() == depth) {
      nodes[node].value = depth == 0 ? kNone : strings[begin].second;
      while (begin < end && strings[begin].first.size() == depth)
        ++begin;
    }
    nodes[node].firstChild = static_cast<uint32_t>(nodes.size());
    while (begin < end) {
      char label = strings[begin].first[depth];
      size_t next = begin;
      while (next < end && strings[next].first[depth] == label)
        ++next;
      ranges.push_back({begin, next, depth + 1});
      nodes.emplace_back();
      labels.push_back(static_cast<unsigned char>(label));
      ++nodes[node].childCount;
      begin = next;
    }
  }
  rootChildren.assign(256, kNone);
  for (uint32_t i = 0; i < nodes[0].childCount; ++i)
    rootChildren[labels[nodes[0].firstChild + i]] = nodes[0].firstChild + i;
}

} // namespace weft::text
