// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A parallel loop as a device function and its launch; what is in the function, passes say.
#ifndef WEFT_LOWERING_NVPTX_KERNELOUTLINE_H
#define WEFT_LOWERING_NVPTX_KERNELOUTLINE_H

#include "dialects/weft/WeftDialect.h"

#include "mlir/Conversion/LLVMCommon/TypeConverter.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/SymbolTable.h"

namespace weft {

/// The device module of a program, and what is in it already.
struct DeviceModule {
  mlir::gpu::GPUModuleOp module;
  mlir::SymbolTable symbols;

  static DeviceModule findOrCreate(mlir::ModuleOp host);
  /// All shared memory is one array of the launch's size.
  mlir::LLVM::GlobalOp sharedMemory();
  /// In global memory: gives the launch's scratch, of which each block has a part of its function's size,
  /// `weft.scratch_bytes` (the first pointer with which Triton's launchers end a kernel's arguments).
  mlir::LLVM::LLVMFuncOp launchScratch();
  /// A table of constants, which the device has for itself.
  void copyGlobal(mlir::memref::GetGlobalOp use);
};

/// What a launch is of: blocks of `threads`, each with `items` iterations of the loop and so much shared memory;
/// `parts` blocks share them, which are numbered along y.
struct BlockShape {
  int64_t threads, items, sharedBytes, parts = 1;
};

/// A view of the host that bulk copies of a kernel see: boxes of it, zeros beyond its extents.
struct TensorMapPlan {
  mlir::Value view;                              ///< the last dimension's elements lie side by side
  mlir::SmallVector<mlir::OpFoldResult> extents; ///< of the host: what of each dimension there is
  mlir::SmallVector<int64_t> box;                ///< of each dimension
  int64_t swizzle;                               ///< bytes
};

/// One scf.forall of a kernel function. The device function's first argument is the number of items, then come what the
/// loop reads of the host, then the tensor maps.
class KernelOutline {
public:
  KernelOutline(mlir::scf::ForallOp forall, const mlir::LLVMTypeConverter &types, DeviceModule &device,
                mlir::ArrayRef<TensorMapPlan> maps = {});

  /// An empty function with one block, named after the kernel function.
  mlir::func::FuncOp createFunction(BlockShape shape, llvm::StringRef suffix = "");
  /// What the loop reads of the host, in the function.
  mlir::IRMapping mapCaptures(mlir::OpBuilder &builder, mlir::func::FuncOp function);
  /// The loop's variables for an item, as on the CPU (ItemSpace.h).
  void mapInductionVariables(mlir::OpBuilder &builder, mlir::IRMapping &mapping, mlir::Value item);
  /// In place of the loop, which stays to be erased.
  void emitLaunch(mlir::func::FuncOp function, BlockShape shape);
  void emitLaunch(mlir::OpBuilder &builder, mlir::func::FuncOp function, BlockShape shape);

private:
  mlir::scf::ForallOp forall;
  const mlir::LLVMTypeConverter &types;
  DeviceModule &device;
  mlir::Location loc;
  mlir::SmallVector<mlir::Value> captures, copies;
  mlir::SmallVector<TensorMapPlan> maps;

  mlir::SmallVector<mlir::Type> argumentTypesOf(mlir::Value capture);
  void flatten(mlir::OpBuilder &builder, mlir::Value capture, mlir::SmallVectorImpl<mlir::Value> &arguments);
  void describe(mlir::OpBuilder &builder, const TensorMapPlan &map, mlir::SmallVectorImpl<mlir::Value> &arguments);
};

/// The most shared memory of a block, in bytes (CUDA C++ Programming Guide, compute capabilities).
int64_t sharedBytesOf(TargetAttr target);

/// A kernel function's loops over items; a kernel without one becomes one item.
mlir::SmallVector<mlir::scf::ForallOp> itemLoopsOf(mlir::func::FuncOp kernel);

/// Marks arguments of kernel functions that some call gives the same buffer: of these, views may overlap.
void markOverlaps(mlir::ModuleOp module);

/// Kernel functions that launch nothing yet.
mlir::SmallVector<mlir::func::FuncOp> kernelsOfHost(mlir::ModuleOp module);

} // namespace weft

#endif // WEFT_LOWERING_NVPTX_KERNELOUTLINE_H
