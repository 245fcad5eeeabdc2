// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// form of a group → parts of a number's digits, and cycles of a vector of 16 columns.
#include "lowering/analysis/DigitPlan.h"

using namespace mlir;

namespace weft {

/// The largest magnitude of so many digits.
static int64_t largestOf(int64_t digits) {
  int64_t largest = 128; // all but a whole number's upper digits may be −128
  for (int64_t digit = 1; digit < digits; ++digit)
    largest = largest * 256 + 128;
  return digits == DigitPlan::kDigits ? DigitPlan::kLargest : largest;
}

DigitPlan DigitPlan::forForm(const GroupForm &form) {
  DigitPlan plan;
  int64_t most = form.group * form.offset();
  for (int64_t end = kDigits; end > 0;) {
    int64_t begin = end - 1;
    while (begin > 0 && largestOf(end - begin + 1) * most < int64_t(1) << 31)
      --begin;
    plan.parts.push_back({begin, end});
    end = begin;
  }
  return plan;
}

bool digitsPay(const GroupForm &form) {
  // Units that multiply start one instruction a cycle where others start two: a dot product, a multiply-add, or two of
  // all else. A group: its scales, and for each part shift, sum, conversion, scale and multiply-add.
  double words = form.group / 4.0, parts = DigitPlan::forForm(form).parts.size();
  double bytes = words * (form.bits == 8 ? 0.5 : 0.75); // an exclusive or; half a shift beside it
  double digits = words * DigitPlan::kDigits + bytes + 1 + 3.5 * parts;
  // Taken out with half a shift, and converted.
  double widened = form.group * (1 + 0.5 + 0.25) + 2;
  return digits < widened;
}

bool usesDigits(const GroupForm &form, const RegisterPlan &plan) { return plan.byteDots && digitsPay(form); }

} // namespace weft
