// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What is behind Context and Graph of weft/Compiler.h.
#ifndef WEFT_COMPILER_GRAPH_H
#define WEFT_COMPILER_GRAPH_H

#include "compiler/emit/Parameters.h"
#include "compiler/include/weft/Compiler.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/IR/OwningOpRef.h"

namespace weft {

struct Context::Impl {
  Impl();
  mlir::MLIRContext mlir;
};

struct Graph::Impl {
  mlir::OwningOpRef<mlir::ModuleOp> module;
  TensorLookup weights;            ///< keeps what it looks into alive
  std::filesystem::path tokenizer; ///< a tokenizer.json; empty when there is none
  std::string tokenizerText;       ///< the same where it lies in no file of its own
  std::string source;              ///< the file or folder's name, for the manifest
  bool handWritten = false;        ///< from a user's text: its mistakes are the user's
};

} // namespace weft

#endif // WEFT_COMPILER_GRAPH_H
