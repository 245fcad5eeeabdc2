// Causal attention by wgmma with the schedule of FlashAttention-3 (arXiv 2407.08608): one warp group copies by TMA, two have
// 64 queries each; the products of the next keys and of the last values run during softmax.
// RUN: rm -rf %t && mkdir %t
// RUN: weft-opt %s --weft-place-buffers --weft-convert-tile-ops --weft-cpu-phase -o %t/attention.mlir
// RUN: weft-translate --weft-to-ptx --ptx-target=sm_90a --ptx-dir=%t/attention %t/attention.mlir | FileCheck %s
// RUN: %ptxas-gate --check %s %t/attention/attention.ptx

// CHECK: .entry attention
// CHECK: setmaxnreg.inc.sync.aligned.u32 {{.*}}240
// CHECK: cp.async.bulk.tensor.3d.global.shared::cta.bulk_group
// GATE: attention registers 168 shared 163920 stack 0
// Both groups of products are issued, one is awaited, then all of softmax, and only then the other.
// SASS: attention loop[HGMMA] keep[HGMMA MUFU WARPGROUP.DEPBAR]: HGMMA{16} WARPGROUP.DEPBAR MUFU{66} WARPGROUP.DEPBAR
#sums = #tile.accumulator<rows = 4, columns = 1>
!scores = !tile.fragment<64x128xf32, #sums>
!scores_pending = !tile.pending<!scores>
!places = !tile.fragment<64x128xi32, #sums>
!weights = !tile.fragment<64x128xbf16, #tile.operand<side = "a", rows = 4, columns = 1>>
!out = !tile.fragment<64x128xf32, #sums>
!out_pending = !tile.pending<!out>
!half = !tile.fragment<64x128xbf16, #sums>
!rows = !tile.fragment<64xf32, #tile.row_values<rows = 4, columns = 1>>
!part = !tile.fragment<64xf32, #tile.row_values<rows = 4, columns = 1, partial = true>>
!queries = !tile.buffer<128x128xbf16, swizzle = 128>
!mine = !tile.buffer<64x128xbf16, swizzle = 128, pitch = 128>
!ring = !tile.buffer<128x128xbf16, swizzle = 128, stages = 2>
!keys = !tile.buffer<128x128xbf16, swizzle = 128>
!once = !tile.pipeline<stages = 1, consumers = 8>
!twice = !tile.pipeline<stages = 2, consumers = 8>
gpu.module @kernels {
  llvm.func @attention(%q: !llvm.ptr {llvm.byval = !llvm.array<128 x i8>, llvm.align = 64 : i64, nvvm.grid_constant}, %k: !llvm.ptr {llvm.byval = !llvm.array<128 x i8>, llvm.align = 64 : i64, nvvm.grid_constant}, %v: !llvm.ptr {llvm.byval = !llvm.array<128 x i8>, llvm.align = 64 : i64, nvvm.grid_constant}, %o: !llvm.ptr {llvm.byval = !llvm.array<128 x i8>, llvm.align = 64 : i64, nvvm.grid_constant}, %n: i64, %group_heads: i32, %scale: f32)
      attributes {nvvm.kernel, nvvm.reqntid = array<i32: 384, 1, 1>, weft.threads = 384 : i32} {
    %c0 = arith.constant 0 : index %c1 = arith.constant 1 : index %c64 = arith.constant 64 : index
    %cbr = arith.constant 128 : index %cbc = arith.constant 128 : index %cbcm = arith.constant 127 : index
    %zero = arith.constant 0.0 : f32 %one = arith.constant 1.0 : f32 %lowest = arith.constant -1.0e30 : f32
    %tokens = arith.index_cast %n : i64 to index
    %block = nvvm.read.ptx.sreg.ctaid.x : i32
    %head = nvvm.read.ptx.sreg.ctaid.y : i32
    %heads = arith.index_cast %head : i32 to index
    %kv = arith.divui %head, %group_heads : i32  %kvi = arith.index_cast %kv : i32 to index
    %blocki = arith.index_cast %block : i32 to index
    %first = arith.muli %blocki, %cbr : index
    %end = arith.addi %first, %cbr : index
    %below = arith.minui %end, %tokens : index
    %up = arith.addi %below, %cbcm : index
    %steps = arith.divui %up, %cbc : index
    %last = arith.subi %steps, %c1 : index
    %qs = tile.alloc : !queries
    %ks = tile.alloc : !ring
    %vs = tile.alloc : !ring
    %q_full = tile.pipeline : !once
    %k_full = tile.pipeline : !twice
    %v_full = tile.pipeline : !twice
    tile.roles {consumers = 2 : i64, registers = array<i64: 24, 240>} producer {
      tile.fill %q_full[%c0] : !once {
          tile.load_tensor %q[%c0, %first, %heads] to %qs : !llvm.ptr to !queries  tile.end }
      %top = arith.muli %last, %cbc : index
      %k0 = tile.stage %ks[%c0] : !ring
      tile.fill %k_full[%c0] : !twice {
          tile.load_tensor %k[%c0, %top, %kvi] to %k0 : !llvm.ptr to !keys  tile.end }
      scf.for %i = %c1 to %steps step %c1 {
        %j = arith.subi %last, %i : index
        %at = arith.muli %j, %cbc : index
        %before = arith.addi %at, %cbc : index
        %earlier = arith.subi %i, %c1 : index
        %k_now = tile.stage %ks[%i] : !ring
        tile.fill %k_full[%i] : !twice {
          tile.load_tensor %k[%c0, %at, %kvi] to %k_now : !llvm.ptr to !keys  tile.end }
        %v_now = tile.stage %vs[%earlier] : !ring
        tile.fill %v_full[%earlier] : !twice {
          tile.load_tensor %v[%c0, %before, %kvi] to %v_now : !llvm.ptr to !keys  tile.end }
      }
      %v_last = tile.stage %vs[%last] : !ring
      tile.fill %v_full[%last] : !twice {
          tile.load_tensor %v[%c0, %c0, %kvi] to %v_last : !llvm.ptr to !keys  tile.end }
      tile.end
    } consumer {
    ^bb0(%group: index):
      %row = arith.muli %group, %c64 : index
      %q_mine = tile.slice %qs[%row, 0] : !queries to !mine
      tile.wait_full %q_full[%c0] : !once
      tile.wait_full %k_full[%c0] : !twice
      %k0 = tile.stage %ks[%c0] : !ring
      %s0p = tile.warp_group_mma %q_mine, b_transposed %k0 : !mine, !keys -> !scores_pending
      %s0 = tile.wait_products %s0p {pending = 0 : i64} : !scores_pending
      tile.release %k_full[%c0] : !twice
      %row_in = tile.coordinate {dimension = 0 : i64} : !places
      %column_in = tile.coordinate {dimension = 1 : i64} : !places
      %top = arith.muli %last, %cbc : index
      %mine = arith.addi %first, %row : index
      %ahead = arith.subi %mine, %top : index
      %ahead32 = arith.index_cast %ahead : index to i32
      %masked = tile.map ins(%s0, %row_in, %column_in : !scores, !places, !places) -> !scores {
      ^bb0(%x: f32, %i: i32, %c: i32): %at = arith.addi %i, %ahead32 : i32  %seen = arith.cmpi sle, %c, %at : i32  %y = arith.select %seen, %x, %lowest : f32  tile.yield %y : f32 }
      %m_none = tile.splat %lowest : f32 to !rows
      %peak_0 = tile.reduce max %masked : !scores -> !rows
      %m_0 = tile.map ins(%m_none, %peak_0 : !rows, !rows) -> !rows {
      ^bb0(%x: f32, %y: f32): %z = arith.maxnumf %x, %y : f32  tile.yield %z : f32 }
      %p_0 = tile.map ins(%masked, %m_0 : !scores, !rows) -> !scores {
      ^bb0(%x: f32, %y: f32): %t = arith.mulf %y, %scale : f32  %u = arith.negf %t : f32  %e = math.fma %x, %scale, %u : f32  %z = math.exp2 %e fastmath<afn> : f32  tile.yield %z : f32 }
      %sum_0 = tile.reduce add %p_0 : !scores -> !part
      %w0 = tile.convert %p_0 : !scores to !weights
      %none = tile.splat %zero : f32 to !out
      tile.wait_full %v_full[%c0] : !twice
      %r:4 = scf.for %i = %c1 to %steps step %c1 iter_args(%m = %m_0, %l = %sum_0, %acc = %none, %w = %w0) -> (!rows, !part, !out, !weights) {
        tile.wait_full %k_full[%i] : !twice
        %k_now = tile.stage %ks[%i] : !ring
        %sp = tile.warp_group_mma %q_mine, b_transposed %k_now : !mine, !keys -> !scores_pending
        %earlier = arith.subi %i, %c1 : index
        %v_now = tile.stage %vs[%earlier] : !ring
        %op = tile.warp_group_mma %w, %v_now plus %acc : !out : !weights, !keys -> !out_pending
        %s = tile.wait_products %sp {pending = 1 : i64} : !scores_pending
        tile.release %k_full[%i] : !twice
      %peak_i = tile.reduce max %s : !scores -> !rows
      %m_i = tile.map ins(%m, %peak_i : !rows, !rows) -> !rows {
      ^bb0(%x: f32, %y: f32): %z = arith.maxnumf %x, %y : f32  tile.yield %z : f32 }
      %p_i = tile.map ins(%s, %m_i : !scores, !rows) -> !scores {
      ^bb0(%x: f32, %y: f32): %t = arith.mulf %y, %scale : f32  %u = arith.negf %t : f32  %e = math.fma %x, %scale, %u : f32  %z = math.exp2 %e fastmath<afn> : f32  tile.yield %z : f32 }
      %sum_i = tile.reduce add %p_i : !scores -> !part
        %shrink = tile.map ins(%m, %m_i : !rows, !rows) -> !rows {
        ^bb0(%x: f32, %y: f32): %d = arith.subf %x, %y : f32  %e = arith.mulf %d, %scale : f32  %z = math.exp2 %e fastmath<afn> : f32  tile.yield %z : f32 }
        %l1 = tile.map ins(%l, %shrink, %sum_i : !part, !rows, !part) -> !part {
        ^bb0(%x: f32, %f: f32, %y: f32): %z = math.fma %x, %f, %y : f32  tile.yield %z : f32 }
        tile.wait_full %v_full[%i] : !twice
        %acc1 = tile.wait_products %op holding(%w : !weights) {pending = 0 : i64} : !out_pending
        tile.release %v_full[%earlier] : !twice
        %shrunk = tile.map ins(%acc1, %shrink : !out, !rows) -> !out {
        ^bb0(%x: f32, %f: f32): %z = arith.mulf %x, %f : f32  tile.yield %z : f32 }
        %w1 = tile.convert %p_i : !scores to !weights
        scf.yield %m_i, %l1, %shrunk, %w1 : !rows, !part, !out, !weights
      }
      %v_last = tile.stage %vs[%last] : !ring
      %opl = tile.warp_group_mma %r#3, %v_last plus %r#2 : !out : !weights, !keys -> !out_pending
      %whole = tile.combine add %r#1 : !part -> !rows
      %ol = tile.wait_products %opl holding(%r#3 : !weights) {pending = 0 : i64} : !out_pending
      tile.release %v_full[%last] : !twice
      %inverse = tile.map ins(%whole : !rows) -> !rows {
      ^bb0(%x: f32): %z = arith.divf %one, %x : f32  tile.yield %z : f32 }
      %result = tile.map ins(%ol, %inverse : !out, !rows) -> !out {
      ^bb0(%x: f32, %y: f32): %z = arith.mulf %x, %y : f32  tile.yield %z : f32 }
      %half = tile.convert %result : !out to !half
      %number = arith.addi %group, %c1 : index
      tile.barrier sync %number {warps = 4 : i64}
      tile.store %half to %q_mine {by_matrix} : !half to !mine
      tile.store_tensor %q_mine to %o[%c0, %mine, %heads] at %number {warps = 4 : i64} : !mine to !llvm.ptr
      tile.end
    }
    llvm.return
  }
}
