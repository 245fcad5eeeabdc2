// A product of 128 x 256 x 64 steps by wgmma: one warp group copies by TMA, two multiply 64 rows each.
// RUN: rm -rf %t && mkdir %t
// RUN: weft-opt %s --weft-place-buffers --weft-convert-tile-ops --weft-cpu-phase -o %t/product.mlir
// RUN: weft-translate --weft-to-ptx --ptx-target=sm_90a --ptx-dir=%t/product %t/product.mlir | FileCheck %s
// RUN: %ptxas-gate --check %s %t/product/product.ptx

// CHECK: .entry product
// CHECK: setmaxnreg.inc.sync.aligned.u32 {{.*}}232
// CHECK-COUNT-8: wgmma.mma_async.sync.aligned.m64n256k16.f32.bf16.bf16
// CHECK: setmaxnreg.dec.sync.aligned.u32 {{.*}}40
// CHECK: cp.async.bulk.tensor.2d.shared::cluster.global.mbarrier::complete_tx::bytes
// GATE: product registers 168 shared 196672 stack 0
// A group of products follows the one before; the wait leaves it running.
// SASS: product loop[HGMMA] keep[HGMMA WARPGROUP.DEPBAR]: HGMMA{4} WARPGROUP.DEPBAR
#rows = #tile.accumulator<rows = 4, columns = 1>
!sum = !tile.fragment<64x256xf32, #rows>
!pending = !tile.pending<!sum>
!a_ring = !tile.buffer<128x64xbf16, swizzle = 128, stages = 4>
!b_ring = !tile.buffer<256x64xbf16, swizzle = 128, stages = 4>
!a = !tile.buffer<128x64xbf16, swizzle = 128>
!a_mine = !tile.buffer<64x64xbf16, swizzle = 128, pitch = 128>
!b = !tile.buffer<256x64xbf16, swizzle = 128>
!pipe = !tile.pipeline<stages = 4, consumers = 8>
gpu.module @kernels {
  llvm.func @product(%x: !llvm.ptr {llvm.byval = !llvm.array<128 x i8>, llvm.align = 64 : i64, nvvm.grid_constant},
                     %w: !llvm.ptr {llvm.byval = !llvm.array<128 x i8>, llvm.align = 64 : i64, nvvm.grid_constant},
                     %y: !llvm.ptr<1>, %m: i64, %n: i64, %k: i64)
      attributes {nvvm.kernel, nvvm.reqntid = array<i32: 384, 1, 1>, weft.threads = 384 : i32} {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %c63 = arith.constant 63 : index
    %c64 = arith.constant 64 : index
    %c128 = arith.constant 128 : index
    %c256 = arith.constant 256 : index
    %zero = arith.constant 0.0 : f32
    %rows = arith.index_cast %m : i64 to index
    %columns = arith.index_cast %n : i64 to index
    %depth = arith.index_cast %k : i64 to index
    %bx = nvvm.read.ptx.sreg.ctaid.x : i32
    %by = nvvm.read.ptx.sreg.ctaid.y : i32
    %bxi = arith.index_cast %bx : i32 to index
    %byi = arith.index_cast %by : i32 to index
    %row = arith.muli %byi, %c128 : index
    %column = arith.muli %bxi, %c256 : index
    %up = arith.addi %depth, %c63 : index
    %steps = arith.divui %up, %c64 : index
    %last = arith.subi %steps, %c1 : index
    %as = tile.alloc : !a_ring
    %bs = tile.alloc : !b_ring
    %full = tile.pipeline : !pipe
    tile.roles {consumers = 2 : i64, registers = array<i64: 40, 232>} producer {
      scf.for %i = %c0 to %steps step %c1 {
        %at = arith.muli %i, %c64 : index
        %a_now = tile.stage %as[%i] : !a_ring
        %b_now = tile.stage %bs[%i] : !b_ring
        tile.fill %full[%i] : !pipe {
          tile.load_tensor %x[%at, %row] to %a_now : !llvm.ptr to !a
          tile.load_tensor %w[%at, %column] to %b_now : !llvm.ptr to !b
          tile.end
        }
      }
      tile.end
    } consumer {
    ^bb0(%group: index):
      %first = arith.muli %group, %c64 : index
      tile.wait_full %full[%c0] : !pipe
      %a0 = tile.stage %as[%c0] : !a_ring
      %b0 = tile.stage %bs[%c0] : !b_ring
      %a0m = tile.slice %a0[%first, 0] : !a to !a_mine
      %s0 = tile.warp_group_mma %a0m, b_transposed %b0 : !a_mine, !b -> !pending
      %s = scf.for %i = %c1 to %steps step %c1 iter_args(%before = %s0) -> (!pending) {
        tile.wait_full %full[%i] : !pipe
        %a_now = tile.stage %as[%i] : !a_ring
        %b_now = tile.stage %bs[%i] : !b_ring
        %a_mine = tile.slice %a_now[%first, 0] : !a to !a_mine
        %next = tile.warp_group_mma %a_mine, b_transposed %b_now plus %before : !pending : !a_mine, !b -> !pending
        %released = arith.subi %i, %c1 : index
        %running = tile.wait_earlier %next {pending = 1 : i64} : !pending
        tile.release %full[%released] : !pipe
        scf.yield %running : !pending
      }
      %sum = tile.wait_products %s {pending = 0 : i64} : !pending
      tile.release %full[%last] : !pipe
      %mine = arith.addi %row, %first : index
      tile.store_global %sum to %y[%mine, %column] in (%rows, %columns) stride %columns {bytes = 8 : i64, even} : !sum to !llvm.ptr<1>
      tile.end
    }
    llvm.return
  }
}
