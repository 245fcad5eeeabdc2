// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What follows a product in a block of threads, while its sums are in registers: a bias, an elementwise op, the store.
#ifndef WEFT_LOWERING_NVPTX_BLOCKEPILOGUE_H
#define WEFT_LOWERING_NVPTX_BLOCKEPILOGUE_H

#include "dialects/tile/TileOps.h"
#include "lowering/nvptx/GlobalMatrix.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"

namespace weft {

/// Where a block's sums are in its views of the result: the first one's row and column.
struct BlockPlace {
  mlir::Value row, column;
  mlir::Value end; ///< the row that is the first beyond; null: of each view the last one's successor
};

class BlockEpilogue {
public:
  /// `sums`: the accumulator. `mapping` gives the device function's values.
  BlockEpilogue(mlir::OpBuilder &builder, mlir::Location loc, mlir::IRMapping &mapping, tile::FragmentType sums,
                BlockPlace place)
      : b(builder), loc(loc), mapping(mapping), sums(sums), layout(mlir::cast<tile::AccumulatorAttr>(sums.getLayout())),
        place(place) {}

  /// A row of f32, a number for each column.
  mlir::Value addBias(mlir::Value sum, const GlobalMatrix &bias);
  /// The elementwise op, for which `whyNotEpilogue` is empty: of the products `results`, which it reads as `views`.
  mlir::Value apply(mlir::linalg::GenericOp op, mlir::ValueRange views, mlir::ValueRange results);
  void store(mlir::Value fragment, mlir::Value view);

private:
  mlir::Value load(mlir::linalg::GenericOp op, mlir::OpOperand *operand);
  mlir::Value loadMatrix(mlir::Value view);
  mlir::Value loadColumns(const GlobalMatrix &row);
  mlir::Value loadRowValues(mlir::Value vector);
  mlir::Value index(int64_t value);
  mlir::Value endOf(mlir::Value rows) { return place.end ? place.end : rows; }
  tile::FragmentType matrixType(mlir::Type element);

  mlir::OpBuilder &b;
  mlir::Location loc;
  mlir::IRMapping &mapping;
  tile::FragmentType sums;
  tile::AccumulatorAttr layout;
  BlockPlace place;
};

} // namespace weft

#endif // WEFT_LOWERING_NVPTX_BLOCKEPILOGUE_H
