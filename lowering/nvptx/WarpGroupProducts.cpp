// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// An item that is a product with a weight in half precision (and its epilogue) → functions of tile ops in roles, one
// for each kind of block, and the launch that the host chooses among them:
//   weft.packed_matmul ins(%x, %w : memref<128x256xf32>, memref<256x128x2xbf16>)
//     →   tile.roles … producer { tile.fill { tile.load_tensor } } consumer { tile.warp_group_mma }
// The weight comes by bulk copies; rows go from global memory to registers one step ahead, where they are rounded to
// the weight's type, and are left factors there: what no other warp reads needs no shared memory.
#include "lowering/nvptx/Passes.h"

#include "dialects/tile/TileOps.h"
#include "lowering/analysis/BlockProduct.h"
#include "lowering/analysis/RegisterPlan.h"
#include "lowering/analysis/ViewMultiples.h"
#include "lowering/nvptx/BlockEpilogue.h"
#include "lowering/nvptx/BlockOutline.h"
#include "lowering/nvptx/GlobalMatrix.h"
#include "lowering/nvptx/LaneGroup.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/IR/Remarks.h"

namespace weft {
#define GEN_PASS_DEF_WARPGROUPPRODUCTS
#include "lowering/nvptx/Passes.h.inc"
} // namespace weft

using namespace mlir;

namespace weft {
namespace {

constexpr int64_t kGroupRows = 64, kGroupWarps = 4, kGroupThreads = 128;
constexpr int64_t kSwizzle = 128; ///< bytes, the widest
constexpr int64_t kPanel = 64;    ///< numbers of a swizzle's row
/// Blocks that leave few multiprocessors of an H100, or H200, which have 132, without one.
constexpr int64_t kEnoughBlocks = 88;

/// What a block computes of an item, and how: the bits of a row are the same for all of these, since every element is
/// added up by the same instructions in steps of 16, from the first to the last.
struct GroupForm {
  int64_t groups; ///< of 64 rows
  int64_t columns;
  int64_t step;         ///< elements of the sum
  int64_t stages;       ///< steps of the weight that are in shared memory
  int64_t blocks;       ///< on a multiprocessor, by registers
  int64_t together;     ///< columns whose operands an epilogue has in registers
  int64_t registers[2]; ///< of a thread of the producer and of a consumer

  int64_t threads() const { return (1 + groups) * kGroupThreads; }
};

/// A weight as bulk copies see it.
struct BulkWeight {
  Value whole;        ///< [N, K] of the host
  OpFoldResult first; ///< the item's first column, a row of it

  static std::optional<BulkWeight> of(scf::ForallOp forall, Value view);
  TensorMapPlan map(int64_t columns) const;
};

bool isOutside(scf::ForallOp forall, Value value) { return !forall.getRegion().isAncestor(value.getParentRegion()); }

std::optional<BulkWeight> BulkWeight::of(scf::ForallOp forall, Value view) {
  constexpr int64_t kUnit = 8; // 16-bit numbers of 16 bytes
  OpBuilder b(forall);
  BulkWeight made{view, b.getIndexAttr(0)};
  if (!isOutside(forall, view)) {
    auto part = view.getDefiningOp<memref::SubViewOp>();
    if (!part || part.getDroppedDims().any() || !isOutside(forall, part.getSource()) ||
        !llvm::all_of(part.getMixedStrides(), [](OpFoldResult stride) { return isConstantIntValue(stride, 1); }) ||
        !llvm::all_of(ArrayRef(part.getMixedOffsets()).drop_front(),
                      [](OpFoldResult offset) { return isConstantIntValue(offset, 0); }))
      return std::nullopt;
    made = {part.getSource(), part.getMixedOffsets().front()};
  }
  SmallVector<ReassociationIndices> pairs = {{0}, {1, 2}};
  ViewMultiples multiples = multiplesOf(made.whole);
  if (multiples.offset % kUnit != 0 || multiples.strides[0] % kUnit != 0 ||
      !memref::CollapseShapeOp::isGuaranteedCollapsible(cast<MemRefType>(made.whole.getType()), pairs))
    return std::nullopt;
  made.whole = memref::CollapseShapeOp::create(b, forall.getLoc(), made.whole, pairs);
  return made;
}

TensorMapPlan BulkWeight::map(int64_t columns) const {
  auto type = cast<MemRefType>(whole.getType());
  Builder b(type.getContext());
  return {whole, {b.getIndexAttr(type.getDimSize(0)), b.getIndexAttr(type.getDimSize(1))}, {columns, kPanel}, kSwizzle};
}

/// The body of the device function, whose last parameter is the map.
class BlockEmitter {
public:
  BlockEmitter(OpBuilder &b, BlockProduct product, const BulkWeight &bulk, GroupForm form, int64_t parts,
               IRMapping &mapping)
      : b(b), product(product), bulk(bulk), form(form), parts(parts), mapping(mapping), loc(product.product.getLoc()),
        element(getElementTypeOrSelf(product.product.getRhs().getType())) {}

  void run() {
    map = b.getBlock()->getArguments().back();
    firstColumn = index(0);
    if (parts > 1) {
      Value part = NVVM::BlockIdYOp::create(b, loc, b.getI32Type());
      part = arith::IndexCastUIOp::create(b, loc, b.getIndexType(), part);
      firstColumn = arith::MulIOp::create(b, loc, part, index(form.columns));
    }
    steps = index(llvm::divideCeil(product.depth(), form.step));
    auto type = tile::BufferType::get(form.columns, form.step, element, kSwizzle, form.stages);
    ring = tile::AllocOp::create(b, loc, type, IntegerAttr());
    auto stages = tile::PipelineType::get(b.getContext(), form.stages, form.groups * kGroupWarps);
    full = tile::PipelineOp::create(b, loc, stages, IntegerAttr());
    auto roles = tile::RolesOp::create(b, loc, form.groups, b.getDenseI64ArrayAttr(form.registers));
    OpBuilder::InsertionGuard guard(b);
    b.createBlock(&roles.getProducer());
    emitProducer();
    tile::EndOp::create(b, loc);
    Block *consumer = b.createBlock(&roles.getConsumer(), {}, {b.getIndexType()}, {loc});
    firstRow = arith::MulIOp::create(b, loc, consumer->getArgument(0), index(kGroupRows));
    emitConsumer();
    tile::EndOp::create(b, loc);
  }

private:
  OpBuilder &b;
  BlockProduct product;
  const BulkWeight &bulk;
  GroupForm form;
  int64_t parts;
  IRMapping &mapping;
  Location loc;
  Type element;
  Value map, ring, full, steps;
  Value firstRow, firstColumn; ///< of a consumer and of the block, in the item
  GlobalMatrix left;

  Value index(int64_t value) { return arith::ConstantIndexOp::create(b, loc, value); }
  Value first(Value step) { return b.createOrFold<arith::MulIOp>(loc, step, index(form.step)); }

  tile::FragmentType sumType() {
    return tile::FragmentType::get(b.getContext(), {kGroupRows, form.columns}, b.getF32Type(),
                                   tile::AccumulatorAttr::get(b.getContext(), kGroupWarps, 1));
  }

  void emitProducer() {
    Value row = mapping.lookupOrDefault(getValueOrCreateConstantIndexOp(b, loc, bulk.first));
    row = b.createOrFold<arith::AddIOp>(loc, row, firstColumn);
    auto loop = scf::ForOp::create(b, loc, index(0), steps, index(1));
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(loop.getBody());
    Value step = loop.getInductionVar(), at = first(step), stage = tile::StageOp::create(b, loc, ring, step);
    auto fill = tile::FillOp::create(b, loc, full, step);
    b.createBlock(&fill.getBody());
    tile::LoadTensorOp::create(b, loc, map, ValueRange{at, row}, stage);
    tile::EndOp::create(b, loc);
  }

  void emitConsumer() {
    left = globalMatrix(b, loc, product.product.getLhs(), mapping);
    Value zero = arith::ConstantOp::create(b, loc, b.getF32FloatAttr(0));
    Value none = tile::SplatOp::create(b, loc, sumType(), zero);
    auto loop = scf::ForOp::create(b, loc, index(0), steps, index(1), ValueRange{loadRows(index(0)), none});
    keepRolled(loop);
    {
      OpBuilder::InsertionGuard guard(b);
      b.setInsertionPointToStart(loop.getBody());
      emitStep(loop);
    }
    emitResults(loop.getResult(1));
  }

  /// Part by part, so that what the epilogue reads needs few registers: each part's reads stay after the stores of the
  /// one before, which may be to what they read.
  void emitResults(Value sum) {
    bool reads = product.product.getBias() || product.epilogue;
    int64_t width = reads ? form.together : form.columns;
    auto type = tile::FragmentType::get(b.getContext(), {kGroupRows, width}, b.getF32Type(), sumType().getLayout());
    for (int64_t first = 0; first < form.columns; first += width) {
      Value part = width == form.columns ? sum : tile::ColumnsOp::create(b, loc, type, sum, first);
      Value column = b.createOrFold<arith::AddIOp>(loc, firstColumn, index(first));
      BlockEpilogue epilogue(b, loc, mapping, type, {firstRow, column, {}});
      if (Value bias = product.product.getBias())
        part = epilogue.addBias(part, globalMatrix(b, loc, bias, mapping));
      if (product.epilogue)
        part = epilogue.apply(product.epilogue, product.product.getInit(), part);
      epilogue.store(part, product.destination());
    }
  }

  /// The next rows are on their way while this step is multiplied.
  void emitStep(scf::ForOp loop) {
    Value step = loop.getInductionVar(), rows = loop.getRegionIterArg(0), sum = loop.getRegionIterArg(1);
    auto layout = tile::OperandAttr::get(b.getContext(), "a", kGroupWarps, 1);
    auto type = tile::FragmentType::get(b.getContext(), {kGroupRows, form.step}, element, layout);
    Value rounded = tile::ConvertOp::create(b, loc, type, rows);
    tile::WaitFullOp::create(b, loc, full, step);
    Value stage = tile::StageOp::create(b, loc, ring, step);
    Value more = tile::WarpGroupMmaOp::create(b, loc, tile::PendingType::get(b.getContext(), sumType()), rounded, stage,
                                              sum, /*b_transposed=*/true);
    Value next = loadRows(arith::AddIOp::create(b, loc, step, index(1)));
    Value made = tile::WaitProductsOp::create(b, loc, more, ValueRange{rounded}, /*pending=*/0);
    tile::ReleaseOp::create(b, loc, full, step);
    scf::YieldOp::create(b, loc, ValueRange{next, made});
  }

  /// Of a step, before they are rounded.
  Value loadRows(Value step) {
    auto type = tile::FragmentType::get(b.getContext(), {kGroupRows, form.step}, b.getF32Type(),
                                        tile::AccumulatorAttr::get(b.getContext(), kGroupWarps, 1));
    return tile::LoadGlobalOp::create(b, loc, type, left.pointer, firstRow, first(step),
                                      ValueRange{left.rows, left.columns}, left.stride, left.pairBytes(type),
                                      left.isEven);
  }
};

/// Few rows; more, but too few for wide blocks to occupy the device; many.
void convert(scf::ForallOp forall, BlockProduct product, const BulkWeight &weight, const LLVMTypeConverter &types,
             DeviceModule &device) {
  int64_t columns = product.itemColumns(forall), all = llvm::alignTo(columns, BlockProduct::kColumns);
  const GroupForm few{1, /*columns=*/32, /*step=*/128, /*stages=*/6, /*blocks=*/2, /*together=*/32, {24, 152}};
  const GroupForm some{2, BlockProduct::kColumns, /*step=*/64, /*stages=*/6, /*blocks=*/2, /*together=*/16, {24, 104}};
  const GroupForm many{2, all, /*step=*/64, /*stages=*/4, /*blocks=*/1, /*together=*/32, {40, 232}};
  auto blocks = [&](const GroupForm &form, StringRef suffix) {
    int64_t parts = llvm::divideCeil(columns, form.columns);
    return BlockProgram{BlockShape{form.threads(), /*items=*/1, /*sharedBytes=*/0, parts},
                        suffix,
                        [=, &form, &weight](OpBuilder &b, IRMapping &mapping) {
                          b.getBlock()->getParentOp()->setAttr(NVVM::NVVMDialect::getMinctasmAttrName(),
                                                               b.getI32IntegerAttr(static_cast<int32_t>(form.blocks)));
                          BlockEmitter(b, product, weight, form, parts, mapping).run();
                        },
                        {weight.map(form.columns)}};
  };
  SmallVector<BlockChoice> choices = {{blocks(few, "_few"), BlockProduct::kFewRows}};
  int64_t across = llvm::divideCeil(cast<MemRefType>(weight.whole.getType()).getDimSize(0), all);
  int64_t tooFew = (llvm::divideCeil(kEnoughBlocks, across) - 1) * BlockProduct::kRows;
  if (all > some.columns && tooFew > 0)
    choices.push_back({blocks(some, "_some"), tooFew});
  choices.push_back({blocks(all > some.columns ? many : some, ""), 0});
  outlineBlocks(forall, product.ops(), product.rows(forall), choices, types, device);
}

struct WarpGroupProductsPass : impl::WarpGroupProductsBase<WarpGroupProductsPass> {
  void runOnOperation() override {
    ModuleOp module = getOperation();
    auto target = module->getAttrOfType<TargetAttr>("weft.target");
    LLVMTypeConverter types(&getContext());
    for (func::FuncOp kernel : kernelsOfHost(module)) {
      std::optional<BlockProduct> plan = matchBlockProduct(kernel).plan;
      if (!plan || !plan->isForWarpGroups(target))
        continue;
      SmallVector<scf::ForallOp> loops = itemLoopsOf(kernel);
      if (loops.size() != 1 || !isForBlocks(loops.front(), plan->ops()))
        continue; // what weft-block-products explains
      std::optional<BulkWeight> weight;
      if (plan->usesWarpGroups(target))
        weight = BulkWeight::of(loops.front(), plan->product.getRhs());
      if (!weight) {
        remark::missed(plan->product.getLoc(),
                       remark::RemarkOpts::name("no-bulk-copies").category("weft-warp-group-products"))
            << "by mma.sync instead of wgmma: the weight, or its rows, do not begin at multiples of 16 bytes";
        continue;
      }
      DeviceModule device = DeviceModule::findOrCreate(module);
      convert(loops.front(), *plan, *weight, types, device);
    }
  }
};

} // namespace
} // namespace weft
