// y = x · w in TYPE with w as [k, n]: 64 x 64 x 32 steps, one stage. Numbers of 16 bits are exchanged by ldmatrix.trans, of
// 32 bits they are loaded one by one; f32 is split into two tf32 for three products.
// RUN: sed "s/TYPE/bf16/g; s/SPLIT//" %s | weft-opt --weft-place-buffers --weft-convert-tile-ops --weft-cpu-phase \
// RUN:   | weft-translate --weft-to-ptx --ptx-target=sm_80 | FileCheck %s --check-prefix=HALF
// RUN: sed "s/TYPE/f32/g; s/SPLIT/{split}/" %s | weft-opt --weft-place-buffers --weft-convert-tile-ops --weft-cpu-phase \
// RUN:   | weft-translate --weft-to-ptx --ptx-target=sm_80 | FileCheck %s --check-prefix=SPLIT

// HALF: ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16
// HALF: mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32
// SPLIT: ld.shared.b32
// SPLIT-COUNT-48: mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32
#sum = #tile.accumulator<rows = 4, columns = 1>
!sum = !tile.fragment<64x64xf32, #sum>
!x = !tile.buffer<64x32xTYPE, swizzle = 64>
!w = !tile.buffer<32x64xTYPE, swizzle = 64>
gpu.module @kernels {
  func.func @product(%x: !llvm.ptr<1>, %w: !llvm.ptr<1>, %y: !llvm.ptr<1>, %m: i64, %n: i64, %k: i64)
      attributes {gpu.kernel, weft.threads = 128 : i32} {
    %c0 = arith.constant 0 : index  %c1 = arith.constant 1 : index
    %c31 = arith.constant 31 : index  %c32 = arith.constant 32 : index  %c64 = arith.constant 64 : index
    %zero = arith.constant 0.0 : f32
    %rows = arith.index_cast %m : i64 to index
    %columns = arith.index_cast %n : i64 to index
    %depth = arith.index_cast %k : i64 to index
    %bx = nvvm.read.ptx.sreg.ctaid.x : i32
    %by = nvvm.read.ptx.sreg.ctaid.y : i32
    %bxi = arith.index_cast %bx : i32 to index
    %byi = arith.index_cast %by : i32 to index
    %row = arith.muli %byi, %c64 : index
    %column = arith.muli %bxi, %c64 : index
    %up = arith.addi %depth, %c31 : index
    %steps = arith.divui %up, %c32 : index
    %xs = tile.alloc : !x
    %ws = tile.alloc : !w
    %none = tile.splat %zero : f32 to !sum
    %s = scf.for %i = %c0 to %steps step %c1 iter_args(%sum = %none) -> (!sum) {
      %at = arith.muli %i, %c32 : index
      tile.sync
      tile.copy_async %x[%row, %at] in (%rows, %depth) stride %depth to %xs {warps = 4 : i64} : !llvm.ptr<1> to !x
      tile.copy_async %w[%at, %column] in (%depth, %columns) stride %columns to %ws {warps = 4 : i64} : !llvm.ptr<1> to !w
      tile.commit_copies
      tile.wait_copies {pending = 0 : i64}
      tile.sync
      %next = tile.mma %xs, %ws, %sum SPLIT : !x, !w -> !sum
      scf.yield %next : !sum
    }
    tile.store_global %s to %y[%row, %column] in (%rows, %columns) stride %columns {bytes = 8 : i64, even} : !sum to !llvm.ptr<1>
    return
  }
}
