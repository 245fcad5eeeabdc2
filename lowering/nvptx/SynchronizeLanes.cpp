// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Accesses to memory that several lanes touch → the same with barriers of the group between:
//   vector.store %v, %s   nvvm.bar.warp.sync %group   memref.load %s[%i]
// One walk in program order knows, of every buffer, whether it was read or written since the last barrier. Where paths
// join, it was if it was on one of them; at the top of a loop, whatever the loop does was done.
#include "lowering/nvptx/Passes.h"

#include "lowering/nvptx/LaneGroup.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Interfaces/LoopLikeInterface.h"

#include <set>

namespace weft {
#define GEN_PASS_DEF_SYNCHRONIZELANES
#include "lowering/nvptx/Passes.h.inc"
} // namespace weft

using namespace mlir;

namespace weft {
namespace {

/// Roots of buffers (see rootOf); −1 stands for all.
struct Accesses {
  std::set<int64_t> reads, writes;

  void add(const Accesses &other) {
    reads.insert(other.reads.begin(), other.reads.end());
    writes.insert(other.writes.begin(), other.writes.end());
  }

  /// Whether what comes next must not overtake what was: one of both writes the same buffer.
  bool conflict(const Accesses &next) const {
    return meet(writes, next.reads) || meet(writes, next.writes) || meet(reads, next.writes);
  }

private:
  static bool meet(const std::set<int64_t> &a, const std::set<int64_t> &b) {
    if (a.empty() || b.empty())
      return false;
    return a.count(-1) || b.count(-1) || llvm::any_of(a, [&](int64_t root) { return b.count(root); });
  }
};

/// What one op without regions reads and writes.
Accesses accessesOf(Operation *op) {
  Accesses found;
  auto effects = dyn_cast<MemoryEffectOpInterface>(op);
  if (!effects || isa<memref::PrefetchOp>(op))
    return found;
  SmallVector<MemoryEffects::EffectInstance> instances;
  effects.getEffects(instances);
  for (const MemoryEffects::EffectInstance &instance : instances) {
    int64_t root = instance.getValue() ? rootOf(instance.getValue()) : -1;
    if (isa<MemoryEffects::Read>(instance.getEffect()))
      found.reads.insert(root);
    else if (isa<MemoryEffects::Write>(instance.getEffect()))
      found.writes.insert(root);
  }
  return found;
}

class Synchronizer {
public:
  explicit Synchronizer(Value mask) : mask(mask) {}

  /// Goes through a region of one block; `since` is what was done since the last barrier, before and after.
  void run(Region &region, Accesses &since) {
    if (region.empty())
      return;
    for (Operation &op : llvm::make_early_inc_range(region.front()))
      if (op.getNumRegions())
        runNested(&op, since);
      else
        runAccess(&op, since);
  }

private:
  void runAccess(Operation *op, Accesses &since) {
    Accesses next = accessesOf(op);
    if (since.conflict(next)) {
      OpBuilder b(op);
      NVVM::SyncWarpOp::create(b, op->getLoc(), mask);
      since = {};
    }
    since.add(next);
  }

  void runNested(Operation *op, Accesses &since) {
    if (isa<LoopLikeOpInterface>(op))
      op->walk([&](Operation *inner) {
        if (!inner->getNumRegions())
          since.add(accessesOf(inner));
      });
    Accesses before = since;
    for (Region &region : op->getRegions()) {
      Accesses path = before;
      run(region, path);
      since.add(path);
    }
  }

  Value mask;
};

struct SynchronizeLanesPass : impl::SynchronizeLanesBase<SynchronizeLanesPass> {
  void runOnOperation() override {
    for (func::FuncOp function : laneFunctions(getOperation())) {
      OpBuilder b = OpBuilder::atBlockBegin(&function.front());
      Accesses since;
      Value mask = LaneGroup::emit(b, function.getLoc()).mask;
      Synchronizer(mask).run(function.getBody(), since);
    }
  }
};

} // namespace
} // namespace weft
