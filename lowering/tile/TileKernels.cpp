// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The root of each kernel function → scf.forall over tiles, its producers computed tile by tile inside:
//   %s = generic add;  %y = weft.layer_norm %s        →   scf.forall (%row) … { add of one row; layer_norm of one row }
// What an iteration computes is one work item for the runtime's pool; `weft.item_cost` estimates it in multiply-adds.
#include "lowering/tile/Passes.h"

#include "dialects/weft/WeftDialect.h"
#include "lowering/analysis/DecodePlan.h"
#include "lowering/analysis/ProductPlan.h"
#include "lowering/analysis/RegisterPlan.h"

#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/SCF/Transforms/TileUsingInterface.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Remarks.h"

namespace weft {
#define GEN_PASS_DEF_TILEKERNELS
#include "lowering/tile/Passes.h.inc"
} // namespace weft

using namespace mlir;

namespace weft {
namespace {

/// A dynamic extent counts as this much in cost estimates.
constexpr int64_t kAssumedExtent = 128;

/// Tile sizes, one for each loop of the root; 0 leaves a loop whole.
struct TilePlan {
  TilingInterface root;
  SmallVector<int64_t> sizes;
  int64_t itemCost;          ///< multiply-adds in a tile, roughly
  bool firstFastest = false; ///< order of the tiles, see weft.first_fastest
};

int64_t assumed(int64_t extent) { return ShapedType::isDynamic(extent) ? kAssumedExtent : extent; }

/// The op that computes what the function stores, seen through views; null when there is none.
Operation *findRoot(func::FuncOp kernel) {
  Operation *root = nullptr;
  kernel.walk([&](bufferization::MaterializeInDestinationOp store) {
    Value value = store.getSource();
    while (auto view = value.getDefiningOp())
      if (isa<tensor::ExpandShapeOp, tensor::CollapseShapeOp, tensor::CastOp>(view))
        value = view->getOperand(0);
      else
        break;
    root = value.getDefiningOp();
  });
  return root;
}

/// Columns of a product in one tile: some 128 to 192, in equal parts of whole register tiles.
int64_t columnTile(int64_t columns, const ProductPlan &shapes) {
  int64_t unit = shapes.columnUnit(), wanted = llvm::alignTo(128, unit);
  if (ShapedType::isDynamic(columns) || columns <= wanted)
    return ShapedType::isDynamic(columns) ? wanted : 0;
  int64_t units = llvm::divideCeilSigned(columns, unit), least = llvm::divideCeilSigned(columns, wanted), parts = least;
  // An even cut leaves no narrow last tile.
  while (parts < units && units % parts != 0 && parts < 2 * least)
    ++parts;
  return llvm::divideCeilSigned(units, parts) * unit;
}

/// A product (with its epilogue as root): blocks of rows and of columns.
TilePlan planProduct(TilingInterface root, DestinationStyleOpInterface product, const ProductPlan &shapes) {
  auto out = cast<ShapedType>(product.getDpsInits().front().getType());
  int64_t rows = shapes.itemRows(), columns = columnTile(out.getDimSize(1), shapes);
  int64_t depth = assumed(cast<ShapedType>(product->getOperand(0).getType()).getDimSize(1));
  TilePlan plan{root, SmallVector<int64_t>(root.getLoopIteratorTypes().size(), 0), 0};
  plan.sizes[0] = rows;
  plan.sizes[1] = columns;
  // A block of weights stays in the second-level cache while the rows pass.
  plan.firstFastest = true;
  plan.itemCost = std::min(rows, assumed(out.getDimSize(0))) * (columns ? columns : assumed(out.getDimSize(1))) * depth;
  return plan;
}

/// Attention: one batch, one head, one block of queries; few queries: the heads that share a head of the keys.
TilePlan planAttention(AttentionOp op) {
  TilePlan plan{op, SmallVector<int64_t>(AttentionOp::NumDims, 0), 0};
  plan.sizes[AttentionOp::Batch] = plan.sizes[AttentionOp::Head] = 1;
  plan.sizes[AttentionOp::Key] = op.getSplitLength();
  if (std::optional<DecodePlan> decode = matchDecode(op).plan) {
    plan.sizes[AttentionOp::Head] = decode->heads();
    int64_t keys = op.getSplitLength() ? op.getSplitLength() : kAssumedExtent;
    plan.itemCost = decode->groups * decode->rows() * keys * (decode->headDim + decode->valueDim);
    return plan;
  }
  plan.sizes[AttentionOp::Query] = kSharedQueries;
  int64_t depth = assumed(cast<ShapedType>(op.getQuery().getType()).getShape().back());
  plan.itemCost = kSharedQueries * kAssumedExtent * 2 * depth;
  return plan;
}

/// Row-wise ops: one row; the last parallel dimension stays whole.
TilePlan planRows(TilingInterface root) {
  SmallVector<utils::IteratorType> iterators = root.getLoopIteratorTypes();
  TilePlan plan{root, SmallVector<int64_t>(iterators.size(), 0), 1};
  auto out = cast<ShapedType>(cast<DestinationStyleOpInterface>(root.getOperation()).getDpsInits().front().getType());
  int64_t last = -1;
  for (auto [i, kind] : llvm::enumerate(iterators))
    if (kind == utils::IteratorType::parallel)
      last = i;
  bool rowIsLast = out.getRank() == 1 || isa<LayerNormOp, QuantizeRowsOp>(root);
  for (auto [i, kind] : llvm::enumerate(iterators))
    if (kind == utils::IteratorType::parallel && (rowIsLast || static_cast<int64_t>(i) != last))
      plan.sizes[i] = 1;
  plan.itemCost = out.getRank() ? 4 * assumed(out.getShape().back()) : 1;
  if (auto linalgOp = dyn_cast<linalg::LinalgOp>(root.getOperation()); linalgOp && linalgOp.getNumReductionLoops())
    plan.itemCost *= kAssumedExtent;
  return plan;
}

FailureOr<TilePlan> planTiles(func::FuncOp kernel, const ProductPlan &shapes) {
  Operation *op = findRoot(kernel);
  auto root = dyn_cast_or_null<TilingInterface>(op);
  if (!root || !isa<DestinationStyleOpInterface>(op))
    return failure();
  if (auto attention = dyn_cast<AttentionOp>(op))
    return planAttention(attention);
  DestinationStyleOpInterface product;
  kernel.walk([&](DestinationStyleOpInterface found) {
    if (isa<PackedMatmulOp, QuantizedMatmulOp>(found))
      product = found;
  });
  return product ? planProduct(root, product, shapes) : planRows(root);
}

/// Products whose panels do not hold whole vectors have no register tile: they become what they mean, linalg ops.
LogicalResult decomposeNarrowProducts(IRRewriter &rewriter, func::FuncOp kernel, const RegisterPlan &registers) {
  SmallVector<PackedMatmulOp> narrow;
  kernel.walk([&](PackedMatmulOp op) {
    if (op.getPanelWidth() % registers.lanes != 0)
      narrow.push_back(op);
  });
  for (PackedMatmulOp op : narrow) {
    remark::missed(op.getLoc(), remark::RemarkOpts::name("narrow-panels").category("weft-tile-kernels"))
        << "the weight's panels do not hold whole vectors of the target";
    rewriter.setInsertionPoint(op);
    FailureOr<SmallVector<Value>> values = op.decompose(rewriter);
    if (failed(values))
      return failure();
    rewriter.replaceOp(op, *values);
  }
  return success();
}

LogicalResult applyTiles(IRRewriter &rewriter, TilePlan plan) {
  rewriter.setInsertionPoint(plan.root);
  scf::SCFTileAndFuseOptions options;
  SmallVector<OpFoldResult> sizes;
  for (int64_t size : plan.sizes)
    sizes.push_back(rewriter.getIndexAttr(size));
  options.tilingOptions.setTileSizes(sizes);
  options.tilingOptions.setLoopType(scf::SCFTilingOptions::LoopType::ForallOp);
  FailureOr<scf::SCFTileAndFuseResult> tiled = scf::tileConsumerAndFuseProducersUsingSCF(rewriter, plan.root, options);
  if (failed(tiled))
    return plan.root->emitError("cannot be tiled");
  for (OpResult result : plan.root->getOpResults())
    if (Value replacement = tiled->replacements.lookup(result))
      rewriter.replaceAllUsesWith(result, replacement);
  for (LoopLikeOpInterface loop : tiled->loops) {
    loop->setAttr("weft.item_cost", rewriter.getI64IntegerAttr(plan.itemCost));
    if (plan.firstFastest)
      loop->setAttr("weft.first_fastest", rewriter.getUnitAttr());
  }
  return success();
}

struct TileKernelsPass : impl::TileKernelsBase<TileKernelsPass> {
  void runOnOperation() override {
    FailureOr<RegisterPlan> registers = registerPlanOf(getOperation());
    FailureOr<ProductPlan> shapes = productPlanOf(getOperation());
    if (failed(registers) || failed(shapes))
      return signalPassFailure();
    IRRewriter rewriter(&getContext());
    SmallVector<func::FuncOp> kernels;
    getOperation()->walk([&](func::FuncOp function) {
      if (function->hasAttr("weft.kernel"))
        kernels.push_back(function);
    });
    for (func::FuncOp kernel : kernels) {
      if (failed(decomposeNarrowProducts(rewriter, kernel, *registers)))
        return signalPassFailure();
      FailureOr<TilePlan> plan = planTiles(kernel, *shapes);
      if (failed(plan)) {
        remark::missed(kernel.getLoc(), remark::RemarkOpts::name("untiled-kernel").category("weft-tile-kernels"))
            << "the kernel's last op cannot be tiled: it runs on one thread";
        continue;
      }
      bool trivial = llvm::all_of(plan->sizes, [](int64_t size) { return size == 0; });
      if (!trivial && failed(applyTiles(rewriter, *plan)))
        return signalPassFailure();
    }
  }
};

} // namespace
} // namespace weft
