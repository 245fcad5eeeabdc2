// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Columns of a parameter's sources, one after the other, into the rounded form that the parameter holds.
#ifndef WEFT_COMPILER_EMIT_COLUMNPACKER_H
#define WEFT_COMPILER_EMIT_COLUMNPACKER_H

#include "compiler/emit/JoinedSources.h"

#include <cstddef>
#include <span>
#include <string>
#include <vector>

namespace weft {

/// W0607: a parameter and what should fill it do not fit.
Diagnostic misfit(const ParameterDescription &parameter, const std::string &message, const std::string &place);

/// What the forms have in common: every source is checked before any is read. A parameter of blocks has as many
/// matrices, the columns of each from a panel on.
class ColumnPacker {
public:
  virtual ~ColumnPacker() = default;

  /// Errors: W0607 (another shape), those of `add`, W0135.
  Result<void> pack(const Sources &sources);

protected:
  /// `out` becomes zeros.
  ColumnPacker(const ParameterDescription &parameter, const std::string &place, std::span<std::byte> out);

  /// How many matrices there are, one beside the other; 0: one.
  virtual int64_t blocks() const { return parameter.shape.size() == 4 ? parameter.shape[0] : 0; }
  /// A block's columns begin at a multiple of this.
  virtual int64_t blockUnit() const { return parameter.panels->width; }
  /// Whether sums of this depth fit.
  virtual bool fitsDepth(int64_t depth) const = 0;
  /// Whether the parameter has room for so many columns (of a block), and for no more.
  virtual bool fitsTogether(int64_t columns) const = 0;
  /// The next columns: value k of column n is values[n · depth + k], or values[k · columns + n].
  virtual Result<void> add(const TensorView &source, MatrixSize size, std::span<const float> values) = 0;

  int64_t depthOf(MatrixSize size) const { return outByIn ? size.columns : size.rows; }
  int64_t columnsOf(MatrixSize size) const { return outByIn ? size.rows : size.columns; }

  const ParameterDescription &parameter;
  const std::string &place;
  bool outByIn;
  int64_t column = 0; ///< the next one
};

} // namespace weft

#endif // WEFT_COMPILER_EMIT_COLUMNPACKER_H
