// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Decoding from keys and values of 8 bits on matrix tiles. Queries and weights become integers of 24 bits, relative to
// the largest of a row, as three digits of 8 bits: 4 rows × 3 digits are twelve of a tile's sixteen columns or rows,
// and sums of digits times bytes are exact. So a product with a key costs what one row's would, at the precision of
// f32.
#ifndef WEFT_LOWERING_VECTORIZE_DECODEBYTES_H
#define WEFT_LOWERING_VECTORIZE_DECODEBYTES_H

#include "lowering/analysis/AmxPlan.h"
#include "lowering/vectorize/DecodeTiles.h"

namespace weft {

/// Where tile.bytes holds it does on tiles what DecodeTiles does in vectors; else it is DecodeTiles.
class DecodeBytes : protected DecodeTiles {
protected:
  DecodeBytes(AttentionOp op, const DecodePlan &plan, const RegisterPlan &registers, TargetAttr target);

  void allocate(mlir::OpBuilder &b);
  /// The rows of the row block, all packed, as digits.
  void emitPackBlock(mlir::OpBuilder &b);
  /// What comes before a block's softmax: the sums of its keys, and its values as words, long before tiles load them.
  void emitBegin(mlir::OpBuilder &b, mlir::Value count);
  mlir::SmallVector<mlir::Value> emitDotProducts(mlir::OpBuilder &b, mlir::Value first, bool whole);
  /// `largest`: the largest magnitudes of the block's weights lane by lane.
  void emitValues(mlir::OpBuilder &b, mlir::Value count, mlir::Value alpha, mlir::Value largest);
  void emitOutputRow(mlir::OpBuilder &b, mlir::Value row, mlir::ArrayRef<mlir::Value> dims, mlir::Value inverse);

private:
  static constexpr int64_t kTile = AmxPlan::kTileRows, kRowBytes = AmxPlan::kRowBytes;
  /// A number is Σ digit · 256^place · factor, with digits of −128 to 127.
  static constexpr int64_t kDigits = 3;
  /// The integer of the largest magnitude: its upper digit is 127, so that no rounding leaves three digits.
  static constexpr float kLargest = 127 * 65536;
  /// Added to an integer, its bytes are its digits, each 128 too large; flipping the upper bits takes 128 away.
  static constexpr int32_t kBias = 0x808080;
  /// 2^-100: rows of smaller numbers count as these, so that no quotient overflows.
  static constexpr float kSmallest = 0x1p-100f;
  /// Which of the next block's 64 rows are asked for when, about as the time goes.
  enum Ahead { OfKeys = 0, OfValues = 8, OfScores = 24, OfWeights = 32, OfProducts = 40, OfOutput = 48 };

  // --- numbers as digits
  mlir::Value concatenate(mlir::OpBuilder &b, mlir::ArrayRef<mlir::Value> parts);
  mlir::Value emitDigits(mlir::OpBuilder &b, mlir::Value scaled);
  mlir::Value emitRowLargest(mlir::OpBuilder &b, int64_t r);
  void emitPackQuery(mlir::OpBuilder &b, int64_t r, mlir::Value inverse);
  void emitAhead(mlir::OpBuilder &b, int64_t first, mlir::Value number, int64_t rows);
  mlir::Value numberOf(mlir::OpBuilder &b, mlir::Value index, int64_t step);
  // --- scores
  mlir::Value keyMatrix(mlir::OpBuilder &b);
  void emitCopyKeys(mlir::OpBuilder &b, mlir::Value keys, mlir::Value first);
  void emitKeyTile(mlir::OpBuilder &b, mlir::Value keys, mlir::Value row, mlir::Value first);
  mlir::Value emitScoresOfFour(mlir::OpBuilder &b, mlir::Value first);
  // --- values
  void emitPackWeights(mlir::OpBuilder &b, mlir::Value step, mlir::Value inverse);
  void emitPackValues(mlir::OpBuilder &b, mlir::Value group);
  void emitAddProducts(mlir::OpBuilder &b, mlir::Value alpha, mlir::Value factor);

  mlir::Value rowOf(mlir::OpBuilder &b, mlir::Value vector, int64_t r);

  bool instructions;            ///< the target has tiles
  mlir::VectorType wide, whole; ///< sixteen f32, sixteen words
  mlir::Value queryDigits;      ///< [row block][step][word of d][digit, row: a word]
  mlir::Value queryFactors;     ///< [row block][lanes]: what a sum of digits counts
  mlir::Value someKeys;         ///< [16][d], where fewer are left
  mlir::Value keySums;          ///< [key][digit, row]
  mlir::Value weightDigits;     ///< [step][digit, row][key]
  mlir::Value packedValues;     ///< [16 of e][four keys][e: a word]
  mlir::Value valueSums;        ///< [digit, row][e]
};

} // namespace weft

#endif // WEFT_LOWERING_VECTORIZE_DECODEBYTES_H
