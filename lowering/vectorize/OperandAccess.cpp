// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Indexing map + iteration point → memref.load, vector.load or vector.maskedload (and the stores).
#include "lowering/vectorize/OperandAccess.h"

#include "lowering/vectorize/VectorBody.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;

namespace weft {

AccessKind classifyAccess(Value memref, AffineMap map, int64_t vectorDim) {
  auto type = dyn_cast<MemRefType>(memref.getType());
  if (!type) // a scalar operand, such as a fill's value
    return AccessKind::Uniform;
  if (vectorDim < 0 || !map.isFunctionOfDim(vectorDim))
    return AccessKind::Uniform;
  for (auto [i, result] : llvm::enumerate(map.getResults())) {
    if (!result.isFunctionOfDim(vectorDim))
      continue;
    if (!isa<AffineDimExpr>(result))
      return AccessKind::Unsupported;
    if (i + 1 != map.getNumResults())
      return AccessKind::Strided;
  }
  // In memory an i1 is a byte, while a vector of them is loaded and stored as bits.
  if (type.getElementType().isInteger() && type.getElementTypeBitWidth() % 8 != 0)
    return AccessKind::Strided;
  SmallVector<int64_t> strides;
  int64_t offset;
  if (failed(type.getStridesAndOffset(strides, offset)))
    return AccessKind::Unsupported;
  return strides.back() == 1 ? AccessKind::Contiguous : AccessKind::Strided;
}

SmallVector<Value> emitSubscripts(OpBuilder &builder, Location loc, AffineMap map, ArrayRef<Value> dims) {
  SmallVector<Value> subscripts;
  for (AffineExpr expr : map.getResults()) {
    if (auto dim = dyn_cast<AffineDimExpr>(expr)) {
      subscripts.push_back(dims[dim.getPosition()]);
      continue;
    }
    if (auto constant = dyn_cast<AffineConstantExpr>(expr)) {
      subscripts.push_back(arith::ConstantIndexOp::create(builder, loc, constant.getValue()));
      continue;
    }
    AffineMap single = AffineMap::get(map.getNumDims(), 0, expr);
    SmallVector<OpFoldResult> operands(dims.begin(), dims.end());
    OpFoldResult value = affine::makeComposedFoldedAffineApply(builder, loc, single, operands);
    subscripts.push_back(getValueOrCreateConstantIndexOp(builder, loc, value));
  }
  return subscripts;
}

/// Lane by lane, for operands whose vector dimension is not the contiguous one.
static Value emitStridedLoad(OpBuilder &builder, Location loc, Value memref, AffineMap map, const IterationPoint &point,
                             VectorType type) {
  SmallVector<Value> lanes;
  for (int64_t lane = 0; lane < point.lanes; ++lane) {
    SmallVector<Value> dims = point.dims;
    Value &dim = dims[point.vectorDim];
    dim = arith::AddIOp::create(builder, loc, dim, arith::ConstantIndexOp::create(builder, loc, lane));
    if (point.mask) {
      // A lane that does not exist reads the dimension's first element instead: the vector's first may not exist
      // either.
      Value exists = vector::ExtractOp::create(builder, loc, point.mask, ArrayRef<int64_t>{lane});
      dim = arith::SelectOp::create(builder, loc, exists, dim, arith::ConstantIndexOp::create(builder, loc, 0));
    }
    SmallVector<Value> subscripts = emitSubscripts(builder, loc, map, dims);
    lanes.push_back(memref::LoadOp::create(builder, loc, memref, subscripts));
  }
  return vector::FromElementsOp::create(builder, loc, type, lanes);
}

Value emitLoad(OpBuilder &builder, Location loc, Value memref, AffineMap map, const IterationPoint &point) {
  if (!isa<MemRefType>(memref.getType()))
    return memref;
  AccessKind kind = classifyAccess(memref, map, point.vectorDim);
  assert(kind != AccessKind::Unsupported && "the caller checks operands first");
  auto type = VectorType::get({point.lanes}, cast<MemRefType>(memref.getType()).getElementType());
  if (kind == AccessKind::Strided)
    return emitStridedLoad(builder, loc, memref, map, point, type);
  SmallVector<Value> subscripts = emitSubscripts(builder, loc, map, point.dims);
  if (kind == AccessKind::Uniform)
    return memref::LoadOp::create(builder, loc, memref, subscripts);
  if (!point.mask)
    return vector::LoadOp::create(builder, loc, type, memref, subscripts);
  Value zero = arith::ConstantOp::create(builder, loc, builder.getZeroAttr(type));
  return vector::MaskedLoadOp::create(builder, loc, type, memref, subscripts, point.mask, zero);
}

/// Lane by lane, those that exist.
static void emitStridedStore(OpBuilder &builder, Location loc, Value vector, Value memref, AffineMap map,
                             const IterationPoint &point) {
  for (int64_t lane = 0; lane < point.lanes; ++lane) {
    auto store = [&](OpBuilder &b, Location where) {
      SmallVector<Value> dims = point.dims;
      Value &dim = dims[point.vectorDim];
      dim = arith::AddIOp::create(b, where, dim, arith::ConstantIndexOp::create(b, where, lane));
      Value element = vector::ExtractOp::create(b, where, vector, ArrayRef<int64_t>{lane});
      memref::StoreOp::create(b, where, element, memref, emitSubscripts(b, where, map, dims));
    };
    if (!point.mask) {
      store(builder, loc);
      continue;
    }
    Value exists = vector::ExtractOp::create(builder, loc, point.mask, ArrayRef<int64_t>{lane});
    scf::IfOp::create(builder, loc, exists, [&](OpBuilder &b, Location where) {
      store(b, where);
      scf::YieldOp::create(b, where);
    });
  }
}

void emitStore(OpBuilder &builder, Location loc, Value value, Value memref, AffineMap map,
               const IterationPoint &point) {
  SmallVector<Value> subscripts = emitSubscripts(builder, loc, map, point.dims);
  if (classifyAccess(memref, map, point.vectorDim) == AccessKind::Uniform) {
    memref::StoreOp::create(builder, loc, value, memref, subscripts);
    return;
  }
  Value vector = widen(builder, loc, value, point.lanes);
  if (classifyAccess(memref, map, point.vectorDim) != AccessKind::Contiguous)
    return emitStridedStore(builder, loc, vector, memref, map, point);
  if (point.mask)
    vector::MaskedStoreOp::create(builder, loc, memref, subscripts, point.mask, vector);
  else
    vector::StoreOp::create(builder, loc, vector, memref, subscripts);
}

void emitPrefetch(OpBuilder &builder, Location loc, Value memref, AffineMap map, const IterationPoint &point,
                  bool intoFirstLevel) {
  SmallVector<Value> subscripts = emitSubscripts(builder, loc, map, point.dims);
  memref::PrefetchOp::create(builder, loc, memref, subscripts, /*isWrite=*/false,
                             /*localityHint=*/intoFirstLevel ? 3 : 2,
                             /*isDataCache=*/true);
}

} // namespace weft
