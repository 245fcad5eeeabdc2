// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Products of f32 with weights in groups, by dot products of bytes: where they pay, and how numbers become digits.
#ifndef WEFT_LOWERING_ANALYSIS_DIGITPLAN_H
#define WEFT_LOWERING_ANALYSIS_DIGITPLAN_H

#include "dialects/weft/GroupForm.h"
#include "lowering/analysis/RegisterPlan.h"

#include "mlir/Support/LLVM.h"

namespace weft {

/// A group's numbers of a row are integers of 24 bits times a power of two; an integer is Σ digit · 256^place, with
/// digits of −128 to 127. Sums of digits times weights are exact in 32 bits, and so are those of several digits where
/// the group's sum stays below 2^31: of 4 bits and 32 values all three, of 8 bits the upper two.
struct DigitPlan {
  static constexpr int64_t kDigits = 3;
  /// Columns of a work item at most, twice those of other products: each item makes digits of its rows, 5 % of the time
  /// of one row at 192 columns in 4 bits. The sums of an item's rows stay in the second-level cache.
  static constexpr int64_t kItemColumns = 384;
  /// Three digits of 127.
  static constexpr int64_t kLargest = 127 * 65536 + 127 * 256 + 127;

  /// Digits [begin, end) in places whose sums are one integer.
  struct Part {
    int64_t begin, end;
  };
  mlir::SmallVector<Part> parts; ///< the highest places first

  static DigitPlan forForm(const GroupForm &form);
};

/// Whether dot products of digits are faster than multiply-adds of a vector of weights that becomes f32. It depends on
/// the form alone, not on the number of rows, since these must not change a row's bits.
bool digitsPay(const GroupForm &form);

/// The same where the target has them.
bool usesDigits(const GroupForm &form, const RegisterPlan &plan);

} // namespace weft

#endif // WEFT_LOWERING_ANALYSIS_DIGITPLAN_H
