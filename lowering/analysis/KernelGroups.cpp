// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Greedy grouping from readers to producers: the last op of a group is found first.
#include "lowering/analysis/KernelGroups.h"

#include "dialects/weft/CacheOps.h"
#include "dialects/weft/RecurrenceOps.h"
#include "dialects/weft/RoutingOps.h"
#include "dialects/weft/SequenceOps.h"
#include "dialects/weft/WeftDialect.h"
#include "lowering/analysis/FusionCost.h"
#include "lowering/analysis/InPlaceUpdate.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Remarks.h"
#include "llvm/ADT/MapVector.h"

#include <set>
#include <string>

using namespace mlir;

namespace weft {

bool isRepeated(Operation *op) {
  return op->hasTrait<OpTrait::ConstantLike>() || isa<tensor::EmptyOp, linalg::FillOp>(op);
}

bool isProduct(Operation *op) { return isa<PackedMatmulOp, QuantizedMatmulOp, GroupwiseMatmulOp, GroupedMatmulOp>(op); }

bool isCompute(Operation *op) {
  if (isRepeated(op))
    return false;
  return isProduct(op) || isa<linalg::LinalgOp, AttentionOp, CacheUpdateOp, CausalConvOp, CombineOp, DispatchOp,
                              RecurrenceOp, RouteOp, ScanOp, LayerNormOp, RmsNormOp, EmbeddingOp, QuantizeRowsOp>(op);
}

SmallVector<Operation *> computeOpsOf(Operation *kernel) {
  SmallVector<Operation *> ops;
  kernel->walk([&](Operation *op) {
    if (isCompute(op))
      ops.push_back(op);
  });
  return ops;
}

bool isElementwise(Operation *op) {
  auto generic = dyn_cast<linalg::GenericOp>(op);
  return generic && generic.getNumReductionLoops() == 0 && generic.getNumDpsInits() == 1 &&
         generic.getMatchingIndexingMap(generic.getDpsInitOperand(0)).isIdentity();
}

bool isView(Operation *op) {
  return isa<tensor::ExpandShapeOp, tensor::CollapseShapeOp, tensor::ExtractSliceOp, tensor::CastOp>(op);
}

bool readsBackwards(Operation *op, unsigned loop) {
  auto generic = dyn_cast<linalg::GenericOp>(op);
  return generic && llvm::any_of(generic.getIndexingMapsArray(), [&](AffineMap map) {
           return llvm::any_of(map.getResults(), [&](AffineExpr result) {
             bool isBackwards = false;
             result.walk([&](AffineExpr part) {
               auto product = dyn_cast<AffineBinaryOpExpr>(part);
               bool isScaled = product && part.getKind() == AffineExprKind::Mul;
               auto factor = isScaled ? dyn_cast<AffineConstantExpr>(product.getRHS()) : AffineConstantExpr();
               isBackwards |= factor && factor.getValue() < 0 && product.getLHS().isFunctionOfDim(loop);
             });
             return isBackwards;
           });
         });
}

bool readsBackwards(Operation *op) {
  auto generic = dyn_cast<linalg::GenericOp>(op);
  return generic &&
         llvm::any_of(llvm::seq(generic.getNumLoops()), [&](unsigned loop) { return readsBackwards(op, loop); });
}

StringRef kernelKind(const KernelGroup &group) {
  auto has = [&](auto isa) { return llvm::any_of(group.ops, isa); };
  if (has([](Operation *op) { return isa<GroupedMatmulOp>(op); }))
    return "experts";
  if (isa<RouteOp, DispatchOp>(group.root()))
    return "route";
  if (has([](Operation *op) { return isProduct(op) || isa<linalg::MatmulOp>(op); }))
    return "linear";
  if (isa<CombineOp>(group.root()))
    return "combine";
  if (isa<AttentionOp>(group.root()))
    return "attention";
  if (isa<CacheUpdateOp>(group.root()))
    return "cache";
  if (isa<CausalConvOp>(group.root()))
    return "conv";
  if (isa<ScanOp>(group.root()))
    return "scan";
  if (isa<RecurrenceOp>(group.root()))
    return "scan";
  if (has([](Operation *op) { return isa<LayerNormOp, RmsNormOp>(op); }))
    return "norm";
  if (has([](Operation *op) { return isa<QuantizeRowsOp>(op); }))
    return "quantize";
  if (has([](Operation *op) { return isa<EmbeddingOp>(op); }))
    return "embedding";
  auto linalgOp = dyn_cast<linalg::LinalgOp>(group.root());
  return linalgOp && linalgOp.getNumReductionLoops() ? "reduce" : "map";
}

namespace {

/// Scores of a token that are made and compared in one kernel, at most: some tens of tokens' fill a quarter of a
/// second-level cache.
constexpr int64_t kMostScores = 2048;

bool isRowWise(Operation *op) {
  return isElementwise(op) || isa<LayerNormOp, RmsNormOp, EmbeddingOp, QuantizeRowsOp>(op);
}

class Grouping {
public:
  Grouping(func::FuncOp function, bool isFusionOn) : isFusionOn(isFusionOn) {
    for (Operation &op : llvm::reverse(function.getBody().front()))
      if (isCompute(&op) && !groupOf.count(&op))
        grow(&op);
    std::reverse(groups.begin(), groups.end());
    for (KernelGroup &group : groups)
      llvm::sort(group.ops, [](Operation *a, Operation *b) { return a->isBeforeInBlock(b); });
  }

  SmallVector<KernelGroup> groups;

private:
  /// A group around the root, with all producers that can join and pay: first the way to a product, which decides what
  /// a tile is, then the others.
  void grow(Operation *root) {
    size_t id = groups.size();
    groups.push_back({{root}});
    groupOf[root] = id;
    if (!isFusionOn)
      return;
    growBy(id, [](Operation *op) { return isElementwise(op) || isProduct(op); });
    growBy(id, [](Operation *) { return true; });
    for (auto &[producer, reason] : obstacles)
      if (!groupOf.count(producer) && reported.insert({producer, reason}).second)
        remark::missed(producer->getLoc(), remark::RemarkOpts::name("separate-kernel").category("weft-fuse-kernels"))
            << reason;
    obstacles.clear();
  }

  void growBy(size_t id, function_ref<bool(Operation *)> isCandidate) {
    for (size_t next = 0; next < groups[id].ops.size(); ++next) {
      Operation *reader = groups[id].ops[next];
      for (Value operand : reader->getOperands())
        if (Operation *producer = operand.getDefiningOp();
            producer && isCompute(producer) && !groupOf.count(producer) && isCandidate(producer))
          tryJoin(producer, id);
    }
  }

  void tryJoin(Operation *producer, size_t id) {
    std::string &obstacle = obstacles[producer];
    obstacle = findObstacle(producer, id).str();
    if (!obstacle.empty())
      return;
    FusionEstimate estimate;
    SmallVector<Operation *> readers(producer->getUsers());
    if (!isCombined(producer, readers) && !isRouter(producer, readers)) // theirs is never stored
      estimate = estimateJoin(producer, groups[id].ops);
    if (!estimate.pays()) {
      obstacle = "in its reader's kernel: " + estimate.text();
      return;
    }
    remark::analysis(producer->getLoc(), remark::RemarkOpts::name("shared-kernel").category("weft-fuse-kernels"))
        << "in its reader's kernel: " + estimate.text();
    groupOf[producer] = id;
    groups[id].ops.push_back(producer);
  }

  /// Why the producer must stay outside; empty when it may join.
  StringRef findObstacle(Operation *producer, size_t id) {
    SmallVector<Operation *> readers(producer->getUsers());
    for (Operation *reader : readers) {
      auto group = groupOf.find(reader);
      if (group == groupOf.end() || group->second != id)
        return "its result is read outside the kernel too";
    }
    if (StringRef order = findFixedOrder(producer, readers); !order.empty())
      return order;
    if (readsBackwards(producer) || llvm::any_of(readers, [](Operation *reader) { return readsBackwards(reader); }))
      return "a tensor is read from its end to its beginning, which takes a kernel of its own";
    // All readers are in the group, and each must be able to take a part of the producer as a tile.
    bool aligned = llvm::all_of(readers, [&](Operation *reader) { return accessIsAligned(producer, reader); });
    if (isa<AttentionOp>(producer) || llvm::any_of(readers, llvm::IsaPred<AttentionOp>))
      return "attention is a kernel of its own";
    if (isa<ScanOp>(producer) || llvm::any_of(readers, llvm::IsaPred<ScanOp>))
      return "a scan is a kernel of its own";
    if (isa<CacheUpdateOp>(producer) || llvm::any_of(readers, llvm::IsaPred<CacheUpdateOp>))
      return "an update of a cache is a kernel of its own";
    if (isa<CausalConvOp>(producer) || llvm::any_of(readers, llvm::IsaPred<CausalConvOp>))
      return "a convolution over time is a kernel of its own";
    if (isa<RecurrenceOp>(producer) || llvm::any_of(readers, llvm::IsaPred<RecurrenceOp>))
      return "a recurrence is a kernel of its own";
    if (isCombined(producer, readers) || isRouter(producer, readers))
      return "";
    if (isa<RouteOp, DispatchOp>(producer) || llvm::any_of(readers, llvm::IsaPred<RouteOp, DispatchOp>))
      return "routing takes nothing but the product of its scores";
    if (isa<CombineOp>(producer) || llvm::any_of(readers, llvm::IsaPred<CombineOp>))
      return "a sum over experts takes nothing but their product";
    if (llvm::any_of(readers, isProduct))
      return "a product reads its left operand many times";
    if (isProduct(producer))
      return canTakeProduct(id) && aligned ? "" : "only elementwise ops on the product's own shape can be its epilogue";
    if (!isRowWise(producer))
      return "a reduction's result is kept";
    if (!isElementwise(producer) && llvm::any_of(groups[id].ops, isProduct))
      return "the tiles of a product do not hold whole rows";
    if (!llvm::all_of(readers, isRowWise))
      return "the reader goes over an extent that a scratch cannot hold";
    if (llvm::any_of(readers, [&](Operation *reader) { return isTableOf(producer, reader); }))
      return "a table is looked up anywhere, so it must be whole";
    if (!hasFixedRows(producer))
      return "its rows have no fixed length, so a scratch cannot hold one";
    return aligned ? "" : "the reader wants the elements in another order";
  }

  /// Why a state or another tensor that is written over keeps the producer from running later, in its reader's place.
  static StringRef findFixedOrder(Operation *producer, ArrayRef<Operation *> readers) {
    if (updatesInPlace(producer))
      return "it writes over a tensor that holds values, which takes a kernel of its own";
    if (readsBeforeUpdate(producer))
      return "it reads a tensor before that is written over";
    for (Operation *reader : readers)
      if (llvm::any_of(producer->getResults(), [&](Value result) { return writesOver(reader, result); }))
        return "its reader writes over its result";
    return "";
  }

  /// A group of elementwise ops over two dimensions without a product yet.
  bool canTakeProduct(size_t id) {
    return llvm::all_of(groups[id].ops, [](Operation *op) {
      return isElementwise(op) && cast<linalg::GenericOp>(op).getNumLoops() == 2;
    });
  }

  /// Whether the producer is the product whose rows are combined.
  static bool isCombined(Operation *producer, ArrayRef<Operation *> readers) {
    if (!isa<GroupedMatmulOp>(producer) || readers.size() != 1)
      return false;
    auto combine = dyn_cast<CombineOp>(readers.front());
    return combine && combine.getInput() == producer->getResult(0);
  }

  /// Whether the producer makes nothing but the scores by which experts are chosen, rows of which fit a scratch.
  static bool isRouter(Operation *producer, ArrayRef<Operation *> readers) {
    auto product = dyn_cast<PackedMatmulOp>(producer);
    auto route = product && readers.size() == 1 ? dyn_cast<RouteOp>(readers.front()) : RouteOp();
    int64_t experts = route ? route.getScores().getType().getDimSize(1) : int64_t(ShapedType::kDynamic);
    return route && route.getScores() == product.getResult() && !product.hasBlocks() &&
           !ShapedType::isDynamic(experts) && experts <= kMostScores;
  }

  /// Every tile of whole rows of the reader needs a tile of whole rows of the producer.
  static bool accessIsAligned(Operation *producer, Operation *reader) {
    auto generic = dyn_cast<linalg::GenericOp>(reader);
    if (!generic)
      return true; // layer_norm, rms_norm, quantize_rows and embedding read row for row
    for (OpOperand &operand : generic->getOpOperands())
      if (operand.get().getDefiningOp() == producer && !keepsOrder(generic.getMatchingIndexingMap(&operand)))
        return false;
    return true;
  }

  /// A map to some of the dimensions, in their order: no transposition.
  static bool keepsOrder(AffineMap map) {
    int64_t previous = -1;
    for (AffineExpr result : map.getResults()) {
      auto dim = dyn_cast<AffineDimExpr>(result);
      if (!dim || static_cast<int64_t>(dim.getPosition()) <= previous)
        return false;
      previous = dim.getPosition();
    }
    return true;
  }

  static bool isTableOf(Operation *producer, Operation *reader) {
    auto embedding = dyn_cast<EmbeddingOp>(reader);
    return embedding && embedding.getTable().getDefiningOp() == producer;
  }

  /// Rows whose length is known fit a scratch.
  static bool hasFixedRows(Operation *producer) {
    auto type = cast<ShapedType>(producer->getResult(0).getType());
    return type.getRank() == 0 || !ShapedType::isDynamic(type.getShape().back());
  }

  bool isFusionOn;
  llvm::DenseMap<Operation *, size_t> groupOf;
  llvm::MapVector<Operation *, std::string> obstacles;    ///< of the group that grows
  std::set<std::pair<Operation *, std::string>> reported; ///< by several readers' groups once
};

} // namespace

SmallVector<KernelGroup> planKernels(func::FuncOp function) {
  return Grouping(function, isFusionOn(function->getParentOfType<ModuleOp>())).groups;
}

} // namespace weft
