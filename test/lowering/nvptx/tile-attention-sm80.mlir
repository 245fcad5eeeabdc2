// Causal attention by mma.sync, after FlashAttention-2 (arXiv 2307.08691): 64 queries of a head for four warps, keys by 64,
// the next keys copied during the products with the values. [head, token, WIDTH] in bf16.
// RUN: rm -rf %t && mkdir %t
// RUN: sed "s/WIDTH/128/g" %s | weft-opt --weft-place-buffers --weft-convert-tile-ops --weft-cpu-phase -o %t/wide.mlir
// RUN: weft-translate --weft-to-ptx --ptx-target=sm_80 --ptx-dir=%t/wide %t/wide.mlir | FileCheck %s
// RUN: sed "s/WIDTH/64/g" %s | weft-opt --weft-place-buffers --weft-convert-tile-ops --weft-cpu-phase -o %t/narrow.mlir
// RUN: weft-translate --weft-to-ptx --ptx-target=sm_80 --ptx-dir=%t/narrow %t/narrow.mlir
// RUN: %ptxas-gate --check %s %t/wide/attention.ptx %t/narrow/attention.ptx

// CHECK: .entry attention
// CHECK-COUNT-64: mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32
// CHECK: ex2.approx.ftz.f32
// CHECK: cvt.rn.bf16x2.f32
// CHECK-COUNT-64: mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32
// GATE: attention registers 168 shared 49152 stack 0
#sums = #tile.accumulator<rows = 4, columns = 1>
!scores = !tile.fragment<64x64xf32, #sums>
!places = !tile.fragment<64x64xi32, #sums>
!weights = !tile.fragment<64x64xbf16, #tile.operand<side = "a", rows = 4, columns = 1>>
!out = !tile.fragment<64xWIDTHxf32, #sums>
!half = !tile.fragment<64xWIDTHxbf16, #sums>
!rows = !tile.fragment<64xf32, #tile.row_values<rows = 4, columns = 1>>
!part = !tile.fragment<64xf32, #tile.row_values<rows = 4, columns = 1, partial = true>>
!queries = !tile.buffer<64xWIDTHxbf16, swizzle = 128>
!keys = !tile.buffer<64xWIDTHxbf16, swizzle = 128>
!left = !tile.fragment<64xWIDTHxbf16, #tile.operand<side = "a", rows = 4, columns = 1>>
gpu.module @kernels {
  llvm.func @attention(%q: !llvm.ptr<1>, %k: !llvm.ptr<1>, %v: !llvm.ptr<1>, %o: !llvm.ptr<1>, %n: i64, %scale: f32)
      attributes {nvvm.kernel, nvvm.minctasm = 3 : i32, nvvm.reqntid = array<i32: 128, 1, 1>, weft.threads = 128 : i32} {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %c64 = arith.constant 64 : index
    %cbc = arith.constant 64 : index
    %width = arith.constant WIDTH : index
    %zero = arith.constant 0.0 : f32
    %one = arith.constant 1.0 : f32
    %lowest = arith.constant -1.0e30 : f32
    %tokens = arith.index_cast %n : i64 to index
    %block = nvvm.read.ptx.sreg.ctaid.x : i32
    %head = nvvm.read.ptx.sreg.ctaid.y : i32
    %blocki = arith.index_cast %block : i32 to index
    %first = arith.muli %blocki, %c64 : index
    %head64 = arith.extsi %head : i32 to i64
    %size = arith.muli %n, %head64 : i64
    %wide = arith.constant WIDTH : i64
    %start = arith.muli %size, %wide : i64
    %qh = llvm.getelementptr %q[%start] : (!llvm.ptr<1>, i64) -> !llvm.ptr<1>, bf16
    %kh = llvm.getelementptr %k[%start] : (!llvm.ptr<1>, i64) -> !llvm.ptr<1>, bf16
    %vh = llvm.getelementptr %v[%start] : (!llvm.ptr<1>, i64) -> !llvm.ptr<1>, bf16
    %oh = llvm.getelementptr %o[%start] : (!llvm.ptr<1>, i64) -> !llvm.ptr<1>, bf16
    %qs = tile.alloc : !queries
    %ks = tile.alloc : !keys
    %vs = tile.alloc : !keys
    tile.copy_async %qh[%first, %c0] in (%tokens, %width) stride %width to %qs {warps = 4 : i64} : !llvm.ptr<1> to !queries
    tile.copy_async %kh[%c0, %c0] in (%tokens, %width) stride %width to %ks {warps = 4 : i64} : !llvm.ptr<1> to !keys
    tile.commit_copies
    %end = arith.addi %first, %c64 : index
    %below = arith.minui %end, %tokens : index
    %bcm = arith.constant 63 : index
    %up = arith.addi %below, %bcm : index
    %steps = arith.divui %up, %cbc : index
    %row_in = tile.coordinate {dimension = 0 : i64} : !places
    %column_in = tile.coordinate {dimension = 1 : i64} : !places
    %first32 = arith.index_cast %first : index to i32
    %none = tile.splat %zero : f32 to !out
    %m0 = tile.splat %lowest : f32 to !rows
    %l0 = tile.splat %zero : f32 to !part
    %r:3 = scf.for %j = %c0 to %steps step %c1 iter_args(%acc = %none, %m = %m0, %l = %l0) -> (!out, !rows, !part) {
      %at = arith.muli %j, %cbc : index
      tile.wait_copies {pending = 0 : i64}
      tile.sync
      tile.copy_async %vh[%at, %c0] in (%tokens, %width) stride %width to %vs {warps = 4 : i64} : !llvm.ptr<1> to !keys
      tile.commit_copies
      %nothing = tile.splat %zero : f32 to !scores
      %s = tile.mma %qs, b_transposed %ks, %nothing : !queries, !keys -> !scores
      tile.wait_copies {pending = 0 : i64}
      tile.sync
      %next = arith.addi %at, %cbc : index
      tile.copy_async %kh[%next, %c0] in (%tokens, %width) stride %width to %ks {warps = 4 : i64} : !llvm.ptr<1> to !keys
      tile.commit_copies
      %at32 = arith.index_cast %at : index to i32
      %ahead = arith.subi %first32, %at32 : i32
      %masked = tile.map ins(%s, %row_in, %column_in : !scores, !places, !places) -> !scores {
      ^bb0(%x: f32, %i: i32, %c: i32): %last = arith.addi %i, %ahead : i32  %seen = arith.cmpi sle, %c, %last : i32  %y = arith.select %seen, %x, %lowest : f32  tile.yield %y : f32 }
      %peak = tile.reduce max %masked : !scores -> !rows
      %m1 = tile.map ins(%m, %peak : !rows, !rows) -> !rows {
      ^bb0(%x: f32, %y: f32): %z = arith.maxnumf %x, %y : f32  tile.yield %z : f32 }
      %shrink = tile.map ins(%m, %m1 : !rows, !rows) -> !rows {
      ^bb0(%x: f32, %y: f32): %d = arith.subf %x, %y : f32  %e = arith.mulf %d, %scale : f32  %z = math.exp2 %e fastmath<afn> : f32  tile.yield %z : f32 }
      %p = tile.map ins(%masked, %m1 : !scores, !rows) -> !scores {
      ^bb0(%x: f32, %y: f32): %t = arith.mulf %y, %scale : f32  %u = arith.negf %t : f32  %e = math.fma %x, %scale, %u : f32  %z = math.exp2 %e fastmath<afn> : f32  tile.yield %z : f32 }
      %sum = tile.reduce add %p : !scores -> !part
      %l1 = tile.map ins(%l, %shrink, %sum : !part, !rows, !part) -> !part {
      ^bb0(%x: f32, %f: f32, %y: f32): %z = math.fma %x, %f, %y : f32  tile.yield %z : f32 }
      %shrunk = tile.map ins(%acc, %shrink : !out, !rows) -> !out {
      ^bb0(%x: f32, %f: f32): %z = arith.mulf %x, %f : f32  tile.yield %z : f32 }
      %w = tile.convert %p : !scores to !weights
      %acc1 = tile.mma %w, %vs, %shrunk : !weights, !keys -> !out
      scf.yield %acc1, %m1, %l1 : !out, !rows, !part
    }
    tile.wait_copies {pending = 0 : i64}
    %whole = tile.combine add %r#2 : !part -> !rows
    %inverse = tile.map ins(%whole : !rows) -> !rows {
    ^bb0(%x: f32): %z = arith.divf %one, %x : f32  tile.yield %z : f32 }
    %result = tile.map ins(%r#0, %inverse : !out, !rows) -> !out {
    ^bb0(%x: f32, %y: f32): %z = arith.mulf %x, %y : f32  tile.yield %z : f32 }
    %half = tile.convert %result : !out to !half
    tile.store_global %half to %oh[%first, %c0] in (%tokens, %width) stride %width {bytes = 4 : i64, even} : !half to !llvm.ptr<1>
    llvm.return
  }
}
