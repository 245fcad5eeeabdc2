// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Products with a weight in groups: what the ways to compute a group's sums share. Rows pass in ranges of a work item's
// height, and the columns of a register tile at a time; a row's sums of them lie in a scratch while groups are added.
#ifndef WEFT_LOWERING_VECTORIZE_GROUPWISETILES_H
#define WEFT_LOWERING_VECTORIZE_GROUPWISETILES_H

#include "lowering/analysis/ProductPlan.h"
#include "lowering/vectorize/GroupLoad.h"
#include "lowering/vectorize/IndexLoops.h"
#include "lowering/vectorize/MatmulEpilogue.h"

#include <functional>

namespace weft {

class GroupwiseTiles : protected IndexLoops {
public:
  GroupwiseTiles(GroupwiseMatmulOp matmul, const ProductPlan &target);
  virtual ~GroupwiseTiles() = default;

  /// Emits a product; all of it at the place of the last op that it replaces.
  void emit();

protected:
  using Builder = mlir::OpBuilder;
  using Value = mlir::Value;
  template <class T> using Vector = mlir::SmallVector<T>;

  /// Sums of a single row: with four, multiply-adds wait for each other, and more panels at once reach memory's speed.
  static constexpr int64_t kVectorsOfOneRow = 6;

  /// Rows that pass together, and where they begin.
  struct RowRange {
    Value begin;
    mlir::OpFoldResult count;
  };

  /// The columns of a tile, and where a row's sums of them are kept.
  struct ColumnTile {
    const RegisterPlan &plan;
    Value column; ///< the first
    Vector<Value> panels, offsets;
    Vector<Value> nextPanels; ///< those of the tile after it
    Value sums;               ///< [rows, columns of the tile]
  };

  /// All columns of a range of rows.
  virtual void emitRows(Builder &b, const RowRange &rows) = 0;

  Value times(Builder &b, Value x, int64_t y);
  /// Groups of a column.
  int64_t groups() const;

  Value scratch(Builder &b, int64_t rows, int64_t columnCount, mlir::Type element = nullptr);
  ColumnTile columnTile(Builder &b, const RegisterPlan &plan, Value column, Value sums);
  Vector<GroupPlace> placesOf(const ColumnTile &tile, Value group);
  /// The groups, so many bytes ahead, that the hardware is to fetch while this one is read: at a panel's end they are
  /// those of the tile after.
  Vector<GroupPlace> placesAhead(Builder &b, const ColumnTile &tile, Value group, int64_t bytes);
  /// `count` rows of a matrix from `row` on, as a view with one base address.
  Value rowsOf(Builder &b, Value matrix, Value row, int64_t count, mlir::OpFoldResult column, mlir::OpFoldResult width);

  /// The bias, or zeros, as the sums of all rows.
  void startSums(Builder &b, const ColumnTile &tile, const RowRange &rows);
  /// Adds a group's sums, times the scales, to the rows' sums in `view`.
  void addScaled(Builder &b, const ColumnTile &tile, Value view, mlir::ArrayRef<Value> scales,
                 mlir::ValueRange groupSums);
  /// The body on all rows' sums.
  void finishRows(Builder &b, const ColumnTile &tile, const RowRange &rows);

  /// All groups of `count` rows from `row` of the range on, multiplied in f32 as they stream by.
  void streamRows(Builder &b, const ColumnTile &tile, const RowRange &rows, Value row, int64_t count);

  GroupwiseMatmulOp matmul;
  MatmulEpilogue epilogue;
  GroupForm form;
  ProductPlan shapes;
  RegisterPlan single; ///< for one row
  int64_t lanes;
  mlir::VectorType floats;
  int64_t depth;
  Value columns, lastPanel;

private:
  IterationPoint pointAt(Builder &b, const ColumnTile &tile, Value row, int64_t v);
  void streamGroup(Builder &b, const ColumnTile &tile, int64_t count, Value lhs, Value view, Value group,
                   int64_t steps);
  void streamWord(Builder &b, const RegisterPlan &plan, mlir::ArrayRef<GroupPlace> places, Value lhs, Value first,
                  Value word, int64_t steps, mlir::SmallVectorImpl<Value> &sums);
};

/// A product by digits of the rows' numbers.
void emitDigitProduct(GroupwiseMatmulOp matmul, const ProductPlan &target);

} // namespace weft

#endif // WEFT_LOWERING_VECTORIZE_GROUPWISETILES_H
