// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Arguments and results marked `weft.state`, paired by name.
#include "lowering/analysis/EntryStates.h"

#include "llvm/ADT/MapVector.h"

using namespace mlir;

namespace weft {

bool isStateArgument(Value value) {
  auto argument = dyn_cast<BlockArgument>(value);
  auto function = argument ? dyn_cast<func::FuncOp>(argument.getOwner()->getParentOp()) : func::FuncOp();
  return function && function.getArgAttr(argument.getArgNumber(), kStateAttribute);
}

namespace {

/// Pairs what one function says of its states.
class StatePairs {
public:
  explicit StatePairs(func::FuncOp entry) : entry(entry) {}

  FailureOr<SmallVector<EntryState>> run() {
    for (unsigned i = 0; i < entry.getNumArguments(); ++i)
      if (entry.getArgAttr(i, kStateAttribute) && failed(addArgument(i)))
        return failure();
    for (unsigned i = 0; i < entry.getNumResults(); ++i)
      if (entry.getResultAttr(i, kStateAttribute) && failed(addResult(i)))
        return failure();
    SmallVector<EntryState> states;
    for (auto &[name, state] : found) {
      if (state.result == kNone)
        return entry.emitError() << "state " << name << " has no result that says what it becomes: mark one with "
                                 << "weft.name = " << name << " and weft.state, the argument itself where it stays";
      states.push_back(state);
    }
    return states;
  }

private:
  static constexpr unsigned kNone = ~0u;

  LogicalResult addArgument(unsigned i) {
    auto name = entry.getArgAttrOfType<StringAttr>(i, "weft.name");
    if (!name || name.empty())
      return entry.emitError() << "argument " << i << " is a state and needs a weft.name";
    if (entry.getArgAttr(i, "weft.default"))
      return entry.emitError() << "state " << name << " has a default: a state starts as zeros";
    if (failed(verifyFills(i, name)))
      return failure();
    if (!found.try_emplace(name, EntryState{name, i, kNone}).second)
      return entry.emitError() << "state " << name << " is two arguments: give each a name of its own";
    return success();
  }

  /// A state that counts places holds integers, and names the dimension of the places and that of what a call takes.
  LogicalResult verifyFills(unsigned i, StringAttr name) {
    Attribute fills = entry.getArgAttr(i, "weft.fills");
    if (!fills)
      return success();
    auto dims = dyn_cast<ArrayAttr>(fills);
    auto isName = [](Attribute dim) { return isa<StringAttr>(dim) && !cast<StringAttr>(dim).empty(); };
    if (!dims || dims.size() != 2 || !llvm::all_of(dims, isName))
      return entry.emitError() << "state " << name << ": 'weft.fills' must name two dimensions, that of the places and "
                               << "that of those that a call takes, got " << fills;
    if (!getElementTypeOrSelf(entry.getArgumentTypes()[i]).isInteger())
      return entry.emitError() << "state " << name << " counts places, and must hold integers";
    return success();
  }

  LogicalResult addResult(unsigned i) {
    auto name = entry.getResultAttrOfType<StringAttr>(i, "weft.name");
    auto state = name ? found.find(name) : found.end();
    if (state == found.end())
      return entry.emitError() << "result " << i << " is a state without an argument of its name that is one";
    unsigned argument = state->second.argument;
    if (state->second.result != kNone)
      return entry.emitError() << "state " << name << " is two results: it can become one value only";
    state->second.result = i;
    Type before = entry.getArgumentTypes()[argument], after = entry.getResultTypes()[i];
    if (before != after)
      return entry.emitError() << "state " << name << " is " << before << " and becomes " << after
                               << ": its type must stay";
    if (entry.getArgAttr(argument, "weft.dims") != entry.getResultAttr(i, "weft.dims"))
      return entry.emitError() << "state " << name << " has other 'weft.dims' as a result than as an argument";
    return success();
  }

  func::FuncOp entry;
  llvm::MapVector<StringAttr, EntryState> found;
};

} // namespace

FailureOr<SmallVector<EntryState>> statesOf(func::FuncOp entry) { return StatePairs(entry).run(); }

LogicalResult verifySharedStates(ModuleOp module) {
  llvm::DenseMap<StringAttr, std::pair<func::FuncOp, unsigned>> first;
  for (auto entry : module.getOps<func::FuncOp>()) {
    if (!entry->hasAttr("weft.entry"))
      continue;
    for (unsigned i = 0; i < entry.getNumArguments(); ++i) {
      if (!entry.getArgAttr(i, kStateAttribute))
        continue;
      auto name = entry.getArgAttrOfType<StringAttr>(i, "weft.name");
      auto [known, isNew] = first.try_emplace(name, entry, i);
      auto [other, at] = known->second;
      if (!isNew && (entry.getArgumentTypes()[i] != other.getArgumentTypes()[at] ||
                     entry.getArgAttr(i, "weft.dims") != other.getArgAttr(at, "weft.dims")))
        return entry.emitError() << "state " << name << " is " << entry.getArgumentTypes()[i] << " here and "
                                 << other.getArgumentTypes()[at] << " in entry '" << other.getName()
                                 << "', or has other 'weft.dims': entries share a state by its name";
    }
  }
  return success();
}

} // namespace weft
