// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Weights rounded in groups along k, each group of a column with a scale: the forms by name, and how their bytes lie.
//
//   a panel of 16 columns:  group 0 | group 1 | …
//   a group:                words [group · bits / 32][16 columns] of 32 bits, each one column's next 32 / bits values
//   of
//                           k, the first lowest, two's complement; then the 16 columns' scales in f16
#ifndef WEFT_DIALECTS_WEFT_GROUPFORM_H
#define WEFT_DIALECTS_WEFT_GROUPFORM_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"

#include <cstdint>

namespace weft {

/// Columns in a panel of every packed weight: a multiple of every x86 vector length, so that one layout serves all.
inline constexpr int64_t kPanelWidth = 16;

struct GroupForm {
  int64_t bits;  ///< of a value: 4 or 8
  int64_t group; ///< values of a column that share a scale

  /// Values of a column in a word.
  int64_t steps() const { return 32 / bits; }
  /// What makes the least value zero.
  int64_t offset() const { return int64_t(1) << (bits - 1); }
  /// Bytes of a group's words, behind which its scales lie.
  int64_t wordBytes() const { return kPanelWidth * group * bits / 8; }
  /// Bytes of a group of a panel.
  int64_t bytes() const { return wordBytes() + 2 * kPanelWidth; }
};

/// What `--weights NAME` and `#weft.panels<form = "NAME">` mean.
struct NamedGroupForm {
  llvm::StringLiteral name;
  GroupForm form;
  /// A group's scale is its value of the largest magnitude over this: a negative one for that value itself, sign
  /// included, a positive one for its magnitude.
  float divisor;
};

/// All forms.
llvm::ArrayRef<NamedGroupForm> groupForms();

/// The form of this name, or null.
const NamedGroupForm *findGroupForm(llvm::StringRef name);

} // namespace weft

#endif // WEFT_DIALECTS_WEFT_GROUPFORM_H
