// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How many registers a PTX text keeps alive: backward data flow over its instructions.
#include "compiler/estimate/PtxText.h"

#include <algorithm>
#include <cctype>
#include <unordered_map>

namespace weft {
namespace {

/// Instructions with no result among their operands.
constexpr std::string_view kWithoutResult[] = {"st.",
                                               "red.",
                                               "bar",
                                               "barrier",
                                               "cp.",
                                               "mbarrier.init",
                                               "bra",
                                               "ret",
                                               "exit",
                                               "trap",
                                               "fence",
                                               "membar",
                                               "wgmma.fence",
                                               "wgmma.commit_group",
                                               "wgmma.wait_group",
                                               "setmaxnreg",
                                               "prefetch",
                                               "stmatrix",
                                               "tensormap"};

using Bits = std::vector<bool>;

class LiveCounter {
public:
  explicit LiveCounter(const PtxKernelText &kernel) : kernel(kernel) {
    for (const PtxInstruction &instruction : kernel.body)
      steps.push_back(readStep(instruction));
  }

  int32_t count() {
    size_t size = kernel.body.size();
    std::vector<Bits> live(size + 1, Bits(weights.size()));
    for (bool changed = true; changed;) {
      changed = false;
      for (size_t at = size; at-- > 0;) {
        Bits before = liveBefore(at, live);
        changed |= before != live[at];
        live[at] = std::move(before);
      }
    }
    int32_t most = 0;
    for (const Bits &now : live)
      most = std::max(most, weightOf(now));
    return most;
  }

private:
  /// What an instruction reads and writes: numbers of registers.
  struct Step {
    std::vector<size_t> reads, writes;
  };

  /// Half-words of registers: predicates take none.
  int weightOf(const std::string &name) const {
    std::string prefix = name;
    while (!prefix.empty() && !kernel.registerBits.count(prefix)) // "%rd12" is one of "%rd"
      prefix.pop_back();
    auto found = kernel.registerBits.find(prefix);
    return found == kernel.registerBits.end() ? 0 : found->second > 1 ? (found->second + 31) / 32 : 0;
  }

  int32_t weightOf(const Bits &live) const {
    int32_t sum = 0;
    for (size_t number = 0; number < live.size(); ++number)
      sum += live[number] ? weights[number] : 0;
    return sum;
  }

  size_t numberOf(const std::string &name) {
    auto [found, isNew] = numbers.emplace(name, weights.size());
    if (isNew)
      weights.push_back(weightOf(name));
    return found->second;
  }

  void addNames(std::string_view text, std::vector<size_t> &into) {
    for (size_t at = text.find('%'); at != std::string_view::npos; at = text.find('%', at + 1)) {
      size_t end = at + 1;
      while (end < text.size() && (std::isalnum(static_cast<unsigned char>(text[end])) || text[end] == '_'))
        ++end;
      std::string name(text.substr(at, end - at));
      if (std::isdigit(static_cast<unsigned char>(name.back())))
        into.push_back(numberOf(name));
    }
  }

  Step readStep(const PtxInstruction &instruction) {
    Step step;
    std::string_view operands = instruction.operands;
    bool hasResult = std::ranges::none_of(kWithoutResult, [&](auto prefix) { return instruction.is(prefix); });
    // The result is the first operand: a list in braces, or a register.
    size_t end = operands.starts_with('{') ? operands.find('}') : operands.find(',');
    end = hasResult ? std::min(end, operands.size()) : 0;
    addNames(operands.substr(0, end), step.writes);
    addNames(operands.substr(end), step.reads);
    addNames(instruction.predicate, step.reads);
    // Asynchronous products add to their result; what a predicate may skip leaves the old value.
    if (instruction.is("wgmma.mma_async") || !instruction.predicate.empty())
      step.reads.insert(step.reads.end(), step.writes.begin(), step.writes.end());
    return step;
  }

  Bits liveBefore(size_t at, const std::vector<Bits> &live) const {
    const PtxInstruction &instruction = kernel.body[at];
    Bits now = instruction.isEnd() ? Bits(weights.size()) : live[at + 1];
    if (instruction.is("bra"))
      if (auto target = kernel.labels.find(instruction.operands); target != kernel.labels.end())
        for (size_t number = 0; number < now.size(); ++number)
          now[number] = now[number] || live[target->second][number];
    for (size_t number : steps[at].writes)
      now[number] = false;
    for (size_t number : steps[at].reads)
      now[number] = true;
    return now;
  }

  const PtxKernelText &kernel;
  std::unordered_map<std::string, size_t> numbers;
  std::vector<int> weights; ///< by number
  std::vector<Step> steps;
};

} // namespace

int32_t liveRegisters(const PtxKernelText &kernel) { return LiveCounter(kernel).count(); }

} // namespace weft
