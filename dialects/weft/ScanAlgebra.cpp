// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A region of scalar ops → its values at random points, as residues.
#include "dialects/weft/ScanAlgebra.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/Hashing.h"
#include "llvm/ADT/TypeSwitch.h"

#include <cmath>
#include <random>

using namespace mlir;
using namespace weft;

namespace {

/// A residue modulo the prime 2^61 − 1.
struct Residue {
  static constexpr uint64_t kPrime = (uint64_t(1) << 61) - 1;
  uint64_t value = 0;

  static Residue of(uint64_t any) { return {any % kPrime}; }
  bool operator==(const Residue &) const = default;
  Residue operator+(Residue other) const { return of(value + other.value); }
  Residue operator-(Residue other) const { return of(value + kPrime - other.value); }
  Residue operator*(Residue other) const { return {uint64_t((unsigned __int128)value * other.value % kPrime)}; }
  Residue power(uint64_t exponent) const {
    Residue result{1}, square = *this;
    for (; exponent; exponent >>= 1, square = square * square)
      if (exponent & 1)
        result = result * square;
    return result;
  }
  Residue inverse() const { return power(kPrime - 2); } // Fermat; of 0: 0, which no random point meets
};

/// A real function at a point.
struct Number {
  double real = 0;              ///< decides comparisons
  Residue residue;              ///< of the function
  Residue exponential;          ///< of e to the function
  bool known = true;            ///< false: an unknown function is involved in the residue,
  bool knownExponential = true; ///< or in that of the exponential
};

class Evaluation {
public:
  explicit Evaluation(uint32_t seed) : generator(seed) {}

  Number variable() {
    // Magnitudes of several kinds, so that any order of sums of variables comes up.
    double scale = std::pow(10.0, int(generator() % 3) - 1);
    return {scale * (double(generator()) / (1 << 30) - 2), Residue::of(generator()), Residue::of(generator()), true,
            true};
  }
  /// The values that the region yields; none where the points are too close to decide.
  std::optional<SmallVector<Number>> evaluate(Region &region, ArrayRef<Number> arguments);

private:
  using Operands = ArrayRef<Number>;

  Number compute(Operation &op, Operands x);
  Number constant(FloatAttr value);
  Number sum(const Number &x, const Number &y);
  Number negated(const Number &x);
  Number product(const Number &x, const Number &y);
  Number quotient(const Number &x, const Number &y);
  Number exponentialOf(const Number &x);
  Number logarithmOf(const Number &x);
  Number unknown(Operation &op, Operands x, double real);
  const Number &larger(const Number &x, const Number &y);
  bool isLess(const Number &x, const Number &y);
  /// Of a function whose exponential is not that of a sum.
  Number withUnknownExponential(double real, Residue residue, bool known) {
    return {real, residue, Residue::of(llvm::hash_combine(residue.value, 0x65u)), known, false};
  }

  std::mt19937_64 generator;
  bool undecided = false; ///< two reals are too close to compare, though they are not the same function
};

Number Evaluation::sum(const Number &x, const Number &y) {
  return {x.real + y.real, x.residue + y.residue, x.exponential * y.exponential, x.known && y.known,
          x.knownExponential && y.knownExponential};
}

Number Evaluation::negated(const Number &x) {
  return {-x.real, Residue{} - x.residue, x.exponential.inverse(), x.known, x.knownExponential};
}

Number Evaluation::product(const Number &x, const Number &y) {
  return withUnknownExponential(x.real * y.real, x.residue * y.residue, x.known && y.known);
}

Number Evaluation::quotient(const Number &x, const Number &y) {
  return withUnknownExponential(x.real / y.real, x.residue * y.residue.inverse(), x.known && y.known);
}

Number Evaluation::exponentialOf(const Number &x) {
  return withUnknownExponential(std::exp(x.real), x.exponential, x.knownExponential);
}

/// Its exponential is its operand.
Number Evaluation::logarithmOf(const Number &x) {
  return {std::log(x.real), Residue::of(llvm::hash_combine(x.residue.value, 0x6cu)), x.residue, false, x.known};
}

Number Evaluation::unknown(Operation &op, Operands x, double real) {
  llvm::hash_code code = llvm::hash_value(op.getName().getStringRef());
  for (const Number &operand : x)
    code = llvm::hash_combine(code, operand.residue.value);
  return withUnknownExponential(real, Residue::of(code), false);
}

/// m · 2^e, exactly; its exponential as a power of that of the smallest number.
Number Evaluation::constant(FloatAttr value) {
  double real = value.getValueAsDouble();
  if (!std::isfinite(real))
    return {real, Residue::of(llvm::hash_value(llvm::bit_cast<uint64_t>(real))), Residue{}, false,
            std::isinf(real) && real < 0};
  int exponent = 0;
  auto mantissa = int64_t(std::ldexp(std::frexp(real, &exponent), 53));
  exponent -= 53;
  Residue magnitude = Residue::of(uint64_t(std::abs(mantissa))), two{2};
  magnitude = magnitude * (exponent < 0 ? two.inverse().power(-exponent) : two.power(exponent));
  // Modulo the order of the group, 2^61 − 2.
  uint64_t order = Residue::kPrime - 1, times = uint64_t(std::abs(mantissa)) % order;
  for (int shift = 0; shift < exponent + 1100; ++shift)
    times = (times * 2) % order;
  Residue e = Residue::of(0x9e3779b97f4a7c15u).power(times);
  Number result{std::abs(real), magnitude, e, true, true};
  return mantissa < 0 ? negated(result) : result;
}

bool Evaluation::isLess(const Number &x, const Number &y) {
  if (x.residue == y.residue)
    return false;
  if (std::abs(x.real - y.real) <= 1e-9 * (std::abs(x.real) + std::abs(y.real)))
    undecided = true;
  return x.real < y.real;
}

const Number &Evaluation::larger(const Number &x, const Number &y) { return isLess(x, y) ? y : x; }

Number Evaluation::compute(Operation &op, Operands x) {
  FloatAttr value;
  if (matchPattern(&op, m_Constant(&value)))
    return constant(value);
  return llvm::TypeSwitch<Operation *, Number>(&op)
      .Case([&](arith::AddFOp) { return sum(x[0], x[1]); })
      .Case([&](arith::SubFOp) { return sum(x[0], negated(x[1])); })
      .Case([&](arith::NegFOp) { return negated(x[0]); })
      .Case([&](arith::MulFOp) { return product(x[0], x[1]); })
      .Case([&](math::FmaOp) { return sum(product(x[0], x[1]), x[2]); })
      .Case([&](arith::DivFOp) { return quotient(x[0], x[1]); })
      .Case<arith::MaximumFOp, arith::MaxNumFOp>([&](auto) { return larger(x[0], x[1]); })
      .Case<arith::MinimumFOp, arith::MinNumFOp>([&](auto) { return isLess(x[0], x[1]) ? x[0] : x[1]; })
      .Case([&](math::ExpOp) { return exponentialOf(x[0]); })
      .Case([&](math::LogOp) { return logarithmOf(x[0]); })
      .Case([&](math::AbsFOp) { return x[0].real < 0 ? negated(x[0]) : x[0]; })
      .Case([&](arith::SelectOp) { return x[0].real != 0 ? x[1] : x[2]; })
      .Case([&](arith::CmpFOp cmp) {
        bool less = isLess(x[0], x[1]), more = isLess(x[1], x[0]);
        bool holds = arith::applyCmpPredicate(cmp.getPredicate(),
                                              APFloat(less   ? -1.0
                                                      : more ? 1.0
                                                             : 0.0),
                                              APFloat(0.0));
        return Number{double(holds), Residue{holds}, Residue{1}, true, false};
      })
      .Default([&](Operation *other) { return unknown(*other, x, x.empty() ? 0 : x[0].real); });
}

std::optional<SmallVector<Number>> Evaluation::evaluate(Region &region, ArrayRef<Number> arguments) {
  llvm::DenseMap<Value, Number> values;
  undecided = false;
  for (auto [argument, number] : llvm::zip_equal(region.getArguments(), arguments))
    values[argument] = number;
  auto operandsOf = [&](Operation &op) {
    return llvm::map_to_vector(op.getOperands(), [&](Value operand) { return values.lookup(operand); });
  };
  for (Operation &op : region.front().without_terminator()) {
    Number number = compute(op, operandsOf(op));
    values[op.getResult(0)] = number;
  }
  if (undecided)
    return std::nullopt;
  return operandsOf(*region.front().getTerminator());
}

/// Whether both ways agree at a point; nothing where it cannot be decided.
std::optional<Associativity> compareAt(uint32_t seed, Region &combine) {
  Evaluation evaluation(seed);
  using Numbers = SmallVector<Number>;
  Numbers x, y, z;
  for (Numbers *numbers : {&x, &y, &z})
    for (size_t i = 0; i < combine.getNumArguments() / 2; ++i)
      numbers->push_back(evaluation.variable());
  auto combined = [&](std::optional<Numbers> first, std::optional<Numbers> second) -> std::optional<Numbers> {
    if (!first || !second)
      return std::nullopt;
    first->append(*second);
    return evaluation.evaluate(combine, *first);
  };
  std::optional<Numbers> left = combined(combined(x, y), z), right = combined(x, combined(y, z));
  if (!left || !right)
    return std::nullopt;
  for (auto [a, b] : llvm::zip_equal(*left, *right)) {
    bool knowValue = a.known && b.known, knowExponential = a.knownExponential && b.knownExponential;
    // A logarithm is known by its exponential.
    if (a.residue == b.residue || (knowExponential && a.exponential == b.exponential))
      continue;
    return knowValue || knowExponential ? Associativity::Disproved : Associativity::Unknown;
  }
  return Associativity::Proved;
}

} // namespace

Associativity weft::proveAssociative(Region &combine) {
  constexpr uint32_t kPoints = 48;
  uint32_t decided = 0;
  for (uint32_t seed = 1; seed <= kPoints; ++seed) {
    std::optional<Associativity> found = compareAt(seed, combine);
    if (found && *found != Associativity::Proved)
      return *found;
    decided += found.has_value();
  }
  return decided >= kPoints / 2 ? Associativity::Proved : Associativity::Unknown;
}
