// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// exp2, erf, tanh → arith ops; the coefficients are near-minimax fits (iteratively reweighted least squares in
// Chebyshev form), their errors measured over all of the interval in f32.
#include "lowering/vectorize/VectorMath.h"

#include "lowering/vectorize/RegisterTile.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;

namespace weft {
namespace {

/// Constants and ops on values shaped like `x`.
struct Expansion {
  OpBuilder &b;
  Location loc;
  const RegisterPlan &plan;
  Type type;    ///< of x: f32 or a vector of f32
  Type bitType; ///< the same shape of i32

  Expansion(OpBuilder &b, Location loc, const RegisterPlan &plan, Value x)
      : b(b), loc(loc), plan(plan), type(x.getType()) {
    bitType = b.getI32Type();
    if (auto vector = dyn_cast<VectorType>(type))
      bitType = vector.clone(bitType);
  }

  Value constant(TypedAttr scalar, Type shape) {
    if (auto vector = dyn_cast<VectorType>(shape))
      scalar = DenseElementsAttr::get(vector, Attribute(scalar));
    return arith::ConstantOp::create(b, loc, scalar);
  }
  Value f(float value) { return constant(b.getF32FloatAttr(value), type); }
  Value i(int32_t value) { return constant(b.getI32IntegerAttr(value), bitType); }

  Value add(Value x, Value y) { return arith::AddFOp::create(b, loc, x, y); }
  Value sub(Value x, Value y) { return arith::SubFOp::create(b, loc, x, y); }
  Value mul(Value x, Value y) { return arith::MulFOp::create(b, loc, x, y); }
  Value select(arith::CmpFPredicate predicate, Value x, Value y, Value yes, Value no) {
    Value condition = arith::CmpFOp::create(b, loc, predicate, x, y);
    return arith::SelectOp::create(b, loc, condition, yes, no);
  }
  Value multiplyAdd(Value x, Value y, Value z) {
    if (isa<VectorType>(type))
      return emitMultiplyAdd(b, loc, plan, x, y, z);
    if (plan.fused)
      return math::FmaOp::create(b, loc, x, y, z);
    return add(mul(x, y), z);
  }
  /// Σ c[k] · x^k by Horner's rule.
  Value polynomial(ArrayRef<float> c, Value x) {
    Value sum = f(c.back());
    for (float coefficient : llvm::reverse(c.drop_back()))
      sum = multiplyAdd(sum, x, f(coefficient));
    return sum;
  }
};

/// AVX-512 scales by a power of two in one instruction, limits and NaN included.
bool hasScale(const RegisterPlan &plan, Type type) {
  auto vector = dyn_cast<VectorType>(type);
  return vector && plan.avx512 && vector.getShape() == ArrayRef<int64_t>{16};
}

/// Lanes of x that are no less than −126, as the mask of an instruction: below, a lane is zeroed under it, since a
/// denormal would make the products that read it slow.
Value normalLanes(Expansion &e, Value x) {
  Value normal = arith::CmpFOp::create(e.b, e.loc, arith::CmpFPredicate::UGE, x, e.f(-126.0f));
  Value lanes = vector::BitCastOp::create(e.b, e.loc, VectorType::get({1}, e.b.getI16Type()), normal);
  return vector::ExtractOp::create(e.b, e.loc, lanes, ArrayRef<int64_t>{0});
}

/// An instruction on lanes of x and a vector; lanes that the mask leaves out are zero.
Value callMasked(Expansion &e, StringRef name, Value x, Value y, Value mask) {
  Value rounding = arith::ConstantOp::create(e.b, e.loc, e.b.getI32IntegerAttr(4)); // that of the control register
  return LLVM::CallIntrinsicOp::create(e.b, e.loc, e.type, e.b.getStringAttr(name),
                                       ValueRange{x, y, e.f(0.0f), mask, rounding})
      .getResult(0);
}

constexpr StringLiteral kScale = "llvm.x86.avx512.mask.scalef.ps.512", kReduce = "llvm.x86.avx512.mask.reduce.ps.512";

/// 2^x = p(x − n) · 2^n, n = round(x): vscalefps gives +inf for n = +inf, whatever x − n is then.
Value emitScaledExp2(Expansion &e, ArrayRef<float> coefficients, Value x) {
  Value whole = math::RoundEvenOp::create(e.b, e.loc, x);
  Value mantissa = e.polynomial(coefficients, e.sub(x, whole));
  return callMasked(e, kScale, mantissa, whole, normalLanes(e, x));
}

} // namespace

Value emitExp2(OpBuilder &builder, Location loc, const RegisterPlan &plan, Value x, bool nonPositive) {
  // 2^x = 2^n · 2^f, n = round(x), |f| <= 1/2.
  // The constant term is exactly 1, so that 2^0 is 1: a block of keys that changes nothing must not change a bit.
  static const float kCoefficients[] = {1.0f,
                                        0.6931470036506653f,
                                        0.24022242426872253f,
                                        0.05550733581185341f,
                                        0.009671512991189957f,
                                        0.001326472731307149f};
  // ex2.approx: relative error 2^-22, exact for 0 (PTX ISA). The bits of a GPU's NaNs would get lost below.
  if (plan.device)
    return math::Exp2Op::create(builder, loc, x);
  Expansion e(builder, loc, plan, x);
  if (hasScale(plan, e.type))
    return emitScaledExp2(e, kCoefficients, x);
  // Adding 1.5 · 2^23 leaves round(x) in the low mantissa bits: no rounding instruction, so the same on every ISA.
  const float kRound = 12582912.0f;
  Value bounded = x;
  if (!nonPositive)
    bounded = e.select(arith::CmpFPredicate::OGT, x, e.f(128.0f), e.f(128.0f), x);
  Value shifted = e.add(bounded, e.f(kRound));
  Value fraction = e.sub(bounded, e.sub(shifted, e.f(kRound)));
  Value mantissa = e.polynomial(kCoefficients, fraction);
  Value bits = arith::BitcastOp::create(builder, loc, e.bitType, shifted);
  Value exponent = arith::ShLIOp::create(builder, loc, bits, e.i(23));
  Value scaled =
      arith::AddIOp::create(builder, loc, arith::BitcastOp::create(builder, loc, e.bitType, mantissa), exponent);
  Value result = arith::BitcastOp::create(builder, loc, e.type, scaled);
  result = e.select(arith::CmpFPredicate::OLT, x, e.f(-126.0f), e.f(0.0f), result);
  // A NaN's own bits went through the shift above and may have made a number of it.
  return nonPositive ? result : e.select(arith::CmpFPredicate::UNO, x, x, x, result);
}

Value emitExp2ForHalf(OpBuilder &builder, Location loc, const RegisterPlan &plan, Value x) {
  Expansion e(builder, loc, plan, x);
  if (!hasScale(plan, e.type))
    return emitExp2(builder, loc, plan, x, /*nonPositive=*/false);
  // One instruction takes the part of x behind the point, above ⌊x⌋, and the other ⌊x⌋ itself.
  static const float kCoefficients[] = {1.0f, 0.69511679f, 0.22764498f, 0.07706705f};
  Value all = arith::ConstantOp::create(builder, loc, builder.getI16IntegerAttr(-1));
  Value down = arith::ConstantOp::create(builder, loc, builder.getI32IntegerAttr(1));
  Value fraction = callMasked(e, kReduce, x, down, all);
  return callMasked(e, kScale, e.polynomial(kCoefficients, fraction), x, normalLanes(e, x));
}

Value emitErf(OpBuilder &builder, Location loc, const RegisterPlan &plan, Value x) {
  // erf x = x · p(u), u = 2 (x / 3.7)² − 1 in [−1, 1]; beyond 3.7, erf differs from ±1 by less than 1.7e-7.
  static const float kCoefficients[] = {0.3821375370025635f,    -0.1904677301645279f,  0.14078952372074127f,
                                        -0.11264555156230927f,  0.09062495082616806f,  -0.0704367533326149f,
                                        0.051475029438734055f,  -0.03619975969195366f, 0.02514689415693283f,
                                        -0.014152729883790016f, 0.005222451873123646f, -0.0036463364958763123f,
                                        0.0039277090691030025f, -0.001505043008364737f};
  const float kBound = 3.7f;
  Expansion e(builder, loc, plan, x);
  Value low = e.select(arith::CmpFPredicate::OLT, x, e.f(-kBound), e.f(-kBound), x);
  Value bounded = e.select(arith::CmpFPredicate::OGT, low, e.f(kBound), e.f(kBound), low);
  Value square = e.mul(bounded, bounded);
  Value u = e.multiplyAdd(square, e.f(2.0f / (kBound * kBound)), e.f(-1.0f));
  return e.mul(bounded, e.polynomial(kCoefficients, u));
}

Value emitTanh(OpBuilder &builder, Location loc, const RegisterPlan &plan, Value x) {
  // tanh |x| = (1 − t) / (1 + t), t = e^(−2 |x|); near zero the quotient cancels, so an odd polynomial takes over.
  static const float kSeries[] = {1.0f, -0.33333334f, 0.13333334f, -0.053968254f, 0.021869488f, -0.0088632355f};
  Expansion e(builder, loc, plan, x);
  Value magnitude = math::AbsFOp::create(builder, loc, x);
  Value t = emitExp2(builder, loc, plan, e.mul(magnitude, e.f(-2.885390081777927f)), /*nonPositive=*/true);
  Value one = e.f(1.0f);
  Value quotient = arith::DivFOp::create(builder, loc, e.sub(one, t), e.add(one, t));
  Value big = math::CopySignOp::create(builder, loc, quotient, x);
  Value small = e.mul(x, e.polynomial(kSeries, e.mul(x, x)));
  // A NaN takes the polynomial.
  return e.select(arith::CmpFPredicate::OGE, magnitude, e.f(0.25f), big, small);
}

SmallVector<Value> emitTranspose(OpBuilder &builder, Location loc, ArrayRef<Value> rows) {
  SmallVector<Value> v(rows);
  int64_t n = v.size();
  assert(llvm::isPowerOf2_64(n) && "stages halve the block");
  for (int64_t step = 1; step < n; step *= 2) {
    SmallVector<int64_t> low, high;
    for (int64_t lane = 0; lane < n; ++lane) {
      // Lanes n and above name the second operand.
      low.push_back(lane & step ? n + lane - step : lane);
      high.push_back(lane & step ? n + lane : lane + step);
    }
    for (int64_t i = 0; i < n; ++i) {
      if (i & step)
        continue;
      Value a = v[i], c = v[i | step];
      v[i] = vector::ShuffleOp::create(builder, loc, a, c, low);
      v[i | step] = vector::ShuffleOp::create(builder, loc, a, c, high);
    }
  }
  return v;
}

Value emitLaneSums(OpBuilder &builder, Location loc, ArrayRef<Value> vectors, int64_t step) {
  SmallVector<Value> v(vectors);
  int64_t n = cast<VectorType>(v.front().getType()).getNumElements();
  assert(llvm::isPowerOf2_64(v.size()) && int64_t(v.size()) * step <= n && "stages halve the vectors");
  for (; v.size() > 1; step *= 2) {
    SmallVector<int64_t> own, other;
    for (int64_t lane = 0; lane < n; ++lane) {
      // Lanes n and above name the second operand, whose sums go where the bit is set.
      own.push_back(lane & step ? n + lane : lane);
      other.push_back(lane & step ? n + lane - step : lane + step);
    }
    SmallVector<Value> sums;
    for (size_t i = 0; i < v.size(); i += 2) {
      Value x = vector::ShuffleOp::create(builder, loc, v[i], v[i + 1], own);
      Value y = vector::ShuffleOp::create(builder, loc, v[i], v[i + 1], other);
      sums.push_back(arith::AddFOp::create(builder, loc, x, y));
    }
    v = sums;
  }
  return v.front();
}

} // namespace weft
