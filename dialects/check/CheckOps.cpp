// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The constraints of expectations (docs/spec.md), and expectations of memrefs.
#include "dialects/check/CheckOps.h"

#include "mlir/Dialect/Bufferization/IR/BufferizableOpInterface.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/IR/TypeUtilities.h"

using namespace mlir;
using namespace weft::check;

#include "dialects/check/CheckDialect.cpp.inc"

#define GET_OP_CLASSES
#include "dialects/check/CheckOps.cpp.inc"

void CheckDialect::initialize() {
  addOperations<
#define GET_OP_LIST
#include "dialects/check/CheckOps.cpp.inc"
      >();
}

template <typename OpType> static LogicalResult verifyAlike(OpType op) {
  ShapedType actual = op.getActual().getType();
  ShapedType expected = op.getExpected().getType();
  if (succeeded(verifyCompatibleShape(actual, expected)) && actual.getElementType() == expected.getElementType())
    return success();
  return op.emitOpError("compares values of one shape and element type, got ") << actual << " and " << expected;
}

LogicalResult ExpectCloseOp::verify() {
  if (failed(verifyAlike(*this)))
    return failure(); // expect_close_c1
  Type element = getActual().getType().getElementType();
  if (!isa<FloatType>(element)) // expect_close_c2
    return emitOpError("compares floats, got ") << element << "; use check.expect_eq";
  if (!getRelativeRms().isFinite() || getRelativeRms().isNegative())
    return emitOpError("relative_rms must be finite and not "
                       "negative");                    // expect_close_c3
  if (getMaxUlpAttr() && getMaxUlpAttr().getInt() < 0) // expect_close_c4
    return emitOpError("max_ulp must not be negative");
  return success();
}

LogicalResult ExpectEqOp::verify() {
  return verifyAlike(*this); // expect_eq_c1
}

//===----------------------------------------------------------------------===//
// Bufferization
//===----------------------------------------------------------------------===//

namespace {
using namespace mlir::bufferization;

template <typename OpType>
struct BufferizeExpectation : BufferizableOpInterface::ExternalModel<BufferizeExpectation<OpType>, OpType> {
  bool bufferizesToMemoryRead(Operation *, OpOperand &, const AnalysisState &) const { return true; }
  bool bufferizesToMemoryWrite(Operation *, OpOperand &, const AnalysisState &) const { return false; }
  AliasingValueList getAliasingValues(Operation *, OpOperand &, const AnalysisState &) const { return {}; }
  LogicalResult bufferize(Operation *op, RewriterBase &rewriter, const BufferizationOptions &options,
                          BufferizationState &state) const {
    for (OpOperand &operand : op->getOpOperands()) {
      if (!isa<TensorType>(operand.get().getType()))
        continue;
      FailureOr<Value> buffer = getBuffer(rewriter, operand.get(), options, state);
      if (failed(buffer))
        return failure();
      rewriter.modifyOpInPlace(op, [&] { operand.set(*buffer); });
    }
    return success();
  }
};
} // namespace

void weft::check::registerBufferizableOpInterfaceExternalModels(DialectRegistry &registry) {
  registry.addExtension(+[](MLIRContext *context, CheckDialect *) {
    ExpectCloseOp::attachInterface<BufferizeExpectation<ExpectCloseOp>>(*context);
    ExpectEqOp::attachInterface<BufferizeExpectation<ExpectEqOp>>(*context);
  });
}
