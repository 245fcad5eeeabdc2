// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef WEFT_DIALECTS_WEFT_WEFTINTERFACES_TD
#define WEFT_DIALECTS_WEFT_WEFTINTERFACES_TD

include "mlir/IR/OpBase.td"

def Weft_DecomposableOpInterface : OpInterface<"DecomposableOpInterface"> {
  let cppNamespace = "::weft";
  let description = "An op on tensors that can be replaced by its definition in linalg, tensor and arith ops.";
  let methods = [
    InterfaceMethod<[{
      Builds the definition at the builder's insertion point and returns what replaces the op's results. Fails only
      when the op works on memrefs.
    }], "::mlir::FailureOr<::llvm::SmallVector<::mlir::Value>>", "decompose", (ins "::mlir::OpBuilder &":$builder)>
  ];
}

def Weft_StatefulOpInterface : OpInterface<"StatefulOpInterface"> {
  let cppNamespace = "::weft";
  let description = [{
    An op in destination style that reads some of its destinations before it writes them: a state, which goes from one
    call to the next in the same memory.
  }];
  let methods = [
    InterfaceMethod<"The destinations that are read: the last of the op's operands.", "::mlir::MutableOperandRange",
                    "getStatesMutable", (ins)>
  ];
  let extraClassDeclaration = [{
    /// Whether the operand is a destination that is read.
    bool isState(::mlir::OpOperand &operand) {
      return llvm::any_of(getStatesMutable(), [&](::mlir::OpOperand &state) { return &state == &operand; });
    }
  }];
}

#endif // WEFT_DIALECTS_WEFT_WEFTINTERFACES_TD
