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

#endif // WEFT_DIALECTS_WEFT_WEFTINTERFACES_TD
