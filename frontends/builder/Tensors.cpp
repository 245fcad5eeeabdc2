// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Views, elementwise ops and reductions of the builder. Extents are tracked by value, so that the program asks each
// input for its dimensions once.
#include "frontends/builder/GraphBuilder.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

#include <numeric>

using namespace mlir;

namespace weft {

//===----------------------------------------------------------------------===//
// Extents
//===----------------------------------------------------------------------===//

llvm::ArrayRef<OpFoldResult> GraphBuilder::sizes(Value value) const {
  auto found = extents.find(value);
  assert(found != extents.end() && "a value that this builder did not make");
  return found->second;
}

Value GraphBuilder::known(Value value, llvm::ArrayRef<OpFoldResult> valueSizes) {
  extents[value] = Sizes(valueSizes);
  return value;
}

RankedTensorType GraphBuilder::typeOf(llvm::ArrayRef<OpFoldResult> valueSizes, Type element) {
  llvm::SmallVector<int64_t> shape;
  for (OpFoldResult size : valueSizes)
    shape.push_back(getConstantIntValue(size).value_or(ShapedType::kDynamic));
  return RankedTensorType::get(shape, element);
}

OpFoldResult GraphBuilder::product(OpFoldResult a, OpFoldResult b) {
  std::optional<int64_t> constantA = getConstantIntValue(a), constantB = getConstantIntValue(b);
  if (constantA && constantB)
    return builder.getIndexAttr(*constantA * *constantB);
  if (constantA == 1 || constantB == 1)
    return constantA == 1 ? b : a;
  Value valueA = getValueOrCreateConstantIndexOp(builder, location, a);
  Value valueB = getValueOrCreateConstantIndexOp(builder, location, b);
  Value &result = products[{valueA.getAsOpaquePointer(), valueB.getAsOpaquePointer()}];
  if (!result)
    result = arith::MulIOp::create(builder, location, valueA, valueB);
  return result;
}

AffineMap GraphBuilder::dimsMap(unsigned dimCount, llvm::ArrayRef<unsigned> results) {
  return AffineMap::getMultiDimMapWithTargets(dimCount, results, builder.getContext());
}

//===----------------------------------------------------------------------===//
// Views
//===----------------------------------------------------------------------===//

/// [[0], …, [at, at + 1], …]: the dimensions at and at + 1 of the larger shape are one of the smaller.
static llvm::SmallVector<ReassociationIndices> pairAt(int64_t smallRank, int64_t at) {
  llvm::SmallVector<ReassociationIndices> groups;
  for (int64_t dim = 0, next = 0; dim < smallRank; ++dim) {
    ReassociationIndices group{next++};
    if (dim == at)
      group.push_back(next++);
    groups.push_back(group);
  }
  return groups;
}

Value GraphBuilder::mergeLeading(Value x) {
  Sizes old(sizes(x)), merged{product(old[0], old[1])};
  merged.append(old.begin() + 2, old.end());
  auto type = typeOf(merged, cast<RankedTensorType>(x.getType()).getElementType());
  return known(tensor::CollapseShapeOp::create(builder, location, type, x, pairAt(merged.size(), 0)), merged);
}

Value GraphBuilder::splitLeading(Value x, OpFoldResult a, OpFoldResult b) {
  Sizes old(sizes(x)), split{a, b};
  split.append(old.begin() + 1, old.end());
  auto type = typeOf(split, cast<RankedTensorType>(x.getType()).getElementType());
  return known(tensor::ExpandShapeOp::create(builder, location, type, x, pairAt(old.size(), 0), split), split);
}

Value GraphBuilder::splitHeads(Value x, int64_t heads) {
  auto type = cast<RankedTensorType>(x.getType());
  Sizes split{dim("batch"), dim("sequence"), builder.getIndexAttr(heads),
              builder.getIndexAttr(type.getDimSize(1) / heads)};
  llvm::SmallVector<ReassociationIndices> groups{{0, 1}, {2, 3}};
  auto splitType = typeOf(split, type.getElementType());
  return known(tensor::ExpandShapeOp::create(builder, location, splitType, x, groups, split), split);
}

Value GraphBuilder::splitLast(Value x, int64_t a) {
  auto type = cast<RankedTensorType>(x.getType());
  Sizes split(sizes(x));
  split.back() = builder.getIndexAttr(a);
  split.push_back(builder.getIndexAttr(type.getShape().back() / a));
  auto groups = pairAt(type.getRank(), type.getRank() - 1);
  return known(tensor::ExpandShapeOp::create(builder, location, typeOf(split, type.getElementType()), x, groups, split),
               split);
}

Value GraphBuilder::mergeLast(Value x) {
  Sizes old(sizes(x)), merged(llvm::ArrayRef(old).drop_back());
  merged.back() = product(merged.back(), old.back());
  auto type = typeOf(merged, cast<RankedTensorType>(x.getType()).getElementType());
  auto groups = pairAt(merged.size(), merged.size() - 1);
  return known(tensor::CollapseShapeOp::create(builder, location, type, x, groups), merged);
}

Value GraphBuilder::mergeHeads(Value x) {
  Sizes old(sizes(x)), merged{product(old[0], old[1]), product(old[2], old[3])};
  llvm::SmallVector<ReassociationIndices> groups{{0, 1}, {2, 3}};
  auto type = typeOf(merged, cast<RankedTensorType>(x.getType()).getElementType());
  return known(tensor::CollapseShapeOp::create(builder, location, type, x, groups), merged);
}

/// One token of each text: split [batch, sequence, n] → [batch, n].
static Value sliceToken(OpBuilder &builder, Location location, Value split, RankedTensorType type,
                        llvm::ArrayRef<OpFoldResult> sizes, OpFoldResult token) {
  OpFoldResult zero = builder.getIndexAttr(0), one = builder.getIndexAttr(1);
  llvm::SmallVector<OpFoldResult> offsets{zero, token, zero}, taken{sizes[0], one, sizes[2]}, strides(3, one);
  return tensor::ExtractSliceOp::create(builder, location, type, split, offsets, taken, strides);
}

Value GraphBuilder::firstToken(Value x) {
  Value split = splitTokens(x);
  Sizes all(sizes(split)), result{all[0], all[2]};
  auto type = typeOf(result, cast<RankedTensorType>(x.getType()).getElementType());
  return known(sliceToken(builder, location, split, type, all, builder.getIndexAttr(0)), result);
}

Value GraphBuilder::lastToken(Value x) {
  Value split = splitTokens(x);
  Sizes all(sizes(split)), result{all[0], all[2]};
  auto type = typeOf(result, cast<RankedTensorType>(x.getType()).getElementType());
  OpFoldResult last = builder.getIndexAttr(0);
  if (!getConstantIntValue(all[1])) {
    Value one = arith::ConstantIndexOp::create(builder, location, 1);
    last = arith::SubIOp::create(builder, location, cast<Value>(all[1]), one).getResult();
  }
  return known(sliceToken(builder, location, split, type, all, last), result);
}

/// `count` entries of dimension `dim`.
static std::pair<llvm::SmallVector<OpFoldResult>, llvm::SmallVector<OpFoldResult>>
sliceOf(OpBuilder &b, llvm::ArrayRef<OpFoldResult> all, size_t dim, int64_t from, int64_t count) {
  llvm::SmallVector<OpFoldResult> offsets(all.size(), b.getIndexAttr(0)), taken(all);
  offsets[dim] = b.getIndexAttr(from);
  taken[dim] = b.getIndexAttr(count);
  return {offsets, taken};
}

Value GraphBuilder::lastSlice(Value x, int64_t from, int64_t count) {
  auto [offsets, taken] = sliceOf(builder, sizes(x), sizes(x).size() - 1, from, count);
  llvm::SmallVector<OpFoldResult> strides(taken.size(), builder.getIndexAttr(1));
  auto type = typeOf(taken, cast<RankedTensorType>(x.getType()).getElementType());
  return known(tensor::ExtractSliceOp::create(builder, location, type, x, offsets, taken, strides), taken);
}

Value GraphBuilder::firstSlice(Value x, int64_t from, int64_t count) {
  auto [offsets, taken] = sliceOf(builder, sizes(x), 0, from, count);
  llvm::SmallVector<OpFoldResult> strides(taken.size(), builder.getIndexAttr(1));
  auto type = typeOf(taken, cast<RankedTensorType>(x.getType()).getElementType());
  return known(tensor::ExtractSliceOp::create(builder, location, type, x, offsets, taken, strides), taken);
}

Value GraphBuilder::insertLast(Value part, Value into, int64_t from) {
  Sizes partSizes(sizes(part));
  Sizes offsets(partSizes.size(), builder.getIndexAttr(0)), strides(partSizes.size(), builder.getIndexAttr(1));
  offsets.back() = builder.getIndexAttr(from);
  Value joined = tensor::InsertSliceOp::create(builder, location, part, into, offsets, partSizes, strides);
  return known(joined, Sizes(sizes(into)));
}

/// What the compiler joins in one step (lowering/normalize/NormalizeConcat.cpp).
constexpr int64_t kMostParts = 16;

Value GraphBuilder::joinLast(llvm::ArrayRef<Value> parts) {
  int64_t all = 0, common = 0;
  std::string widths;
  for (Value part : parts) {
    int64_t width = cast<RankedTensorType>(part.getType()).getShape().back();
    common = std::gcd(common, width);
    all += width;
    widths += (widths.empty() ? "" : ", ") + std::to_string(width);
  }
  if (all > kMostParts * common)
    fail({"W0206", "vectors of " + widths + " elements cannot be joined", parameters.place(),
          "their greatest common divisor must be a sixteenth of their sum or more"});
  Sizes sum(sizes(parts.front()));
  sum.back() = builder.getIndexAttr(all);
  Value joined = empty(sum, builder.getF32Type());
  int64_t from = 0;
  for (Value part : parts) {
    joined = insertLast(part, joined, from);
    from += cast<RankedTensorType>(part.getType()).getShape().back();
  }
  return joined;
}

Value GraphBuilder::column(Value x, int64_t index) {
  Sizes taken(sizes(x)), result(llvm::ArrayRef(taken).drop_back());
  Sizes offsets(taken.size(), builder.getIndexAttr(0)), strides(taken.size(), builder.getIndexAttr(1));
  offsets.back() = builder.getIndexAttr(index);
  taken.back() = builder.getIndexAttr(1);
  auto type = typeOf(result, cast<RankedTensorType>(x.getType()).getElementType());
  return known(tensor::ExtractSliceOp::create(builder, location, type, x, offsets, taken, strides), result);
}

//===----------------------------------------------------------------------===//
// Elementwise and reductions
//===----------------------------------------------------------------------===//

Value GraphBuilder::empty(llvm::ArrayRef<OpFoldResult> valueSizes, Type element) {
  return known(tensor::EmptyOp::create(builder, location, valueSizes, element), valueSizes);
}

Value GraphBuilder::fill(llvm::ArrayRef<OpFoldResult> valueSizes, TypedAttr value) {
  Sizes copy(valueSizes); // the argument may lie in the table that empty() adds to
  Value scalar = arith::ConstantOp::create(builder, location, value);
  Value destination = empty(copy, value.getType());
  return known(linalg::FillOp::create(builder, location, scalar, destination).getResult(0), copy);
}

Value GraphBuilder::constant(llvm::ArrayRef<float> numbers) {
  auto count = static_cast<int64_t>(numbers.size());
  auto type = RankedTensorType::get({count}, builder.getF32Type());
  Value value = arith::ConstantOp::create(builder, location, DenseElementsAttr::get(type, numbers));
  return known(value, {builder.getIndexAttr(count)});
}

Value GraphBuilder::map(llvm::ArrayRef<OpFoldResult> resultSizes, Type element, llvm::ArrayRef<Value> operands,
                        llvm::ArrayRef<AffineMap> operandMaps, Body body) {
  Sizes copy(resultSizes);
  Value init = empty(copy, element);
  return reduce(init, builder.getMultiDimIdentityMap(copy.size()), operands, operandMaps, body);
}

Value GraphBuilder::map(llvm::ArrayRef<Value> operands, Body body) {
  auto type = cast<RankedTensorType>(operands.front().getType());
  llvm::SmallVector<AffineMap> operandMaps(operands.size(), builder.getMultiDimIdentityMap(type.getRank()));
  return map(sizes(operands.front()), type.getElementType(), operands, operandMaps, body);
}

Value GraphBuilder::reduce(Value init, AffineMap outMap, llvm::ArrayRef<Value> operands,
                           llvm::ArrayRef<AffineMap> operandMaps, Body body) {
  llvm::SmallVector<AffineMap> maps(operandMaps);
  maps.push_back(outMap);
  llvm::SmallVector<utils::IteratorType> iterators;
  for (unsigned dimension = 0; dimension < outMap.getNumDims(); ++dimension)
    iterators.push_back(outMap.isFunctionOfDim(dimension) ? utils::IteratorType::parallel
                                                          : utils::IteratorType::reduction);
  auto generic = linalg::GenericOp::create(builder, location, init.getType(), operands, init, maps, iterators,
                                           [&](OpBuilder &nested, Location nestedLocation, ValueRange scalars) {
                                             Value result = body(nested, nestedLocation, scalars);
                                             linalg::YieldOp::create(nested, nestedLocation, result);
                                           });
  return known(generic.getResult(0), Sizes(sizes(init)));
}

} // namespace weft
