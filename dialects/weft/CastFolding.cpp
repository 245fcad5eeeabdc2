// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// op(tensor.cast %x : tensor<4xf32> to tensor<?xf32>)   becomes   op(%x), its result cast where it was an init.
#include "dialects/weft/CastFolding.h"

#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Interfaces/DestinationStyleOpInterface.h"

using namespace mlir;

namespace {
struct FoldCasts : RewritePattern {
  FoldCasts(StringRef opName, MLIRContext *context) : RewritePattern(opName, /*benefit=*/2, context) {}

  LogicalResult matchAndRewrite(Operation *op, PatternRewriter &rewriter) const override {
    auto structured = cast<DestinationStyleOpInterface>(op);
    if (!structured.hasPureTensorSemantics() || llvm::none_of(op->getOperands(), isFoldable))
      return failure();
    SmallVector<Type> types;
    for (Value init : structured.getDpsInits())
      types.push_back(source(init).getType());
    rewriter.modifyOpInPlace(op, [&] {
      for (OpOperand &operand : op->getOpOperands())
        operand.set(source(operand.get()));
    });
    for (auto [result, type] : llvm::zip_equal(op->getResults(), types)) {
      if (result.getType() == type)
        continue;
      Type old = result.getType();
      rewriter.setInsertionPointAfter(op);
      rewriter.modifyOpInPlace(op, [&] { result.setType(type); });
      auto cast = tensor::CastOp::create(rewriter, op->getLoc(), old, result);
      rewriter.replaceAllUsesExcept(result, cast, cast);
    }
    return success();
  }

private:
  static bool isFoldable(Value value) {
    auto cast = value.getDefiningOp<tensor::CastOp>();
    return cast && tensor::canFoldIntoConsumerOp(cast);
  }
  static Value source(Value value) {
    return isFoldable(value) ? value.getDefiningOp<tensor::CastOp>().getSource() : value;
  }
};
} // namespace

void weft::populateCastFolding(RewritePatternSet &patterns, StringRef opName) {
  patterns.add<FoldCasts>(opName, patterns.getContext());
}
