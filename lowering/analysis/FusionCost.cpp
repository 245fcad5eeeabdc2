// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Tiles of a kernel's last op → the part of each op that an item computes → how often elements are computed → cycles.
#include "lowering/analysis/FusionCost.h"

#include "lowering/analysis/KernelGroups.h"
#include "lowering/analysis/ProductPlan.h"
#include "lowering/analysis/RecurrencePlan.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"

#include <cmath>

using namespace mlir;

namespace weft {
namespace {

using Extents = SmallVector<double>;

Extents extentsOf(Value value) {
  return llvm::map_to_vector(cast<ShapedType>(value.getType()).getShape(),
                             [](int64_t extent) { return double(assumedExtent(extent)); });
}

double pointsIn(ArrayRef<double> extents) {
  double points = 1;
  for (double extent : extents)
    points *= extent;
  return points;
}

/// The result's part that one item of the kernel computes, as lowering/tile cuts it.
Extents tileOfRoot(ArrayRef<Operation *> group, const ProductPlan &shapes) {
  Operation *root = group.front();
  Extents tile = extentsOf(root->getResult(0));
  if (llvm::any_of(group, isProduct)) {
    int64_t columns = cast<ShapedType>(root->getResult(0).getType()).getDimSize(1);
    tile[0] = std::min<double>(tile[0], shapes.itemRows);
    if (int64_t width = shapes.itemColumns(columns))
      tile[1] = std::min<double>(tile[1], width);
    return tile;
  }
  for (double &extent : MutableArrayRef(tile).drop_back(tile.size() > 1))
    extent = 1;
  return tile;
}

/// The part of an operand that a tile of the reader's result needs.
Extents tileOfOperand(OpOperand &operand, ArrayRef<double> tile) {
  Extents part = extentsOf(operand.get());
  Operation *reader = operand.getOwner();
  if (auto generic = dyn_cast<linalg::GenericOp>(reader)) {
    for (auto [extent, expr] : llvm::zip_equal(part, generic.getMatchingIndexingMap(&operand).getResults()))
      if (auto dim = dyn_cast<AffineDimExpr>(expr))
        extent = std::min(extent, tile[dim.getPosition()]);
    return part;
  }
  // Whole rows of the operand that has the result's rows; tables, scales and biases are read anywhere.
  bool hasRows = isa<EmbeddingOp>(reader) ? operand.getOperandNumber() == 0 : part.size() == tile.size();
  size_t rows = isa<EmbeddingOp>(reader) ? part.size() : part.size() - 1;
  for (size_t dim = 0; hasRows && dim < rows; ++dim)
    part[dim] = std::min(part[dim], tile[dim]);
  return part;
}

/// How often an element of the producer is computed.
double timesComputed(Operation *producer, ArrayRef<Operation *> group, const ProductPlan &shapes) {
  llvm::DenseMap<Operation *, Extents> tiles;
  Extents root = tileOfRoot(group, shapes), whole = extentsOf(group.front()->getResult(0));
  double items = 1;
  for (auto [extent, part] : llvm::zip_equal(whole, root))
    items *= part ? std::ceil(extent / part) : 1;
  tiles[group.front()] = root;
  auto place = [&](Operation *op) {
    Extents needed;
    for (OpOperand &use : op->getUses()) {
      auto reader = tiles.find(use.getOwner());
      if (reader == tiles.end())
        continue;
      Extents part = tileOfOperand(use, reader->second);
      if (needed.empty())
        needed = part;
      for (auto [most, extent] : llvm::zip_equal(needed, part))
        most = std::max(most, extent);
    }
    tiles[op] = needed;
  };
  for (Operation *op : group.drop_front())
    place(op);
  place(producer);
  double points = pointsIn(extentsOf(producer->getResult(0)));
  return points ? std::max(1.0, items * pointsIn(tiles[producer]) / points) : 1;
}

/// One kernel and two for one level.
FusionEstimate estimateFor(TargetAttr target, Operation *producer, ArrayRef<Operation *> group) {
  CostModel model(target);
  Work first = Work::ofOp(producer), second = Work::ofOp(*producer->user_begin());
  FusionEstimate estimate;
  estimate.times = timesComputed(producer, group, ProductPlan::forTarget(target));
  estimate.together = model.fusedCycles(first, second, first.bytesWritten, estimate.times);
  estimate.apart = model.apartCycles(first, second, first.bytesWritten, estimate.times);
  return estimate;
}

SmallVector<TargetAttr> levels(MLIRContext *context) {
  return {TargetAttr::get(context, "v3", 8, 16, "x86-64-v3", ""),
          TargetAttr::get(context, "v4", 16, 32, "x86-64-v4", ""),
          TargetAttr::get(context, "portable", 4, 16, "x86-64", "")};
}

double loopPoints(Operation *op) {
  double points = 1;
  for (int64_t extent : loopExtents(op))
    points *= assumedExtent(extent);
  return points;
}

} // namespace

bool isFusionOn(ModuleOp module) {
  auto fusion = module->getAttrOfType<StringAttr>("weft.fusion");
  return !fusion || fusion.getValue() != "off";
}

std::string FusionEstimate::text() const {
  std::string both = std::to_string(std::llround(together)) + " cycles, apart: " + std::to_string(std::llround(apart));
  if (times > 1)
    both += ", with elements computed " + std::to_string(std::llround(times)) + " times";
  return both;
}

FusionEstimate estimateJoin(Operation *producer, ArrayRef<Operation *> group) {
  FusionEstimate least;
  for (TargetAttr target : levels(producer->getContext())) {
    FusionEstimate estimate = estimateFor(target, producer, group);
    if (!least.apart || estimate.apart - estimate.together < least.apart - least.together)
      least = estimate;
  }
  return least;
}

FusionEstimate estimateInline(Operation *producer, Operation *reader) {
  CostModel model(levels(producer->getContext()).front());
  Work own = Work::ofOp(producer);
  FusionEstimate estimate;
  double points = loopPoints(producer);
  estimate.times = points ? std::max(1.0, loopPoints(reader) / points) : 1;
  estimate.together = model.arithmetic(own) * estimate.times;
  // A store, and a load for each use.
  estimate.apart = model.arithmetic(own) + model.traffic(own.bytesWritten * (1 + estimate.times), 0);
  return estimate;
}

FusionEstimate estimateAbsorption(Operation *producer, RecurrenceOp recurrence, AffineMap map) {
  TargetAttr target = levels(producer->getContext()).front();
  CostModel model(target);
  Work own = Work::ofOp(producer);
  double points = loopPoints(producer), times = 1;
  // Over dimensions that the producer lacks it runs again, but for n, whose rows share what does not depend on them.
  for (auto [dim, extent] : llvm::enumerate(recurrence.getStaticExtents()))
    if (!map.isFunctionOfDim(dim) && dim != RecurrenceOp::Key)
      times *= dim == RecurrenceOp::Value ? std::ceil(double(assumedExtent(extent)) / RecurrencePlan::kMostColumns)
                                          : assumedExtent(extent);
  bool inLanes = map.isFunctionOfDim(RecurrenceOp::Value);
  FusionEstimate estimate;
  estimate.times = times;
  estimate.together =
      model.arithmetic(Work::ofRegion(producer->getRegion(0)) * (points * times)) * (inLanes ? 1 : model.facts.lanes);
  estimate.apart = model.cycles(own) + model.traffic(own.bytesWritten, own.bytesWritten) + model.facts.kernel;
  return estimate;
}

FusionEstimate estimateMerge(ArrayRef<Operation *> products) {
  CostModel model(levels(products.front()->getContext()).front());
  FusionEstimate estimate;
  Work all;
  double left = 4 * pointsIn(extentsOf(products.front()->getOperand(0)));
  for (Operation *op : products) {
    Work own = Work::ofOp(op);
    estimate.apart += model.cycles(own) + model.facts.kernel;
    all += own;
  }
  all.bytesRead -= left * (products.size() - 1);
  estimate.together = model.cycles(all) + model.facts.kernel;
  return estimate;
}

} // namespace weft
