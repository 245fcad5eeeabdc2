// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Kernels around a weft.grouped_matmul → scf.forall, with a dense product of one group's rows inside:
//   elementwise on its rows:  scf.forall (%item, %column) { find group, rows; packed_matmul rows(…); elementwise }
//   combine of its rows:      scf.forall (%column) { scf.for %group { scf.for %row { packed_matmul; combine } } }
// In the first an item is a block of one group's rows, wherever the groups begin; in the second columns of all tokens,
// to which the groups add in order: results do not depend on what runs beside what.
#include "lowering/tile/Passes.h"

#include "dialects/weft/RoutingOps.h"
#include "lowering/analysis/AmxPlan.h"
#include "lowering/analysis/CostModel.h"
#include "lowering/analysis/KernelGroups.h"
#include "lowering/analysis/ProductPlan.h"
#include "lowering/tile/ExpertRows.h"
#include "lowering/tile/RowBlocks.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/IR/Remarks.h"

#include <cmath>

namespace weft {
#define GEN_PASS_DEF_TILEEXPERTS
#include "lowering/tile/Passes.h.inc"
} // namespace weft

using namespace mlir;

namespace weft {
namespace {

/// A kernel around a product of groups, and how it is cut.
struct ExpertPlan {
  GroupedMatmulOp product;
  Operation *root;    ///< the product itself, the elementwise op that reads it, or the combine that does
  int64_t rows, unit; ///< of an item at most, in whole units
  int64_t columns;    ///< of an item; 0: all
  int64_t cycles;     ///< of an item, about
};

/// The op after the product that the kernel's result comes from; null: something else.
Operation *findRoot(GroupedMatmulOp product) {
  if (!product->hasOneUse())
    return nullptr;
  Operation *reader = *product->user_begin();
  if (auto combine = dyn_cast<CombineOp>(reader))
    return combine.getInput() == product.getResult() ? reader : nullptr;
  return isElementwise(reader) ? reader : product.getOperation();
}

/// Rows that are put beside each other before they are multiplied take so much of a thread's stack, at most.
constexpr int64_t kCopiedBytes = 512 << 10;

/// Cycles of an item.
int64_t itemCycles(const ExpertPlan &plan, const CostModel &model) {
  GroupedMatmulOp product = plan.product;
  Work work = Work::ofOp(product);
  if (plan.root != product)
    work += Work::ofOp(plan.root);
  ShapedType out = product.getInit().getType();
  double items = std::max(1.0, double(assumedExtent(out.getDimSize(0))) / plan.rows);
  if (plan.columns)
    items *= std::max(1.0, double(assumedExtent(out.getDimSize(1))) / plan.columns);
  return std::max<int64_t>(1, std::llround(model.cycles(work) / items));
}

/// Fails for weights that no product on panels can read.
FailureOr<ExpertPlan> planExperts(GroupedMatmulOp product, TargetAttr target) {
  ProductPlan shapes = ProductPlan::forTarget(target);
  Operation *root = findRoot(product);
  int64_t depth = product.getLhs().getType().getDimSize(1);
  bool isReadable = product.isPacked() && product.getPanelWidth() % shapes.tall.lanes == 0;
  if (!root || !isReadable || ((product.getForm() || product.getLhsScales()) && ShapedType::isDynamic(depth)))
    return failure();
  int64_t all = product.getInit().getType().getDimSize(1);
  ExpertPlan plan{product, root, shapes.itemRows, shapes.tall.rows, shapes.itemColumns(all), 0};
  if (hasTiles(target) && wantsTiles(product)) {
    AmxPlan tiles = AmxPlan::forProduct(product);
    plan.rows = tiles.itemRows;
    plan.columns = evenColumns(all, AmxPlan::kColumns, tiles.itemColumns);
    plan.unit = AmxPlan::kRows;
  }
  if ((product.getForm() || product.getLhsScales()) && product.getRows()) {
    int64_t rowBytes = depth * (product.getLhs().getType().getElementTypeBitWidth() / 8);
    plan.rows = std::clamp(kCopiedBytes / rowBytes / plan.unit * plan.unit, plan.unit, plan.rows);
  }
  plan.cycles = itemCycles(plan, CostModel(target));
  return plan;
}

class ExpertTiling {
public:
  ExpertTiling(const ExpertPlan &plan, IRRewriter &rewriter)
      : plan(plan), b(rewriter), loc(this->plan.product.getLoc()), rows(this->plan.product, rewriter) {}

  void apply() {
    b.setInsertionPoint(plan.root);
    if (auto combine = dyn_cast<CombineOp>(plan.root))
      return combineByColumns(combine);
    blocksOfRows();
  }

private:
  OpFoldResult index(int64_t value) { return b.getIndexAttr(value); }
  OpFoldResult columnStep(OpFoldResult all) { return plan.columns ? index(plan.columns) : all; }
  /// Columns of the tile that begins at `column`.
  OpFoldResult columnsFrom(Value column, OpFoldResult all) {
    std::optional<int64_t> known = getConstantIntValue(all);
    if (!plan.columns || (known && *known % plan.columns == 0))
      return columnStep(all);
    AffineExpr first = b.getAffineDimExpr(0), end = b.getAffineSymbolExpr(0);
    AffineMap map = AffineMap::get(1, 1, {b.getAffineConstantExpr(plan.columns), end - first}, b.getContext());
    return affine::makeComposedFoldedAffineMin(b, loc, map, {column, all});
  }

  /// The loop over tiles of the kernel's destination; `body` makes the tile that it is given a place for.
  template <class Body> void overTiles(ArrayRef<OpFoldResult> ends, ArrayRef<OpFoldResult> steps, Body body) {
    Value init = cast<DestinationStyleOpInterface>(plan.root).getDpsInits().front();
    SmallVector<OpFoldResult> begins(ends.size(), index(0));
    auto loop = scf::ForallOp::create(b, loc, begins, ends, steps, init, std::nullopt);
    loop->setAttr("weft.item_cost", b.getI64IntegerAttr(plan.cycles));
    {
      OpBuilder::InsertionGuard guard(b);
      b.setInsertionPointToStart(loop.getBody());
      auto [tile, offsets, sizes] = body(loop.getInductionVars(), loop.getRegionIterArgs().front());
      b.setInsertionPointToEnd(loop.getTerminator().getBody());
      SmallVector<OpFoldResult> strides(offsets.size(), index(1));
      tensor::ParallelInsertSliceOp::create(b, loc, tile, loop.getRegionIterArgs().front(), offsets, sizes, strides);
    }
    b.replaceOp(plan.root, loop.getResults());
    if (plan.root != plan.product)
      b.eraseOp(plan.product);
  }

  struct Part {
    Value tile;
    SmallVector<OpFoldResult> offsets, sizes;
  };

  void blocksOfRows() {
    SmallVector<OpFoldResult> shape = tensor::getMixedSizes(b, loc, plan.product.getInit());
    Value items = rows.mostBlocks(b, plan.rows);
    overTiles({items, shape[1]}, {index(1), columnStep(shape[1])}, [&](ValueRange place, Value out) {
      GroupRows block = rows.blockAt(b, place[0], plan.rows, plan.unit);
      Part part{{}, {block.first, place[1]}, {block.count, columnsFrom(place[1], shape[1])}};
      SmallVector<OpFoldResult> strides(2, index(1));
      auto at = [&](Value matrix) {
        return tensor::ExtractSliceOp::create(b, loc, matrix, part.offsets, part.sizes, strides).getResult();
      };
      if (plan.root == plan.product) {
        part.tile = rows.product(b, block, place[1], part.sizes[1], at(out));
        return part;
      }
      Value scratch = tensor::EmptyOp::create(b, loc, part.sizes, b.getF32Type());
      Value sums = rows.product(b, block, place[1], part.sizes[1], scratch);
      part.tile = elementwiseOn(part, sums, at(out));
      return part;
    });
  }

  /// The tile of the elementwise root, of the product's sums.
  Value elementwiseOn(const Part &part, Value sums, Value out) {
    FailureOr<TilingResult> tiled =
        cast<TilingInterface>(plan.root).getTiledImplementation(b, part.offsets, part.sizes);
    assert(succeeded(tiled) && "elementwise ops have tiles");
    Operation *op = tiled->tiledOps.front();
    for (OpOperand &operand : op->getOpOperands()) {
      auto slice = operand.get().getDefiningOp<tensor::ExtractSliceOp>();
      if (slice && slice.getSource() == plan.product.getResult())
        operand.set(sums);
    }
    cast<DestinationStyleOpInterface>(op).setDpsInitOperand(0, out);
    for (Operation *slice : tiled->generatedSlices)
      if (slice->use_empty())
        b.eraseOp(slice);
    return tiled->tiledValues.front();
  }

  void combineByColumns(CombineOp combine) {
    SmallVector<OpFoldResult> shape = tensor::getMixedSizes(b, loc, combine.getInit());
    overTiles({shape[1]}, {columnStep(shape[1])}, [&](ValueRange place, Value out) {
      OpFoldResult width = columnsFrom(place[0], shape[1]);
      Part part{{}, {index(0), place[0]}, {shape[0], width}};
      SmallVector<OpFoldResult> strides(2, index(1));
      Value sums = tensor::ExtractSliceOp::create(b, loc, out, part.offsets, part.sizes, strides);
      part.tile = rows.forEachBlock(b, plan.rows, plan.unit, sums, [&](const GroupRows &block, Value sum) {
        Value scratch = tensor::EmptyOp::create(b, loc, {block.count, width}, b.getF32Type());
        Value made = rows.product(b, block, place[0], width, scratch);
        Value tokens = rows.vectorOf(b, combine.getTokens(), block),
              weights = rows.vectorOf(b, combine.getWeights(), block);
        return CombineOp::create(b, loc, sum.getType(), made, tokens, weights, sum).getResult();
      });
      return part;
    });
  }

  ExpertPlan plan;
  IRRewriter &b;
  Location loc;
  ExpertRows rows;
};

/// What no kernel of tiles is made for becomes what it means.
LogicalResult decompose(IRRewriter &rewriter, GroupedMatmulOp product) {
  remark::missed(product.getLoc(), remark::RemarkOpts::name("unpacked-experts").category("weft-tile-experts"))
      << "the groups' weights are not packed into panels of whole vectors: the product is computed element by element";
  rewriter.setInsertionPoint(product);
  FailureOr<SmallVector<Value>> values = product.decompose(rewriter);
  if (failed(values))
    return failure();
  rewriter.replaceOp(product, *values);
  return success();
}

struct TileExpertsPass : impl::TileExpertsBase<TileExpertsPass> {
  void runOnOperation() override {
    FailureOr<TargetAttr> target = targetOf(getOperation());
    if (failed(target))
      return signalPassFailure();
    IRRewriter rewriter(&getContext());
    SmallVector<GroupedMatmulOp> products;
    getOperation()->walk([&](GroupedMatmulOp op) { products.push_back(op); });
    for (GroupedMatmulOp product : products) {
      FailureOr<ExpertPlan> plan = planExperts(product, *target);
      if (succeeded(plan))
        ExpertTiling(*plan, rewriter).apply();
      else if (failed(decompose(rewriter, product)))
        return signalPassFailure();
    }
  }
};

} // namespace
} // namespace weft
