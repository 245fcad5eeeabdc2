// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Whether a region that combines accumulators is associative.
#ifndef WEFT_DIALECTS_WEFT_SCANALGEBRA_H
#define WEFT_DIALECTS_WEFT_SCANALGEBRA_H

#include "mlir/IR/Region.h"

namespace weft {

enum class Associativity {
  Proved,
  Disproved, ///< a point was found at which the two ways of combining three differ
  Unknown    ///< the two ways differ by functions that nothing is known about
};

/// Compares combine(combine(x, y), z) with combine(x, combine(y, z)), as real functions.
///
/// Both are evaluated at points at which numbers stand for all others: a value is a residue modulo the prime 2^61 − 1,
/// so that sums, differences, products and quotients are exact, and equal residues at random points mean equal rational
/// functions (Schwartz 1980; Zippel 1979: wrong with a probability of degree / 2^61). Beside it goes the residue of its
/// exponential, which for a variable is another random number, since x and e^x are algebraically independent: sums of
/// exponents become products. Beside both goes a real number, which decides what a maximum or a selection takes; an
/// identity is so tested in the orderings of the values that random points give. Any other function is a hash of its
/// operand's residues: equal operands give equal values, and nothing else is known of it.
Associativity proveAssociative(mlir::Region &combine);

} // namespace weft

#endif // WEFT_DIALECTS_WEFT_SCANALGEBRA_H
