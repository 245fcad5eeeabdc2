// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// 32 lanes in lockstep. Registers are rows of 64-bit words, one for each lane; a divergent branch splits the lanes, and
// the sides run one after the other until the branch's immediate post-dominator, where they are one again.
#ifndef WEFT_TOOLS_PTXSIM_WARP_H
#define WEFT_TOOLS_PTXSIM_WARP_H

#include "tools/ptxsim/Fault.h"
#include "tools/ptxsim/Module.h"

#include <bit>
#include <vector>

namespace weft::ptxsim {

class Block;

/// Calls `body(lane)` for every lane of `active`; a loop over all lanes where all are, which compilers vectorise.
template <class Body> inline void forLanes(LaneMask active, Body body) {
  if (active == kAllLanes) {
    for (int lane = 0; lane < kLanes; ++lane)
      body(lane);
    return;
  }
  for (; active; active &= active - 1)
    body(std::countr_zero(active));
}

/// Lanes that run together: where they are, and where they wait for the others.
struct Path {
  int32_t next;       ///< instruction
  int32_t reconverge; ///< the path ends here; -1: at the function's end
  LaneMask lanes;
  int8_t barrier = -1;     ///< where they wait: a named barrier,
  uint64_t generation = 0; ///< and its openings when they arrived
};

/// A function that is being executed.
struct Frame {
  const Function *function;
  LaneMask lanes;                    ///< that called it
  std::vector<uint64_t> rows;        ///< [row][lane]
  std::vector<LaneMask> defined;     ///< lanes of each row that hold a value
  std::vector<Path> paths;           ///< the last one runs
  std::vector<std::byte> parameters; ///< [lane][frameParameterBytes]
  std::vector<uint8_t> parametersWritten;
  uint64_t localBegin = 0; ///< of its variables, in each lane's local memory
  const Instruction *call = nullptr;
};

class Warp {
public:
  /// `first`: linear number of lane 0's thread in the block; lanes beyond the block's end do not exist.
  Warp(Block &block, uint32_t index, const Function &function, LaneMask lanes);

  Block &block;
  const uint32_t index; ///< in the block

  uint64_t *row(Slot slot) { return current + size_t(slot) * kLanes; }
  Frame &frame() { return frames.back(); }
  const Frame &frame() const { return frames.back(); }
  /// Lanes that have not exited.
  LaneMask live() const { return alive; }
  /// Lanes of the path that runs, before any guard.
  LaneMask converged() const { return frames.back().paths.back().lanes; }
  bool done() const { return alive == 0; }
  /// The instruction that runs or is next.
  const Instruction &instruction() const;

  /// Runs up to `budget` instructions; stops early when it ends, blocks or yields. Returns how many it executed.
  uint64_t run(uint64_t budget);
  bool blocked() const { return isBlocked; }

  // For handlers of control flow; each returns Outcome::Jumped.
  Outcome branch(const Instruction &instruction, LaneMask taken);
  Outcome jump(LaneMask lanes, int32_t target, int32_t reconverge);
  Outcome exit(LaneMask lanes);
  Outcome call(const Instruction &instruction, LaneMask lanes);
  Outcome leave(LaneMask lanes);

  /// Linear number of the lane's thread in its block; its index in each dimension.
  uint32_t thread(int lane) const { return index * kLanes + lane; }
  std::array<uint32_t, 3> threadIndex(int lane) const;

  /// A Fault of the running instruction, which ends the launch.
  [[noreturn]] void fault(FaultKind kind, const std::string &message, int lane,
                          std::optional<uint64_t> address = std::nullopt) const;

  LaneMask carry = 0; ///< the condition code of add.cc and its like
  uint64_t threadInstructions = 0;
  uint64_t warpInstructions = 0;

private:
  friend class Block;
  bool step();
  void enter(const Function &function, LaneMask lanes);
  void settle();
  void finishPaths();
  LaneMask guarded(const Instruction &instruction, LaneMask lanes);
  LaneMask valid(const Instruction &instruction, LaneMask active);
  void requireDefined(const Instruction &instruction, LaneMask active) const;
  void fillSpecials(Frame &frame);
  void takeTurns();

  LaneMask alive;
  bool isBlocked = false;
  std::vector<Frame> frames;
  uint64_t *current = nullptr; ///< rows of the last frame
};

/// The value of a special register that never changes in a launch; of others (clock) see Control.cpp.
uint64_t specialValue(const Warp &warp, std::string_view name, int lane);
/// Known at all; `changing`: read anew each time.
bool isSpecial(std::string_view name, bool &changing);

} // namespace weft::ptxsim

#endif // WEFT_TOOLS_PTXSIM_WARP_H
