// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// weft.dispatch on memrefs → a counting sort: entries of each expert, sums of these, then each entry to the next row of
// its expert. Experts of entries are compared before they are used as an index.
#include "lowering/vectorize/Passes.h"

#include "dialects/weft/RoutingOps.h"
#include "lowering/vectorize/IndexLoops.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

namespace weft {
#define GEN_PASS_DEF_CONVERTDISPATCH
#include "lowering/vectorize/Passes.h.inc"
} // namespace weft

using namespace mlir;

namespace weft {
namespace {

class DispatchEmitter : IndexLoops {
public:
  explicit DispatchEmitter(DispatchOp op)
      : IndexLoops(op.getLoc()), op(op), offsets(op.getOffsets()),
        experts(cast<MemRefType>(offsets.getType()).getDimSize(0) - 1) {}

  void emit() {
    OpBuilder b(op);
    Value cursors = memref::AllocaOp::create(b, loc, MemRefType::get({experts}, b.getI32Type()));
    forEach(b, constant(b, experts + 1), 1,
            [&](OpBuilder &body, Value g) { memref::StoreOp::create(body, loc, integer(body, 0), offsets, g); });
    forEachEntry(b, [&](OpBuilder &body, ValueRange, Value expert) { increment(body, offsets, add(body, expert, 1)); });
    emitSums(b, cursors);
    forEachEntry(b, [&](OpBuilder &body, ValueRange entry, Value expert) { emitPlace(body, cursors, entry, expert); });
    emitDropped(b);
    op.erase();
  }

private:
  Value integer(OpBuilder &b, int64_t value) {
    return arith::ConstantOp::create(b, loc, b.getI32IntegerAttr(static_cast<int32_t>(value)));
  }
  Value load(OpBuilder &b, Value memref, ValueRange place) { return memref::LoadOp::create(b, loc, memref, place); }
  Value asIndex(OpBuilder &b, Value value) { return arith::IndexCastOp::create(b, loc, b.getIndexType(), value); }
  /// memref[place]++, and what was there.
  Value increment(OpBuilder &b, Value memref, Value place) {
    Value before = load(b, memref, place);
    memref::StoreOp::create(b, loc, arith::AddIOp::create(b, loc, before, integer(b, 1)), memref, place);
    return before;
  }
  void when(OpBuilder &b, Value condition, function_ref<void(OpBuilder &)> body) {
    scf::IfOp::create(b, loc, condition, [&](OpBuilder &inner, Location) {
      body(inner);
      scf::YieldOp::create(inner, loc);
    });
  }

  /// The entries (t, j) that have an expert, in order.
  void forEachEntry(OpBuilder &b, function_ref<void(OpBuilder &, ValueRange entry, Value expert)> body) {
    Value tokens = memref::DimOp::create(b, loc, op.getExperts(), 0);
    Value choices = memref::DimOp::create(b, loc, op.getExperts(), 1);
    forEach(b, tokens, 1, [&](OpBuilder &outer, Value t) {
      forEach(outer, choices, 1, [&](OpBuilder &inner, Value j) {
        Value expert = asIndex(inner, load(inner, op.getExperts(), {t, j})), limit = constant(inner, experts);
        // A negative expert is a large unsigned one.
        Value isThere = arith::CmpIOp::create(inner, loc, arith::CmpIPredicate::ult, expert, limit);
        SmallVector<Value> entry{t, j};
        when(inner, isThere, [&](OpBuilder &kept) { body(kept, entry, expert); });
      });
    });
  }

  /// Counts behind the first place become the groups' ends, and cursors their first rows.
  void emitSums(OpBuilder &b, Value cursors) {
    forEach(b, constant(b, experts), 1, [&](OpBuilder &body, Value g) {
      Value first = load(body, offsets, g), next = add(body, g, 1), count = load(body, offsets, next);
      if (std::optional<uint64_t> capacity = op.getCapacity())
        count = arith::MinSIOp::create(body, loc, count, integer(body, std::min<uint64_t>(*capacity, INT32_MAX)));
      memref::StoreOp::create(body, loc, first, cursors, g);
      memref::StoreOp::create(body, loc, arith::AddIOp::create(body, loc, first, count), offsets, next);
    });
  }

  void emitPlace(OpBuilder &b, Value cursors, ValueRange entry, Value expert) {
    auto put = [&](OpBuilder &body) {
      Value row = asIndex(body, increment(body, cursors, expert));
      Value token = arith::IndexCastOp::create(body, loc, body.getI32Type(), entry[0]);
      memref::StoreOp::create(body, loc, token, op.getTokens(), row);
      memref::StoreOp::create(body, loc, load(body, op.getWeights(), entry), op.getSorted(), row);
    };
    if (!op.getCapacity())
      return put(b);
    Value end = load(b, offsets, add(b, expert, 1));
    when(b, arith::CmpIOp::create(b, loc, arith::CmpIPredicate::slt, load(b, cursors, expert), end), put);
  }

  void emitDropped(OpBuilder &b) {
    Value rows = memref::DimOp::create(b, loc, op.getTokens(), 0);
    Value none = arith::ConstantOp::create(b, loc, b.getF32FloatAttr(0));
    forEach(b, asIndex(b, load(b, offsets, constant(b, experts))), rows, 1, [&](OpBuilder &body, Value row) {
      memref::StoreOp::create(body, loc, integer(body, -1), op.getTokens(), row);
      memref::StoreOp::create(body, loc, none, op.getSorted(), row);
    });
  }

  DispatchOp op;
  Value offsets;
  int64_t experts;
};

struct ConvertDispatchPass : impl::ConvertDispatchBase<ConvertDispatchPass> {
  void runOnOperation() override {
    SmallVector<DispatchOp> ops;
    getOperation()->walk([&](DispatchOp op) { ops.push_back(op); });
    for (DispatchOp op : ops)
      DispatchEmitter(op).emit();
  }
};

} // namespace
} // namespace weft
