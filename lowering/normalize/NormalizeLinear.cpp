// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// linalg.matmul with a weight (+ a bias row) → weft.packed_matmul with the weight in panels:
//   %w = weft.parameter "l.weight" : tensor<8x4xf32>
//   %p = linalg.matmul (B transposed) ins(%x, %w) outs(zero);  %y = linalg.generic add %p, %bias
// becomes
//   %w = weft.parameter "l.weight.packed" sources(["l.weight"]) layout(#weft.panels<…>) : tensor<1x4x16xf32>
//   %y = weft.packed_matmul ins(%x, %w, %bias) outs(%init)
#include "lowering/normalize/Passes.h"

#include "dialects/weft/WeftDialect.h"

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
  linalg::MatmulOp matmul;
  ParameterOp weight;
  bool outByIn;          ///< the weight lies as [N, K]
  linalg::GenericOp add; ///< adds a bias row; null: none
  Value bias;
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

FailureOr<LinearPlan> planLinear(linalg::MatmulOp matmul) {
  auto missed = [&](StringRef reason) -> FailureOr<LinearPlan> {
    remark::missed(matmul.getLoc(), remark::RemarkOpts::name("unpacked-product").category("weft-normalize-linear"))
        << reason;
    return failure();
  };
  auto weight = matmul.getInputs()[1].getDefiningOp<ParameterOp>();
  if (!weight || weight.getLayout())
    return missed("the right operand is not a weight");
  if (!isZeroFill(matmul.getOutputs().front()))
    return missed("the product adds to a tensor");
  if (!isFloatOrHalf(weight) || !isFloatOrHalf(matmul.getInputs()[0]))
    return missed("only products of f32, bf16 and f16 are packed");
  if (!getElementTypeOrSelf(matmul.getResult(0).getType()).isF32())
    return missed("only products with sums in f32 are packed: round them in an op that follows");
  AffineMap rhs = matmul.getIndexingMapsArray()[1];
  AffineExpr m, n, k;
  bindDims(matmul.getContext(), m, n, k);
  LinearPlan plan{matmul, weight, rhs.getResults() == ArrayRef<AffineExpr>{n, k}, nullptr, nullptr};
  if (matmul.getIndexingMapsArray()[0].getResults() != ArrayRef<AffineExpr>{m, k} ||
      (!plan.outByIn && rhs.getResults() != ArrayRef<AffineExpr>{k, n}))
    return missed("the operands' indexing maps are not those of a product of rows with a weight");
  std::tie(plan.add, plan.bias) = matchBias(matmul.getResult(0));
  return plan;
}

/// What a product's weight is stored in: what the module asks for, or as the graph has it.
Type storedTypeOf(ParameterOp weight) {
  auto chosen = weight->getParentOfType<ModuleOp>()->getAttrOfType<TypeAttr>("weft.dtype");
  return chosen ? chosen.getValue() : getElementTypeOrSelf(weight.getType());
}

void applyLinear(OpBuilder &builder, const LinearPlan &given) {
  LinearPlan plan = given;
  Operation *last = plan.add ? plan.add.getOperation() : plan.matmul.getOperation();
  builder.setInsertionPoint(last);
  ArrayRef<int64_t> shape = cast<ShapedType>(plan.weight.getType()).getShape();
  int64_t columns = shape[plan.outByIn ? 0 : 1], depth = shape[plan.outByIn ? 1 : 0];
  auto layout = PanelsAttr::get(builder.getContext(), kPanelWidth, plan.outByIn);
  Type element = storedTypeOf(plan.weight);
  int64_t steps = stepsPerWord(element);
  auto type = RankedTensorType::get(
      {llvm::divideCeilSigned(columns, kPanelWidth), llvm::divideCeilSigned(depth, steps), kPanelWidth * steps},
      element);
  SmallVector<StringRef> sources = plan.weight.getSourceNames();
  Value packed = ParameterOp::create(
      builder, plan.weight.getLoc(), type,
      builder.getStringAttr(plan.weight.getName() + (plan.outByIn ? ".packed" : ".packed_in_by_out")),
      builder.getStrArrayAttr(sources), layout);
  Value destination = plan.matmul.getOutputs().front().getDefiningOp<linalg::FillOp>().getOutputs().front();
  auto product = PackedMatmulOp::create(builder, plan.matmul.getLoc(), TypeRange{destination.getType()},
                                        plan.matmul.getInputs()[0], packed, plan.bias, destination);
  last->getResult(0).replaceAllUsesWith(product.getResult());
  if (plan.add)
    plan.add.erase();
  plan.matmul.erase();
}

struct NormalizeLinearPass : impl::NormalizeLinearBase<NormalizeLinearPass> {
  void runOnOperation() override {
    SmallVector<linalg::MatmulOp> matmuls;
    getOperation()->walk([&](linalg::MatmulOp op) { matmuls.push_back(op); });
    OpBuilder builder(&getContext());
    for (linalg::MatmulOp matmul : matmuls)
      if (FailureOr<LinearPlan> plan = planLinear(matmul); succeeded(plan))
        applyLinear(builder, *plan);
  }
};

} // namespace
} // namespace weft
