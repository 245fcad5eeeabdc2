// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// memref.alloc in an entry function → views of one arena, at offsets that depend on the named dimensions only:
//   func @encode(%in: memref<?x?xi64>, …, %out: …, %batch: index, %sequence: index, %arena: memref<?xi8>)
//   func @encode_arena(%batch: index, %sequence: index) -> index      bytes that these extents need, -1: too many
// Values whose lifetimes do not meet share a slot when their dynamic extents are the same product.
#include "lowering/bufferize/Passes.h"

#include "dialects/weft/WeftDialect.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/Interfaces/ViewLikeInterface.h"
#include "llvm/ADT/MapVector.h"

namespace weft {
#define GEN_PASS_DEF_BUFFERIZEARENA
#include "lowering/bufferize/Passes.h.inc"
} // namespace weft

using namespace mlir;

namespace weft {
namespace {

/// Slots start at multiples of a cache line, which is also the widest vector.
constexpr int64_t kAlignment = 64;
/// Sizes beyond this are not told apart: half of what an index holds, far more than there are addresses.
constexpr double kCountable = 0x1p62;

/// One piece of the arena: bytes × the product of dynamic extents.
struct Slot {
  SmallVector<Value> extents; ///< in the order of their definitions, so that equal products compare equal
  int64_t bytes;
  int64_t freeAfter; ///< position of the last op that uses what it holds
};

struct ArenaPlan {
  std::vector<Slot> slots;
  SmallVector<std::pair<memref::AllocOp, size_t>> places;
};

class ArenaPlanner {
public:
  explicit ArenaPlanner(func::FuncOp entry) {
    int64_t position = 0;
    for (Operation &op : entry.getBody().front())
      positions[&op] = position++;
    for (Operation &op : entry.getBody().front())
      if (auto alloc = dyn_cast<memref::AllocOp>(op))
        place(alloc);
  }

  ArenaPlan plan;

private:
  /// Position of the last use of the memory, through views.
  int64_t lastUse(Value memory) {
    int64_t last = 0;
    for (Operation *user : memory.getUsers()) {
      last = std::max(last, positions.lookup(user));
      if (isa<ViewLikeOpInterface, memref::CollapseShapeOp, memref::ExpandShapeOp>(user))
        for (Value view : user->getResults())
          last = std::max(last, lastUse(view));
    }
    return last;
  }

  /// Arguments by number, then ops by position: the same in every run.
  std::pair<bool, int64_t> order(Value value) {
    if (auto argument = dyn_cast<BlockArgument>(value))
      return {false, argument.getArgNumber()};
    return {true, positions.lookup(value.getDefiningOp())};
  }

  void place(memref::AllocOp alloc) {
    MemRefType type = alloc.getType();
    SmallVector<Value> extents(alloc.getDynamicSizes());
    llvm::sort(extents, [&](Value a, Value b) { return order(a) < order(b); });
    int64_t bytes = llvm::divideCeil(type.getElementTypeBitWidth(), 8);
    for (int64_t extent : type.getShape())
      if (!ShapedType::isDynamic(extent))
        bytes *= extent;
    int64_t begin = positions.lookup(alloc), end = lastUse(alloc);
    // The smallest free slot that is large enough, else the largest free one, which grows.
    Slot *best = nullptr;
    for (Slot &slot : plan.slots) {
      if (slot.freeAfter >= begin || slot.extents != extents)
        continue;
      bool better =
          !best || (best->bytes < bytes ? slot.bytes > best->bytes : slot.bytes >= bytes && slot.bytes < best->bytes);
      if (better)
        best = &slot;
    }
    if (!best) {
      plan.slots.push_back({extents, bytes, end});
      best = &plan.slots.back();
    }
    best->bytes = std::max(best->bytes, bytes);
    best->freeAfter = end;
    plan.places.push_back({alloc, best - plan.slots.data()});
  }

  llvm::DenseMap<Operation *, int64_t> positions;
};

/// One entry function's change of signature and memory.
class ArenaConversion {
public:
  explicit ArenaConversion(func::FuncOp entry) : entry(entry), loc(entry.getLoc()) {}

  LogicalResult run() {
    addDimArguments();
    if (failed(replaceDims()))
      return failure();
    ArenaPlan plan = ArenaPlanner(entry).plan;
    if (failed(emitViews(plan)))
      return failure();
    return emitArenaFunction(plan);
  }

private:
  /// One index argument for each name, in order of first appearance over the inputs.
  void addDimArguments() {
    unsigned count = entry.getNumArguments();
    OpBuilder b(entry.getContext());
    for (unsigned i = 0; i < count; ++i) {
      auto names = entry.getArgAttrOfType<ArrayAttr>(i, "weft.dims");
      if (!names || entry.getArgAttr(i, "weft.output"))
        continue;
      for (StringAttr name : names.getAsRange<StringAttr>()) {
        if (name.empty() || dims.count(name))
          continue;
        unsigned at = entry.getNumArguments();
        auto attributes = b.getDictionaryAttr(b.getNamedAttr("weft.dim", name));
        (void)entry.insertArgument(at, b.getIndexType(), attributes, loc);
        dims[name] = entry.getArgument(at);
      }
    }
    auto attributes = b.getDictionaryAttr(b.getNamedAttr("weft.arena", b.getUnitAttr()));
    (void)entry.insertArgument(entry.getNumArguments(), MemRefType::get({ShapedType::kDynamic}, b.getI8Type()),
                               attributes, loc);
    arena = entry.getArgument(entry.getNumArguments() - 1);
  }

  /// memref.dim of an argument → the argument of that dimension's name.
  LogicalResult replaceDims() {
    WalkResult result = entry.walk([&](memref::DimOp op) {
      auto argument = dyn_cast<BlockArgument>(op.getSource());
      std::optional<int64_t> index = op.getConstantIndex();
      if (!argument || !index)
        return WalkResult(op.emitError("extents in an entry function must be those of its arguments"));
      auto names = entry.getArgAttrOfType<ArrayAttr>(argument.getArgNumber(), "weft.dims");
      auto name = names && *index < static_cast<int64_t>(names.size()) ? cast<StringAttr>(names[*index]) : StringAttr();
      if (!name || !dims.count(name))
        return WalkResult(op.emitError("dimension ") << *index << " has no name in 'weft.dims'");
      op.replaceAllUsesWith(dims[name]);
      op.erase();
      return WalkResult::advance();
    });
    return failure(result.wasInterrupted());
  }

  /// The computation of an index from the named dimensions, repeated at the builder's point.
  FailureOr<Value> repeat(OpBuilder &b, Value value, IRMapping &mapping) {
    if (Value known = mapping.lookupOrNull(value))
      return known;
    Operation *op = value.getDefiningOp();
    if (!op || !isMemoryEffectFree(op) || op->getNumRegions() != 0)
      return entry.emitError("an extent depends on more than the named dimensions");
    for (Value operand : op->getOperands())
      if (failed(repeat(b, operand, mapping)))
        return failure();
    b.clone(*op, mapping);
    return mapping.lookup(value);
  }

  /// Offset of each slot and, last, the size of all.
  FailureOr<SmallVector<Value>> emitOffsets(OpBuilder &b, const ArenaPlan &plan, IRMapping &mapping) {
    SmallVector<Value> offsets;
    Value offset = arith::ConstantIndexOp::create(b, loc, 0);
    for (const Slot &slot : plan.slots) {
      offsets.push_back(offset);
      Value bytes = arith::ConstantIndexOp::create(b, loc, slot.bytes);
      for (Value extent : slot.extents) {
        FailureOr<Value> repeated = repeat(b, extent, mapping);
        if (failed(repeated))
          return failure();
        bytes = arith::MulIOp::create(b, loc, bytes, *repeated);
      }
      Value align = arith::ConstantIndexOp::create(b, loc, kAlignment);
      Value lines = arith::CeilDivUIOp::create(b, loc, bytes, align);
      offset = arith::AddIOp::create(b, loc, offset, arith::MulIOp::create(b, loc, lines, align));
    }
    offsets.push_back(offset);
    return offsets;
  }

  /// An extent as f64, in which a product of dimensions cannot wrap around.
  FailureOr<Value> emitReal(OpBuilder &b, Value extent, IRMapping &mapping) {
    if (auto product = extent.getDefiningOp<arith::MulIOp>()) {
      FailureOr<Value> lhs = emitReal(b, product.getLhs(), mapping), rhs = emitReal(b, product.getRhs(), mapping);
      if (failed(lhs) || failed(rhs))
        return failure();
      return arith::MulFOp::create(b, loc, *lhs, *rhs).getResult();
    }
    FailureOr<Value> repeated = repeat(b, extent, mapping);
    if (failed(repeated))
      return failure();
    Value integer = arith::IndexCastOp::create(b, loc, b.getI64Type(), *repeated);
    return arith::SIToFPOp::create(b, loc, b.getF64Type(), integer).getResult();
  }

  /// `size`, or -1 where it wrapped around: the same sum in f64 says so.
  FailureOr<Value> emitCountable(OpBuilder &b, const ArenaPlan &plan, Value size, IRMapping &mapping) {
    Value total;
    for (const Slot &slot : plan.slots) {
      if (slot.extents.empty())
        continue;
      Value bytes = arith::ConstantOp::create(b, loc, b.getF64FloatAttr(slot.bytes));
      for (Value extent : slot.extents) {
        FailureOr<Value> real = emitReal(b, extent, mapping);
        if (failed(real))
          return failure();
        bytes = arith::MulFOp::create(b, loc, bytes, *real);
      }
      total = total ? arith::AddFOp::create(b, loc, total, bytes).getResult() : bytes;
    }
    if (!total)
      return size;
    Value limit = arith::ConstantOp::create(b, loc, b.getF64FloatAttr(kCountable));
    Value fits = arith::CmpFOp::create(b, loc, arith::CmpFPredicate::OLT, total, limit);
    Value none = arith::ConstantIndexOp::create(b, loc, -1);
    return arith::SelectOp::create(b, loc, fits, size, none).getResult();
  }

  LogicalResult emitViews(const ArenaPlan &plan) {
    OpBuilder top = OpBuilder::atBlockBegin(&entry.getBody().front());
    IRMapping mapping;
    for (auto &[name, argument] : dims)
      mapping.map(argument, argument);
    FailureOr<SmallVector<Value>> offsets = emitOffsets(top, plan, mapping);
    if (failed(offsets))
      return failure();
    for (auto [alloc, slot] : plan.places) {
      OpBuilder b(alloc);
      Value view =
          memref::ViewOp::create(b, alloc.getLoc(), alloc.getType(), arena, (*offsets)[slot], alloc.getDynamicSizes());
      alloc.replaceAllUsesWith(view);
      alloc.erase();
    }
    return success();
  }

  LogicalResult emitArenaFunction(const ArenaPlan &plan) {
    OpBuilder b(entry.getContext());
    b.setInsertionPointAfter(entry);
    SmallVector<Type> types(dims.size(), b.getIndexType());
    auto function =
        func::FuncOp::create(b, loc, (entry.getName() + "_arena").str(), b.getFunctionType(types, b.getIndexType()));
    function.setPrivate();
    b.setInsertionPointToStart(function.addEntryBlock());
    IRMapping mapping;
    for (auto [i, entryDim] : llvm::enumerate(dims))
      mapping.map(entryDim.second, function.getArgument(i));
    FailureOr<SmallVector<Value>> offsets = emitOffsets(b, plan, mapping);
    if (failed(offsets))
      return failure();
    FailureOr<Value> size = emitCountable(b, plan, offsets->back(), mapping);
    if (failed(size))
      return failure();
    func::ReturnOp::create(b, loc, *size);
    return success();
  }

  func::FuncOp entry;
  Location loc;
  llvm::MapVector<StringAttr, Value> dims;
  Value arena;
};

struct BufferizeArenaPass : impl::BufferizeArenaBase<BufferizeArenaPass> {
  void runOnOperation() override {
    SmallVector<func::FuncOp> entries;
    getOperation()->walk([&](func::FuncOp function) {
      if (function->hasAttr("weft.entry"))
        entries.push_back(function);
    });
    for (func::FuncOp entry : entries)
      if (failed(ArenaConversion(entry).run()))
        return signalPassFailure();
  }
};

} // namespace
} // namespace weft
