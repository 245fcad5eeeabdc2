// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// weft.packed_matmul + shapes of tiles → steps of the sum, its blocks, and what is fetched ahead.
#include "lowering/vectorize/MatmulPlan.h"

#include "lowering/analysis/AmxPlan.h"
#include "lowering/vectorize/LeftRows.h"
#include "lowering/vectorize/PanelLoad.h"
#include "lowering/vectorize/RegisterTile.h"

#include "mlir/Dialect/MemRef/IR/MemRef.h"

using namespace mlir;

namespace weft {

/// Weights up to this size stay in the second-level cache from call to call. (Measured on 384 × 384 called again and
/// again: hints cost 4 % with 16 rows and gain 4 % with 512, whose results leave that cache; in MiniLM they gain 1 %.)
constexpr int64_t kResidentBytes = 1 << 18;

static MemRefType wholeWeight(PackedMatmulOp matmul) {
  Value weight = matmul.getRhs();
  if (auto slice = weight.getDefiningOp<memref::SubViewOp>())
    weight = slice.getSource();
  return cast<MemRefType>(weight.getType());
}

static bool isFar(PackedMatmulOp matmul) {
  MemRefType type = wholeWeight(matmul);
  return type.hasStaticShape() && type.getNumElements() * type.getElementTypeBitWidth() / 8 > kResidentBytes;
}

/// Of weights whose rows of a panel are the sum's steps.
static bool isStreamed(PackedMatmulOp matmul, int64_t depth) {
  return isFar(matmul) && !ShapedType::isDynamic(depth) && depth >= 4 * kTileBlock &&
         wholeWeight(matmul).getShape().end()[-2] == depth;
}

FailureOr<MatmulPlan> planMatmul(PackedMatmulOp matmul, const ProductPlan &shapes) {
  int64_t lanes = shapes.tall.lanes;
  if (matmul.getPanelWidth() % lanes != 0)
    return matmul.emitError("panels of ")
           << matmul.getPanelWidth() << " columns do not hold whole vectors of " << lanes;
  for (Value operand : matmul->getOperands())
    if (Type element = getElementTypeOrSelf(operand.getType());
        operand == matmul.getRows()                                ? false
        : operand == matmul.getLhs() || operand == matmul.getRhs() ? !isPanelElement(element)
                                                                   : !element.isF32())
      return matmul.emitError("products on the CPU take operands of f32, bf16 or f16, and a bias and sums of f32, got ")
             << operand.getType();
  ProductPlan narrowed = shapes.narrowedTo(cast<MemRefType>(matmul.getInit().getType()).getDimSize(1));
  int64_t depth = cast<MemRefType>(matmul.getLhs().getType()).getDimSize(1);
  bool words = shapes.tall.halfDots && wantsTiles(matmul) && depth <= LeftRows::kMostWordDepth;
  if (words)
    depth = llvm::divideCeilSigned(depth, 2);
  int64_t block = ProductPlan::depthBlock(depth);
  MatmulEpilogue epilogue = matchMatmulEpilogue(matmul, matmul.getInit());
  return MatmulPlan{matmul, epilogue, narrowed, words, block, block != depth, isFar(matmul), isStreamed(matmul, depth)};
}

} // namespace weft
