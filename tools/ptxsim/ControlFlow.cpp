// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Where the sides of a branch meet again: the immediate post-dominator of the branch's block, by the iteration of
// Cooper, Harvey and Kennedy ("A Simple, Fast Dominance Algorithm", 2001) on the reversed graph.
#include "tools/ptxsim/Parser.h"

#include <algorithm>
#include <set>

namespace weft::ptxsim {
namespace {

bool endsFunction(const Instruction &instruction) { return instruction.flags & Instruction::kEnds; }

struct Graph {
  std::vector<int32_t> begins;              ///< first instruction of each block
  std::vector<std::vector<int>> successors; ///< the block after the last one is the exit
  std::vector<std::vector<int>> predecessors;
  int exit() const { return int(begins.size()); }
};

bool branches(const Instruction &instruction) { return instruction.target >= 0 || !instruction.targets.empty(); }

std::vector<int32_t> blockBegins(const std::vector<Instruction> &code) {
  std::set<int32_t> begins{0};
  for (size_t index = 0; index < code.size(); ++index) {
    const Instruction &instruction = code[index];
    if (instruction.target >= 0)
      begins.insert(instruction.target);
    begins.insert(instruction.targets.begin(), instruction.targets.end());
    if ((branches(instruction) || endsFunction(instruction)) && index + 1 < code.size())
      begins.insert(int32_t(index) + 1);
  }
  return {begins.begin(), begins.end()};
}

Graph makeGraph(const std::vector<Instruction> &code) {
  Graph graph{blockBegins(code), {}, {}};
  int count = graph.exit();
  graph.successors.resize(count + 1);
  graph.predecessors.resize(count + 1);
  auto blockOf = [&](int32_t instruction) {
    return int(std::upper_bound(graph.begins.begin(), graph.begins.end(), instruction) - graph.begins.begin()) - 1;
  };
  for (int block = 0; block < count; ++block) {
    int32_t end = block + 1 < count ? graph.begins[block + 1] : int32_t(code.size());
    const Instruction &last = code[end - 1];
    std::set<int> next;
    if (last.target >= 0)
      next.insert(blockOf(last.target));
    for (int32_t target : last.targets)
      next.insert(blockOf(target));
    if (endsFunction(last))
      next.insert(count);
    if (last.guard != kNoSlot || (!branches(last) && !endsFunction(last)))
      next.insert(std::min(block + 1, count));
    for (int successor : next) {
      graph.successors[block].push_back(successor);
      graph.predecessors[successor].push_back(block);
    }
  }
  return graph;
}

/// Blocks in post-order of a walk against the edges, from the exit; blocks that never end are not among them.
std::vector<int> postOrder(const Graph &graph) {
  std::vector<int> order;
  std::vector<char> seen(graph.exit() + 1);
  std::vector<std::pair<int, size_t>> stack{{graph.exit(), 0}};
  seen[graph.exit()] = 1;
  while (!stack.empty()) {
    auto &[block, next] = stack.back();
    if (next == graph.predecessors[block].size()) {
      order.push_back(block);
      stack.pop_back();
      continue;
    }
    int before = graph.predecessors[block][next++];
    if (!seen[before]) {
      seen[before] = 1;
      stack.emplace_back(before, 0);
    }
  }
  return order;
}

/// The immediate post-dominator of each block, -1 where there is none.
std::vector<int> postDominators(const Graph &graph) {
  std::vector<int> order = postOrder(graph), number(graph.exit() + 1, -1), result(graph.exit() + 1, -1);
  for (size_t index = 0; index < order.size(); ++index)
    number[order[index]] = int(index);
  result[graph.exit()] = graph.exit();
  auto meet = [&](int left, int right) {
    while (left != right) {
      while (number[left] < number[right])
        left = result[left];
      while (number[right] < number[left])
        right = result[right];
    }
    return left;
  };
  for (bool changed = true; changed;) {
    changed = false;
    for (auto block = order.rbegin(); block != order.rend(); ++block) {
      if (*block == graph.exit())
        continue;
      int found = -1;
      for (int after : graph.successors[*block])
        if (result[after] >= 0)
          found = found < 0 ? after : meet(found, after);
      changed |= found != result[*block];
      result[*block] = found;
    }
  }
  return result;
}

} // namespace

void findReconvergence(Function &function) {
  Graph graph = makeGraph(function.code);
  std::vector<int> dominators = postDominators(graph);
  for (int block = 0; block < graph.exit(); ++block) {
    int32_t end = block + 1 < graph.exit() ? graph.begins[block + 1] : int32_t(function.code.size());
    Instruction &last = function.code[end - 1];
    if (branches(last) && dominators[block] >= 0 && dominators[block] != graph.exit())
      last.reconverge = graph.begins[dominators[block]];
  }
}

} // namespace weft::ptxsim
