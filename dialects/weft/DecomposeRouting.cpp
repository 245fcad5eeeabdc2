// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// dispatch, grouped_matmul and combine → their definitions as linalg.generic on tensors.
#include "dialects/weft/GroupwiseElement.h"
#include "dialects/weft/RoutingOps.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace weft;

namespace {
using Def = DefinitionBuilder;

Value integer(Def &d, int64_t value) {
  return arith::ConstantOp::create(d.b, d.loc, d.b.getI32IntegerAttr(static_cast<int32_t>(value)));
}
Value compare(Def &d, arith::CmpIPredicate predicate, Value a, Value b) {
  return arith::CmpIOp::create(d.b, d.loc, predicate, a, b);
}
Value both(Def &d, Value a, Value b) { return arith::AndIOp::create(d.b, d.loc, a, b); }
/// count + 1 where the condition holds.
Value counted(Def &d, Value condition, Value count) {
  return arith::AddIOp::create(d.b, d.loc, count, arith::ExtUIOp::create(d.b, d.loc, d.b.getI32Type(), condition));
}
Value loopOf(Def &d, int64_t loop) { return linalg::IndexOp::create(d.b, d.loc, loop); }
Value loopNumber(Def &d, int64_t loop) {
  return arith::IndexCastOp::create(d.b, d.loc, d.b.getI32Type(), loopOf(d, loop));
}
Value indexOf(Def &d, Value number) { return arith::IndexCastOp::create(d.b, d.loc, d.b.getIndexType(), number); }
Value filled(Def &d, Value init, int64_t value) {
  return linalg::FillOp::create(d.b, d.loc, integer(d, value), ValueRange(init)).getResult(0);
}
AffineMap mapTo(OpBuilder &b, unsigned dims, ArrayRef<unsigned> results) {
  SmallVector<AffineExpr> exprs;
  for (unsigned dim : results)
    exprs.push_back(b.getAffineDimExpr(dim));
  return AffineMap::get(dims, 0, exprs, b.getContext());
}

class DispatchDefinition {
public:
  DispatchDefinition(DispatchOp op, OpBuilder &builder)
      : op(op), def(builder, op.getLoc()), groups(op.getOffsets().getType().getDimSize(0) - 1),
        entries(tensor::getMixedSizes(builder, op.getLoc(), op.getExperts())) {}

  SmallVector<Value> build() {
    Value offsets = offsetsOf(counts());
    Value places = placesOf(offsets, earlier());
    Value tokens = def.compute(places, filled(def, op.getTokens(), -1), {map(3, {1, 2}), map(3, {0})},
                               [](Def &d, ValueRange e) -> Value {
                                 Value isHere = compare(d, arith::CmpIPredicate::eq, e[0], loopNumber(d, 0));
                                 return arith::SelectOp::create(d.b, d.loc, isHere, loopNumber(d, 1), e[1]);
                               });
    Value zeros =
        linalg::FillOp::create(def.b, def.loc, def.constant(def.b.getF32Type(), 0), ValueRange(op.getSorted()))
            .getResult(0);
    Value sorted = def.compute({places, op.getWeights()}, zeros, {map(3, {1, 2}), map(3, {1, 2}), map(3, {0})},
                               [](Def &d, ValueRange e) -> Value {
                                 Value isHere = compare(d, arith::CmpIPredicate::eq, e[0], loopNumber(d, 0));
                                 return arith::SelectOp::create(d.b, d.loc, isHere, e[1], e[2]);
                               });
    return {tokens, sorted, offsets};
  }

private:
  AffineMap map(unsigned dims, ArrayRef<unsigned> results) { return mapTo(def.b, dims, results); }
  Value zeros(ArrayRef<OpFoldResult> shape) { return filled(def, def.empty(shape, def.b.getI32Type()), 0); }
  Value capacity(Def &d) { return integer(d, std::min<uint64_t>(*op.getCapacity(), INT32_MAX)); }
  /// At most the capacity.
  Value bounded(Def &d, Value count) {
    if (!op.getCapacity())
      return count;
    return arith::MinSIOp::create(d.b, d.loc, count, capacity(d));
  }

  /// Entries of each expert, without those that are dropped.
  Value counts() {
    OpFoldResult extent = def.b.getIndexAttr(groups);
    Value all =
        def.compute(op.getExperts(), zeros({extent}), {map(3, {1, 2}), map(3, {0})}, [](Def &d, ValueRange e) -> Value {
          return counted(d, compare(d, arith::CmpIPredicate::eq, e[0], loopNumber(d, 0)), e[1]);
        });
    return def.compute(all, def.empty({extent}, def.b.getI32Type()), {map(1, {0}), map(1, {0})},
                       [&](Def &d, ValueRange e) { return bounded(d, e[0]); });
  }
  Value offsetsOf(Value counts) {
    return def.compute(counts, filled(def, op.getOffsets(), 0), {map(2, {1}), map(2, {0})},
                       [](Def &d, ValueRange e) -> Value {
                         Value isBefore = compare(d, arith::CmpIPredicate::slt, loopNumber(d, 1), loopNumber(d, 0));
                         Value sum = arith::AddIOp::create(d.b, d.loc, e[1], e[0]);
                         return arith::SelectOp::create(d.b, d.loc, isBefore, sum, e[1]);
                       });
  }
  /// How many entries of the same expert come before each.
  Value earlier() {
    return def.compute({op.getExperts(), op.getExperts()}, zeros(entries),
                       {map(4, {0, 1}), map(4, {2, 3}), map(4, {0, 1})}, [](Def &d, ValueRange e) -> Value {
                         auto less = [&](int64_t a, int64_t b) {
                           return compare(d, arith::CmpIPredicate::slt, loopNumber(d, a), loopNumber(d, b));
                         };
                         Value sameToken = compare(d, arith::CmpIPredicate::eq, loopNumber(d, 2), loopNumber(d, 0));
                         Value isBefore = arith::OrIOp::create(d.b, d.loc, less(2, 0), both(d, sameToken, less(3, 1)));
                         Value sameExpert = compare(d, arith::CmpIPredicate::eq, e[0], e[1]);
                         return counted(d, both(d, isBefore, sameExpert), e[2]);
                       });
  }
  /// The row of each entry; −1: it is dropped.
  Value placesOf(Value offsets, Value earlier) {
    return def.compute({op.getExperts(), earlier}, def.empty(entries, def.b.getI32Type()),
                       {map(2, {0, 1}), map(2, {0, 1}), map(2, {0, 1})}, [&](Def &d, ValueRange e) -> Value {
                         // As unsigned numbers the negative ones are large.
                         Value isKept = compare(d, arith::CmpIPredicate::ult, e[0], integer(d, groups));
                         Value expert = arith::SelectOp::create(d.b, d.loc, isKept, e[0], integer(d, 0));
                         Value index = arith::IndexCastOp::create(d.b, d.loc, d.b.getIndexType(), expert);
                         Value first = tensor::ExtractOp::create(d.b, d.loc, offsets, ValueRange{index});
                         if (op.getCapacity())
                           isKept = both(d, isKept, compare(d, arith::CmpIPredicate::slt, e[1], capacity(d)));
                         Value place = arith::AddIOp::create(d.b, d.loc, first, e[1]);
                         return arith::SelectOp::create(d.b, d.loc, isKept, place, integer(d, -1));
                       });
  }

  DispatchOp op;
  Def def;
  int64_t groups;
  SmallVector<OpFoldResult> entries;
};

class GroupedDefinition {
public:
  GroupedDefinition(GroupedMatmulOp op, OpBuilder &builder)
      : op(op), def(builder, op.getLoc()), f32(builder.getF32Type()),
        shape(tensor::getMixedSizes(builder, op.getLoc(), op.getInit())) {}

  Value build() {
    Value groups = groupOfRow();
    if (op.getLhsScales())
      return integerProduct(groups);
    Value start = linalg::FillOp::create(def.b, def.loc, def.constant(f32, 0), ValueRange(op.getInit())).getResult(0);
    if (op.getBias())
      start = def.compute(groups, op.getInit(), {map(2, {0}), map(2, {0, 1})}, [&](Def &d, ValueRange e) -> Value {
        return tensor::ExtractOp::create(d.b, d.loc, op.getBias(), ValueRange{indexOf(d, e[0]), loopOf(d, 1)});
      });
    return def.compute({left(), groups}, start, {map(3, {0, 2}), map(3, {0}), map(3, {0, 1})},
                       [&](Def &d, ValueRange e) -> Value {
                         Value weight = weightAt(d, indexOf(d, e[1]), loopOf(d, 1), loopOf(d, 2));
                         Value product = arith::MulFOp::create(d.b, d.loc, d.convert(e[0], f32), weight);
                         return arith::AddFOp::create(d.b, d.loc, e[2], product);
                       });
  }

private:
  AffineMap map(unsigned dims, ArrayRef<unsigned> results) { return mapTo(def.b, dims, results); }

  /// The group of each row: as many groups end at or before it. Rows in no group have any.
  Value groupOfRow() {
    Value zeros = filled(def, def.empty({shape[0]}, def.b.getI32Type()), 0);
    AffineExpr i, g;
    bindDims(def.b.getContext(), i, g);
    int64_t groups = op.getRhs().getType().getDimSize(0);
    Value ends = tensor::ExtractSliceOp::create(def.b, def.loc, op.getOffsets(), {def.b.getIndexAttr(1)},
                                                {def.b.getIndexAttr(groups)}, {def.b.getIndexAttr(1)});
    Value counts = def.compute(ends, zeros, {map(2, {1}), map(2, {0})}, [](Def &d, ValueRange e) -> Value {
      return counted(d, compare(d, arith::CmpIPredicate::sle, e[0], loopNumber(d, 0)), e[1]);
    });
    return def.compute(counts, def.empty({shape[0]}, def.b.getI32Type()), {map(1, {0}), map(1, {0})},
                       [&](Def &d, ValueRange e) -> Value {
                         return arith::MinSIOp::create(d.b, d.loc, e[0], integer(d, groups - 1));
                       });
  }

  /// Sums of integers, exact, times both scales.
  Value integerProduct(Value groups) {
    Type i32 = def.b.getI32Type();
    Value sums = def.compute({left(), groups}, filled(def, def.empty(shape, i32), 0),
                             {map(3, {0, 2}), map(3, {0}), map(3, {0, 1})}, [&](Def &d, ValueRange e) -> Value {
                               Value x = arith::ExtSIOp::create(d.b, d.loc, i32, e[0]);
                               Value weight = storedAt(d, e[1], loopOf(d, 1), loopOf(d, 2));
                               weight = arith::ExtSIOp::create(d.b, d.loc, i32, weight);
                               Value product = arith::MulIOp::create(d.b, d.loc, x, weight);
                               return arith::AddIOp::create(d.b, d.loc, e[2], product);
                             });
    Value scales = rowScales();
    return def.compute({sums, scales, groups}, op.getInit(), {map(2, {0, 1}), map(2, {0}), map(2, {0}), map(2, {0, 1})},
                       [&](Def &d, ValueRange e) -> Value {
                         SmallVector<Value> column{e[2], loopOf(d, 1)};
                         Value y = arith::SIToFPOp::create(d.b, d.loc, f32, e[0]);
                         y = arith::MulFOp::create(d.b, d.loc, y, e[1]);
                         Value scale = tensor::ExtractOp::create(d.b, d.loc, op.getRhsScales(), column);
                         y = arith::MulFOp::create(d.b, d.loc, y, scale);
                         if (!op.getBias())
                           return y;
                         Value bias = tensor::ExtractOp::create(d.b, d.loc, op.getBias(), column);
                         return arith::AddFOp::create(d.b, d.loc, y, bias);
                       });
  }

  /// The scales of lhs, one for each row of the result.
  Value rowScales() {
    if (!op.getRows())
      return op.getLhsScales();
    auto type = RankedTensorType::get({cast<ShapedType>(op.getLhsScales().getType()).getDimSize(0), 1}, f32);
    SmallVector<ReassociationIndices> column = {{0, 1}};
    Value matrix = tensor::ExpandShapeOp::create(def.b, def.loc, type, op.getLhsScales(), column);
    return tensor::CollapseShapeOp::create(def.b, def.loc, def.rowsOf(matrix, op.getRows()), column);
  }

  /// lhs, a row for each of the result.
  Value left() { return op.getRows() ? def.rowsOf(op.getLhs(), op.getRows()) : op.getLhs(); }

  Value weightAt(Def &d, Value group, Value n, Value k) {
    if (std::optional<GroupForm> form = op.getForm())
      return groupwiseElement(d, op.getRhs(), group, *form, k, n);
    return d.convert(storedAt(d, group, n, k), f32);
  }

  /// A number of a weight that is not in groups along k.
  Value storedAt(Def &d, Value group, Value n, Value k) {
    if (!op.isPacked())
      return tensor::ExtractOp::create(d.b, d.loc, op.getRhs(), ValueRange{group, n, k});
    Value width = arith::ConstantIndexOp::create(d.b, d.loc, op.getPanelWidth());
    Value steps = arith::ConstantIndexOp::create(d.b, d.loc, op.getStepsPerWord());
    Value panel = arith::DivUIOp::create(d.b, d.loc, n, width), column = arith::RemUIOp::create(d.b, d.loc, n, width);
    Value word = arith::DivUIOp::create(d.b, d.loc, k, steps), step = arith::RemUIOp::create(d.b, d.loc, k, steps);
    Value place = arith::AddIOp::create(d.b, d.loc, arith::MulIOp::create(d.b, d.loc, column, steps), step);
    return tensor::ExtractOp::create(d.b, d.loc, op.getRhs(), ValueRange{group, panel, word, place});
  }

  GroupedMatmulOp op;
  Def def;
  Type f32;
  SmallVector<OpFoldResult> shape;
};
} // namespace

FailureOr<SmallVector<Value>> DispatchOp::decompose(OpBuilder &builder) {
  if (!hasPureTensorSemantics())
    return failure();
  return DispatchDefinition(*this, builder).build();
}

FailureOr<SmallVector<Value>> GroupedMatmulOp::decompose(OpBuilder &builder) {
  if (!hasPureTensorSemantics())
    return failure();
  return SmallVector<Value>{GroupedDefinition(*this, builder).build()};
}

FailureOr<SmallVector<Value>> CombineOp::decompose(OpBuilder &builder) {
  if (!hasPureTensorSemantics())
    return failure();
  Def def(builder, getLoc());
  // (t, n, i)
  SmallVector<AffineMap> maps = {mapTo(builder, 3, {2, 1}), mapTo(builder, 3, {2}), mapTo(builder, 3, {2}),
                                 mapTo(builder, 3, {0, 1})};
  Value result =
      def.compute({getInput(), getTokens(), getWeights()}, getInit(), maps, [](Def &d, ValueRange e) -> Value {
        Value isIts = compare(d, arith::CmpIPredicate::eq, e[1], loopNumber(d, 0));
        Value product = arith::MulFOp::create(d.b, d.loc, e[2], e[0]);
        Value sum = arith::AddFOp::create(d.b, d.loc, e[3], product);
        return arith::SelectOp::create(d.b, d.loc, isIts, sum, e[3]);
      });
  return SmallVector<Value>{result};
}
