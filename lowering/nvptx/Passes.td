// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The phases blocks and nvptx: products and vector code → functions for the threads of a GPU, and their launches.
#ifndef WEFT_LOWERING_NVPTX_PASSES_TD
#define WEFT_LOWERING_NVPTX_PASSES_TD

include "mlir/Pass/PassBase.td"

def BlockProducts : Pass<"weft-block-products", "::mlir::ModuleOp"> {
  let summary = "Computes products of weights on matrix units";
  let description = [{
    Before: kernel functions; the items of some are a product of f32 rows with a weight of f32, bf16 or f16 in panels
    of one column, and at most one elementwise op that reads it (`lowering/analysis/BlockProduct.h`). After: these are launches
    of a function of `tile` ops, a block of 128 threads for an item, marked `weft.block`. Columns of the weight come by
    `cp.async` through a ring of four stages; rows come to registers one step ahead and are rounded to the weight's type
    there; sums are f32. Up to 16 rows are for blocks of one warp, 16 rows × 16 columns with eight stages of 64 steps: a
    function `_few` beside the other, or alone; where the number of rows is not known, the host chooses. Rows have the
    same bits in both. With a weight of f32 rows come through a ring, too, and each step of 16 has a sum of its own.

    Example:
    ```mlir
    weft.packed_matmul ins(%x, %w : memref<128x256xf32>, memref<64x128x2xbf16>) outs(%y : memref<128x64xf32>)
    ```
    becomes
    ```
    %ring = tile.alloc : !tile.buffer<64x32xbf16, swizzle = 64, stages = 4>
    …
    %sum = scf.for %step = %c0 to %steps step %c1 iter_args(%rows = …, %s = …) {
      tile.wait_copies {pending = 2 : i64}
      tile.sync
      …
      %a = tile.convert %rows : … to !tile.fragment<128x32xbf16, #tile.operand<side = "a", rows = 4, columns = 1>>
      %more = tile.mma %a, b_transposed %stage, %s : …
    }
    tile.store_global %sum to %y[%c0, %c0] in (%m, %n) stride %n : …
    ```
  }];
  let dependentDialects = ["::mlir::affine::AffineDialect", "::mlir::arith::ArithDialect", "::mlir::func::FuncDialect",
                           "::mlir::gpu::GPUDialect", "::mlir::LLVM::LLVMDialect", "::mlir::memref::MemRefDialect",
                           "::mlir::NVVM::NVVMDialect", "::mlir::scf::SCFDialect", "::weft::tile::TileDialect"];
}

def BlockDecode : Pass<"weft-block-decode", "::mlir::ModuleOp"> {
  let summary = "Computes attention of few queries by blocks of threads that read each key once";
  let description = [{
    Before: kernel functions; the items of some are attention of few queries (`lowering/analysis/BlockDecode.h`). After:
    these are launches of a function for a block of 128 threads, marked `weft.block`, for each batch, head of the keys and
    split: keys and values are read once, 16 bytes a thread, for all query heads that share them; products are
    multiply-adds in f32. Scores of a chunk of keys, row maxima and sums lie in shared memory. Only keys that the mask may
    show are visited.

    Example:
    ```mlir
    weft.attention {scale = 0.5 : f32, indexing_maps = [#q, #k, #v, #o64, #l64]}
      ins(%q, %k, %v : memref<1x4x1x128xf32>, memref<1x?x1x128xf32>, memref<1x?x1x128xf32>)
      outs(%o, %l : memref<1x1x4x1x128xf32>, memref<1x1x1x4xf32>)
    ```
    becomes
    ```
    scf.for %chunk = … {
      scf.for %key = … {
        %words = llvm.load %row {alignment = 16} : !llvm.ptr<1> -> vector<4xi32>
        %score = math.fma …
        %other = nvvm.shfl.sync bfly …
      }
      tile.sync
      …
    }
    ```
  }];
  let dependentDialects = ["::mlir::affine::AffineDialect", "::mlir::arith::ArithDialect", "::mlir::func::FuncDialect",
                           "::mlir::gpu::GPUDialect", "::mlir::LLVM::LLVMDialect", "::mlir::math::MathDialect",
                           "::mlir::memref::MemRefDialect", "::mlir::NVVM::NVVMDialect", "::mlir::scf::SCFDialect",
                           "::weft::tile::TileDialect"];
}

def BlockAttention : Pass<"weft-block-attention", "::mlir::ModuleOp"> {
  let summary = "Computes attention of many queries on matrix units";
  let description = [{
    Before: kernel functions; the items of some are attention of a block of queries of one head
    (`lowering/analysis/BlockAttention.h`). After: these are launches of a function of `tile` ops, a block of 128 threads
    for an item, marked `weft.block`. Scores stay in registers (FlashAttention-2, arXiv:2307.08691). Steps of keys that
    the mask region hides whole are not visited, and it is evaluated only where it decides something. Queries, keys and
    values are multiplied in bf16 or f16, where they hold it or the program allows it, else in f32 as sums of three
    products in tf32.

    Example:
    ```mlir
    weft.attention {indexing_maps = [#q, #k, #v, #o], scale = 0.25 : f32} ins(%q, %k, %v : memref<1x1x40x24xf32>, memref<1x1x?x24xf32>, memref<1x1x?x10xf32>) outs(%o : memref<1x1x40x10xf32>)
    ```
    becomes
    ```
    %r:3 = scf.for %j = %first to %end step %c64 iter_args(%sums = …, %maxima = …, %parts = …) {
      tile.wait_copies {pending = 0 : i64}
      tile.sync
      tile.copy_async %v[%j, %c0] … to %values
      %s = tile.mma %queries, b_transposed %keys, %none {split} : …
      …
      tile.store %p to %weights : …
      %next = tile.mma %weights, %values, %shrunk {split} : …
    }
    ```
  }];
  let dependentDialects = ["::mlir::affine::AffineDialect", "::mlir::arith::ArithDialect", "::mlir::func::FuncDialect",
                           "::mlir::gpu::GPUDialect", "::mlir::LLVM::LLVMDialect", "::mlir::math::MathDialect",
                           "::mlir::memref::MemRefDialect", "::mlir::NVVM::NVVMDialect", "::mlir::scf::SCFDialect",
                           "::weft::tile::TileDialect"];
}

def WarpGroupProducts : Pass<"weft-warp-group-products", "::mlir::ModuleOp"> {
  let summary = "Computes products of weights in halves on matrix units of Hopper";
  let description = [{
    Before: kernel functions for sm_90a; the items of some are what `weft-block-products` computes, with a weight of bf16
    or f16 whose rows are multiples of 16 bytes. After: these are launches of functions of `tile` ops, marked
    `weft.block`, with a tensor map of the weight, which the launch describes (`weft.tensor_maps`). One warp group fills a
    ring by bulk copies; each other one has 64 rows, which come to its registers one step ahead and are rounded to the
    weight's type there, left factors of wgmma. There are up to three kinds of blocks, among which the host chooses by
    the number of rows: for up to 16 (`_few`), 32 columns and one group; for more, until wide blocks would occupy most of a
    device (`_some`), 64 columns and two groups; else as many columns as an item has, up to 256. Rows have the same bits
    in all.

    Example:
    ```mlir
    weft.packed_matmul ins(%x, %w : memref<128x256xf32>, memref<64x128x2xbf16>) outs(%y : memref<128x64xf32>)
    ```
    becomes
    ```
    tile.roles {consumers = 2 : i64, registers = array<i64: 24, 104>} producer {
      scf.for … { tile.fill %full[%step] : … { tile.load_tensor %map[%k, %column] to %stage : … } }
    } consumer {
    ^bb0(%group: index):
      scf.for … {
        %a = tile.convert %rows : … to !tile.fragment<64x64xbf16, #tile.operand<side = "a", rows = 4, columns = 1>>
        %more = tile.warp_group_mma %a, b_transposed %stage plus %sum : …
        %next = tile.load_global %x[%row, %ahead] …
        …
      }
      tile.store_global %sum to %y[%row, %column] …
    }
    ```
  }];
  let dependentDialects = ["::mlir::gpu::GPUDialect", "::mlir::LLVM::LLVMDialect", "::mlir::NVVM::NVVMDialect",
                           "::mlir::memref::MemRefDialect", "::mlir::scf::SCFDialect", "::weft::tile::TileDialect"];
}

def WarpGroupAttention : Pass<"weft-warp-group-attention", "::mlir::ModuleOp"> {
  let summary = "Computes attention of many queries on matrix units of Hopper";
  let description = [{
    Before: kernel functions for sm_90a; the items of some are attention of up to 128 queries of one head, whose queries,
    keys and values are in bf16 or f16 (`lowering/analysis/BlockAttention.h`). After: these are launches of a function of
    `tile` ops, marked `weft.block`, a block of 384 threads for an item, with tensor maps of queries, keys and values,
    which the launch describes (`weft.tensor_maps`). One warp group fills rings of two stages by bulk copies; two have 64
    queries each and take turns: the products of one run beside the softmax of the other. Within a group, the scores of
    the next keys and the product with the last values are computed together (FlashAttention-3, arXiv:2407.08608). Keys
    come from the last to the first, so that those that a causal mask cuts come first.

    Example:
    ```mlir
    weft.attention {indexing_maps = [#q, #k, #v, #o], scale = 0.125 : f32} ins(%q1, %k1, %v1 : memref<1x?x1x64xbf16, strided<[?, 256, 64, 1], offset: ?>>, memref<1x?x1x64xbf16, strided<[?, 128, 64, 1], offset: ?>>, memref<1x?x1x64xbf16, strided<[?, 128, 64, 1], offset: ?>>) outs(%o1 : memref<1x?x1x64xbf16, strided<[?, 256, 64, 1], offset: ?>>)
    ```
    becomes
    ```
    tile.roles {consumers = 2 : i64, registers = array<i64: 24, 240>} producer {
      tile.fill %q_full[%c0] : … { tile.load_tensor %q[%c0, %head, %first, %batch] to %queries : … }
      …
    } consumer {
    ^bb0(%group: index):
      %next = tile.warp_group_mma %mine, b_transposed %k_now : …
      %sums = tile.warp_group_mma %weights, %v_now plus %before : …
      %scores = tile.wait_products %next {pending = 1 : i64} : …
      …
    }
    ```
  }];
  let dependentDialects = ["::mlir::affine::AffineDialect", "::mlir::arith::ArithDialect", "::mlir::func::FuncDialect",
                           "::mlir::gpu::GPUDialect", "::mlir::LLVM::LLVMDialect", "::mlir::math::MathDialect",
                           "::mlir::memref::MemRefDialect", "::mlir::NVVM::NVVMDialect", "::mlir::scf::SCFDialect",
                           "::weft::tile::TileDialect"];
}

def BlockRows : Pass<"weft-block-rows", "::mlir::ModuleOp"> {
  let summary = "Computes what reduces long rows by blocks of threads";
  let description = [{
    Before: kernel functions; the items of some are elementwise ops and reductions, one of which has 512 elements or more,
    or nobody knows how many: norms, what combines splits of attention. After: these are launches of a function for a
    block of 256 threads, marked `weft.block`. Threads share an op's elements; of a reduction each adds up every 256th (or,
    where there are several sums, fewer share one), lanes meet by shuffles, warps in shared memory, where scratch lies
    too. A barrier stands between ops.

    Example:
    ```mlir
    linalg.generic {indexing_maps = [#row, #sum], iterator_types = ["parallel", "reduction"]}
      ins(%xi : memref<1x4096xf32, strided<[4096, 1], offset: ?>>) outs(%sum : memref<1xf32>)
    ```
    becomes
    ```
    %mine = scf.for %i = %thread to %c4096 step %c1024 iter_args(%s = %zero) -> f32 { … }
    %other = nvvm.shfl.sync bfly %all, %mine, %one, %clamp : f32 -> f32
    …
    tile.sync
    ```
  }];
  let dependentDialects = ["::mlir::affine::AffineDialect", "::mlir::arith::ArithDialect", "::mlir::func::FuncDialect",
                           "::mlir::gpu::GPUDialect", "::mlir::LLVM::LLVMDialect", "::mlir::math::MathDialect",
                           "::mlir::memref::MemRefDialect", "::mlir::NVVM::NVVMDialect", "::mlir::scf::SCFDialect",
                           "::weft::tile::TileDialect"];
}

def OutlineLaunches : Pass<"weft-outline-launches", "::mlir::ModuleOp"> {
  let summary = "Outlines parallel loops into functions that a GPU runs";
  let description = [{
    Before: kernel functions of vector code, mostly `scf.forall`. After: each is a `gpu.launch_func` of a function in
    `gpu.module @kernels` with scalar arguments; what is left on the host are extents and offsets. A group of 16
    threads runs an item: 8 items share a block, or fewer where their scratch would not fit its shared memory.
    Scratch (`memref.alloca`) becomes a part of that memory, or of the launch's scratch in global memory where it is
    larger, with a remark. A kernel without a loop is one item, and so is what a kernel
    writes for others before or after its loop.

    A pointer of a view keeps the number of the kernel function's argument that it came from, `weft.root`: pointers of
    different roots do not overlap. Of arguments that a call gives the same buffer it is −1: that may overlap with any.

    Example:
    ```mlir
    scf.forall (%i) = (0) to (%n) step (16) {
      %v = vector.load %x[%i] : memref<?xf32>, vector<16xf32>
      vector.store %v, %y[%i] : memref<?xf32>, vector<16xf32>
    }
    ```
    becomes
    ```
    gpu.launch_func @kernels::@k blocks in (%blocks, %c1, %c1) threads in (%c128, %c1, %c1) args(%count : i64, …)

    gpu.module @kernels {
      func.func @k(%count: i64, %x: !llvm.ptr<1>, …) attributes {gpu.kernel, …} {
        … scf.if %isItem { … }
      }
    }
    ```
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::func::FuncDialect", "::mlir::gpu::GPUDialect",
                           "::mlir::LLVM::LLVMDialect", "::mlir::memref::MemRefDialect", "::mlir::NVVM::NVVMDialect",
                           "::mlir::scf::SCFDialect"];
}

def SynchronizeLanes : Pass<"weft-synchronize-lanes", "::mlir::ModuleOp"> {
  let summary = "Puts barriers between what the threads of an item write and what they read";
  let description = [{
    Before: device functions of vector code, which means one thread. After: the same, with `nvvm.bar.warp.sync` of an
    item's 16 threads wherever a lane may read what another lane has written, or write what another lane has yet to
    read. Buffers of different roots do not overlap; within a root any two accesses may.

    Example:
    ```mlir
    vector.store %v, %scratch[%c0] : memref<16xf32>, vector<16xf32>
    %s = memref.load %scratch[%i] : memref<16xf32>
    ```
    becomes
    ```
    vector.store %v, %scratch[%c0] : memref<16xf32>, vector<16xf32>
    nvvm.bar.warp.sync %group : i32
    %s = memref.load %scratch[%i] : memref<16xf32>
    ```
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::NVVM::NVVMDialect"];
}

def DistributeLanes : Pass<"weft-distribute-lanes", "::mlir::ModuleOp"> {
  let summary = "Gives each lane of a vector to a thread";
  let description = [{
    Before: device functions of code on vectors of at most 16 elements, or of 16 · k. After: code on scalars, one lane a
    thread, or k neighbours; what was a scalar is computed by every thread. Loads and stores of vectors are of neighbours; shuffles, reductions and extractions are
    `nvvm.shfl.sync` among 16 threads; the first of them stores scalars.

    Example:
    ```mlir
    %v = vector.load %x[%i] : memref<?xf32>, vector<16xf32>
    %w = arith.mulf %v, %v : vector<16xf32>
    %s = vector.extract %w[3] : f32 from vector<16xf32>
    ```
    becomes
    ```
    %j = arith.addi %i, %lane : index
    %v = memref.load %x[%j] : memref<?xf32>
    %w = arith.mulf %v, %v : f32
    %s = nvvm.shfl.sync idx %group, %w, %three, %clamp : f32 -> f32
    ```
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::math::MathDialect", "::mlir::memref::MemRefDialect",
                           "::mlir::NVVM::NVVMDialect", "::mlir::scf::SCFDialect"];
}

def PlaceBuffers : Pass<"weft-place-buffers"> {
  let summary = "Gives buffers and barriers their places in a block's shared memory";
  let description = [{
    Before: `tile.alloc` and `tile.pipeline` without an offset. After: each has one, aligned as its swizzle needs, and the
    function's `weft.shared_bytes` is their sum, after what it was before.

    Example:
    ```mlir
    %a = tile.alloc : !tile.buffer<128x32xbf16, swizzle = 64, stages = 4>
    ```
    becomes
    ```
    %a = tile.alloc {offset = 0 : i64} : !tile.buffer<128x32xbf16, swizzle = 64, stages = 4>
    ```
  }];
}

def ConvertTileOps : Pass<"weft-convert-tile-ops"> {
  let summary = "Turns what a block does into what each of its threads does";
  let description = [{
    Before: functions of `tile` ops, `scf` and `arith`, buffers with their places. After: the same in `nvvm`, `llvm`, `scf`
    and `arith` for one thread; a fragment is its registers, also where a loop carries it. `math.exp2` that may be approximate
    (`afn`) is ex2.approx.ftz.

    Example:
    ```mlir
    %peak = tile.reduce max %sum : !tile.fragment<128x128xf32, #tile.accumulator<rows = 4, columns = 1>> -> !tile.fragment<128xf32, #tile.row_values<rows = 4, columns = 1>>
    ```
    becomes, for each of a lane's four rows,
    ```
    %x = arith.maxnumf … : f32
    %y = nvvm.shfl.sync bfly %all, %x, %one, %clamp : f32 -> f32
    …
    ```
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::LLVM::LLVMDialect", "::mlir::NVVM::NVVMDialect",
                           "::mlir::scf::SCFDialect"];
}

#endif // WEFT_LOWERING_NVPTX_PASSES_TD
