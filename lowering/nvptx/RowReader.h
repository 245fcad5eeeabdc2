// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Rows of views in global memory as one thread reads pieces of them: 16 bytes at once, in f32.
#ifndef WEFT_LOWERING_NVPTX_ROWREADER_H
#define WEFT_LOWERING_NVPTX_ROWREADER_H

#include "mlir/IR/AffineMap.h"
#include "mlir/IR/Builders.h"

namespace weft {

/// Elements, a power of two of 16 bytes at most, on multiples of which every row of the view begins.
int64_t rowAlignment(mlir::Value view);

/// The operand of a structured op whose map has the row's dimension last. `view` is as the function has it, `aligned`
/// as the kernel function had it, where it can be followed to what it is a view of.
class RowReader {
public:
  RowReader(mlir::OpBuilder &b, mlir::Location loc, mlir::Value view, mlir::Value aligned, mlir::AffineMap map);

  /// The address of the row's first element at a point of the op's iterations; the row's own dimension is not read.
  mlir::Value row(mlir::OpBuilder &b, mlir::ArrayRef<mlir::Value> dims) const;
  /// `count` elements from element `first` of a row on, where every multiple of `count` is a piece: as they lie in
  /// memory, so that much can be on its way in few registers.
  mlir::SmallVector<mlir::Value> load(mlir::OpBuilder &b, mlir::Value row, mlir::Value first, int64_t count) const;
  /// What was loaded, in f32.
  mlir::SmallVector<mlir::Value> numbers(mlir::OpBuilder &b, mlir::ValueRange loaded) const;
  mlir::SmallVector<mlir::Value> read(mlir::OpBuilder &b, mlir::Value row, mlir::Value first, int64_t count) const {
    return numbers(b, load(b, row, first, count));
  }

private:
  mlir::Location loc;
  mlir::AffineMap map;
  mlir::Type element;
  int64_t alignment;
  mlir::Value base;
  mlir::SmallVector<mlir::Value> strides;
};

} // namespace weft

#endif // WEFT_LOWERING_NVPTX_ROWREADER_H
