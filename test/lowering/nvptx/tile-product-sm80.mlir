// A product of 128 x 128 x 32 steps by mma.sync, four stages of cp.async: y = x · wᵀ in bf16, any extents.
// RUN: rm -rf %t && mkdir %t
// RUN: weft-opt %s --weft-place-buffers --weft-convert-tile-ops --weft-cpu-phase -o %t/product.mlir
// RUN: weft-translate --weft-to-ptx --ptx-target=sm_80 --ptx-dir=%t/product %t/product.mlir | FileCheck %s
// RUN: %ptxas-gate --check %s %t/product/product.ptx

// CHECK: .entry product
// CHECK: cp.async.wait_group {{.*}}2
// CHECK-COUNT-8: cp.async.cg.shared.global
// CHECK: ldmatrix.sync.aligned.m8n8.x4.shared.b16
// CHECK-COUNT-64: mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32
// CHECK-NOT: mma.sync
// GATE: product registers 216 shared 65536 stack 0
// Copies for three steps ahead are under way while the products of a step follow each other.
// SASS: product loop[HMMA] keep[LDGSTS HMMA DEPBAR]: DEPBAR LDGSTS{8} HMMA{64}
#sum = #tile.accumulator<rows = 2, columns = 2>
!sum = !tile.fragment<128x128xf32, #sum>
!stage = !tile.buffer<128x32xbf16, swizzle = 64>
!ring = !tile.buffer<128x32xbf16, swizzle = 64, stages = 4>
gpu.module @kernels {
  llvm.func @product(%x: !llvm.ptr<1>, %w: !llvm.ptr<1>, %y: !llvm.ptr<1>, %m: i64, %n: i64, %k: i64)
      attributes {nvvm.kernel, nvvm.minctasm = 2 : i32, nvvm.reqntid = array<i32: 128, 1, 1>, weft.threads = 128 : i32} {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %c3 = arith.constant 3 : index
    %c31 = arith.constant 31 : index
    %c32 = arith.constant 32 : index
    %c128 = arith.constant 128 : index
    %zero = arith.constant 0.0 : f32
    %rows = arith.index_cast %m : i64 to index
    %columns = arith.index_cast %n : i64 to index
    %depth = arith.index_cast %k : i64 to index
    %bx = nvvm.read.ptx.sreg.ctaid.x : i32
    %by = nvvm.read.ptx.sreg.ctaid.y : i32
    %bxi = arith.index_cast %bx : i32 to index
    %byi = arith.index_cast %by : i32 to index
    %row = arith.muli %byi, %c128 : index
    %column = arith.muli %bxi, %c128 : index
    %up = arith.addi %depth, %c31 : index
    %steps = arith.divui %up, %c32 : index
    %a = tile.alloc : !ring
    %b = tile.alloc : !ring
    scf.for %i = %c0 to %c3 step %c1 {
      %at = arith.muli %i, %c32 : index
      %a_next = tile.stage %a[%i] : !ring
      %b_next = tile.stage %b[%i] : !ring
      tile.copy_async %x[%row, %at] in (%rows, %depth) stride %depth to %a_next {warps = 4 : i64} : !llvm.ptr<1> to !stage
      tile.copy_async %w[%column, %at] in (%columns, %depth) stride %depth to %b_next {warps = 4 : i64} : !llvm.ptr<1> to !stage
      tile.commit_copies
    }
    %none = tile.splat %zero : f32 to !sum
    %s = scf.for %i = %c0 to %steps step %c1 iter_args(%sum = %none) -> (!sum) {
      tile.wait_copies {pending = 2 : i64}
      tile.sync
      %a_now = tile.stage %a[%i] : !ring
      %b_now = tile.stage %b[%i] : !ring
      %ahead = arith.addi %i, %c3 : index
      %at = arith.muli %ahead, %c32 : index
      %a_next = tile.stage %a[%ahead] : !ring
      %b_next = tile.stage %b[%ahead] : !ring
      tile.copy_async %x[%row, %at] in (%rows, %depth) stride %depth to %a_next {warps = 4 : i64} : !llvm.ptr<1> to !stage
      tile.copy_async %w[%column, %at] in (%columns, %depth) stride %depth to %b_next {warps = 4 : i64} : !llvm.ptr<1> to !stage
      tile.commit_copies
      %next = tile.mma %a_now, b_transposed %b_now, %sum : !stage, !stage -> !sum
      scf.yield %next : !sum
    }
    tile.wait_copies {pending = 0 : i64}
    tile.store_global %s to %y[%row, %column] in (%rows, %columns) stride %columns {bytes = 8 : i64, even} : !sum to !llvm.ptr<1>
    llvm.return
  }
}
