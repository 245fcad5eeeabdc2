// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A memref as scalars: what a device function is given of it.
#ifndef WEFT_LOWERING_NVPTX_FLATVIEW_H
#define WEFT_LOWERING_NVPTX_FLATVIEW_H

#include "mlir/Conversion/LLVMCommon/TypeConverter.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinTypes.h"

namespace weft {

constexpr unsigned kGlobalSpace = static_cast<unsigned>(mlir::NVVM::NVVMMemorySpace::Global);
constexpr unsigned kSharedSpace = static_cast<unsigned>(mlir::NVVM::NVVMMemorySpace::Shared);

/// A view as scalars, on the host and on the device.
class FlatView {
public:
  FlatView(mlir::MemRefType type, const mlir::LLVMTypeConverter &types);

  /// Types of the device function's arguments: the pointer, then what is dynamic.
  mlir::SmallVector<mlir::Type> argumentTypes() const;
  /// Their values on the host.
  void flatten(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value view,
               mlir::SmallVectorImpl<mlir::Value> &values) const;
  /// The view again, from the device function's arguments.
  mlir::Value rebuild(mlir::OpBuilder &builder, mlir::Location loc, mlir::ValueRange arguments, int64_t root) const;

  /// A descriptor as a memref of buffer number `root`.
  static mlir::Value castToView(mlir::OpBuilder &builder, mlir::Location loc, mlir::MemRefType type,
                                mlir::Value descriptor, int64_t root);

private:
  mlir::MemRefType type;
  const mlir::LLVMTypeConverter &types;
  mlir::SmallVector<int64_t> strides;
  int64_t offset;
};

} // namespace weft

#endif // WEFT_LOWERING_NVPTX_FLATVIEW_H
