// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lowering/nvptx/RowOps.h"

#include "dialects/tile/TileOps.h"
#include "lowering/nvptx/FlatView.h"

#include "mlir/Conversion/LLVMCommon/MemRefBuilder.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;

namespace weft {

using utils::IteratorType;

static constexpr int64_t kWarp = 32;
/// Elements that a thread reads before it computes.
static constexpr int64_t kReads = 4;

//===----------------------------------------------------------------------===//
// Which ops
//===----------------------------------------------------------------------===//

/// The op that adds an element to a sum: the yielded one, which alone reads the sum, once.
static Operation *combinerOf(linalg::LinalgOp op) {
  Operation *last = op.getBlock()->getTerminator()->getOperand(0).getDefiningOp();
  BlockArgument sum = op.getBlock()->getArguments().back();
  bool isOne = last && sum.hasOneUse() && *sum.user_begin() == last && last->getNumOperands() == 2 &&
               arith::getNeutralElement(last);
  return isOne ? last : nullptr;
}

static bool isScalar(Operation &op) {
  return isa<linalg::IndexOp>(op) ||
         (isa<arith::ArithDialect, math::MathDialect>(op.getDialect()) && op.getNumRegions() == 0);
}

/// A memref's dimension that is a loop's extent; none: no operand tells.
static std::optional<std::pair<OpOperand *, unsigned>> findExtent(linalg::LinalgOp op, unsigned dim) {
  AffineExpr expr = getAffineDimExpr(dim, op.getContext());
  for (OpOperand &operand : op->getOpOperands())
    if (isa<MemRefType>(operand.get().getType()))
      if (std::optional<unsigned> position = op.getMatchingIndexingMap(&operand).getResultPosition(expr))
        return std::pair(&operand, *position);
  return std::nullopt;
}

/// The product of the loops' extents, dynamic where one is not known.
static int64_t knownProduct(linalg::LinalgOp op, IteratorType kind) {
  int64_t product = 1;
  SmallVector<int64_t> extents = op.getStaticLoopRanges();
  for (auto [extent, found] : llvm::zip_equal(extents, op.getIteratorTypesArray())) {
    if (found != kind)
      continue;
    if (ShapedType::isDynamic(extent))
      return ShapedType::kDynamic;
    product *= extent;
  }
  return product;
}

bool RowOp::fits(linalg::LinalgOp op) {
  if (!isa<linalg::GenericOp, linalg::FillOp>(op.getOperation()) || op.getNumDpsInits() != 1 ||
      !isa<MemRefType>(op.getDpsInits()[0].getType()))
    return false;
  for (unsigned dim = 0; dim < op.getNumLoops(); ++dim)
    if (!findExtent(op, dim))
      return false;
  if (!llvm::all_of(op.getBlock()->without_terminator(), isScalar))
    return false;
  if (op.getNumReductionLoops() == 0)
    return true;
  Operation *combiner = combinerOf(op);
  return combiner && combiner->getResult(0).getType().isF32() &&
         !ShapedType::isDynamic(knownProduct(op, IteratorType::parallel));
}

int64_t RowOp::longestReduction(linalg::LinalgOp op) {
  if (op.getNumReductionLoops() == 0)
    return 0;
  int64_t known = knownProduct(op, IteratorType::reduction);
  return ShapedType::isDynamic(known) ? std::numeric_limits<int64_t>::max() : known;
}

//===----------------------------------------------------------------------===//
// Small things
//===----------------------------------------------------------------------===//

Value RowOp::allocate(OpBuilder &b, Location loc, int64_t bytes) {
  auto type = tile::BufferType::get(1, bytes / 4, b.getF32Type(), /*swizzle=*/0, /*stages=*/1);
  Value buffer = tile::AllocOp::create(b, loc, type, IntegerAttr());
  auto pointer = LLVM::LLVMPointerType::get(b.getContext(), static_cast<unsigned>(NVVM::NVVMMemorySpace::Shared));
  return UnrealizedConversionCastOp::create(b, loc, pointer, buffer).getResult(0);
}

Value RowOp::allocateView(OpBuilder &b, memref::AllocaOp op, int64_t bytes, const LLVMTypeConverter &types) {
  Location loc = op.getLoc();
  Value pointer = allocate(b, loc, bytes);
  Value generic = LLVM::AddrSpaceCastOp::create(b, loc, LLVM::LLVMPointerType::get(b.getContext()), pointer);
  Value descriptor = MemRefDescriptor::fromStaticShape(b, loc, types, op.getType(), generic);
  return FlatView::castToView(b, loc, op.getType(), descriptor, /*root=*/-1);
}

RowOp::RowOp(OpBuilder &b, linalg::LinalgOp op, IRMapping &mapping, Value parts)
    : b(b), op(op), mapping(mapping), parts(parts), loc(op.getLoc()) {
  Value number = NVVM::ThreadIdXOp::create(b, loc, b.getI32Type());
  thread = arith::IndexCastUIOp::create(b, loc, b.getIndexType(), number);
}

Value RowOp::constant(int64_t value) { return arith::ConstantIndexOp::create(b, loc, value); }

Value RowOp::plus(Value x, Value y) { return b.createOrFold<arith::AddIOp>(loc, x, y); }

Value RowOp::extentOf(unsigned dim) {
  auto [operand, position] = *findExtent(op, dim);
  int64_t known = cast<MemRefType>(operand->get().getType()).getDimSize(position);
  if (!ShapedType::isDynamic(known))
    return constant(known);
  return memref::DimOp::create(b, loc, mapping.lookupOrDefault(operand->get()), position);
}

Value RowOp::product(IteratorType kind) {
  Value all = constant(1);
  for (auto [dim, found] : llvm::enumerate(op.getIteratorTypesArray()))
    if (found == kind)
      all = b.createOrFold<arith::MulIOp>(loc, all, extentOf(dim));
  return all;
}

/// The loops' variables of the index-th element, the last one fastest.
void RowOp::unravel(Value index, IteratorType kind, Values &dims) {
  SmallVector<unsigned> order;
  for (auto [dim, found] : llvm::enumerate(op.getIteratorTypesArray())) {
    if (found != kind)
      continue;
    dims[dim] = constant(0);
    if (op.getStaticLoopRanges()[dim] != 1)
      order.push_back(dim);
  }
  for (unsigned dim : llvm::reverse(order)) {
    bool isLast = dim == order.front();
    dims[dim] = isLast ? index : b.createOrFold<arith::RemUIOp>(loc, index, extentOf(dim));
    if (!isLast)
      index = b.createOrFold<arith::DivUIOp>(loc, index, extentOf(dim));
  }
}

static SmallVector<Value> subscripts(OpBuilder &b, Location loc, AffineMap map, ArrayRef<Value> dims) {
  SmallVector<OpFoldResult> operands(dims.begin(), dims.end());
  SmallVector<Value> indices;
  for (unsigned i = 0; i < map.getNumResults(); ++i) {
    OpFoldResult at = affine::makeComposedFoldedAffineApply(b, loc, map.getSubMap({i}), operands);
    indices.push_back(getValueOrCreateConstantIndexOp(b, loc, at));
  }
  return indices;
}

Value RowOp::read(OpOperand &operand, const Values &dims) {
  Value mapped = mapping.lookupOrDefault(operand.get());
  if (!isa<MemRefType>(mapped.getType()))
    return mapped;
  return memref::LoadOp::create(b, loc, mapped, subscripts(b, loc, op.getMatchingIndexingMap(&operand), dims));
}

void RowOp::write(Value value, const Values &dims) {
  OpOperand *out = op.getDpsInitOperand(0);
  Value mapped = mapping.lookupOrDefault(out->get());
  memref::StoreOp::create(b, loc, value, mapped, subscripts(b, loc, op.getMatchingIndexingMap(out), dims));
}

/// The operands that the region reads, in its arguments' order; null for the others.
RowOp::Values RowOp::readInputs(const Values &dims) {
  Values inputs;
  for (OpOperand &operand : op->getOpOperands()) {
    bool isSum = op.isDpsInit(&operand) && op.getNumReductionLoops();
    inputs.push_back(op.payloadUsesValueFromOperand(&operand) && !isSum ? read(operand, dims) : Value());
  }
  return inputs;
}

/// The region on these; a sum is what changes nothing.
Value RowOp::evaluate(const Values &inputs, const Values &dims) {
  for (auto [argument, input] : llvm::zip_equal(op.getBlock()->getArguments(), inputs))
    if (input)
      mapping.map(argument, input);
  if (op.getNumReductionLoops())
    mapping.map(op.getBlock()->getArguments().back(), neutral());
  for (Operation &inner : op.getBlock()->without_terminator()) {
    if (auto index = dyn_cast<linalg::IndexOp>(inner))
      mapping.map(index.getResult(), dims[index.getDim()]);
    else
      b.clone(inner, mapping);
  }
  return mapping.lookupOrDefault(op.getBlock()->getTerminator()->getOperand(0));
}

void RowOp::when(Value condition, function_ref<void()> body) {
  auto branch = scf::IfOp::create(b, loc, condition, /*withElseRegion=*/false);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(branch.thenBlock());
  body();
}

void RowOp::loop(Value begin, Value end, Value step, function_ref<void(Value)> body) {
  auto made = scf::ForOp::create(b, loc, begin, end, step);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(made.getBody());
  body(made.getInductionVar());
}

void RowOp::run() {
  if (op.getNumReductionLoops())
    emitSums();
  else
    emitElements();
}

//===----------------------------------------------------------------------===//
// Elements
//===----------------------------------------------------------------------===//

void RowOp::emitElements() {
  int64_t known = knownProduct(op, IteratorType::parallel);
  bool isEven = !ShapedType::isDynamic(known) && known % (kThreads * kReads) == 0;
  int64_t together = isEven ? kReads : 1;
  loop(thread, product(IteratorType::parallel), constant(together * kThreads), [&](Value first) {
    Values indices;
    for (int64_t i = 0; i < together; ++i)
      indices.push_back(plus(first, constant(i * kThreads)));
    emitElement(indices);
  });
}

void RowOp::emitElement(ArrayRef<Value> indices) {
  SmallVector<Values> points, inputs;
  for (Value index : indices) {
    Values &dims = points.emplace_back(op.getNumLoops());
    unravel(index, IteratorType::parallel, dims);
    inputs.push_back(readInputs(dims));
  }
  Values results;
  for (auto [dims, input] : llvm::zip_equal(points, inputs))
    results.push_back(evaluate(input, dims));
  for (auto [dims, result] : llvm::zip_equal(points, results))
    write(result, dims);
}

//===----------------------------------------------------------------------===//
// Sums
//===----------------------------------------------------------------------===//

Value RowOp::neutral() { return arith::ConstantOp::create(b, loc, *arith::getNeutralElement(combinerOf(op))); }

Value RowOp::combine(Value x, Value y) {
  Operation *combiner = combinerOf(op);
  IRMapping both;
  for (Value operand : combiner->getOperands())
    both.map(operand, operand == op.getBlock()->getArguments().back() ? x : y);
  return b.clone(*combiner, both)->getResult(0);
}

/// What the lane whose number differs in this bit has.
Value RowOp::exchange(Value x, int64_t distance) {
  auto word = [&](int64_t value) -> Value { return arith::ConstantIntOp::create(b, loc, value, 32); };
  return NVVM::ShflOp::create(b, loc, x.getType(), word(-1), x, word(distance), word(31), NVVM::ShflKind::bfly,
                              UnitAttr());
}

/// Every `together`-th element of a sum from `first` on, in order.
Value RowOp::emitShare(Values dims, Value first, int64_t together) {
  int64_t known = knownProduct(op, IteratorType::reduction), step = together * kReads;
  bool isEven = !ShapedType::isDynamic(known) && known % step == 0;
  Value all = product(IteratorType::reduction);
  auto made = scf::ForOp::create(b, loc, first, all, constant(step), neutral());
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(made.getBody());
  SmallVector<Values> points, inputs;
  Values exist;
  for (int64_t i = 0; i < kReads; ++i) {
    Value index = plus(made.getInductionVar(), constant(i * together));
    if (!isEven) {
      exist.push_back(arith::CmpIOp::create(b, loc, arith::CmpIPredicate::slt, index, all));
      index = arith::MinSIOp::create(b, loc, index, arith::SubIOp::create(b, loc, all, constant(1)));
    }
    Values &point = points.emplace_back(dims);
    unravel(index, IteratorType::reduction, point);
    inputs.push_back(readInputs(point));
  }
  Value sum = made.getRegionIterArg(0);
  for (int64_t i = 0; i < kReads; ++i) {
    Value element = evaluate(inputs[i], points[i]);
    if (!isEven)
      element = arith::SelectOp::create(b, loc, exist[i], element, neutral());
    sum = combine(sum, element);
  }
  scf::YieldOp::create(b, loc, sum);
  return made.getResult(0);
}

/// As many threads as there are, in equal groups, for each sum; neighbours have neighbouring sums.
void RowOp::emitSums() {
  int64_t sums = knownProduct(op, IteratorType::parallel);
  int64_t across = std::min<int64_t>(kThreads, llvm::PowerOf2Ceil(std::max<int64_t>(sums, 1)));
  int64_t groups = kThreads / across;
  auto finish = [&](Value sum, const Values &dims) { write(combine(read(*op.getDpsInitOperand(0), dims), sum), dims); };
  if (groups == 1) {
    loop(thread, constant(sums), constant(kThreads), [&](Value index) {
      Values dims(op.getNumLoops());
      unravel(index, IteratorType::parallel, dims);
      finish(emitShare(dims, constant(0), 1), dims);
    });
    return;
  }
  Value mine = b.createOrFold<arith::RemUIOp>(loc, thread, constant(across));
  Value group = arith::DivUIOp::create(b, loc, thread, constant(across));
  Values dims(op.getNumLoops());
  unravel(arith::MinUIOp::create(b, loc, mine, constant(sums - 1)), IteratorType::parallel, dims);
  Value share = emitShare(dims, group, groups);
  for (int64_t distance = across; distance < kWarp; distance *= 2)
    share = combine(share, exchange(share, distance));
  auto place = [&](Value index) -> Value {
    Value wide = arith::IndexCastOp::create(b, loc, b.getI64Type(), index);
    return LLVM::GEPOp::create(b, loc, parts.getType(), b.getF32Type(), parts, ArrayRef<LLVM::GEPArg>{wide});
  };
  int64_t unit = std::max(across, kWarp);
  Value inUnit = b.createOrFold<arith::RemUIOp>(loc, thread, constant(unit));
  Value part = arith::DivUIOp::create(b, loc, thread, constant(unit));
  when(arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ult, inUnit, constant(across)), [&] {
    Value at = plus(arith::MulIOp::create(b, loc, part, constant(across)), mine);
    LLVM::StoreOp::create(b, loc, share, place(at), 4);
  });
  tile::SyncOp::create(b, loc);
  when(arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ult, thread, constant(sums)), [&] {
    Value total = LLVM::LoadOp::create(b, loc, b.getF32Type(), place(thread), 4);
    for (int64_t i = 1; i < kThreads / unit; ++i) {
      Value next = LLVM::LoadOp::create(b, loc, b.getF32Type(), place(plus(thread, constant(i * across))), 4);
      total = combine(total, next);
    }
    finish(total, dims);
  });
}

} // namespace weft
