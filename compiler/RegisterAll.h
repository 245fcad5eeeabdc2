// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// All that a tool over MLIR text has to know.
#ifndef WEFT_COMPILER_REGISTERALL_H
#define WEFT_COMPILER_REGISTERALL_H

namespace mlir {
class DialectRegistry;
} // namespace mlir

namespace weft {
/// Weft's dialects, MLIR's, and the interfaces that they implement.
void registerAllDialects(mlir::DialectRegistry &registry);

/// Weft's passes and pipelines, and MLIR's.
void registerAllPasses();
} // namespace weft

#endif // WEFT_COMPILER_REGISTERALL_H
