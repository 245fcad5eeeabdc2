// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "dialects/weft/WeftDialect.h"

#include "dialects/weft/CacheOps.h"
#include "dialects/weft/RecurrenceOps.h"
#include "dialects/weft/RoutingOps.h"
#include "dialects/weft/SequenceOps.h"
#include "dialects/weft/StructuredOp.h"
#include "dialects/weft/Tile.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/TypeSwitch.h"

#include "dialects/weft/WeftDialect.cpp.inc"
#include "dialects/weft/WeftInterfaces.cpp.inc"

#define GET_ATTRDEF_CLASSES
#include "dialects/weft/WeftAttrs.cpp.inc"

#define GET_OP_CLASSES
#include "dialects/weft/WeftOps.cpp.inc"

#define GET_OP_CLASSES
#include "dialects/weft/CacheOps.cpp.inc"

#define GET_OP_CLASSES
#include "dialects/weft/RecurrenceOps.cpp.inc"

#define GET_OP_CLASSES
#include "dialects/weft/RoutingOps.cpp.inc"

#define GET_OP_CLASSES
#include "dialects/weft/SequenceOps.cpp.inc"

namespace {
/// Lets transform.structured.decompose_interface use the definitions.
template <typename OpType>
struct DecomposeByDefinition
    : mlir::linalg::AggregatedOpInterface::ExternalModel<DecomposeByDefinition<OpType>, OpType> {
  llvm::FailureOr<llvm::SmallVector<mlir::Value>> decomposeOperation(mlir::Operation *op,
                                                                     mlir::OpBuilder &builder) const {
    return llvm::cast<OpType>(op).decompose(builder);
  }
};

template <typename... OpTypes> void attachDefinitions(mlir::MLIRContext *context) {
  (OpTypes::template attachInterface<DecomposeByDefinition<OpTypes>>(*context), ...);
}
} // namespace

void weft::WeftDialect::initialize() {
  addAttributes<
#define GET_ATTRDEF_LIST
#include "dialects/weft/WeftAttrs.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "dialects/weft/WeftOps.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "dialects/weft/CacheOps.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "dialects/weft/RecurrenceOps.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "dialects/weft/RoutingOps.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "dialects/weft/SequenceOps.cpp.inc"
      >();
  attachDefinitions<AttentionOp, CacheUpdateOp, CausalConvOp, CombineOp, DispatchOp, EmbeddingOp, GroupedMatmulOp,
                    GroupwiseMatmulOp, LayerNormOp, PackedMatmulOp, QuantizedMatmulOp, QuantizeRowsOp, RecurrenceOp,
                    RmsNormOp, RouteOp, ScanOp>(getContext());
}
