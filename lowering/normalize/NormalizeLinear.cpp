// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// linalg.matmul with a weight (+ a bias row) → weft.packed_matmul with the weight in panels:
//   %w = weft.parameter "l.weight" : tensor<8x4xf32>
//   %p = linalg.matmul (B transposed) ins(%x, %w) outs(zero);  %y = linalg.generic add %p, %bias
// becomes
//   %w = weft.parameter "l.weight.packed" sources(["l.weight"]) layout(#weft.panels<…>) : tensor<1x4x16xf32>
//   %y = weft.packed_matmul ins(%x, %w, %bias) outs(%init)
// A linalg.contract with a block-diagonal weight, (m, g, k) · (g, k, n) → (m, g, n), likewise, with its columns side by
// side.
#include "lowering/normalize/Passes.h"

#include "dialects/weft/RoutingOps.h"
#include "lowering/analysis/BlockProduct.h"
#include "lowering/normalize/PackedWeight.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/IR/Remarks.h"
#include "llvm/Support/MathExtras.h"

namespace weft {
#define GEN_PASS_DEF_NORMALIZELINEAR
#include "lowering/normalize/Passes.h.inc"
} // namespace weft

using namespace mlir;

namespace weft {
namespace {

/// A product that can take a packed weight.
struct LinearPlan {
  linalg::LinalgOp product;
  ParameterOp weight;
  bool outByIn;               ///< the weight lies as [N, K]
  bool hasBlocks;             ///< it is block-diagonal
  Value result;               ///< the product's, or [M, blocks · N], if its only reader sees it so
  linalg::GenericOp add = {}; ///< adds a bias row; null: none
  Value bias = {};
};

bool isZeroFill(Value value) {
  auto fill = value.getDefiningOp<linalg::FillOp>();
  return fill && (matchPattern(fill.getInputs().front(), m_AnyZeroFloat()));
}

/// The generic that adds a row to the product's only use, with the row.
std::pair<linalg::GenericOp, Value> matchBias(Value product) {
  if (!product.hasOneUse())
    return {};
  auto generic = dyn_cast<linalg::GenericOp>(*product.user_begin());
  if (!generic || generic.getNumDpsInputs() != 2 || generic.getNumLoops() != 2 || generic.getNumParallelLoops() != 2)
    return {};
  OpOperand *sum = generic.getDpsInputOperand(0), *row = generic.getDpsInputOperand(1);
  if (sum->get() != product)
    std::swap(sum, row);
  AffineMap identity = AffineMap::getMultiDimIdentityMap(2, generic.getContext());
  AffineMap column = AffineMap::get(2, 0, getAffineDimExpr(1, generic.getContext()));
  if (sum->get() != product || generic.getMatchingIndexingMap(sum) != identity ||
      generic.getMatchingIndexingMap(row) != column ||
      generic.getMatchingIndexingMap(generic.getDpsInitOperand(0)) != identity)
    return {};
  auto yield = cast<linalg::YieldOp>(generic.getBody()->getTerminator());
  auto add = yield.getOperand(0).getDefiningOp<arith::AddFOp>();
  Value first = generic.getMatchingBlockArgument(sum), second = generic.getMatchingBlockArgument(row);
  bool isSum =
      add && ((add.getLhs() == first && add.getRhs() == second) || (add.getLhs() == second && add.getRhs() == first));
  if (!isSum || !llvm::hasSingleElement(generic.getBody()->without_terminator()))
    return {};
  return {generic, row->get()};
}

bool isFloatOrHalf(Value value) {
  Type element = getElementTypeOrSelf(value.getType());
  return element.isF32() || element.isBF16() || element.isF16();
}

/// Whether a product's maps are those of rows and a weight, and whether that lies as [N, K]:
///   (m, k), (n, k) or (k, n), (m, n);   (m, g, k), (g, n, k) or (g, k, n), (m, g, n) of a block-diagonal weight
std::optional<bool> matchMaps(linalg::LinalgOp product) {
  SmallVector<AffineMap> maps = product.getIndexingMapsArray();
  unsigned rank = maps[0].getNumResults(), blocks = rank - 2;
  bool isShaped = (rank == 2 || rank == 3) && maps[0].getNumDims() == rank + 1 && maps[1].getNumResults() == rank &&
                  maps[2].getNumResults() == rank;
  if (!isShaped || !llvm::all_of(maps, [](AffineMap map) { return map.isProjectedPermutation(); }))
    return std::nullopt;
  AffineExpr m = maps[0].getResult(0), k = maps[0].getResults().back(), n = maps[2].getResults().back();
  SmallVector<AffineExpr> out{m}, outByIn, inByOut;
  if (blocks) {
    AffineExpr g = maps[0].getResult(1);
    out.push_back(g), outByIn.push_back(g), inByOut.push_back(g);
  }
  out.push_back(n), outByIn.append({n, k}), inByOut.append({k, n});
  bool isOutByIn = maps[1].getResults() == ArrayRef(outByIn);
  bool fits = maps[2].getResults() == ArrayRef(out) && (isOutByIn || maps[1].getResults() == ArrayRef(inByOut));
  return fits ? std::optional(isOutByIn) : std::nullopt;
}

/// The groups of columns that are one beside the other: [m, blocks, n] as [m, blocks · n].
SmallVector<ReassociationIndices> columnGroups() { return {{0}, {1, 2}}; }

/// [M, blocks, N] seen by its only reader as [M, blocks · N]; null: by others.
tensor::CollapseShapeOp findMerged(Value product) {
  auto merged = product.hasOneUse() ? dyn_cast<tensor::CollapseShapeOp>(*product.user_begin()) : nullptr;
  return merged && merged.getReassociationIndices() == columnGroups() ? merged : nullptr;
}

FailureOr<LinearPlan> planLinear(linalg::LinalgOp product) {
  auto missed = [&](StringRef reason) -> FailureOr<LinearPlan> {
    remark::missed(product.getLoc(), remark::RemarkOpts::name("unpacked-product").category("weft-normalize-linear"))
        << reason;
    return failure();
  };
  Value left = product->getOperand(0);
  auto weight = product->getOperand(1).getDefiningOp<ParameterOp>();
  if (!weight || weight.getLayout())
    return missed("the right operand is not a weight");
  if (!isZeroFill(product->getOperand(2)))
    return missed("the product adds to a tensor");
  if (!isFloatOrHalf(weight) || !isFloatOrHalf(left))
    return missed("only products of f32, bf16 and f16 are packed");
  if (!getElementTypeOrSelf(product->getResult(0).getType()).isF32())
    return missed("only products with sums in f32 are packed: round them in an op that follows");
  std::optional<bool> outByIn = matchMaps(product);
  if (!outByIn)
    return missed("the operands' indexing maps are not those of a product of rows with a weight");
  bool hasBlocks = cast<ShapedType>(weight.getType()).getRank() == 3;
  LinearPlan plan{product, weight, *outByIn, hasBlocks, product->getResult(0)};
  if (plan.hasBlocks) {
    if (cast<ShapedType>(left.getType()).isDynamicDim(1) || cast<ShapedType>(left.getType()).isDynamicDim(2))
      return missed("the number of columns of the left operand is not known");
    if (tensor::CollapseShapeOp merged = findMerged(plan.result))
      plan.result = merged.getResult();
  }
  std::tie(plan.add, plan.bias) = matchBias(plan.result);
  return plan;
}

/// The left operand as [M, blocks · K].
Value mergeColumns(OpBuilder &builder, Location loc, Value left) {
  auto split = left.getDefiningOp<tensor::ExpandShapeOp>();
  if (split && split.getReassociationIndices() == columnGroups())
    return split.getSrc();
  return tensor::CollapseShapeOp::create(builder, loc, left, columnGroups());
}

/// Replaces the product of a block-diagonal weight, or the view of it that merges its columns.
PackedMatmulOp applyBlocks(OpBuilder &builder, const LinearPlan &plan, Value weight) {
  linalg::LinalgOp contract = plan.product;
  Location loc = contract.getLoc();
  auto split = cast<RankedTensorType>(contract->getResult(0).getType());
  Value zero = contract->getOperand(2).getDefiningOp<linalg::FillOp>().getOutputs().front();
  OpFoldResult rows = tensor::getMixedSize(builder, loc, zero, 0);
  int64_t columns = split.getDimSize(1) * split.getDimSize(2);
  Value init = tensor::EmptyOp::create(builder, loc, {rows, builder.getIndexAttr(columns)}, split.getElementType());
  Value left = mergeColumns(builder, loc, contract->getOperand(0));
  return PackedMatmulOp::create(builder, loc, TypeRange{init.getType()}, left, weight, plan.bias, init);
}

/// Columns of a panel: on a GPU, where a product of f32 rows runs on matrix units, one; but not where scores of f32
/// keep all digits.
int64_t panelWidthFor(const LinearPlan &plan, Type element, bool isRouter) {
  auto module = plan.weight->getParentOfType<ModuleOp>();
  bool fits = element.isBF16() || element.isF16() || (element.isF32() && !isRouter);
  bool isForBlocks = module->hasAttr("weft.device") && !module->hasAttr("weft.weights") && fits && !plan.hasBlocks &&
                     getElementTypeOrSelf(plan.product->getOperand(0).getType()).isF32();
  return isForBlocks ? kBlockPanelWidth : kPanelWidth;
}

void applyLinear(OpBuilder &builder, const LinearPlan &plan) {
  linalg::LinalgOp given = plan.product;
  linalg::GenericOp add = plan.add;
  Value last = add ? add.getResult(0) : plan.result;
  builder.setInsertionPoint(last.getDefiningOp());
  // Scores keep all digits: with fewer a token might choose other experts.
  bool isRouter = llvm::any_of(last.getUsers(), llvm::IsaPred<RouteOp>);
  ParameterOp weight = plan.weight;
  Type element = isRouter ? getElementTypeOrSelf(weight.getType()) : storedTypeOf(weight);
  Value packed = packWeight(builder, weight, plan.outByIn, element, panelWidthFor(plan, element, isRouter));
  PackedMatmulOp product;
  if (plan.hasBlocks) {
    product = applyBlocks(builder, plan, packed);
  } else {
    Value destination = given->getOperand(2).getDefiningOp<linalg::FillOp>().getOutputs().front();
    product = PackedMatmulOp::create(builder, given.getLoc(), TypeRange{destination.getType()}, given->getOperand(0),
                                     packed, plan.bias, destination);
  }
  Value result = product.getResult();
  if (auto type = cast<RankedTensorType>(last.getType()); type.getRank() == 3) {
    SmallVector<OpFoldResult> sizes{tensor::getMixedSize(builder, given.getLoc(), product.getInit(), 0),
                                    builder.getIndexAttr(type.getDimSize(1)), builder.getIndexAttr(type.getDimSize(2))};
    result = tensor::ExpandShapeOp::create(builder, given.getLoc(), type, result, columnGroups(), sizes);
  }
  last.replaceAllUsesWith(result);
  if (add)
    add.erase();
  if (plan.result != given->getResult(0))
    plan.result.getDefiningOp()->erase();
  given.erase();
}

struct NormalizeLinearPass : impl::NormalizeLinearBase<NormalizeLinearPass> {
  void runOnOperation() override {
    SmallVector<linalg::LinalgOp> products;
    getOperation()->walk([&](linalg::LinalgOp op) {
      if (isa<linalg::MatmulOp, linalg::ContractOp>(op.getOperation()))
        products.push_back(op);
    });
    OpBuilder builder(&getContext());
    for (linalg::LinalgOp product : products)
      if (FailureOr<LinearPlan> plan = planLinear(product); succeeded(plan))
        applyLinear(builder, *plan);
  }
};

} // namespace
} // namespace weft
