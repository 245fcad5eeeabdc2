// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The natural loops of a PTX text: edges back to a block that dominates where they come from. How blocks lie in the
// text says nothing: compilers put a loop's condition first or last, and what is rare far away.
#include "compiler/estimate/PtxText.h"

#include <algorithm>
#include <map>

namespace weft {
namespace {

class ControlFlow {
public:
  explicit ControlFlow(const PtxKernelText &kernel) : kernel(kernel) {
    cutBlocks();
    connect();
    orderFrom(0);
    std::ranges::reverse(order);
    for (size_t place = 0; place < order.size(); ++place)
      placeOf[order[place]] = place;
    findDominators();
  }

  std::vector<PtxLoop> loops() const {
    std::map<size_t, std::vector<bool>> byHead; // one loop a head, however often it is continued
    for (size_t block : order)
      for (size_t head : after[block])
        if (dominates(head, block))
          addLoop(byHead.try_emplace(head, begins.size()).first->second, head, block);
    std::vector<PtxLoop> found;
    for (const auto &[head, isIn] : byHead)
      found.push_back(instructionsOf(isIn));
    std::ranges::sort(found, {}, [](const PtxLoop &loop) { return std::pair(loop.size(), loop.front()); });
    return found;
  }

private:
  static constexpr size_t kNone = size_t(-1);

  /// Where an instruction jumps to; kNone: it does not.
  size_t targetOf(const PtxInstruction &instruction) const {
    auto found = instruction.is("bra") ? kernel.labels.find(instruction.operands) : kernel.labels.end();
    return found == kernel.labels.end() || found->second >= kernel.body.size() ? kNone : found->second;
  }

  void cutBlocks() {
    std::vector<bool> isBegin(kernel.body.size() + 1);
    isBegin[0] = true;
    for (size_t at = 0; at < kernel.body.size(); ++at) {
      size_t target = targetOf(kernel.body[at]);
      if (target != kNone)
        isBegin[target] = true;
      if (target != kNone || kernel.body[at].isEnd())
        isBegin[at + 1] = true;
    }
    blockOf.reserve(kernel.body.size());
    for (size_t at = 0; at < kernel.body.size(); ++at) {
      if (isBegin[at])
        begins.push_back(at);
      blockOf.push_back(begins.size() - 1);
    }
  }

  size_t endOf(size_t block) const { return block + 1 < begins.size() ? begins[block + 1] : kernel.body.size(); }

  void connect() {
    after.resize(begins.size());
    before.resize(begins.size());
    for (size_t block = 0; block < begins.size(); ++block) {
      const PtxInstruction &last = kernel.body[endOf(block) - 1];
      if (size_t target = targetOf(last); target != kNone)
        after[block].push_back(blockOf[target]);
      if (!last.isEnd() && block + 1 < begins.size())
        after[block].push_back(block + 1);
      for (size_t next : after[block])
        before[next].push_back(block);
    }
    placeOf.assign(begins.size(), kNone);
    dominator.assign(begins.size(), kNone);
  }

  /// Blocks that are reached, each after those that it leads to. A stack of our own: unrolled kernels have many.
  void orderFrom(size_t entry) {
    std::vector<std::pair<size_t, size_t>> open = {{entry, 0}}; // block, how many of its successors were seen
    std::vector<bool> isSeen(begins.size());
    isSeen[entry] = true;
    while (!open.empty()) {
      auto &[block, seen] = open.back();
      if (seen == after[block].size()) {
        order.push_back(block);
        open.pop_back();
      } else if (size_t next = after[block][seen++]; !isSeen[next]) {
        isSeen[next] = true;
        open.emplace_back(next, 0);
      }
    }
  }

  /// K. D. Cooper, T. J. Harvey, K. Kennedy, "A Simple, Fast Dominance Algorithm", 2001.
  void findDominators() {
    dominator[order.front()] = order.front();
    for (bool changed = true; changed;) {
      changed = false;
      for (size_t block : order) {
        size_t common = block == order.front() ? block : kNone;
        for (size_t previous : before[block])
          if (placeOf[previous] != kNone && dominator[previous] != kNone && block != order.front())
            common = common == kNone ? previous : meet(common, previous);
        changed |= dominator[block] != common;
        dominator[block] = common;
      }
    }
  }

  size_t meet(size_t a, size_t b) const {
    while (a != b) {
      size_t &later = placeOf[a] > placeOf[b] ? a : b;
      later = dominator[later];
    }
    return a;
  }

  bool dominates(size_t head, size_t block) const {
    while (placeOf[block] > placeOf[head])
      block = dominator[block];
    return block == head;
  }

  /// The blocks from which `back` is reached without `head`.
  void addLoop(std::vector<bool> &isIn, size_t head, size_t back) const {
    isIn.resize(begins.size());
    isIn[head] = true;
    std::vector<size_t> open = {back};
    while (!open.empty()) {
      size_t block = open.back();
      open.pop_back();
      if (isIn[block] || placeOf[block] == kNone)
        continue;
      isIn[block] = true;
      open.insert(open.end(), before[block].begin(), before[block].end());
    }
  }

  PtxLoop instructionsOf(const std::vector<bool> &isIn) const {
    PtxLoop loop;
    for (size_t at = 0; at < kernel.body.size(); ++at)
      if (isIn[blockOf[at]])
        loop.push_back(at);
    return loop;
  }

  const PtxKernelText &kernel;
  std::vector<size_t> begins;  ///< each block's first instruction
  std::vector<size_t> blockOf; ///< by instruction
  std::vector<std::vector<size_t>> after, before;
  std::vector<size_t> order;     ///< reached blocks, each before those that it alone leads to
  std::vector<size_t> placeOf;   ///< in `order`; kNone: not reached
  std::vector<size_t> dominator; ///< the nearest, by block
};

} // namespace

std::vector<PtxLoop> PtxKernelText::loops() const {
  return body.empty() ? std::vector<PtxLoop>() : ControlFlow(*this).loops();
}

} // namespace weft
