// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The expectations of an entry function → outputs that hold what was found:
//   func.func @case() attributes {weft.entry} { …; check.expect_eq %y, %z : tensor<4xi32>, tensor<4xi32>; return }
// becomes
//   func.func @case() -> (tensor<1xi64> {weft.name = "check.0.mismatches", weft.check = {}}) attributes {weft.entry} {
//     …; %count = linalg.generic (sum over all elements of: 1 where the bits differ); return %count }
// An expect_close has two more: "check.N.error", Σ (actual − expected)², and "check.N.size", Σ expected².
#include "lowering/normalize/Passes.h"

#include "dialects/check/CheckOps.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

namespace weft {
#define GEN_PASS_DEF_NORMALIZECHECK
#include "lowering/normalize/Passes.h.inc"
} // namespace weft

using namespace mlir;

namespace weft {
namespace {

/// What one pair of elements adds to a sum.
using Term = function_ref<Value(OpBuilder &, Location, Value actual, Value expected)>;

/// Σ of the term over all pairs, as a tensor of one element: a loop of extent 1 around a reduction, since an output
/// has at least one dimension.
Value emitSum(OpBuilder &b, Location loc, Value actual, Value expected, Type type, Term term) {
  int64_t rank = cast<ShapedType>(actual.getType()).getRank();
  Value zero = arith::ConstantOp::create(b, loc, b.getZeroAttr(type));
  Value empty = tensor::EmptyOp::create(b, loc, ArrayRef<int64_t>{1}, type);
  Value init = linalg::FillOp::create(b, loc, zero, empty).getResult(0);
  SmallVector<unsigned> elements;
  for (int64_t dim = 1; dim <= rank; ++dim)
    elements.push_back(dim);
  AffineMap all = AffineMap::getMultiDimMapWithTargets(rank + 1, elements, b.getContext());
  AffineMap one = AffineMap::get(rank + 1, 0, b.getAffineDimExpr(0));
  SmallVector<utils::IteratorType> iterators(rank + 1, utils::IteratorType::reduction);
  iterators[0] = utils::IteratorType::parallel;
  auto sum = linalg::GenericOp::create(b, loc, init.getType(), ValueRange{actual, expected}, init, {all, all, one},
                                       iterators, [&](OpBuilder &body, Location where, ValueRange values) {
                                         Value more = term(body, where, values[0], values[1]);
                                         Value next;
                                         if (isa<FloatType>(type))
                                           next = arith::AddFOp::create(body, where, values[2], more);
                                         else
                                           next = arith::AddIOp::create(body, where, values[2], more);
                                         linalg::YieldOp::create(body, where, next);
                                       });
  return sum.getResult(0);
}

/// The element's bits as an integer.
Value bitsOf(OpBuilder &b, Location loc, Value value) {
  auto type = dyn_cast<FloatType>(value.getType());
  return type ? arith::BitcastOp::create(b, loc, b.getIntegerType(type.getWidth()), value).getResult() : value;
}

Value isFinite(OpBuilder &b, Location loc, Value value) {
  auto type = cast<FloatType>(value.getType());
  Value infinity = arith::ConstantOp::create(b, loc, b.getFloatAttr(type, APFloat::getInf(type.getFloatSemantics())));
  Value size = math::AbsFOp::create(b, loc, value);
  return arith::CmpFOp::create(b, loc, arith::CmpFPredicate::OLT, size, infinity);
}

/// A finite value squared in f64; 0 for others.
Value squareOfFinite(OpBuilder &b, Location loc, Value value, Value finite) {
  Value wide = value;
  if (cast<FloatType>(value.getType()).getWidth() < 64)
    wide = arith::ExtFOp::create(b, loc, b.getF64Type(), value);
  Value zero = arith::ConstantOp::create(b, loc, b.getF64FloatAttr(0));
  Value kept = arith::SelectOp::create(b, loc, finite, wide, zero);
  return arith::MulFOp::create(b, loc, kept, kept);
}

/// The number of a float among all of its type, in their order, −0 and 0 alike.
Value ordinalOf(OpBuilder &b, Location loc, Value value) {
  Value bits = bitsOf(b, loc, value);
  auto type = cast<IntegerType>(bits.getType());
  Value least = arith::ConstantOp::create(b, loc, b.getIntegerAttr(type, APInt::getSignedMinValue(type.getWidth())));
  Value zero = arith::ConstantOp::create(b, loc, b.getZeroAttr(type));
  Value negative = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::slt, bits, zero);
  Value mirrored = arith::SubIOp::create(b, loc, least, bits);
  Value ordinal = arith::SelectOp::create(b, loc, negative, mirrored, bits);
  return type.getWidth() < 64 ? arith::ExtSIOp::create(b, loc, b.getI64Type(), ordinal).getResult() : ordinal;
}

/// Whether two numbers are more than `ulps` apart.
Value isFar(OpBuilder &b, Location loc, Value actual, Value expected, int64_t ulps) {
  Value distance = arith::SubIOp::create(b, loc, ordinalOf(b, loc, actual), ordinalOf(b, loc, expected));
  Value most = arith::ConstantOp::create(b, loc, b.getI64IntegerAttr(ulps));
  Value least = arith::ConstantOp::create(b, loc, b.getI64IntegerAttr(-ulps));
  Value above = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::sgt, distance, most);
  Value below = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::slt, distance, least);
  return arith::OrIOp::create(b, loc, above, below);
}

Value countIf(OpBuilder &b, Location loc, Value condition) {
  return arith::ExtUIOp::create(b, loc, b.getI64Type(), condition);
}

/// Whether one is NaN or infinite and the other is not the same, or, with a limit, two numbers are too far apart.
Value isMismatch(OpBuilder &b, Location loc, Value actual, Value expected, std::optional<int64_t> ulps) {
  Value finite = arith::AndIOp::create(b, loc, isFinite(b, loc, actual), isFinite(b, loc, expected));
  Value actualNan = arith::CmpFOp::create(b, loc, arith::CmpFPredicate::UNO, actual, actual);
  Value expectedNan = arith::CmpFOp::create(b, loc, arith::CmpFPredicate::UNO, expected, expected);
  Value bothNan = arith::AndIOp::create(b, loc, actualNan, expectedNan);
  Value equal = arith::CmpFOp::create(b, loc, arith::CmpFPredicate::OEQ, actual, expected);
  Value alike = arith::OrIOp::create(b, loc, bothNan, equal);
  Value yes = arith::ConstantOp::create(b, loc, b.getBoolAttr(true));
  Value no = arith::ConstantOp::create(b, loc, b.getBoolAttr(false));
  Value far = ulps ? isFar(b, loc, actual, expected, *ulps) : no;
  Value unlike = arith::XOrIOp::create(b, loc, alike, yes);
  return arith::SelectOp::create(b, loc, finite, far, unlike);
}

/// Turns the expectations of one entry into outputs.
class EntryChecks {
public:
  explicit EntryChecks(func::FuncOp entry)
      : entry(entry), terminator(cast<func::ReturnOp>(entry.getBody().back().getTerminator())), b(terminator) {}

  void convert(check::ExpectCloseOp op) {
    std::optional<int64_t> ulps;
    if (IntegerAttr limit = op.getMaxUlpAttr())
      ulps = limit.getInt();
    Value actual = op.getActual(), expected = op.getExpected();
    DictionaryAttr limits = op->getAttrDictionary();
    auto error = [](OpBuilder &k, Location loc, Value a, Value e) {
      Value finite = arith::AndIOp::create(k, loc, isFinite(k, loc, a), isFinite(k, loc, e));
      Value wideA = a, wideE = e;
      if (cast<FloatType>(a.getType()).getWidth() < 64) {
        wideA = arith::ExtFOp::create(k, loc, k.getF64Type(), a);
        wideE = arith::ExtFOp::create(k, loc, k.getF64Type(), e);
      }
      return squareOfFinite(k, loc, arith::SubFOp::create(k, loc, wideA, wideE), finite);
    };
    auto size = [](OpBuilder &k, Location loc, Value, Value e) {
      return squareOfFinite(k, loc, e, isFinite(k, loc, e));
    };
    addOutput("error", emitSum(b, op.getLoc(), actual, expected, b.getF64Type(), error), limits);
    addOutput("size", emitSum(b, op.getLoc(), actual, expected, b.getF64Type(), size), limits);
    auto mismatch = [&](OpBuilder &k, Location loc, Value a, Value e) {
      return countIf(k, loc, isMismatch(k, loc, a, e, ulps));
    };
    addOutput("mismatches", emitSum(b, op.getLoc(), actual, expected, b.getI64Type(), mismatch), limits);
    ++number;
  }

  void convert(check::ExpectEqOp op) {
    auto differ = [](OpBuilder &k, Location loc, Value a, Value e) {
      Value differs = arith::CmpIOp::create(k, loc, arith::CmpIPredicate::ne, bitsOf(k, loc, a), bitsOf(k, loc, e));
      return countIf(k, loc, differs);
    };
    Value count = emitSum(b, op.getLoc(), op.getActual(), op.getExpected(), b.getI64Type(), differ);
    addOutput("mismatches", count, op->getAttrDictionary());
    ++number;
  }

private:
  void addOutput(StringRef what, Value value, DictionaryAttr limits) {
    std::string name = ("check." + Twine(number) + "." + what).str();
    NamedAttribute attributes[] = {b.getNamedAttr("weft.name", b.getStringAttr(name)),
                                   b.getNamedAttr("weft.check", limits)};
    (void)entry.insertResult(entry.getNumResults(), value.getType(), b.getDictionaryAttr(attributes));
    terminator.getOperandsMutable().append(value);
  }

  func::FuncOp entry;
  func::ReturnOp terminator;
  OpBuilder b; ///< before the terminator
  int64_t number = 0;
};

struct NormalizeCheckPass : impl::NormalizeCheckBase<NormalizeCheckPass> {
  void runOnOperation() override {
    for (auto function : getOperation().getOps<func::FuncOp>()) {
      SmallVector<Operation *> expectations;
      function.walk([&](Operation *op) {
        if (isa<check::ExpectCloseOp, check::ExpectEqOp>(op))
          expectations.push_back(op);
      });
      if (expectations.empty())
        continue;
      if (failed(checkPlaces(function, expectations)))
        return signalPassFailure();
      EntryChecks checks(function);
      for (Operation *op : expectations) {
        if (auto close = dyn_cast<check::ExpectCloseOp>(op))
          checks.convert(close);
        else
          checks.convert(cast<check::ExpectEqOp>(op));
        op->erase();
      }
    }
  }

  /// An expectation's values must be there when the entry returns.
  static LogicalResult checkPlaces(func::FuncOp function, ArrayRef<Operation *> expectations) {
    for (Operation *op : expectations) {
      if (!function->hasAttr("weft.entry"))
        return op->emitError("is in a function that nobody calls: mark it with weft.entry");
      if (op->getBlock() != &function.getBody().back())
        return op->emitError("must stand in the function's own block");
      if (isa<MemRefType>(op->getOperand(0).getType()))
        return op->emitError("of memrefs cannot be run: compare tensors");
    }
    return success();
  }
};

} // namespace
} // namespace weft
