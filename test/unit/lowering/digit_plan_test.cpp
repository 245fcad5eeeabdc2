// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Digits whose sums are one integer, and where they pay: as docs/rationale/groups.md says.
#include "lowering/analysis/DigitPlan.h"

#include "gtest/gtest.h"

#include <string>

using namespace weft;

namespace {

std::string partsOf(const GroupForm &form) {
  std::string text;
  for (const DigitPlan::Part &part : DigitPlan::forForm(form).parts)
    text += std::to_string(part.begin) + "-" + std::to_string(part.end) + " ";
  return text;
}

TEST(DigitPlanTest, FourBitsSumAllDigitsInOneInteger) { EXPECT_EQ(partsOf({4, 32}), "0-3 "); }

TEST(DigitPlanTest, EightBitsSumTheUpperTwo) { EXPECT_EQ(partsOf({8, 32}), "1-3 0-1 "); }

TEST(DigitPlanTest, LongGroupsSumEachAlone) { EXPECT_EQ(partsOf({8, 1024}), "2-3 1-2 0-1 "); }

TEST(DigitPlanTest, PartsHoldTheLargestSums) {
  for (int64_t bits : {4, 8})
    for (int64_t group = 8; group <= 4096; group *= 2)
      for (const DigitPlan::Part &part : DigitPlan::forForm({bits, group}).parts) {
        int64_t largest = 0; // all digits −128, but three, which are of a number
        for (int64_t digit = part.begin; digit < part.end; ++digit)
          largest = largest * 256 + 128;
        if (part.end - part.begin == DigitPlan::kDigits)
          largest = DigitPlan::kLargest;
        EXPECT_LT(largest * group << (bits - 1), int64_t(1) << 31) << bits << " bits, group " << group;
      }
}

TEST(DigitPlanTest, AllFormsPay) {
  for (const NamedGroupForm &form : groupForms())
    EXPECT_TRUE(digitsPay(form.form)) << form.name.str();
}

} // namespace
