// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The root of each kernel function → scf.forall over tiles, its producers computed tile by tile inside:
//   %s = generic add;  %y = weft.layer_norm %s        →   scf.forall (%row) … { add of one row; layer_norm of one row }
// What an iteration computes is one work item for the runtime's pool; `weft.item_cost` estimates it in cycles.
#include "lowering/tile/Passes.h"

#include "dialects/weft/CacheOps.h"
#include "dialects/weft/RoutingOps.h"
#include "dialects/weft/SequenceOps.h"
#include "dialects/weft/WeftDialect.h"
#include "lowering/analysis/AmxPlan.h"
#include "lowering/analysis/BlockAttention.h"
#include "lowering/analysis/BlockProduct.h"
#include "lowering/analysis/CostModel.h"
#include "lowering/analysis/DecodePlan.h"
#include "lowering/analysis/DigitPlan.h"
#include "lowering/analysis/KernelGroups.h"
#include "lowering/analysis/ProductPlan.h"
#include "lowering/analysis/RecurrencePlan.h"
#include "lowering/analysis/RegisterPlan.h"
#include "lowering/tile/RowBlocks.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/SCF/Transforms/TileUsingInterface.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Remarks.h"

#include <cmath>

namespace weft {
#define GEN_PASS_DEF_TILEKERNELS
#include "lowering/tile/Passes.h.inc"
} // namespace weft

using namespace mlir;

namespace weft {
namespace {

/// Elements of an item of a vector.
constexpr int64_t kItemElements = 1024;
/// Rows of fewer elements share an item.
constexpr int64_t kShortRow = 256;
/// The same on a GPU, where a single token's elements have to keep many threads busy.
constexpr int64_t kItemElementsOfDevice = 128, kShortRowOfDevice = 64;

/// Channels of an item of a convolution over time, at most: half a page of a row. Narrower items visit each page more
/// often (4096 × 1536 out of memory, Zen 4 with other work beside it: 2.8 GB/s with 256, 14 with 512, 19 with all).
constexpr int64_t kConvChannels = 512, kConvUnit = 64;
/// Taps from which on an item is work enough with fewer.
constexpr int64_t kManyTaps = 32;
/// Its steps, where time can be cut: the first few of them read the steps before once more.
constexpr int64_t kConvSteps = 256;

/// Tokens of an item that chooses experts: whole register tiles of the product before it; columns of one that adds up
/// what they made, a page of a row.
constexpr int64_t kRoutedTokens = 36;
/// The same on a GPU, where shared memory holds all values of an item.
constexpr int64_t kRoutedTokensOfDevice = 4;
constexpr int64_t kCombinedColumns = 1024;

/// Columns of an item of a product with a block-diagonal weight, at most: several register tiles.
constexpr int64_t kBlockColumns = 384;

/// Columns of the widest tile of a product in 8 bits, on levels from AVX2 on (VectorizeQuantizedMatmul).
constexpr int64_t kIntegerColumns = 64;
/// Items of a product by digits across its columns, at least, where these suffice.
constexpr int64_t kDigitItems = 8;

/// Tile sizes, one for each loop of the root; 0 leaves a loop whole.
struct TilePlan {
  TilingInterface root;
  SmallVector<int64_t> sizes;
  bool firstFastest = false; ///< order of the tiles, see weft.first_fastest
  int64_t rowUnit = 0;       ///< not 0: sizes[0] is the most, and tiles are as even as whole units allow
};

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

/// Columns of an item of a block-diagonal product, which lie in one block: all of a block, or the most that divide a
/// wide one.
int64_t columnsOfBlock(PackedMatmulOp op) {
  int64_t block = op.getInit().getType().getDimSize(1) / op.getBlocks(), width = op.getPanelWidth();
  for (int64_t columns = kBlockColumns / width * width; columns >= width && block > kBlockColumns; columns -= width)
    if (block % columns == 0)
      return columns;
  return block;
}

/// Columns of an item of a product by digits: more than of others where there are items enough.
int64_t columnsOfDigits(int64_t all, int64_t columns, int64_t unit) {
  if (ShapedType::isDynamic(all) || columns == 0 || all < kDigitItems * columns)
    return columns;
  int64_t most = DigitPlan::kItemColumns / unit * unit;
  int64_t wanted = std::min(llvm::divideCeilSigned(all, kDigitItems), most);
  int64_t even = llvm::alignTo(llvm::divideCeilSigned(all, llvm::divideCeilSigned(all, wanted)), 2 * unit);
  return std::min(even, most);
}

/// Whether the kernel asks for a weight's next columns while rows pass.
bool isFetchedAhead(Operation *product, const RegisterPlan &registers) {
  if (isa<QuantizedMatmulOp>(product))
    return registers.byteDots;
  bool inWords = registers.halfDots && wantsTiles(product);
  return isa<PackedMatmulOp>(product) && (inWords || getElementTypeOrSelf(product->getOperand(1).getType()).isF32());
}

/// A product (with its epilogue as root): blocks of rows and of columns.
TilePlan planProduct(TilingInterface root, DestinationStyleOpInterface product, const ProductPlan &shapes,
                     TargetAttr target) {
  int64_t all = cast<ShapedType>(product.getDpsInits().front().getType()).getDimSize(1);
  int64_t rows = shapes.itemRows, columns = shapes.itemColumns(all), unit = shapes.tall.rows;
  if (hasTiles(target) && wantsTiles(product)) {
    AmxPlan tiles = AmxPlan::forProduct(product);
    rows = tiles.itemRows;
    columns = evenColumns(all, AmxPlan::kColumns, tiles.itemColumns);
    unit = AmxPlan::kRows;
  } else if (isa<QuantizedMatmulOp>(product) && !shapes.tall.byteDots) {
    columns = evenColumns(all, kIntegerColumns, 2 * kIntegerColumns);
  } else if (auto groupwise = dyn_cast<GroupwiseMatmulOp>(product.getOperation());
             groupwise && usesDigits(groupwise.getForm(), shapes.tall)) {
    columns = columnsOfDigits(all, columns, shapes.columnUnit());
  }
  if (auto packed = dyn_cast<PackedMatmulOp>(product.getOperation()); packed && packed.hasBlocks())
    columns = columnsOfBlock(packed);
  TilePlan plan{root, SmallVector<int64_t>(root.getLoopIteratorTypes().size(), 0)};
  plan.sizes[0] = rows;
  plan.sizes[1] = columns;
  plan.rowUnit = unit;
  // A weight in f32, or in words, passes while an item's rows stay in the second-level cache: its next columns are
  // fetched ahead, rows are not, and a thread's items are rows of its own. Other weights' columns stay while the rows
  // pass.
  plan.firstFastest = !isFetchedAhead(product, shapes.tall);
  return plan;
}

/// A block of a GPU's threads for each item; those that share columns of the weight run next to each other.
TilePlan planBlocks(TilingInterface root, BlockProduct product, TargetAttr target) {
  TilePlan plan{root, SmallVector<int64_t>(root.getLoopIteratorTypes().size(), 0), /*firstFastest=*/true};
  plan.sizes[0] = BlockProduct::kRows;
  plan.sizes[1] = product.itemColumns(target);
  return plan;
}

/// Attention: one batch, one head, one block of queries, on a GPU as a block of threads wants it; few queries: the
/// heads that share a head of the keys.
TilePlan planAttention(func::FuncOp kernel, AttentionOp op, TargetAttr target) {
  TilePlan plan{op, SmallVector<int64_t>(AttentionOp::NumDims, 0)};
  plan.sizes[AttentionOp::Batch] = plan.sizes[AttentionOp::Head] = 1;
  plan.sizes[AttentionOp::Key] = op.getSplitLength();
  if (std::optional<DecodePlan> decode = matchDecode(op).plan)
    plan.sizes[AttentionOp::Head] = decode->heads();
  else if (std::optional<BlockAttention> block = matchBlockAttention(kernel).plan; block && isDevice(target))
    plan.sizes[AttentionOp::Query] = block->itemQueries(target);
  else
    plan.sizes[AttentionOp::Query] = sharedQueriesOf(op, target);
  return plan;
}

/// A convolution over time: channels of one batch; with a state all of their steps, since one item reads and writes it.
TilePlan planConv(CausalConvOp op) {
  int64_t most = op.getTaps() > kManyTaps ? kConvUnit : kConvChannels;
  int64_t channels = evenColumns(op.getWeight().getType().getDimSize(0), kConvUnit, most);
  return TilePlan{op, {1, op.getState() ? 0 : kConvSteps, channels}};
}

/// An update of a cache: one batch (all where any of them may go into any page), and one head where there are heads
/// beside what a row holds; rows come in order.
TilePlan planCacheUpdate(CacheUpdateOp op) {
  TilePlan plan{op, SmallVector<int64_t>(op.getRows().getType().getRank(), 0)};
  plan.sizes.front() = op.getTable() ? 0 : 1;
  for (size_t dim = 1; dim + 1 < plan.sizes.size(); ++dim)
    if (dim != op.getDimension())
      plan.sizes[dim] = 1;
  return plan;
}

/// A recurrence: one batch, one head or some that share their keys, and columns of the value dimension; time where its
/// parts have states of their own.
TilePlan planRecurrence(RecurrenceOp op, const RegisterPlan &registers) {
  TilePlan plan{op, SmallVector<int64_t>(RecurrenceOp::NumDims, 0)};
  plan.sizes[RecurrenceOp::Batch] = 1;
  plan.sizes[RecurrenceOp::Head] = RecurrencePlan::itemHeads(op, registers);
  plan.sizes[RecurrenceOp::Time] = op.getPartLength().value_or(0);
  int64_t columns = op.getStaticExtents()[RecurrenceOp::Value], most = RecurrencePlan::itemColumns(op, registers);
  if (ShapedType::isDynamic(columns) || columns > most)
    plan.sizes[RecurrenceOp::Value] = most;
  return plan;
}

/// A tile of an elementwise op's result: long enough for vectors and for the loops around them; with other ops before
/// it, the tile needs a scratch of known size.
void planElements(TilePlan &plan, ShapedType out, bool alone, bool onDevice) {
  int64_t last = out.getRank() - 1, elements = onDevice ? kItemElementsOfDevice : kItemElements;
  if (last == 0)
    plan.sizes[0] = elements;
  if (last <= 0 || out.isDynamicDim(last) || !alone)
    return;
  int64_t extent = std::max<int64_t>(1, out.getDimSize(last)), row = onDevice ? kShortRowOfDevice : kShortRow;
  plan.sizes[last - 1] = std::max<int64_t>(1, row / extent);
  if (onDevice && extent > elements)
    plan.sizes[last] = elements;
}

/// Row-wise ops: one row, or several short ones where the root is alone; the last parallel dimension stays whole.
/// Vectors are cut into chunks.
TilePlan planRows(TilingInterface root, bool alone, bool onDevice) {
  SmallVector<utils::IteratorType> iterators = root.getLoopIteratorTypes();
  TilePlan plan{root, SmallVector<int64_t>(iterators.size(), 0)};
  auto out = cast<ShapedType>(cast<DestinationStyleOpInterface>(root.getOperation()).getDpsInits().front().getType());
  SmallVector<int64_t> parallel;
  for (auto [i, kind] : llvm::enumerate(iterators))
    if (kind == utils::IteratorType::parallel)
      parallel.push_back(i);
  bool inPieces = isa<linalg::LinalgOp>(root.getOperation()) || (onDevice && isa<EmbeddingOp>(root.getOperation()));
  bool elementwise = parallel.size() == iterators.size() && inPieces;
  bool rowIsLast = out.getRank() == 1 || isa<LayerNormOp, RmsNormOp, QuantizeRowsOp>(root);
  for (int64_t dim : parallel)
    if (rowIsLast || dim != parallel.back())
      plan.sizes[dim] = 1;
  if (elementwise)
    planElements(plan, out, alone, onDevice);
  for (int64_t dim : parallel)
    if (readsBackwards(root, dim))
      plan.sizes[dim] = 0;
  return plan;
}

/// Cycles of a tile: the kernel's work, shared out over the tiles of the root's loops.
int64_t itemCycles(func::FuncOp kernel, const TilePlan &plan, const CostModel &model) {
  Work work;
  kernel.walk([&](Operation *op) {
    if (isCompute(op))
      work += Work::ofOp(op);
  });
  double tiles = 1;
  for (auto [size, extent] : llvm::zip_equal(plan.sizes, loopExtents(plan.root)))
    if (size)
      tiles *= ShapedType::isDynamic(extent) ? double(kAssumedExtent) / size : std::max(1.0, double(extent) / size);
  return std::max<int64_t>(1, std::llround(model.cycles(work) / tiles));
}

FailureOr<TilePlan> planTiles(func::FuncOp kernel, const ProductPlan &shapes, TargetAttr target) {
  Operation *op = findRoot(kernel);
  auto root = dyn_cast_or_null<TilingInterface>(op);
  if (!root || !isa<DestinationStyleOpInterface>(op))
    return failure();
  if (auto attention = dyn_cast<AttentionOp>(op))
    return planAttention(kernel, attention, target);
  if (auto scan = dyn_cast<ScanOp>(op)) // its loops come with its vectors: steps may have to be cut into blocks
    return TilePlan{scan, SmallVector<int64_t>(scan.getNumLoops(), 0)};
  if (auto update = dyn_cast<CacheUpdateOp>(op))
    return planCacheUpdate(update);
  if (auto conv = dyn_cast<CausalConvOp>(op))
    return planConv(conv);
  if (auto recurrence = dyn_cast<RecurrenceOp>(op))
    return planRecurrence(recurrence, RegisterPlan::forTarget(target));
  if (auto dispatch = dyn_cast<DispatchOp>(op)) // a sort, on one thread
    return TilePlan{dispatch, {0, 0}};
  if (auto route = dyn_cast<RouteOp>(op))
    return TilePlan{route, {isDevice(target) ? kRoutedTokensOfDevice : kRoutedTokens, 0}};
  if (auto combine = dyn_cast<CombineOp>(op)) // rows of any token, in order
    return TilePlan{combine, {0, kCombinedColumns}};
  if (std::optional<BlockProduct> block = matchBlockProduct(kernel).plan; block && isDevice(target))
    return planBlocks(root, *block, target);
  DestinationStyleOpInterface product;
  kernel.walk([&](DestinationStyleOpInterface found) {
    if (isProduct(found))
      product = found;
  });
  if (product)
    return planProduct(root, product, shapes, target);
  return planRows(root, computeOpsOf(kernel).size() == 1, isDevice(target));
}

/// Whether a pass before this one has made the kernel's items.
bool isTiled(func::FuncOp kernel) {
  return kernel.walk([](scf::ForallOp) { return WalkResult::interrupt(); }).wasInterrupted();
}

/// Products whose panels do not hold whole vectors have no register tile: they become what they mean, linalg ops.
LogicalResult decomposeNarrowProducts(IRRewriter &rewriter, func::FuncOp kernel, const RegisterPlan &registers,
                                      TargetAttr target) {
  BlockMatch match = matchBlockProduct(kernel);
  if (isDevice(target) && match.plan)
    return success();
  bool isForBlocks = isDevice(target) && !match.obstacle.empty();
  SmallVector<PackedMatmulOp> narrow;
  kernel.walk([&](PackedMatmulOp op) {
    if (op.getPanelWidth() % registers.lanes != 0)
      narrow.push_back(op);
  });
  for (PackedMatmulOp op : narrow) {
    remark::missed(op.getLoc(), remark::RemarkOpts::name("narrow-panels").category("weft-tile-kernels"))
        << (isForBlocks ? ("no product for matrix units: " + match.obstacle).str()
                        : "the weight's panels do not hold whole vectors of the target");
    rewriter.setInsertionPoint(op);
    FailureOr<SmallVector<Value>> values = op.decompose(rewriter);
    if (failed(values))
      return failure();
    rewriter.replaceOp(op, *values);
  }
  return success();
}

/// What was chosen, for those who wonder why a kernel uses few threads or leaves a cache.
void explainTiles(const TilePlan &plan, int64_t cost) {
  TilingInterface root = plan.root;
  std::string text;
  llvm::raw_string_ostream out(text);
  out << "work items of ";
  llvm::ListSeparator times(" × ");
  for (auto [size, kind] : llvm::zip_equal(plan.sizes, root.getLoopIteratorTypes()))
    if (kind == utils::IteratorType::parallel)
      out << times << (size ? std::to_string(size) : "all");
  out << (plan.rowUnit ? " at most" : "") << ", an estimated " << cost << " cycles each";
  remark::analysis(root->getLoc(), remark::RemarkOpts::name("tiles").category("weft-tile-kernels")) << text;
}

LogicalResult applyTiles(IRRewriter &rewriter, const TilePlan &plan, int64_t cost) {
  explainTiles(plan, cost);
  rewriter.setInsertionPoint(plan.root);
  scf::SCFTileAndFuseOptions options;
  SmallVector<OpFoldResult> sizes;
  for (int64_t size : plan.sizes)
    sizes.push_back(rewriter.getIndexAttr(size));
  TilingInterface root = plan.root;
  if (plan.rowUnit)
    sizes[0] =
        evenRows(rewriter, root.getLoc(), root.getIterationDomain(rewriter)[0].size, plan.sizes[0], plan.rowUnit);
  options.tilingOptions.setTileSizes(sizes);
  options.tilingOptions.setLoopType(scf::SCFTilingOptions::LoopType::ForallOp);
  FailureOr<scf::SCFTileAndFuseResult> tiled = scf::tileConsumerAndFuseProducersUsingSCF(rewriter, plan.root, options);
  if (failed(tiled))
    return plan.root->emitError("cannot be tiled");
  for (OpResult result : plan.root->getOpResults())
    if (Value replacement = tiled->replacements.lookup(result))
      rewriter.replaceAllUsesWith(result, replacement);
  for (LoopLikeOpInterface loop : tiled->loops) {
    loop->setAttr("weft.item_cost", rewriter.getI64IntegerAttr(cost));
    if (plan.firstFastest)
      loop->setAttr("weft.first_fastest", rewriter.getUnitAttr());
  }
  return success();
}

struct TileKernelsPass : impl::TileKernelsBase<TileKernelsPass> {
  void runOnOperation() override {
    FailureOr<TargetAttr> target = targetOf(getOperation());
    if (failed(target))
      return signalPassFailure();
    RegisterPlan registers = RegisterPlan::forTarget(*target);
    ProductPlan shapes = ProductPlan::forTarget(*target);
    CostModel model(*target);
    IRRewriter rewriter(&getContext());
    SmallVector<func::FuncOp> kernels;
    getOperation()->walk([&](func::FuncOp function) {
      if (function->hasAttr("weft.kernel") && !isTiled(function))
        kernels.push_back(function);
    });
    for (func::FuncOp kernel : kernels) {
      if (failed(decomposeNarrowProducts(rewriter, kernel, registers, *target)))
        return signalPassFailure();
      FailureOr<TilePlan> plan = planTiles(kernel, shapes, *target);
      if (failed(plan)) {
        remark::missed(kernel.getLoc(), remark::RemarkOpts::name("untiled-kernel").category("weft-tile-kernels"))
            << "the kernel's last op cannot be tiled: it runs on one thread";
        continue;
      }
      bool trivial = llvm::all_of(plan->sizes, [](int64_t size) { return size == 0; });
      if (!trivial && failed(applyTiles(rewriter, *plan, itemCycles(kernel, *plan, model))))
        return signalPassFailure();
    }
  }
};

} // namespace
} // namespace weft
