// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The weft dialect: attention, scans and routing as structured ops on tensors.
#ifndef WEFT_DIALECTS_WEFT_WEFTDIALECT_TD
#define WEFT_DIALECTS_WEFT_WEFTDIALECT_TD

include "mlir/IR/OpBase.td"

def Weft_Dialect : Dialect {
  let name = "weft";
  let cppNamespace = "::weft";
  let summary = "Transformer graphs: attention, normalisation, embeddings, weights and fused kernels";
  let description = [{
    Structured ops in destination style on ranked tensors (and, after bufferization, memrefs) of any, also
    dynamic, extents. Each op says what it means in `docs/spec.md`, decomposes by definition into
    linalg, tensor and arith ops, and can be tiled.
  }];
  let dependentDialects = [
    "::mlir::affine::AffineDialect", "::mlir::arith::ArithDialect", "::mlir::linalg::LinalgDialect",
    "::mlir::math::MathDialect", "::mlir::memref::MemRefDialect", "::mlir::scf::SCFDialect",
    "::mlir::tensor::TensorDialect"
  ];
  let useDefaultAttributePrinterParser = 1;
}

#endif // WEFT_DIALECTS_WEFT_WEFTDIALECT_TD
