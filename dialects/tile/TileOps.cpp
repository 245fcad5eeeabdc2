// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The constraints of shared memory, copies and products (docs/spec.md).
#include "dialects/tile/TileOps.h"

#include "dialects/tile/FragmentLayout.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/Interfaces/FunctionInterfaces.h"

using namespace mlir;
using namespace weft::tile;

// The syntax of a word that is an attribute: `reduce max`.
static ParseResult parseWord(OpAsmParser &parser, StringAttr &attribute) {
  StringRef word;
  if (parser.parseKeyword(&word))
    return failure();
  attribute = parser.getBuilder().getStringAttr(word);
  return success();
}

static void printWord(OpAsmPrinter &printer, Operation *, StringAttr attribute) { printer << attribute.getValue(); }

#define GET_OP_CLASSES
#include "dialects/tile/TileOps.cpp.inc"

std::optional<int64_t> weft::tile::warpsOfGroup(Operation *op) {
  constexpr int64_t kWarpsOfRole = 4;
  for (Operation *parent = op->getParentOp(); parent; parent = parent->getParentOp()) {
    if (isa<RolesOp>(parent))
      return kWarpsOfRole;
    if (isa<FunctionOpInterface>(parent)) {
      auto threads = parent->getAttrOfType<IntegerAttr>("weft.threads");
      return threads ? std::optional(threads.getInt() / 32) : std::nullopt;
    }
  }
  return std::nullopt;
}

LogicalResult weft::tile::verifyGroup(Operation *op, int64_t warps) {
  std::optional<int64_t> group = warpsOfGroup(op);
  if (!group || *group == warps)
    return success();
  return op->emitOpError("is for ") << warps << " warps, but " << *group << " run it"; // tile_group_c1
}

static LogicalResult verifyOneStage(Operation *op, BufferType buffer) {
  if (buffer.getStages() == 1)
    return success();
  return op->emitOpError("takes one stage, use tile.stage on the ring"); // tile_buffer_c6
}

/// Rows and columns of a factor, and which way round it is asked for.
static std::pair<int64_t, int64_t> extentsOf(Type factor, bool transposed) {
  std::pair<int64_t, int64_t> extents;
  if (auto buffer = dyn_cast<BufferType>(factor))
    extents = {buffer.getRows(), buffer.getColumns()};
  else if (auto fragment = cast<FragmentType>(factor); fragment.getShape().size() == 2)
    extents = {fragment.getShape()[0], fragment.getShape()[1]};
  return transposed ? std::pair(extents.second, extents.first) : extents;
}

static Type elementOf(Type factor) {
  auto buffer = dyn_cast<BufferType>(factor);
  return buffer ? buffer.getElement() : cast<FragmentType>(factor).getElement();
}

//===----------------------------------------------------------------------===//
// Shared memory
//===----------------------------------------------------------------------===//

LogicalResult AllocOp::verify() {
  BufferType buffer = getBuffer().getType();
  if (buffer.getPitch() != buffer.getRows()) // tile_alloc_c1
    return emitOpError("makes a whole buffer, not a part with a pitch");
  if (getOffset() && *getOffset() % buffer.alignment()) // tile_alloc_c2
    return emitOpError("needs an offset that is a multiple of ") << buffer.alignment();
  return success();
}

LogicalResult StageOp::inferReturnTypes(MLIRContext *, std::optional<Location>, ValueRange operands, DictionaryAttr,
                                        OpaqueProperties, RegionRange, SmallVectorImpl<Type> &types) {
  auto ring = cast<BufferType>(operands[0].getType());
  types.push_back(BufferType::get(ring.getRows(), ring.getColumns(), ring.getElement(), ring.getSwizzle()));
  return success();
}

LogicalResult SliceOp::verify() {
  BufferType whole = getWhole().getType(), part = getPart().getType();
  if (failed(verifyOneStage(*this, whole)))
    return failure();
  if (part.getElement() != whole.getElement() || part.getSwizzle() != whole.getSwizzle() ||
      part.getPitch() != whole.getPitch()) // tile_slice_c1
    return emitOpError("keeps element, swizzle and pitch of the whole, ") << whole;
  int64_t column = getColumn(), panel = whole.rowBytes() / whole.elementBytes();
  if (part.getRows() > whole.getRows() || column < 0 || column + part.getColumns() > whole.getColumns())
    return emitOpError("goes beyond the whole, ") << whole;  // tile_slice_c2
  if (column % panel || part.rowBytes() != whole.rowBytes()) // tile_slice_c3
    return emitOpError("cuts columns between panels of ") << panel << " columns";
  return success();
}

//===----------------------------------------------------------------------===//
// Copies
//===----------------------------------------------------------------------===//

static LogicalResult verifyExtents(Operation *op, ValueRange extents) {
  if (extents.empty() || extents.size() == 2)
    return success();
  return op->emitOpError("is in rows and columns, or says nothing of them"); // tile_extents_c1
}

LogicalResult CopyAsyncOp::verify() {
  BufferType buffer = getBuffer().getType();
  if (failed(verifyExtents(*this, getExtents())) || failed(verifyOneStage(*this, buffer)) ||
      failed(verifyGroup(*this, getWarps())))
    return failure();
  int64_t bytes = getBytes();
  if (bytes != 16 && bytes != 8 && bytes != 4) // tile_copy_async_c1
    return emitOpError("copies 16, 8 or 4 bytes at a time, got ") << bytes;
  int64_t pieces = buffer.getRows() * buffer.getColumns() * buffer.elementBytes() / bytes;
  if (pieces % (32 * getWarps())) // tile_copy_async_c2
    return emitOpError("has ") << pieces << " pieces, which " << 32 * getWarps() << " threads cannot share evenly";
  return success();
}

LogicalResult WaitCopiesOp::verify() {
  if (static_cast<int64_t>(getPending()) >= 0)
    return success();
  return emitOpError("leaves 0 or more groups on their way"); // tile_wait_copies_c1
}

LogicalResult SyncOp::verify() {
  if (!getOperation()->getParentOfType<RolesOp>())
    return success();
  return emitOpError("in a role waits for ever, the others do not come: use tile.barrier"); // tile_sync_c1
}

LogicalResult LoadOp::verify() {
  FragmentType fragment = getFragment().getType();
  BufferType buffer = getBuffer().getType();
  if (failed(verifyOneStage(*this, buffer)) || failed(verifyGroup(*this, warpsOf(fragment.getLayout()))))
    return failure();
  if (fragment.getShape().size() != 2 || extentsOf(buffer, getTransposed()) != extentsOf(fragment, false) ||
      elementOf(buffer) != elementOf(fragment)) // tile_load_c1
    return emitOpError("reads all of the buffer, one element for each of the fragment");
  auto operand = dyn_cast<OperandAttr>(fragment.getLayout());
  if (getTransposed() && !operand) // tile_load_c2
    return emitOpError("transposes operands only");
  // A right factor's words run along K, down the matrix: read as it lies it is the transpose that ldmatrix makes.
  bool exchanges = operand && getTransposed() != (operand.getSide() == "b");
  if (exchanges && buffer.elementBytes() == 1) // tile_load_c3
    return emitOpError("exchanges rows and columns of numbers of 16 and 32 bits only");
  return success();
}

LogicalResult StoreOp::verify() {
  FragmentType fragment = getFragment().getType();
  BufferType buffer = getBuffer().getType();
  if (failed(verifyOneStage(*this, buffer)) || failed(verifyGroup(*this, warpsOf(fragment.getLayout()))))
    return failure();
  if (!isa<AccumulatorAttr>(fragment.getLayout()) || extentsOf(buffer, false) != extentsOf(fragment, false) ||
      elementOf(buffer) != elementOf(fragment)) // tile_store_c1
    return emitOpError("writes all of the buffer, from an accumulator of its shape and element");
  if (getByMatrix() && buffer.elementBytes() != 2) // tile_store_c2
    return emitOpError("stores 16-bit numbers by matrix");
  return success();
}

LogicalResult LoadGlobalOp::verify() {
  if (failed(verifyExtents(*this, getExtents())))
    return failure();
  return verifyGroup(*this, warpsOf(getFragment().getType().getLayout()));
}

LogicalResult StoreGlobalOp::verify() {
  FragmentType fragment = getFragment().getType();
  if (failed(verifyExtents(*this, getExtents())) || failed(verifyGroup(*this, warpsOf(fragment.getLayout()))))
    return failure();
  if (auto rows = dyn_cast<RowValuesAttr>(fragment.getLayout()); rows && rows.getPartial()) // tile_store_global_c1
    return emitOpError("stores whole row values, combine them first");
  if (!isa<AccumulatorAttr, RowValuesAttr>(fragment.getLayout())) // tile_store_global_c2
    return emitOpError("stores accumulators and row values");
  return success();
}

//===----------------------------------------------------------------------===//
// Products
//===----------------------------------------------------------------------===//

/// M × K times K × N is M × N (`label`_c1), of one type of numbers.
static LogicalResult verifyProduct(Operation *op, Type a, bool aTransposed, Type b, bool bTransposed,
                                   FragmentType sum) {
  auto [m, k] = extentsOf(a, aTransposed);
  auto [k2, n] = extentsOf(b, bTransposed);
  if (k == k2 && std::pair(m, n) == extentsOf(sum, false) && elementOf(a) == elementOf(b))
    return success();
  return op->emitOpError("multiplies M x K by K x N of one type of numbers to M x N, got ")
         << m << " x " << k << ", " << k2 << " x " << n << " and " << sum;
}

static bool isOperandOf(Type factor, StringRef side, AccumulatorAttr sum) {
  auto fragment = dyn_cast<FragmentType>(factor);
  return !fragment || fragment.getLayout() == OperandAttr::get(sum.getContext(), side, sum.getRows(), sum.getColumns());
}

/// What a buffer must be as a factor of mma: one stage, K in whole steps of 32 bytes, and only 16-bit numbers lie
/// across.
static LogicalResult verifyMmaBuffer(MmaOp op, Type factor, bool transposed, bool left) {
  auto buffer = dyn_cast<BufferType>(factor);
  if (!buffer)
    return transposed ? op.emitOpError("transposes buffers only") : success(); // tile_mma_c4
  if (failed(verifyOneStage(op, buffer)))
    return failure();
  if (transposed == left && buffer.elementBytes() == 1)
    return op.emitOpError("reads numbers of 8 bits only where they lie along K"); // tile_mma_c5
  auto [rows, columns] = extentsOf(buffer, transposed);
  if ((left ? columns : rows) * buffer.elementBytes() % 32)
    return op.emitOpError("takes K in steps of 32 bytes"); // tile_mma_c6
  return success();
}

LogicalResult MmaOp::verify() {
  FragmentType sum = getSum().getType();
  Type a = getA().getType(), b = getB().getType();
  if (failed(verifyProduct(*this, a, getATransposed(), b, getBTransposed(), sum))) // tile_mma_c1
    return failure();
  Type element = elementOf(a);
  bool floats = (element.isBF16() || element.isF16() || element.isF32()) && sum.getElement().isF32();
  if (!floats && !(element.isInteger(8) && sum.getElement().isInteger(32))) // tile_mma_c2
    return emitOpError("adds bf16, f16 or f32 to f32, or i8 to i32, got ") << element << " and " << sum.getElement();
  if (getSplit() && !element.isF32()) // tile_mma_c7
    return emitOpError("splits f32 only, got ") << element;
  auto layout = dyn_cast<AccumulatorAttr>(sum.getLayout());
  if (!layout || !isOperandOf(a, "a", layout) || !isOperandOf(b, "b", layout)) // tile_mma_c3
    return emitOpError("takes an accumulator, and factors that are operands over its warps");
  if (failed(verifyMmaBuffer(*this, a, getATransposed(), true)) ||
      failed(verifyMmaBuffer(*this, b, getBTransposed(), false)))
    return failure();
  return verifyGroup(*this, warpsOf(layout));
}

LogicalResult WarpGroupMmaOp::verify() {
  FragmentType sum = getResult().getType().getFragment();
  Type a = getA().getType(), b = getB().getType();
  if (failed(verifyProduct(*this, a, false, b, getBTransposed(), sum))) // tile_warp_group_mma_c1
    return failure();
  auto [m, k] = extentsOf(a, false);
  int64_t n = sum.getShape()[1];
  if (m != 64 || n % 8 || n > 256 || k % 16) // tile_warp_group_mma_c2
    return emitOpError("has 64 rows, up to 256 columns in steps of 8, and K in steps of 16, got ")
           << m << " x " << n << " x " << k;
  Type element = elementOf(a);
  if (!(element.isBF16() || element.isF16()) || !sum.getElement().isF32()) // tile_warp_group_mma_c3
    return emitOpError("adds bf16 or f16 to f32, got ") << element << " and " << sum.getElement();
  auto layout = AccumulatorAttr::get(getContext(), 4, 1);
  if (sum.getLayout() != layout || !isOperandOf(a, "a", layout)) // tile_warp_group_mma_c4
    return emitOpError("cuts rows over four warps");
  for (Type factor : {a, b})
    if (auto buffer = dyn_cast<BufferType>(factor); buffer && (!buffer.getSwizzle() || buffer.getStages() != 1))
      return emitOpError("reads one stage of a buffer with a swizzle"); // tile_warp_group_mma_c5
  if (getSum() && getSum().getType() != sum && getSum().getType() != getResult().getType())
    return emitOpError("adds to a sum of the result's type"); // tile_warp_group_mma_c6
  return verifyGroup(*this, 4);
}

LogicalResult WaitProductsOp::inferReturnTypes(MLIRContext *, std::optional<Location>, ValueRange operands,
                                               DictionaryAttr, OpaqueProperties, RegionRange,
                                               SmallVectorImpl<Type> &types) {
  types.push_back(cast<PendingType>(operands[0].getType()).getFragment());
  return success();
}

/// Groups that are issued after the one that gave `product` and before `wait`, as far as the wait's block shows.
static int64_t groupsBetween(Value product, WaitProductsOp wait) {
  int64_t groups = 0;
  for (Operation *op = wait->getPrevNode(); op && op != product.getDefiningOp(); op = op->getPrevNode())
    groups += isa<WarpGroupMmaOp>(op);
  return groups;
}

LogicalResult WaitProductsOp::verify() {
  int64_t pending = getPending(), later = groupsBetween(getProduct(), *this);
  if (pending < 0 || pending > later) // tile_wait_products_c1
    return emitOpError("leaves ") << pending << " groups pending, but only " << later
                                  << " are issued after the one that it waits for";
  auto group = getProduct().getDefiningOp<WarpGroupMmaOp>();
  if (group && isa<FragmentType>(group.getA().getType()) && !llvm::is_contained(getHeld(), group.getA()))
    return emitOpError(
        "must hold the left factor, which the instructions read from registers"); // tile_wait_products_c2
  return success();
}

LogicalResult WaitEarlierOp::verify() {
  if (static_cast<int64_t>(getPending()) >= 1)
    return success();
  return emitOpError("leaves 1 or more groups pending; tile.wait_products leaves none"); // tile_wait_earlier_c1
}
