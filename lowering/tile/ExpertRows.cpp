// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lowering/tile/ExpertRows.h"

#include "dialects/weft/Tile.h"
#include "lowering/tile/RowBlocks.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;

namespace weft {

ExpertRows::ExpertRows(GroupedMatmulOp op, OpBuilder &b) : op(op), loc(op.getLoc()) {
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPoint(op);
  total = getValueOrCreateConstantIndexOp(b, loc, tensor::getMixedSize(b, loc, op.getInit(), 0));
}

Value ExpertRows::constant(OpBuilder &b, int64_t value) { return arith::ConstantIndexOp::create(b, loc, value); }

/// Each group that has rows has one block at most that is not full.
Value ExpertRows::mostBlocks(OpBuilder &b, int64_t rows) {
  Value groups = constant(b, op.getRhs().getType().getDimSize(0));
  Value full = arith::DivUIOp::create(b, loc, total, constant(b, rows));
  return arith::AddIOp::create(b, loc, arith::MinUIOp::create(b, loc, groups, total), full);
}

ExpertRows::Range ExpertRows::rangeOf(OpBuilder &b, Value group) {
  auto bounded = [&](Value place) -> Value {
    Value offset = tensor::ExtractOp::create(b, loc, op.getOffsets(), place);
    offset = arith::IndexCastOp::create(b, loc, b.getIndexType(), offset);
    offset = arith::MaxSIOp::create(b, loc, offset, constant(b, 0));
    return arith::MinSIOp::create(b, loc, offset, total);
  };
  Value begin = bounded(group), next = arith::AddIOp::create(b, loc, group, constant(b, 1));
  return {begin, arith::MaxSIOp::create(b, loc, bounded(next), begin)};
}

/// As many rows as there are, at most `share`.
static OpFoldResult rowsLeft(OpBuilder &b, Location loc, Value left, OpFoldResult share) {
  AffineMap least = AffineMap::getMultiDimIdentityMap(2, b.getContext());
  return affine::makeComposedFoldedAffineMin(b, loc, least, {share, left});
}

GroupRows ExpertRows::blockAt(OpBuilder &b, Value number, int64_t rows, int64_t unit) {
  Value zero = constant(b, 0), one = constant(b, 1), groups = constant(b, op.getRhs().getType().getDimSize(0));
  // Carried: the blocks still to pass, −1 when the block is found; the group; its rows; the block among its blocks.
  SmallVector<Value> start = {number, zero, zero, zero, zero};
  auto search = scf::ForOp::create(
      b, loc, zero, groups, one, start, [&](OpBuilder &body, Location, Value group, ValueRange state) {
        Range range = rangeOf(body, group);
        Value count = arith::SubIOp::create(body, loc, range.end, range.begin);
        Value blocks = arith::CeilDivUIOp::create(body, loc, count, constant(body, rows));
        Value isHere = arith::CmpIOp::create(body, loc, arith::CmpIPredicate::ult, state[0], blocks);
        auto choose = [&](Value here, Value otherwise) -> Value {
          return arith::SelectOp::create(body, loc, isHere, here, otherwise);
        };
        Value passed = arith::SubIOp::create(body, loc, state[0], blocks);
        // −1 is the largest unsigned number, and stays far above any number of blocks.
        Value wasFound = arith::CmpIOp::create(body, loc, arith::CmpIPredicate::slt, state[0], zero);
        Value rest = arith::SelectOp::create(body, loc, wasFound, state[0], passed);
        scf::YieldOp::create(body, loc,
                             ValueRange{choose(constant(body, -1), rest), choose(group, state[1]),
                                        choose(range.begin, state[2]), choose(range.end, state[3]),
                                        choose(state[0], state[4])});
      });
  Value begin = search.getResult(2), end = search.getResult(3);
  OpFoldResult share = evenRows(b, loc, arith::SubIOp::create(b, loc, end, begin).getResult(), rows, unit);
  Value before = arith::MulIOp::create(b, loc, search.getResult(4), getValueOrCreateConstantIndexOp(b, loc, share));
  // Rounding to units may leave the last block nothing.
  Value first = arith::MinUIOp::create(b, loc, arith::AddIOp::create(b, loc, begin, before), end);
  Value left = arith::SubIOp::create(b, loc, end, first);
  return {search.getResult(1), first, rowsLeft(b, loc, left, share)};
}

Value ExpertRows::forEachBlock(OpBuilder &b, int64_t rows, int64_t unit, Value init,
                               function_ref<Value(const GroupRows &, Value)> body) {
  OpBuilder::InsertionGuard guard(b);
  Value groups = constant(b, op.getRhs().getType().getDimSize(0));
  auto outer = scf::ForOp::create(b, loc, constant(b, 0), groups, constant(b, 1), init);
  b.setInsertionPointToStart(outer.getBody());
  Value group = outer.getInductionVar();
  Range range = rangeOf(b, group);
  OpFoldResult share = evenRows(b, loc, arith::SubIOp::create(b, loc, range.end, range.begin).getResult(), rows, unit);
  auto inner = scf::ForOp::create(b, loc, range.begin, range.end, getValueOrCreateConstantIndexOp(b, loc, share),
                                  outer.getRegionIterArgs());
  scf::YieldOp::create(b, loc, inner.getResults());
  b.setInsertionPointToStart(inner.getBody());
  Value first = inner.getInductionVar(), left = arith::SubIOp::create(b, loc, range.end, first);
  Value next = body({group, first, rowsLeft(b, loc, left, share)}, inner.getRegionIterArg(0));
  scf::YieldOp::create(b, loc, next);
  return outer.getResult(0);
}

Value ExpertRows::sliceOfGroup(OpBuilder &b, Value stacked, Value group, ArrayRef<OpFoldResult> offsets,
                               ArrayRef<OpFoldResult> sizes) {
  SmallVector<OpFoldResult> places = {group}, extents = {b.getIndexAttr(1)};
  llvm::append_range(places, offsets);
  llvm::append_range(extents, sizes);
  SmallVector<OpFoldResult> strides(places.size(), b.getIndexAttr(1));
  auto [shape, dynamic] = decomposeMixedValues(llvm::to_vector(sizes));
  auto type = RankedTensorType::get(shape, getElementTypeOrSelf(stacked));
  return tensor::ExtractSliceOp::create(b, loc, type, stacked, places, extents, strides);
}

Value ExpertRows::vectorOf(OpBuilder &b, Value vector, const GroupRows &block) {
  return tensor::ExtractSliceOp::create(b, loc, vector, ArrayRef<OpFoldResult>{block.first},
                                        ArrayRef<OpFoldResult>{block.count}, ArrayRef<OpFoldResult>{b.getIndexAttr(1)});
}

Value ExpertRows::rowsBeside(OpBuilder &b, Value matrix, const GroupRows &block) {
  OpFoldResult zero = b.getIndexAttr(0), one = b.getIndexAttr(1), width = tensor::getMixedSize(b, loc, matrix, 1);
  if (!op.getRows())
    return tensor::ExtractSliceOp::create(b, loc, matrix, ArrayRef<OpFoldResult>{block.first, zero},
                                          ArrayRef<OpFoldResult>{block.count, width}, ArrayRef<OpFoldResult>{one, one});
  Value places = vectorOf(b, op.getRows(), block);
  // No index from data is an address unchecked. A negative place is a large unsigned one.
  Value last = arith::SubIOp::create(
      b, loc, getValueOrCreateConstantIndexOp(b, loc, tensor::getMixedSize(b, loc, matrix, 0)), constant(b, 1));
  last = arith::IndexCastOp::create(b, loc, b.getI32Type(), last);
  AffineMap each = b.getMultiDimIdentityMap(1);
  Value checked = tensor::EmptyOp::create(b, loc, ArrayRef<OpFoldResult>{block.count}, b.getI32Type());
  auto clamp = linalg::GenericOp::create(b, loc, checked.getType(), places, checked, ArrayRef<AffineMap>{each, each},
                                         ArrayRef<utils::IteratorType>{utils::IteratorType::parallel},
                                         [&](OpBuilder &body, Location at, ValueRange e) {
                                           Value place = arith::MinUIOp::create(body, at, e[0], last);
                                           linalg::YieldOp::create(body, at, place);
                                         });
  Value rows = tensor::EmptyOp::create(b, loc, {block.count, width}, getElementTypeOrSelf(matrix));
  return EmbeddingOp::create(b, loc, TypeRange{rows.getType()}, clamp.getResult(0), matrix, rows).getResult();
}

Value ExpertRows::rowScales(OpBuilder &b, const GroupRows &block) {
  if (!op.getRows())
    return vectorOf(b, op.getLhsScales(), block);
  SmallVector<ReassociationIndices> column = {{0, 1}};
  int64_t tokens = cast<ShapedType>(op.getLhsScales().getType()).getDimSize(0);
  auto type = RankedTensorType::get({tokens, 1}, b.getF32Type());
  Value matrix = tensor::ExpandShapeOp::create(b, loc, type, op.getLhsScales(), column);
  return tensor::CollapseShapeOp::create(b, loc, rowsBeside(b, matrix, block), column);
}

Value ExpertRows::product(OpBuilder &b, const GroupRows &block, Value column, OpFoldResult width, Value init) {
  // The group's panels with these columns.
  AffineExpr c = b.getAffineDimExpr(0);
  int64_t panel = op.getPanelWidth();
  auto panels = [&](AffineExpr expr, OpFoldResult value) {
    return affine::makeComposedFoldedAffineApply(b, loc, expr, {value});
  };
  ArrayRef<int64_t> shape = op.getRhs().getType().getShape();
  OpFoldResult zero = b.getIndexAttr(0);
  Value rhs = sliceOfGroup(b, op.getRhs(), block.group, {panels(c.floorDiv(panel), column), zero, zero},
                           {panels(c.ceilDiv(panel), width), b.getIndexAttr(shape[2]), b.getIndexAttr(shape[3])});
  auto ofColumns = [&](Value stacked) {
    return stacked ? sliceOfGroup(b, stacked, block.group, {column}, {width}) : Value();
  };
  Value bias = ofColumns(op.getBias());
  Type type = init.getType();
  TypeRange result(type);
  if (op.getLhsScales())
    return QuantizedMatmulOp::create(b, loc, result, rowsBeside(b, op.getLhs(), block), rowScales(b, block), rhs,
                                     ofColumns(op.getRhsScales()), bias, init)
        .getResult();
  if (std::optional<GroupForm> form = op.getForm())
    return GroupwiseMatmulOp::create(b, loc, result, rowsBeside(b, op.getLhs(), block), rhs, bias, init, form->bits,
                                     form->group)
        .getResult();
  if (!op.getRows())
    return PackedMatmulOp::create(b, loc, result, rowsBeside(b, op.getLhs(), block), rhs, bias, init).getResult();
  return PackedMatmulOp::create(b, loc, result, op.getLhs(), rhs, bias, vectorOf(b, op.getRows(), block), init)
      .getResult();
}

} // namespace weft
