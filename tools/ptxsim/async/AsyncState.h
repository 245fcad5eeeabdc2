// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a block keeps of asynchronous operations: groups of copies and of matrix products under way, what happened
// before what, and registers that are lent to a product.
//
// Data move when an operation is issued, but nobody may look before its wait: bytes that a copy writes belong to an
// agent of their own (race/Ordering.h) until a wait tells its clock, and a product's accumulators hold no value.
#ifndef WEFT_TOOLS_PTXSIM_ASYNC_ASYNCSTATE_H
#define WEFT_TOOLS_PTXSIM_ASYNC_ASYNCSTATE_H

#include "tools/ptxsim/Block.h"
#include "tools/ptxsim/matrix/MatrixOp.h"
#include "tools/ptxsim/race/SharedShadow.h"

namespace weft::ptxsim {

/// Groups of one kind of one warp: what was issued and not committed yet has the number committed + 1.
struct AsyncGroups {
  int agent = -1;
  uint32_t committed = 0;

  uint32_t open() const { return committed + 1; }
};

/// Accumulators of a wgmma that is under way.
struct ProductInFlight {
  std::vector<Slot> rows; // of D
  MatrixOp op;
  Accumulator sum;
  uint32_t group; // of its latest product
  int line;
  std::vector<Slot> inputs; // A in registers, which must not change
  std::vector<LaneRegister> inputValues;
};

struct WarpAsync {
  AsyncGroups copies;   // cp.async
  AsyncGroups bulk;     // cp.async.bulk from shared memory
  AsyncGroups products; // wgmma
  std::vector<ProductInFlight> inFlight;
  bool registersFenced = false;                // wgmma.fence since the last wait
  uint32_t registers = 0;                      // of each thread, as setmaxnreg left them
  std::array<uint32_t, kLanes> clusterPhase{}; // of the last barrier.cluster.arrive
  std::string waitsFor;                        // what its blocked instruction of line `waitLine` waits for
  int waitLine = 0;
};

/// What arrivals at an mbarrier or at a named barrier hand to those who wait.
struct BarrierOrder {
  SyncPoint gathering, opened;
  int agent = -1;      // of copies that complete here
  uint32_t phases = 0; // completed
};

class AsyncState {
public:
  explicit AsyncState(Block &block);

  Ordering order;
  SharedShadow shadow;
  std::vector<WarpAsync> warps;
  std::map<uint32_t, BarrierOrder> mbarriers; // by address in shared memory
  uint32_t registerPool = 0;                  // of the block, for setmaxnreg
  uint32_t clusterPhase = 0, clusterArrived = 0;
  SyncPoint clusterGathering, clusterOpened;

  WarpAsync &of(const Warp &warp) { return warps[warp.index]; }
  BarrierOrder &mbarrier(uint32_t address);

  /// Accesses that follow are those of an asynchronous agent, until the object dies.
  class Agent {
  public:
    Agent(AsyncState &state, int agent, uint32_t clock) : state(state) {
      state.agent = agent;
      state.agentClock = clock;
    }
    ~Agent() { state.agent = -1; }
    Agent(const Agent &) = delete;
    Agent &operator=(const Agent &) = delete;

  private:
    AsyncState &state;
  };

  /// Accesses that follow are looked at by whoever makes them, until the object dies.
  class Quiet {
  public:
    explicit Quiet(AsyncState &state) : state(state) { state.quiet = true; }
    ~Quiet() { state.quiet = false; }
    Quiet(const Quiet &) = delete;
    Quiet &operator=(const Quiet &) = delete;

  private:
    AsyncState &state;
  };

  void access(const Access &access);
  /// An operation on an mbarrier object: they race with nothing among themselves, but with its initialisation and end.
  void useMbarrier(const Warp &warp, const Instruction &i, uint32_t address);

  void open(int id);
  void syncLanes(const Warp &warp);
  void arrive(const Warp &warp, int id);
  void leave(const Warp &warp, int id);

  /// Registers lent to a product of the warp: the line that issued it, 0 where the row is free.
  int productLine(const Warp &warp, Slot row) const;

private:
  std::string describe(int agent, int lane) const;

  void synchronise(const Access &access);

  bool quiet = false;
  std::map<uint64_t, SyncPoint> strong; // by address: what atomics and strong stores there hand on to strong loads
  int agent = -1;                       // -1: the warp itself
  uint32_t agentClock = 0;
  std::array<BarrierOrder, 16> named;
  std::vector<std::string> agentNames;
};

/// An observer that hands everything to the block's AsyncState.
std::unique_ptr<AccessObserver> observeRaces(const Block &block);

/// The block's state, made where there is none.
AsyncState &asyncOf(Block &block);

/// The instruction waits: says for what, should nobody ever end the wait.
Outcome blocked(const Instruction &i, const Warp &warp, std::string waitsFor);

/// What the instruction at which a warp stands waits for: an mbarrier and what it lacks, a named barrier and who is
/// missing, registers. Empty where it waits for nothing of these.
std::string waitOf(const Warp &warp);

/// Refuses an instruction that all 32 lanes must execute together where some are missing.
void requireWholeWarp(const Warp &warp, LaneMask active, const char *what);

} // namespace weft::ptxsim

#endif
