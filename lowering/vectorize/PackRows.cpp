// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// scf.for %block, %row in it { scf.for %step but the last { vector.load; round; vector.store }; the last one masked }
#include "lowering/vectorize/PackRows.h"

#include "lowering/vectorize/IndexLoops.h"
#include "lowering/vectorize/RowPlaces.h"
#include "lowering/vectorize/StoredNumbers.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;

namespace weft {
namespace {

struct Packer : IndexLoops {
  OpBuilder &b;
  const RegisterPlan &registers;
  const AmxPlan &plan;
  Value source, places, packed;
  Type stored, element;
  int64_t depth, stepValues, chunk; ///< of a row; of a step; of one vector

  Packer(OpBuilder &b, Location loc, const RegisterPlan &registers, const AmxPlan &plan, Value source, Value places,
         Value packed)
      : IndexLoops(loc), b(b), registers(registers), plan(plan), source(source), places(places), packed(packed),
        stored(cast<MemRefType>(source.getType()).getElementType()),
        element(cast<MemRefType>(packed.getType()).getElementType()),
        depth(cast<MemRefType>(source.getType()).getDimSize(1)), stepValues(AmxPlan::kTileRows * plan.perWord),
        chunk(std::min<int64_t>(registers.lanes * 32 / stored.getIntOrFloatBitWidth(), stepValues)) {}

  /// Which of a chunk's values from k = `begin` on belong to the last step and to the row; null: all.
  Value maskOf(OpBuilder &at, int64_t begin, int64_t taken) {
    SmallVector<bool> exists;
    for (int64_t k = begin; k < begin + chunk; ++k)
      exists.push_back(k >= taken && k < depth);
    if (llvm::all_of(exists, [](bool one) { return one; }))
      return Value();
    auto type = VectorType::get({chunk}, at.getI1Type());
    return arith::ConstantOp::create(at, loc, DenseElementsAttr::get(type, exists));
  }

  void move(OpBuilder &at, Value sourceRow, Value k, ValueRange to, Value mask) {
    auto type = VectorType::get({chunk}, stored);
    Value zero = arith::ConstantOp::create(at, loc, at.getZeroAttr(type)), values;
    if (mask)
      values = vector::MaskedLoadOp::create(at, loc, type, source, ValueRange{sourceRow, k}, mask, zero);
    else
      values = vector::LoadOp::create(at, loc, type, source, ValueRange{sourceRow, k});
    if (stored != element)
      values = emitFromF32(at, loc, registers, emitToF32(at, loc, registers, values), element);
    vector::StoreOp::create(at, loc, values, packed, to);
  }

  void emitRow(OpBuilder &at, Value block, Value row, Value sourceRow) {
    int64_t last = plan.steps() - 1;
    forEach(at, constant(at, last), 1, [&](OpBuilder &body, Value step) {
      Value begin = arith::MulIOp::create(body, loc, step, constant(body, stepValues));
      for (int64_t at = 0; at < stepValues; at += chunk) {
        Value k = arith::AddIOp::create(body, loc, begin, constant(body, at));
        move(body, sourceRow, k, {block, step, row, constant(body, at)}, Value());
      }
    });
    int64_t begin = plan.firstWord(last) * plan.perWord, taken = last * stepValues;
    for (int64_t from = 0; from < stepValues; from += chunk) {
      Value mask = maskOf(at, begin + from, taken);
      // A chunk that has nothing begins where the row surely is.
      Value k = constant(at, begin + from < depth ? begin + from : 0);
      move(at, sourceRow, k, {block, constant(at, last), row, constant(at, from)}, mask);
    }
  }

  void emit(Value first, Value count) {
    Value rows = constant(b, AmxPlan::kRows);
    Value final = arith::SubIOp::create(b, loc, count, constant(b, 1));
    forEach(b, arith::CeilDivUIOp::create(b, loc, count, rows), 1, [&](OpBuilder &outer, Value block) {
      Value before = arith::MulIOp::create(outer, loc, block, rows);
      forEach(outer, rows, 1, [&](OpBuilder &body, Value row) {
        Value at = arith::AddIOp::create(body, loc, before, row);
        at = arith::AddIOp::create(body, loc, first, arith::MinUIOp::create(body, loc, at, final));
        emitRow(body, block, row, places ? emitRowPlace(body, loc, places, at, source) : at);
      });
    });
  }
};

} // namespace

MemRefType packedRowsType(const AmxPlan &plan, int64_t blocks, Type element) {
  return MemRefType::get({blocks, plan.steps(), AmxPlan::kRows, AmxPlan::kTileRows * plan.perWord}, element);
}

void emitPackRows(OpBuilder &builder, Location loc, const RegisterPlan &registers, const AmxPlan &plan, Value source,
                  Value places, Value first, Value count, Value packed) {
  Packer(builder, loc, registers, plan, source, places, packed).emit(first, count);
}

} // namespace weft
