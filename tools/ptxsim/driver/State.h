// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the look-alike of libcuda keeps between calls, and how each call begins.
#ifndef WEFT_TOOLS_PTXSIM_DRIVER_STATE_H
#define WEFT_TOOLS_PTXSIM_DRIVER_STATE_H

#include "tools/ptxsim/driver/Api.h"
#include "tools/ptxsim/driver/Machine.h"
#include "tools/ptxsim/driver/Settings.h"

#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

namespace weft::ptxsim::driver {

struct Context {
  int users;
  unsigned flags;
};

struct Stream {
  unsigned flags;
  int priority;
};

struct Event {
  unsigned flags;
  bool recorded;
  double seconds; // of the steady clock
};

struct LoadedFunction {
  LoadedModule *module;
  std::string name;
  int dynamicSharedLimit; // bytes; above 48 KiB after cuFuncSetAttribute
};

struct LoadedModule {
  MachineModule *code;
  std::map<std::string, std::unique_ptr<LoadedFunction>> functions; // those that were asked for
};

struct State {
  static State &get();

  std::recursive_mutex mutex;
  Settings settings = Settings::fromEnvironment();
  bool initialized = false;
  bool gone = false; // the device itself is lost: no reset brings it back
  int sticky = 0;    // an error that stays until the context is reset
  int64_t launches = 0, allocations = 0;
  std::unique_ptr<Machine> machine = std::make_unique<Machine>(settings.capability, settings.memory);
  Context primary = {0, 0};
  std::vector<std::unique_ptr<Context>> contexts;
  std::map<const LoadedModule *, std::unique_ptr<LoadedModule>> modules;
  std::set<const LoadedFunction *> functions;
  std::map<const Stream *, std::unique_ptr<Stream>> streams;
  std::map<const Event *, std::unique_ptr<Event>> events;
  std::unordered_map<const void *, size_t> hostAllocations;
  size_t limits[4] = {1024, 1 << 20, 8 << 20, 0}; // CU_LIMIT_*

  /// Tells a fault where PTXSIM_REPORT says: a file to append to, or standard error.
  void report(const std::string &text) const;

  /// Forgets everything of the device: cuDevicePrimaryCtxReset.
  void reset();
};

Context *currentContext();
bool isStream(const State &state, const Stream *stream);

/// Dynamic and static shared memory that a block may have, bytes.
int maxSharedBytes(int capability);

/// Runs `body` for an initialised driver, under its lock. The first two also tell an error that an earlier launch left
/// behind, as the driver does at any later call; the second wants a current context too.
template <typename Body> int guardedEvenIfLost(Body body) {
  State &state = State::get();
  std::lock_guard lock(state.mutex);
  return state.initialized ? int(body(state)) : int(NOT_INITIALIZED);
}

template <typename Body> int guarded(Body body) {
  return guardedEvenIfLost([&](State &state) { return state.sticky ? state.sticky : int(body(state)); });
}

template <typename Body> int guardedInContext(Body body) {
  return guarded([&](State &state) { return currentContext() ? int(body(state)) : int(INVALID_CONTEXT); });
}

} // namespace weft::ptxsim::driver

#endif
