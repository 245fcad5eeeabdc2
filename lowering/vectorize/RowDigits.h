// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Rows of f32 as digits of 8 bits, in groups of k that each have a power of two of their own.
#ifndef WEFT_LOWERING_VECTORIZE_ROWDIGITS_H
#define WEFT_LOWERING_VECTORIZE_ROWDIGITS_H

#include "lowering/analysis/DigitPlan.h"
#include "lowering/vectorize/IndexLoops.h"

#include <functional>

namespace weft {

/// A scratch of rows' digits. A group's largest magnitude lies in [2^e, 2^(e + 1)); its numbers are integers times
/// 2^(e − 22), or 2^(e − 21) in the top of that range, rounded to nearest even: no number is further from its integer's
/// value than 2^-23 of the largest, and those of so many bits are exact. Groups below 2^-80 count in units of 2^-102.
class RowDigits : IndexLoops {
public:
  /// `rows` is a memref [m, depth] of f32.
  RowDigits(mlir::Location loc, const RegisterPlan &registers, const GroupForm &form, mlir::Value rows);

  /// The scratch for so many rows and groups of each.
  void allocate(mlir::OpBuilder &b, int64_t rowCount, int64_t groupCount);
  /// Before the first groups of rows.
  void forget(mlir::OpBuilder &b, mlir::Value rowCount);
  /// Emitted before each whole group of a row, with its place in the scratch; may be null.
  using BeforeGroup = std::function<void(mlir::OpBuilder &b, mlir::Value index)>;
  /// Fills the scratch: groups [firstGroup, firstGroup + groupCount) of rows [firstRow, firstRow + rowCount).
  void emit(mlir::OpBuilder &b, mlir::Value firstRow, mlir::Value rowCount, mlir::Value firstGroup,
            mlir::Value groupCount, const BeforeGroup &beforeGroup = nullptr);

  /// Rows [row, row + count) of the scratch, as they are read below.
  struct Rows {
    mlir::Value words, corrections, units;
  };
  Rows rowsOf(mlir::OpBuilder &b, mlir::Value row, int64_t count);
  /// A digit of four numbers of a group, as emitGroupBytes orders them: word p of the weight's word w is w · P + p.
  mlir::Value word(mlir::OpBuilder &b, const Rows &rows, int64_t row, mlir::Value group, mlir::Value word,
                   mlir::Value digit);
  /// What the sum of a digit's products begins with, since each value of the weight is form.offset() too large.
  mlir::Value correction(mlir::OpBuilder &b, const Rows &rows, int64_t row, mlir::Value group, mlir::Value digit);
  /// What one of the sum of a part's digits counts.
  mlir::Value unit(mlir::OpBuilder &b, const Rows &rows, int64_t row, mlir::Value group, mlir::Value part);
  /// Whether all numbers of a row are finite, after all of its groups.
  mlir::Value isFinite(mlir::OpBuilder &b, mlir::Value row);

private:
  /// A group's numbers, and where its digits go.
  struct Group {
    mlir::Value numbers, row, index;
  };
  void emitGroups(mlir::OpBuilder &b, mlir::Value source, mlir::Value row, mlir::Value firstGroup,
                  mlir::Value groupCount, const BeforeGroup &beforeGroup);
  void emitGroup(mlir::OpBuilder &b, const Group &group);
  mlir::Value emitUnits(mlir::OpBuilder &b, const Group &group, mlir::Value largest);
  mlir::Value emitWords(mlir::OpBuilder &b, mlir::Value integers);
  mlir::Value emitCorrections(mlir::OpBuilder &b, mlir::Value digits);

  mlir::Value integer(mlir::OpBuilder &b, int32_t value);
  mlir::Value integers(mlir::OpBuilder &b, int64_t count, int32_t value);

  const RegisterPlan &registers;
  GroupForm form;
  DigitPlan plan;
  mlir::Value source;
  int64_t depth;
  mlir::Value words;       ///< [row][group][word][digit, and one more]: i32
  mlir::Value corrections; ///< [row][group][digit, and one more]: i32
  mlir::Value units;       ///< [row][group][part]: f32
  mlir::Value largest;     ///< [row]: the bits of the largest magnitude
};

} // namespace weft

#endif // WEFT_LOWERING_VECTORIZE_ROWDIGITS_H
