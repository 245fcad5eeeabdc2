// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Rows as digits (RowDigits), weights as unsigned bytes; a group's sums are dot products of these, exact in i32:
//   part: scf.for %digit, the highest first { sums = (sums << 8) + corrections + Σ bytes · digits }
//   rows' sums += (scales · unit) · sitofp part
// One row: words of the weight are taken apart as they stream by, and meet all digits at once. More rows: those of a
// block of groups are, once for all row tiles, into a scratch in the first-level cache.
#include "lowering/analysis/DigitPlan.h"
#include "lowering/vectorize/GroupwiseTiles.h"
#include "lowering/vectorize/RegisterTile.h"
#include "lowering/vectorize/RowDigits.h"
#include "lowering/vectorize/RowTiles.h"
#include "lowering/vectorize/WordDot.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;

namespace weft {
namespace {

/// Steps of k in a block: 24 KiB of bytes at 48 columns, 2 KiB of digits a row.
constexpr int64_t kBlockSteps = 512;

/// Bytes of a panel that one row fetches ahead, into the second-level cache. Where the weight has 8 bits the loop waits
/// for memory, a line of each group is enough for hardware to follow, and more hints cost (one row of 4096 columns of
/// 192 from memory, Zen 4: 96 % of a read loop's rate; 63 % with hints for all lines into the first level). Where it
/// has fewer the loop has hardly time to wait: all lines are asked for, and again shortly before they are used (88 %;
/// without the second hint 82 %, with the second alone 77 %).
constexpr int64_t kFarAhead = 2048, kNearAhead = 384;

/// Groups of a tile's columns, taken apart.
struct Scratch {
  Value bytes;  ///< [words of four steps of k, columns of the tile]
  Value scales; ///< [groups, columns of the tile]
};

class DigitProduct : public GroupwiseTiles {
public:
  DigitProduct(GroupwiseMatmulOp matmul, const ProductPlan &target)
      : GroupwiseTiles(matmul, target), plan(DigitPlan::forForm(form)),
        sumType(VectorType::get({lanes}, IntegerType::get(loc.getContext(), 32))) {
    single.vectors = std::min(single.vectors, kVectorsOfOneRow);
  }

private:
  void emitRows(OpBuilder &b, const RowRange &rows) override {
    emitByRowCount(
        b, loc, rows.count, 1, [&](OpBuilder &body) { emitOne(body, rows); },
        [&](OpBuilder &body) { emitMany(body, rows); });
  }

  // --- what both ways share ---------------------------------------------------------------------------------------

  Value broadcast(OpBuilder &b, Type type, Value scalar) { return vector::BroadcastOp::create(b, loc, type, scalar); }

  /// A tile whose sums are those of one of its rows.
  ColumnTile rowOf(OpBuilder &b, const ColumnTile &tile, Value row) {
    ColumnTile one = tile;
    one.sums = rowsOf(b, tile.sums, row, 1, b.getIndexAttr(0), b.getIndexAttr(tile.plan.columns()));
    return one;
  }

  /// Rows with a NaN or an infinity have no digits: they are what they are in f32.
  void replaceRows(OpBuilder &b, RowDigits &digits, const ColumnTile &tile, const RowRange &rows) {
    forEach(b, getValueOrCreateConstantIndexOp(b, loc, rows.count), 1, [&](OpBuilder &each, Value row) {
      scf::IfOp::create(
          each, loc, digits.isFinite(each, row), [&](OpBuilder &then, Location) { scf::YieldOp::create(then, loc); },
          [&](OpBuilder &body, Location) {
            RowRange one{arith::AddIOp::create(body, loc, rows.begin, row), body.getIndexAttr(1)};
            ColumnTile its = rowOf(body, tile, row);
            startSums(body, its, one);
            streamRows(body, its, one, constant(body, 0), 1);
            scf::YieldOp::create(body, loc);
          });
    });
  }

  /// Adds a part's sums, times what they count, to the rows' sums in `view`.
  void addPart(OpBuilder &b, const ColumnTile &tile, RowDigits &digits, const RowDigits::Rows &rows, Value index,
               Value part, Value view, ArrayRef<Value> scales, ValueRange sums) {
    for (int64_t r = 0; r < int64_t(sums.size()) / tile.plan.vectors; ++r) {
      Value unit = broadcast(b, floats, digits.unit(b, rows, r, index, part));
      Value row = rowsOf(b, view, constant(b, r), 1, b.getIndexAttr(0), b.getIndexAttr(tile.plan.columns()));
      SmallVector<Value> counts, values;
      for (int64_t v = 0; v < tile.plan.vectors; ++v) {
        counts.push_back(arith::MulFOp::create(b, loc, scales[v], unit));
        values.push_back(arith::SIToFPOp::create(b, loc, floats, sums[r * tile.plan.vectors + v]));
      }
      addScaled(b, tile, row, counts, values);
    }
  }

  // --- one row ------------------------------------------------------------------------------------------------------

  void emitOne(OpBuilder &b, const RowRange &rows) {
    Value sums = scratch(b, 1, single.columns()), one = constant(b, 1), zero = constant(b, 0);
    RowDigits digits(loc, single, form, matmul.getLhs());
    digits.allocate(b, 1, groups());
    digits.forget(b, one);
    digits.emit(b, rows.begin, one, zero, constant(b, groups()),
                [&](OpBuilder &each, Value index) { fetchFirst(each, index); });
    RowRange range{rows.begin, b.getIndexAttr(1)};
    forEach(b, columns, single.columns(), [&](OpBuilder &body, Value column) {
      ColumnTile tile = columnTile(body, single, column, sums);
      startSums(body, tile, range);
      RowDigits::Rows row = digits.rowsOf(body, zero, 1);
      forEach(body, constant(body, groups()), 1,
              [&](OpBuilder &each, Value group) { streamDigits(each, tile, digits, row, group); });
      replaceRows(body, digits, tile, range);
      finishRows(body, tile, range);
    });
  }

  /// While digits are made memory has nothing to do: half of the first panels' next lines, the other half with the next
  /// group.
  void fetchFirst(OpBuilder &b, Value index) {
    int64_t half = std::max<int64_t>(single.columns() / kPanelWidth / 2, 1);
    Value two = constant(b, 2), line = times(b, arith::DivUIOp::create(b, loc, index, two), 64);
    Value first = times(b, arith::RemUIOp::create(b, loc, index, two), half);
    SmallVector<GroupPlace> places;
    for (int64_t i = 0; i < half; ++i) {
      Value panel = arith::MinUIOp::create(b, loc, add(b, first, i), lastPanel);
      places.push_back({matmul.getRhs(), panel, constant(b, 0), Value()});
    }
    emitGroupFetch(b, loc, places, line, FetchInto::Second);
  }

  /// A group: sums [digit][vector] over its words, then of its parts.
  void streamDigits(OpBuilder &b, const ColumnTile &tile, RowDigits &digits, const RowDigits::Rows &row, Value group) {
    SmallVector<GroupPlace> places = placesOf(tile, group), later = placesAhead(b, tile, group, kFarAhead);
    SmallVector<Value> sums;
    for (int64_t digit = 0; digit < DigitPlan::kDigits; ++digit)
      sums.append(tile.plan.vectors, broadcast(b, sumType, digits.correction(b, row, 0, group, constant(b, digit))));
    auto loop = scf::ForOp::create(b, loc, constant(b, 0), constant(b, form.group / form.steps()), constant(b, 1), sums,
                                   [&](OpBuilder &body, Location, Value word, ValueRange carried) {
                                     SmallVector<Value> next(carried);
                                     fetch(body, tile, places, later, times(body, word, kPanelWidth * 4));
                                     streamWord(body, tile, digits, row, group, word, places, next);
                                     scf::YieldOp::create(body, loc, next);
                                   });
    emitGroupFetch(b, loc, later, constant(b, form.wordBytes()), FetchInto::Second);
    SmallVector<Value> scales;
    for (const GroupPlace &place : places)
      scales.push_back(emitStoredScales(b, loc, tile.plan, form, place));
    for (auto [i, part] : llvm::enumerate(plan.parts))
      addPart(b, tile, digits, row, group, constant(b, i), tile.sums, scales, partOf(b, part, loop.getResults()));
  }

  /// Hints for the lines of a word.
  void fetch(OpBuilder &b, const ColumnTile &tile, ArrayRef<GroupPlace> places, ArrayRef<GroupPlace> later,
             Value byte) {
    if (form.bits == 8)
      return;
    emitGroupFetch(b, loc, later, byte, FetchInto::Second);
    SmallVector<GroupPlace> near;
    for (int64_t v = 0; v < tile.plan.vectors; v += kPanelWidth / lanes) // once for a panel
      near.push_back(places[v]);
    emitGroupFetch(b, loc, near, add(b, byte, kNearAhead));
  }

  void streamWord(OpBuilder &b, const ColumnTile &tile, RowDigits &digits, const RowDigits::Rows &row, Value group,
                  Value word, ArrayRef<GroupPlace> places, SmallVectorImpl<Value> &sums) {
    int64_t inWord = form.steps() / 4;
    SmallVector<Value> factors;
    for (int64_t p = 0; p < inWord; ++p)
      for (int64_t digit = 0; digit < DigitPlan::kDigits; ++digit) {
        Value place = add(b, times(b, word, inWord), p);
        factors.push_back(broadcast(b, sumType, digits.word(b, row, 0, group, place, constant(b, digit))));
      }
    for (auto [v, place] : llvm::enumerate(places))
      for (auto [p, bytes] : llvm::enumerate(emitGroupBytes(b, loc, tile.plan, form, place, word)))
        for (int64_t digit = 0; digit < DigitPlan::kDigits; ++digit) {
          Value &sum = sums[digit * tile.plan.vectors + v];
          sum = emitByteDot(b, loc, tile.plan, sum, bytes, factors[p * DigitPlan::kDigits + digit]);
        }
  }

  /// Sums of a part out of those of all digits.
  SmallVector<Value> partOf(OpBuilder &b, const DigitPlan::Part &part, ValueRange sums) {
    int64_t vectors = single.vectors;
    SmallVector<Value> whole(sums.slice((part.end - 1) * vectors, vectors));
    for (int64_t digit = part.end - 2; digit >= part.begin; --digit)
      for (auto [v, sum] : llvm::enumerate(whole))
        sum = arith::AddIOp::create(b, loc, shifted(b, sum), sums[digit * vectors + v]);
    return whole;
  }

  Value shifted(OpBuilder &b, Value sum) {
    Value eight = arith::ConstantOp::create(b, loc, DenseElementsAttr::get(sumType, int32_t(8)));
    return arith::ShLIOp::create(b, loc, sum, eight);
  }

  // --- more rows ----------------------------------------------------------------------------------------------------

  void emitMany(OpBuilder &b, const RowRange &rows) {
    const RegisterPlan &tall = shapes.tall;
    int64_t block = std::min(groups(), std::max<int64_t>(kBlockSteps / form.group, 1));
    int64_t kept = llvm::alignTo(DigitPlan::kItemColumns, tall.columns());
    RowDigits digits(loc, tall, form, matmul.getLhs());
    digits.allocate(b, shapes.itemRows, block);
    Value sums = scratch(b, shapes.itemRows, kept), count = getValueOrCreateConstantIndexOp(b, loc, rows.count);
    Scratch taken{scratch(b, block * form.group / 4, tall.columns(), b.getI32Type()),
                  scratch(b, block, tall.columns())};
    forEach(b, columns, kept, [&](OpBuilder &some, Value first) {
      auto forTiles = [&](OpBuilder &at, const std::function<void(OpBuilder &, const ColumnTile &)> &body) {
        Value end = arith::MinUIOp::create(at, loc, columns, add(at, first, kept));
        forEach(at, first, end, tall.columns(), [&](OpBuilder &each, Value column) {
          Value offset = arith::SubIOp::create(each, loc, column, first);
          Value own = rowsOf(each, sums, constant(each, 0), shapes.itemRows, offset, each.getIndexAttr(tall.columns()));
          body(each, columnTile(each, tall, column, own));
        });
      };
      forTiles(some, [&](OpBuilder &each, const ColumnTile &tile) { startSums(each, tile, rows); });
      digits.forget(some, count);
      forEach(some, constant(some, groups()), block, [&](OpBuilder &inner, Value begin) {
        Value left = arith::SubIOp::create(inner, loc, constant(inner, groups()), begin);
        Value some = arith::MinUIOp::create(inner, loc, left, constant(inner, block));
        digits.emit(inner, rows.begin, count, begin, some);
        forTiles(inner, [&](OpBuilder &each, const ColumnTile &tile) {
          takeApart(each, tile, begin, some, taken);
          emitBlock(each, tile, digits, rows, some, taken);
        });
      });
      forTiles(some, [&](OpBuilder &each, const ColumnTile &tile) {
        replaceRows(each, digits, tile, rows);
        finishRows(each, tile, rows);
      });
    });
  }

  void takeApart(OpBuilder &b, const ColumnTile &tile, Value begin, Value count, const Scratch &taken) {
    forEach(b, count, 1, [&](OpBuilder &each, Value index) {
      SmallVector<GroupPlace> places = placesOf(tile, arith::AddIOp::create(each, loc, begin, index));
      for (auto [v, place] : llvm::enumerate(places))
        vector::StoreOp::create(each, loc, emitStoredScales(each, loc, tile.plan, form, place), taken.scales,
                                ValueRange{index, constant(each, v * lanes)});
      Value first = times(each, index, form.group / 4);
      forEach(each, constant(each, form.group / form.steps()), 1, [&](OpBuilder &body, Value word) {
        Value row = arith::AddIOp::create(body, loc, first, times(body, word, form.steps() / 4));
        for (auto [v, place] : llvm::enumerate(places))
          for (auto [p, bytes] : llvm::enumerate(emitGroupBytes(body, loc, tile.plan, form, place, word)))
            vector::StoreOp::create(body, loc, bytes, taken.bytes,
                                    ValueRange{add(body, row, p), constant(body, v * lanes)});
      });
    });
  }

  /// All row tiles over the groups that were taken apart.
  void emitBlock(OpBuilder &b, const ColumnTile &tile, RowDigits &digits, const RowRange &rows, Value count,
                 const Scratch &taken) {
    emitRowTiles(b, loc, rows.count, 2, tile.plan.rows, [&](OpBuilder &inner, int64_t height, Value row, Value) {
      Value view =
          rowsOf(inner, tile.sums, row, height, inner.getIndexAttr(0), inner.getIndexAttr(tile.plan.columns()));
      RowDigits::Rows those = digits.rowsOf(inner, row, height);
      forEach(inner, count, 1,
              [&](OpBuilder &each, Value index) { emitGroup(each, tile, digits, those, height, view, index, taken); });
    });
  }

  void emitGroup(OpBuilder &b, const ColumnTile &tile, RowDigits &digits, const RowDigits::Rows &rows, int64_t height,
                 Value view, Value index, const Scratch &taken) {
    SmallVector<Value> scales;
    for (int64_t v = 0; v < tile.plan.vectors; ++v)
      scales.push_back(vector::LoadOp::create(b, loc, floats, taken.scales, ValueRange{index, constant(b, v * lanes)}));
    // A loop, also where it is short: were the parts' code in sequence, LLVM would keep the rows' sums between them in
    // registers that there are not.
    forEach(b, constant(b, plan.parts.size()), 1, [&](OpBuilder &each, Value part) {
      Value zero = arith::ConstantOp::create(each, loc, each.getZeroAttr(sumType));
      SmallVector<Value> start(height * tile.plan.vectors, zero);
      Value end = ofPart(each, part, [](const DigitPlan::Part &its) { return its.end; });
      Value begin = ofPart(each, part, [](const DigitPlan::Part &its) { return its.begin; });
      Value highest = add(each, end, -1), count = arith::SubIOp::create(each, loc, end, begin);
      auto loop = scf::ForOp::create(
          each, loc, constant(each, 0), count, constant(each, 1), start,
          [&](OpBuilder &body, Location, Value step, ValueRange carried) {
            Value digit = arith::SubIOp::create(body, loc, highest, step);
            scf::YieldOp::create(body, loc, emitDigit(body, tile, digits, rows, index, digit, carried, taken));
          });
      addPart(each, tile, digits, rows, index, part, view, scales, loop.getResults());
    });
  }

  /// A number of the part at an index.
  Value ofPart(OpBuilder &b, Value index, function_ref<int64_t(const DigitPlan::Part &)> number) {
    Value value = constant(b, number(plan.parts.back()));
    for (int64_t i = plan.parts.size() - 2; i >= 0; --i) {
      Value isThis = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, index, constant(b, i));
      value = arith::SelectOp::create(b, loc, isThis, constant(b, number(plan.parts[i])), value);
    }
    return value;
  }

  /// (sums << 8) + corrections + Σ bytes · digits.
  SmallVector<Value> emitDigit(OpBuilder &b, const ColumnTile &tile, RowDigits &digits, const RowDigits::Rows &rows,
                               Value index, Value digit, ValueRange carried, const Scratch &taken) {
    int64_t vectors = tile.plan.vectors, height = carried.size() / vectors;
    SmallVector<Value> sums;
    for (int64_t r = 0; r < height; ++r) {
      Value correction = broadcast(b, sumType, digits.correction(b, rows, r, index, digit));
      for (int64_t v = 0; v < vectors; ++v)
        sums.push_back(arith::AddIOp::create(b, loc, shifted(b, carried[r * vectors + v]), correction));
    }
    Value first = times(b, index, form.group / 4);
    TileOperands operands;
    operands.a = [&](OpBuilder &k, Value step, int64_t r) { return digits.word(k, rows, r, index, step, digit); };
    operands.b = [&](OpBuilder &k, Value step, int64_t v) -> Value {
      return vector::LoadOp::create(k, loc, sumType, taken.bytes,
                                    ValueRange{add(k, first, step), constant(k, v * lanes)});
    };
    operands.multiplyAdd = [&](OpBuilder &k, Value a, Value bytes, Value sum) {
      return emitByteDot(k, loc, tile.plan, sum, bytes, a);
    };
    return emitTileProduct(b, loc, tile.plan, height, vectors, b.getIndexAttr(form.group / 4), sums, operands);
  }

  DigitPlan plan;
  VectorType sumType;
};

} // namespace

void emitDigitProduct(GroupwiseMatmulOp matmul, const ProductPlan &target) { DigitProduct(matmul, target).emit(); }

} // namespace weft
