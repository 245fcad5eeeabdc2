// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Structured ops on tensors → the same ops on memrefs, results written into the
// inits. A parameter becomes a memref that nobody may write.
#include "dialects/weft/CacheOps.h"
#include "dialects/weft/RecurrenceOps.h"
#include "dialects/weft/RoutingOps.h"
#include "dialects/weft/SequenceOps.h"
#include "dialects/weft/WeftDialect.h"

#include "mlir/Dialect/Bufferization/IR/BufferizableOpInterface.h"
#include "mlir/Dialect/Bufferization/IR/DstBufferizableOpInterfaceImpl.h"
#include "mlir/Dialect/Utils/StructuredOpsUtils.h"
#include "mlir/IR/PatternMatch.h"

using namespace mlir;
using namespace mlir::bufferization;
using namespace weft;

namespace {
template <typename OpType>
struct BufferizeStructuredOp : DstBufferizableOpInterfaceExternalModel<BufferizeStructuredOp<OpType>, OpType> {
  bool bufferizesToMemoryRead(Operation *op, OpOperand &operand, const AnalysisState &state) const {
    auto stateful = dyn_cast<StatefulOpInterface>(op);
    return !cast<OpType>(op).isDpsInit(&operand) || (stateful && stateful.isState(operand));
  }

  LogicalResult bufferize(Operation *op, RewriterBase &rewriter, const BufferizationOptions &options,
                          BufferizationState &state) const {
    auto structured = cast<DestinationStyleOpInterface>(op);
    if (structured.hasPureBufferSemantics())
      return success();
    SmallVector<Value> buffers;
    for (Value operand : op->getOperands()) {
      if (!isa<TensorType>(operand.getType())) {
        buffers.push_back(operand);
        continue;
      }
      FailureOr<Value> buffer = getBuffer(rewriter, operand, options, state);
      if (failed(buffer))
        return failure();
      buffers.push_back(*buffer);
    }
    OpBuilder::InsertionGuard guard(rewriter);
    rewriter.setInsertionPoint(op);
    Operation *onBuffers = cloneWithoutRegions(rewriter, op, TypeRange{}, buffers);
    for (auto [from, to] : llvm::zip_equal(op->getRegions(), onBuffers->getRegions()))
      rewriter.inlineRegionBefore(from, to, to.begin());
    SmallVector<Value> results;
    for (OpResult result : op->getResults())
      results.push_back(buffers[structured.getTiedOpOperand(result)->getOperandNumber()]);
    replaceOpWithBufferizedValues(rewriter, op, results);
    return success();
  }
};

struct BufferizeParameter : BufferizableOpInterface::ExternalModel<BufferizeParameter, ParameterOp> {
  bool isWritable(Operation *, Value, const AnalysisState &) const { return false; }

  /// Weights are stored contiguously.
  FailureOr<BufferLikeType> getBufferType(Operation *, Value value, const BufferizationOptions &,
                                          const BufferizationState &, SmallVector<Value> &) const {
    auto type = cast<ShapedType>(value.getType());
    return cast<BufferLikeType>(MemRefType::get(type.getShape(), type.getElementType()));
  }

  LogicalResult bufferize(Operation *op, RewriterBase &rewriter, const BufferizationOptions &options,
                          BufferizationState &state) const {
    auto parameter = cast<ParameterOp>(op);
    if (!isa<TensorType>(parameter.getResult().getType()))
      return success();
    FailureOr<BufferLikeType> type = bufferization::getBufferType(parameter.getResult(), options, state);
    if (failed(type))
      return failure();
    replaceOpWithNewBufferizedOp<ParameterOp>(rewriter, op, cast<Type>(*type), parameter.getNameAttr(),
                                              parameter.getSourcesAttr(), parameter.getLayoutAttr(),
                                              parameter.getFunctionsAttr(), parameter.getOrderAttr());
    return success();
  }
};
} // namespace

void weft::registerBufferizableOpInterfaceExternalModels(DialectRegistry &registry) {
  registry.addExtension(+[](MLIRContext *context, WeftDialect *) {
    AttentionOp::attachInterface<BufferizeStructuredOp<AttentionOp>>(*context);
    CacheUpdateOp::attachInterface<BufferizeStructuredOp<CacheUpdateOp>>(*context);
    CausalConvOp::attachInterface<BufferizeStructuredOp<CausalConvOp>>(*context);
    CombineOp::attachInterface<BufferizeStructuredOp<CombineOp>>(*context);
    DispatchOp::attachInterface<BufferizeStructuredOp<DispatchOp>>(*context);
    EmbeddingOp::attachInterface<BufferizeStructuredOp<EmbeddingOp>>(*context);
    GroupedMatmulOp::attachInterface<BufferizeStructuredOp<GroupedMatmulOp>>(*context);
    GroupwiseMatmulOp::attachInterface<BufferizeStructuredOp<GroupwiseMatmulOp>>(*context);
    LayerNormOp::attachInterface<BufferizeStructuredOp<LayerNormOp>>(*context);
    PackedMatmulOp::attachInterface<BufferizeStructuredOp<PackedMatmulOp>>(*context);
    QuantizedMatmulOp::attachInterface<BufferizeStructuredOp<QuantizedMatmulOp>>(*context);
    QuantizeRowsOp::attachInterface<BufferizeStructuredOp<QuantizeRowsOp>>(*context);
    RmsNormOp::attachInterface<BufferizeStructuredOp<RmsNormOp>>(*context);
    RecurrenceOp::attachInterface<BufferizeStructuredOp<RecurrenceOp>>(*context);
    RouteOp::attachInterface<BufferizeStructuredOp<RouteOp>>(*context);
    ScanOp::attachInterface<BufferizeStructuredOp<ScanOp>>(*context);
    ParameterOp::attachInterface<BufferizeParameter>(*context);
  });
}
