// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A tree of byte strings that finds every string a text starts with, shortest first. The children of a node lie side
// by side, so a node is twelve bytes and a step a short search.
#ifndef WEFT_FRONTENDS_TEXT_PREFIXTREE_H
#define WEFT_FRONTENDS_TEXT_PREFIXTREE_H

#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

namespace weft::text {

class PrefixTree {
public:
  static constexpr uint32_t kNone = ~uint32_t(0);

  PrefixTree() = default;
  /// From strings and values below kNone. Of equal strings the first with the lowest value counts; the empty string
  /// is never found. The strings are not kept.
  explicit PrefixTree(std::vector<std::pair<std::string_view, uint32_t>> strings);

  bool empty() const { return nodes.size() <= 1; }

  /// Calls visit(length, value) for each string that `text` starts with.
  template <class Visit> void visitPrefixes(std::string_view text, Visit visit) const {
    uint32_t node = 0;
    for (size_t length = 0; length < text.size();) {
      node = child(node, static_cast<unsigned char>(text[length++]));
      if (node == kNone)
        return;
      if (nodes[node].value != kNone)
        visit(length, nodes[node].value);
    }
  }

private:
  struct Node {
    uint32_t firstChild = 0;
    uint32_t childCount = 0;
    uint32_t value = kNone;
  };

  uint32_t child(uint32_t node, unsigned char byte) const {
    if (nodes.empty())
      return kNone;
    if (node == 0)
      return rootChildren[byte];
    const Node &parent = nodes[node];
    uint32_t low = parent.firstChild, high = low + parent.childCount;
    while (low < high) {
      uint32_t middle = (low + high) / 2;
      if (labels[middle] < byte)
        low = middle + 1;
      else
        high = middle;
    }
    return low < parent.firstChild + parent.childCount && labels[low] == byte ? low : kNone;
  }

  std::vector<Node> nodes;
  std::vector<unsigned char> labels;  ///< of each node: the byte that leads to it
  std::vector<uint32_t> rootChildren; ///< by byte: the first step is the one taken most
};

} // namespace weft::text

#endif // WEFT_FRONTENDS_TEXT_PREFIXTREE_H
