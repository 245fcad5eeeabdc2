// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Factors of mma.sync by tile, out of registers or, by ldmatrix, out of shared memory.
#ifndef WEFT_LOWERING_NVPTX_OPERANDTILES_H
#define WEFT_LOWERING_NVPTX_OPERANDTILES_H

#include "lowering/nvptx/TileLowering.h"

namespace weft {

/// The tiles of one factor for one warp. "Outer" is the dimension that is not K: M of the left, N of the right factor.
class OperandTiles {
public:
  /// `fragment`: the factor as it is, or would be, in registers. `values`: its registers, or the address of `buffer`.
  OperandTiles(ThreadCode &code, tile::FragmentType fragment, tile::BufferType buffer, bool transposed,
               mlir::ValueRange values);

  int64_t stepsOfK() const { return left ? layout.tilesAcross() : layout.tilesDown(); }
  int64_t outerTiles() const { return left ? layout.tilesDown() : layout.tilesAcross(); }
  /// Tiles that `words` gives at once: the right factor's are half as large, and ldmatrix loads two.
  int64_t tilesAtOnce(int64_t outer) const { return left || outer + 1 == outerTiles() ? 1 : 2; }
  /// Four or two words for each tile from `outer` on at step `k`.
  llvm::SmallVector<mlir::Value> words(int64_t outer, int64_t k) const;

private:
  ThreadCode &code;
  tile::FragmentLayout layout;
  tile::BufferType buffer; ///< null: in registers
  bool left;
  /// Rows of the buffer go along K.
  bool exchanges;
  mlir::ValueRange values;
  /// Row and byte of the buffer at which this lane's row of an 8 × 8 matrix begins, in the first tile; of words that
  /// are loaded one by one, its first word's.
  mlir::Value row, byte;

  int64_t wordsOfTile() const { return left ? 4 : 2; }
  /// ldmatrix exchanges rows and columns of 16-bit numbers; words it cannot.
  bool isByWord() const { return exchanges && buffer.elementBytes() == 4; }
  void placeLane();
  llvm::SmallVector<mlir::Value> loadedByWord(int64_t outer, int64_t k) const;
  llvm::SmallVector<mlir::Value> loaded(int64_t outer, int64_t k) const;
};

} // namespace weft

#endif // WEFT_LOWERING_NVPTX_OPERANDTILES_H
