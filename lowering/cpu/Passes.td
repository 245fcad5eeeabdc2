// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The cpu phase: vector code → the LLVM dialect.
#ifndef WEFT_LOWERING_CPU_PASSES_TD
#define WEFT_LOWERING_CPU_PASSES_TD

include "mlir/Pass/PassBase.td"

def ConvertTiles : Pass<"weft-convert-tiles", "::mlir::ModuleOp"> {
  let summary = "Turns amx ops and the loops that carry tiles into the LLVM dialect's types and intrinsics";
  let description = [{
    Before: `amx` ops on memrefs, `scf.for` with `!amx.tile` values. After: calls of LLVM's intrinsics, loops with
    `!llvm.x86_amx` values. Nothing else changes.

    Example:
    ```mlir
    %t = amx.tile_zero : !amx.tile<16x16xi32>
    amx.tile_store %y[%zero, %zero], %t : memref<16x16xi32>, !amx.tile<16x16xi32>
    ```
    becomes
    ```
    %t = llvm.call_intrinsic "llvm.x86.tilezero.internal"(%rows, %bytes) : (i16, i16) -> !llvm.x86_amx
    llvm.call_intrinsic "llvm.x86.tilestored64.internal"(%rows, %bytes, %pointer, %stride, %t) : …
    ```
  }];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect"];
}

def ConvertForall : Pass<"weft-convert-forall", "::mlir::ModuleOp"> {
  let summary = "Outlines parallel loops into functions that the runtime's pool runs";
  let description = [{
    Before: `scf.forall` in kernel functions. After: each is a call of the runtime's `parallel_for` with a function
    over a range of items; every function takes the call record as its first argument.

    Example:
    ```mlir
    scf.forall (%i, %j) = (0, 0) to (%n, 8) step (1, 4) {
      %scratch = memref.alloca() : memref<4xf32>
      memref.store %zero, %scratch[%c0] : memref<4xf32>
      %v = memref.load %scratch[%c0] : memref<4xf32>
      memref.store %v, %x[%i, %j] : memref<?x8xf32>
    } {weft.item_cost = 32 : i64}
    ```
    becomes
    ```
    llvm.call %parallel_for(%call, @kernel_items, %record, %items, 32)

    func.func private @kernel_items(%record: !llvm.ptr, %begin: i64, %end: i64) { … scf.for %item = %begin to %end … }
    ```
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::func::FuncDialect", "::mlir::LLVM::LLVMDialect",
                           "::mlir::scf::SCFDialect"];
}

def ConvertLaunches : Pass<"weft-convert-launches", "::mlir::ModuleOp"> {
  let summary = "Makes launches of a GPU's kernels calls of the runtime";
  let description = [{
    Before: `gpu.launch_func` in functions whose first argument is the call record. After: each is a call of the
    runtime's `launch` with the kernel's number, its place in `gpu.module @kernels`, and an array of pointers to the
    arguments. Shared memory and threads of a block are in the descriptor's table of kernels. Tensor maps, which
    `weft.tensor_maps` describes, are encoded before by the runtime's `encode_tensor_map`.

    Example:
    ```mlir
    gpu.launch_func @kernels::@k blocks in (%n, %c1, %c1) threads in (%c128, %c1, %c1) args(%count : i64)
    ```
    becomes
    ```
    llvm.store %count, %slot
    llvm.store %slot, %arguments[0]
    llvm.call %launch(%call, 0, %n, 1, 1, %arguments)
    ```
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::LLVM::LLVMDialect"];
}

def MarkKernels : Pass<"weft-mark-kernels", "::mlir::ModuleOp"> {
  let summary = "Says what of a device module are kernels, in the NVVM dialect's words";
  let description = [{
    Before: `llvm.func` with `gpu.kernel` and `weft.threads` in a `gpu.module`. After: they have `nvvm.kernel` and
    `nvvm.reqntid`, which no other op may have, and so cannot be given to them earlier.

    Example:
    ```mlir
    llvm.func @k() attributes {gpu.kernel, weft.threads = 128 : i32}
    ```
    becomes
    ```
    llvm.func @k() attributes {gpu.kernel, nvvm.kernel, nvvm.reqntid = array<i32: 128, 1, 1>}
    ```
  }];
  let dependentDialects = ["::mlir::NVVM::NVVMDialect"];
}

def AnnounceExperts : Pass<"weft-announce-experts", "::mlir::ModuleOp"> {
  let summary = "Tells the runtime which experts' weights an entry is about to read";
  let description = [{
    Before: entries that call kernels whose arguments are named by `weft.experts`, every function with the call record as
    its first argument. After: behind the call that writes the offsets, the runtime's `experts_chosen` is called for each
    parameter that is read by them, in the order of their use.

    Example:
    ```mlir
    func.func @encode(%call: !llvm.ptr, %x: memref<8x4xf32>, %offsets: memref<5xi32>) attributes {weft.entry} {
      %w = weft.parameter "w" : memref<4x1x4x16xf32>
      call @dispatch(%call, %offsets) : (!llvm.ptr, memref<5xi32>) -> ()
      call @experts(%call, %x, %w, %offsets) : (!llvm.ptr, memref<8x4xf32>, memref<4x1x4x16xf32>, memref<5xi32>) -> ()
      return
    }
    ```
    becomes
    ```
    call @dispatch(%call, %offsets)
    llvm.call %experts_chosen(%call, %w, 256, %offsets, 4)
    call @experts(%call, %x, %w, %offsets)
    ```
  }];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect"];
}

def ConvertEntry : Pass<"weft-convert-entry", "::mlir::ModuleOp"> {
  let summary = "Wraps entry functions as the ABI wants them";
  let description = [{
    Before: entry functions on memrefs with `weft.dim` and `weft.arena` arguments, `weft.parameter` ops in them.
    After: `weft_<entry>_run` and `weft_<entry>_arena` in the LLVM dialect; parameters are pointers of the call record.

    Example:
    ```mlir
    func.func @encode(%call: !llvm.ptr, %x: memref<?x8xf32> {weft.name = "x", weft.dims = ["n", ""]},
                      %y: memref<?x8xf32> {weft.name = "y", weft.dims = ["n", ""], weft.output},
                      %n: index {weft.dim = "n"}, %arena: memref<?xi8> {weft.arena}) attributes {weft.entry} {
      %w = weft.parameter "w" : memref<4x8xf32>
      call @kernel(%call, %x, %w, %y) : (!llvm.ptr, memref<?x8xf32>, memref<4x8xf32>, memref<?x8xf32>) -> ()
      return
    }
    ```
    becomes
    ```
    llvm.func @weft_encode_run(%call: !llvm.ptr) -> i32     // wraps the record's pointers, checks the arena, calls @encode
    llvm.func @weft_encode_arena(%dims: !llvm.ptr) -> i64
    ```
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::func::FuncDialect", "::mlir::LLVM::LLVMDialect"];
}

def ConvertViews : Pass<"weft-convert-views", "::mlir::ModuleOp"> {
  let summary = "Spells out the strides of expanded views";
  let description = [{
    Before: `memref.expand_shape`, possibly of one dimension into several dynamic ones. After: `memref.reinterpret_cast`.

    Example:
    ```mlir
    %y = memref.expand_shape %x [[0, 1], [2, 3]] output_shape [%b, %s, 2, 4] : memref<?x8xf32> into memref<?x?x2x4xf32>
    ```
    becomes
    ```
    %y = memref.reinterpret_cast %base to offset: [0], sizes: [%b, %s, 2, 4], strides: [%s · 8, 8, 4, 1]
    ```
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::memref::MemRefDialect"];
}

def MoveHalves : Pass<"weft-move-halves", "::mlir::ModuleOp"> {
  let summary = "Moves bf16 and f16 as integers";
  let description = [{
    Before: the LLVM dialect. After: loads, stores, selections and moves of lanes that had bf16 or f16 have i16, with
    bitcasts at the ops that compute. LLVM has masked moves of 16-bit integers wherever it has those of halves, and needs
    no call to take one out of a vector.

    Example:
    ```mlir
    llvm.func @copy(%from: !llvm.ptr, %to: !llvm.ptr) {
      %x = llvm.load %from : !llvm.ptr -> vector<8xbf16>
      llvm.store %x, %to : vector<8xbf16>, !llvm.ptr
      llvm.return
    }
    ```
    becomes
    ```
    %x = llvm.load %from : !llvm.ptr -> vector<8xi16>
    llvm.store %x, %to : vector<8xi16>, !llvm.ptr
    ```
  }];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect"];
}

#endif // WEFT_LOWERING_CPU_PASSES_TD
