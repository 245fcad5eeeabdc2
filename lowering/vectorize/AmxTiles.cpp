// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//   %acc:4 = amx.tile_zero; scf.for %step iter_args(%acc) { 4 × amx.tile_load, 4 × amx.tile_mul }; 4 × amx.tile_store
// or, without tiles: scf.for %row { scf.for %step { scf.for %word { broadcast · vector } } }, eight rows at once where
// words of two bf16 have a dot product:
//   scf.for %step { scf.for %word iter_args(%sums:16) { 2 × vector.load, 8 × (broadcast, 2 × vdpbf16ps) } }
#include "lowering/vectorize/AmxTiles.h"

#include "lowering/analysis/AmxPlan.h"
#include "lowering/vectorize/IntegerDot.h"
#include "lowering/vectorize/RegisterTile.h"
#include "lowering/vectorize/WordDot.h"

#include "mlir/Dialect/AMX/AMXDialect.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

#include <numeric>

using namespace mlir;

namespace weft {
namespace {

constexpr int64_t kRows = AmxPlan::kTileRows; // and words of a row

struct Emitter {
  Location loc;
  const TileProduct &product;
  int64_t perWord;
  Type sumElement;

  Emitter(Location loc, const TileProduct &product)
      : loc(loc), product(product), perWord(32 / product.element.getIntOrFloatBitWidth()),
        sumElement(cast<MemRefType>(product.sums.memref.getType()).getElementType()) {}

  Value constant(OpBuilder &b, int64_t value) { return arith::ConstantIndexOp::create(b, loc, value); }
  Value add(OpBuilder &b, Value base, Value offset) { return arith::AddIOp::create(b, loc, base, offset); }
  /// A place among the sums.
  SmallVector<Value> at(OpBuilder &b, Value row, int64_t column) {
    SmallVector<Value> indices = product.sums.indices;
    Value &first = indices[indices.size() - 2], &last = indices.back();
    first = add(b, first, row);
    last = add(b, last, constant(b, column));
    return indices;
  }
  void yield(OpBuilder &b, ValueRange values) { scf::YieldOp::create(b, loc, values); }
};

// --- in tiles -----------------------------------------------------------------------------------------------------

struct TileEmitter : Emitter {
  using Emitter::Emitter;

  amx::TileType tileOf(int64_t rows, int64_t words, Type element) {
    return amx::TileType::get({rows, words * 32 / int64_t(element.getIntOrFloatBitWidth())}, element);
  }

  SmallVector<Value> load(OpBuilder &b, const TileOperand &operand, Value step, int64_t count, amx::TileType type) {
    SmallVector<Value> tiles;
    for (int64_t i = 0; i < count; ++i) {
      TilePlace place = operand(b, step, i);
      tiles.push_back(amx::TileLoadOp::create(b, loc, type, place.memref, place.indices));
    }
    return tiles;
  }

  SmallVector<Value> multiply(OpBuilder &b, Value step, ValueRange sums) {
    if (product.beforeStep)
      product.beforeStep(b, step);
    auto leftType = tileOf(product.leftRows, product.words, product.element);
    auto rightType = tileOf(product.words, kRows, product.element);
    SmallVector<Value> left = load(b, product.left, step, product.leftTiles, leftType);
    SmallVector<Value> right = load(b, product.right, step, product.rightTiles, rightType), next;
    for (auto [index, sum] : llvm::enumerate(sums)) {
      Value x = left[index / product.rightTiles], y = right[index % product.rightTiles];
      if (product.element.isBF16())
        next.push_back(amx::TileMulFOp::create(b, loc, sum.getType(), x, y, sum));
      else
        next.push_back(amx::TileMulIOp::create(b, loc, sum.getType(), x, y, sum, false, false));
    }
    return next;
  }

  void emit(OpBuilder &b) {
    amx::TileType type = tileOf(product.leftRows, kRows, sumElement);
    SmallVector<Value> start;
    for (int64_t i = 0; i < product.leftTiles; ++i)
      for (int64_t j = 0; j < product.rightTiles; ++j)
        start.push_back(product.accumulate
                            ? amx::TileLoadOp::create(b, loc, type, product.sums.memref,
                                                      at(b, constant(b, i * product.leftRows), j * kRows))
                                  .getResult()
                            : amx::TileZeroOp::create(b, loc, type).getResult());
    auto loop = scf::ForOp::create(
        b, loc, constant(b, 0), product.steps, constant(b, 1), start,
        [&](OpBuilder &k, Location, Value step, ValueRange sums) { yield(k, multiply(k, step, sums)); });
    for (auto [index, sum] : llvm::enumerate(loop.getResults()))
      amx::TileStoreOp::create(
          b, loc, product.sums.memref,
          at(b, constant(b, index / product.rightTiles * product.leftRows), index % product.rightTiles * kRows), sum);
  }
};

// --- in vectors ---------------------------------------------------------------------------------------------------

struct VectorEmitter : Emitter {
  const RegisterPlan &registers;
  int64_t lanes;
  VectorType sumType, wordType;

  VectorEmitter(Location loc, const RegisterPlan &registers, const TileProduct &product)
      : Emitter(loc, product), registers(registers), lanes(registers.lanes),
        sumType(VectorType::get({lanes}, sumElement)),
        wordType(VectorType::get({lanes}, IntegerType::get(loc.getContext(), 32))) {}

  /// `count` words of a tile: row `row`, from word `word` on.
  Value loadWords(OpBuilder &b, TilePlace place, Value row, Value word, int64_t count) {
    Value &rowIndex = place.indices[place.indices.size() - 2], &column = place.indices.back();
    rowIndex = add(b, rowIndex, row);
    column = add(b, column, arith::MulIOp::create(b, loc, word, constant(b, perWord)));
    auto stored = VectorType::get({count * perWord}, product.element);
    Value values = vector::LoadOp::create(b, loc, stored, place.memref, place.indices);
    return vector::BitCastOp::create(b, loc, VectorType::get({count}, b.getI32Type()), values);
  }

  Value splat(OpBuilder &b, int32_t bits) {
    return arith::ConstantOp::create(b, loc, DenseElementsAttr::get(wordType, bits));
  }
  Value lower(OpBuilder &b, Value words) {
    return arith::BitcastOp::create(b, loc, sumType, arith::ShLIOp::create(b, loc, words, splat(b, 16)));
  }
  Value upper(OpBuilder &b, Value words) {
    return arith::BitcastOp::create(b, loc, sumType, arith::AndIOp::create(b, loc, words, splat(b, -65536)));
  }
  Value multiplyAdd(OpBuilder &b, Value sum, Value x, Value y) {
    if (!product.element.isBF16())
      return emitDot(b, loc, registers, sum, splitWords(b, loc, x), splitWords(b, loc, y));
    sum = vector::FMAOp::create(b, loc, lower(b, x), lower(b, y), sum);
    return vector::FMAOp::create(b, loc, upper(b, x), upper(b, y), sum);
  }

  SmallVector<Value> emitWord(OpBuilder &b, int64_t i, Value row, Value step, Value word, ValueRange sums) {
    Value scalar =
        vector::ExtractOp::create(b, loc, loadWords(b, product.left(b, step, i), row, word, 1), ArrayRef<int64_t>{0});
    Value x = vector::BroadcastOp::create(b, loc, wordType, scalar);
    SmallVector<Value> next;
    for (auto [part, sum] : llvm::enumerate(sums)) {
      int64_t j = part * lanes / kRows, column = part * lanes % kRows;
      Value y = loadWords(b, product.right(b, step, j), word, constant(b, column), lanes);
      next.push_back(multiplyAdd(b, sum, x, y));
    }
    return next;
  }

  void emitRow(OpBuilder &b, int64_t i, Value row) {
    Value inSums = add(b, row, constant(b, i * product.leftRows));
    SmallVector<Value> start;
    int64_t parts = product.rightTiles * kRows / lanes;
    for (int64_t part = 0; part < parts; ++part)
      start.push_back(
          product.accumulate
              ? vector::LoadOp::create(b, loc, sumType, product.sums.memref, at(b, inSums, part * lanes)).getResult()
              : arith::ConstantOp::create(b, loc, b.getZeroAttr(sumType)).getResult());
    auto steps =
        scf::ForOp::create(b, loc, constant(b, 0), product.steps, constant(b, 1), start,
                           [&](OpBuilder &outer, Location, Value step, ValueRange before) {
                             auto words = scf::ForOp::create(
                                 outer, loc, constant(outer, 0), constant(outer, product.words), constant(outer, 1),
                                 before, [&](OpBuilder &inner, Location, Value word, ValueRange sums) {
                                   yield(inner, emitWord(inner, i, row, step, word, sums));
                                 });
                             yield(outer, words.getResults());
                           });
    for (auto [part, sum] : llvm::enumerate(steps.getResults()))
      vector::StoreOp::create(b, loc, sum, product.sums.memref, at(b, inSums, part * lanes));
  }

  void emitBeforeSteps(OpBuilder &b) {
    if (product.beforeStep)
      scf::ForOp::create(b, loc, constant(b, 0), product.steps, constant(b, 1), ValueRange(),
                         [&](OpBuilder &body, Location, Value step, ValueRange) {
                           product.beforeStep(body, step);
                           yield(body, {});
                         });
  }

  void emit(OpBuilder &b) {
    emitBeforeSteps(b);
    for (int64_t i = 0; i < product.leftTiles; ++i)
      scf::ForOp::create(b, loc, constant(b, 0), constant(b, product.leftRows), constant(b, 1), ValueRange(),
                         [&](OpBuilder &body, Location, Value row, ValueRange) {
                           emitRow(body, i, row);
                           yield(body, {});
                         });
  }
};

// --- in dot products of words -------------------------------------------------------------------------------------

/// Some rows at once, so that a vector of the right operand is loaded for all of them and sums do not wait for each
/// other.
struct DotEmitter : VectorEmitter {
  static constexpr int64_t kAccumulators = 16;
  static constexpr int64_t kUnroll = 4; ///< words in an iteration

  int64_t parts, together;

  DotEmitter(Location loc, const RegisterPlan &registers, const TileProduct &product)
      : VectorEmitter(loc, registers, product), parts(product.rightTiles * kRows / lanes),
        together(std::gcd(product.leftRows, std::max<int64_t>(1, kAccumulators / parts))) {}

  /// The left tile's rows from `row` on times the right tiles, a word a step.
  SmallVector<Value> emitStep(OpBuilder &b, int64_t i, Value row, Value step, ValueRange sums) {
    RegisterPlan plan = registers;
    plan.unroll = kUnroll;
    TilePlace left = product.left(b, step, i);
    TileOperands operands;
    operands.a = [&](OpBuilder &k, Value word, int64_t r) -> Value {
      return vector::ExtractOp::create(k, loc, loadWords(k, left, add(k, row, constant(k, r)), word, 1),
                                       ArrayRef<int64_t>{0});
    };
    operands.b = [&](OpBuilder &k, Value word, int64_t part) {
      return loadWords(k, product.right(k, step, part * lanes / kRows), word, constant(k, part * lanes % kRows), lanes);
    };
    operands.multiplyAdd = [&](OpBuilder &k, Value x, Value y, Value sum) {
      return emitHalfDot(k, loc, registers, sum, x, y);
    };
    return weft::emitTileProduct(b, loc, plan, together, parts, b.getIndexAttr(product.words), sums, operands);
  }

  void emitRows(OpBuilder &b, int64_t i, Value row) {
    Value inSums = add(b, row, constant(b, i * product.leftRows));
    SmallVector<Value> start(together * parts, arith::ConstantOp::create(b, loc, b.getZeroAttr(sumType)));
    auto place = [&](int64_t index) {
      return at(b, add(b, inSums, constant(b, index / parts)), index % parts * lanes);
    };
    for (auto [index, sum] : llvm::enumerate(start))
      if (product.accumulate)
        sum = vector::LoadOp::create(b, loc, sumType, product.sums.memref, place(index));
    auto steps = scf::ForOp::create(b, loc, constant(b, 0), product.steps, constant(b, 1), start,
                                    [&](OpBuilder &body, Location, Value step, ValueRange before) {
                                      yield(body, emitStep(body, i, row, step, before));
                                    });
    for (auto [index, sum] : llvm::enumerate(steps.getResults()))
      vector::StoreOp::create(b, loc, sum, product.sums.memref, place(index));
  }

  void emit(OpBuilder &b) {
    emitBeforeSteps(b);
    for (int64_t i = 0; i < product.leftTiles; ++i)
      scf::ForOp::create(b, loc, constant(b, 0), constant(b, product.leftRows), constant(b, together), ValueRange(),
                         [&](OpBuilder &body, Location, Value row, ValueRange) {
                           emitRows(body, i, row);
                           yield(body, {});
                         });
  }
};

} // namespace

void emitTileProduct(OpBuilder &builder, Location loc, const RegisterPlan &registers, bool instructions,
                     const TileProduct &product) {
  if (instructions)
    TileEmitter(loc, product).emit(builder);
  else if (product.element.isBF16() && registers.halfDots)
    DotEmitter(loc, registers, product).emit(builder);
  else
    VectorEmitter(loc, registers, product).emit(builder);
}

} // namespace weft
