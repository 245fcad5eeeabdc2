// RUN: weft-opt %s --weft-convert-tile-ops --canonicalize --cse --split-input-file | FileCheck %s

// Each thread copies four chunks of 16 bytes, 32 rows apart; what is outside becomes zeros.
// CHECK-LABEL: @copies
// CHECK: llvm.mlir.addressof @global_smem : !llvm.ptr<3>
// CHECK: arith.select %{{.*}}, %c16{{.*}}, %c0
// CHECK-COUNT-4: nvvm.cp.async.shared.global %{{.*}}, %{{.*}}, 16, cache = cg, %{{.*}} : !llvm.ptr<3>, !llvm.ptr<1>, i32
// CHECK: nvvm.cp.async.commit.group
// CHECK: nvvm.cp.async.wait.group 2
// CHECK: nvvm.barrier0
func.func @copies(%x: !llvm.ptr<1>, %m: index, %k: index, %rows: index, %depth: index) {
  %a = tile.alloc {offset = 0 : i64} : !tile.buffer<128x32xbf16, swizzle = 64>
  tile.copy_async %x[%m, %k] in (%rows, %depth) stride %depth to %a {warps = 4 : i64} : !llvm.ptr<1> to !tile.buffer<128x32xbf16, swizzle = 64>
  tile.commit_copies
  tile.wait_copies {pending = 2 : i64}
  tile.sync
  return
}

// -----

// A loop carries registers. For 16 of K: one load of the left factor, one of two tiles of the right one, two products.
// CHECK-LABEL: @product
// CHECK: scf.for {{.*}} iter_args({{.*}}) -> (f32, f32, f32, f32, f32, f32, f32, f32)
// CHECK: %[[A:.*]] = nvvm.ldmatrix %{{.*}} {{.*}}mma_layout<row>, num = 4 {{.*}} -> !llvm.struct<(i32, i32, i32, i32)>
// CHECK: %[[A0:.*]] = llvm.extractvalue %[[A]][0]
// CHECK: nvvm.ldmatrix %{{.*}} {{.*}}mma_layout<row>, num = 4
// CHECK-COUNT-2: nvvm.mma.sync A[%[[A0]], {{.*}}] B[{{.*}}] C[{{.*}}] {{.*}}multiplicandAPtxType = #nvvm.mma_type<bf16>{{.*}}shape = #nvvm.shape<m = 16, n = 8, k = 16>
// CHECK-NOT: nvvm.mma.sync
!sum = !tile.fragment<64x16xf32, #tile.accumulator<rows = 4, columns = 1>>
func.func @product(%y: !llvm.ptr<1>, %n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %zero = arith.constant 0.0 : f32
  %a = tile.alloc {offset = 0 : i64} : !tile.buffer<64x16xbf16>
  %b = tile.alloc {offset = 2048 : i64} : !tile.buffer<16x16xbf16>
  %none = tile.splat %zero : f32 to !sum
  %r = scf.for %i = %c0 to %n step %c1 iter_args(%s = %none) -> (!sum) {
    %next = tile.mma %a, b_transposed %b, %s : !tile.buffer<64x16xbf16>, !tile.buffer<16x16xbf16> -> !sum
    scf.yield %next : !sum
  }
  tile.store_global %r to %y[%n, %n] stride %n : !sum to !llvm.ptr<1>
  return
}

// -----

// A right factor whose rows go along K is transposed on its way.
// CHECK-LABEL: @transposes
// CHECK: nvvm.ldmatrix %{{.*}} {{.*}}mma_layout<col>, num = 4
// CHECK: nvvm.ldmatrix %{{.*}} {{.*}}mma_layout<row>, num = 4
// CHECK-COUNT-2: nvvm.mma.sync
// CHECK: scf.if
// CHECK: llvm.store %{{.*}} {alignment = 8 : i64} : vector<2xf32>, !llvm.ptr<1>
!sum = !tile.fragment<64x16xf32, #tile.accumulator<rows = 4, columns = 1>>
!right = !tile.fragment<16x16xbf16, #tile.operand<side = "b", rows = 4, columns = 1>>
func.func @transposes(%y: !llvm.ptr<1>, %rows: index, %columns: index) {
  %c0 = arith.constant 0 : index
  %zero = arith.constant 0.0 : f32
  %a = tile.alloc {offset = 0 : i64} : !tile.buffer<64x16xbf16>
  %b = tile.alloc {offset = 2048 : i64} : !tile.buffer<16x16xbf16>
  %none = tile.splat %zero : f32 to !sum
  %f = tile.load %b : !tile.buffer<16x16xbf16> to !right
  %s = tile.mma %a, %f, %none : !tile.buffer<64x16xbf16>, !right -> !sum
  tile.store_global %s to %y[%c0, %c0] in (%rows, %columns) stride %columns {bytes = 8 : i64, even} : !sum to !llvm.ptr<1>
  return
}

// -----

// Two rows a lane, each of two elements here; the four lanes of a row exchange.
// CHECK-LABEL: @reduces
// CHECK: %[[M:.*]] = arith.maxnumf
// CHECK: %[[S:.*]] = nvvm.shfl.sync bfly %{{.*}}, %[[M]], %c1{{.*}}, %c31
// CHECK: %[[T:.*]] = arith.maxnumf %[[M]], %[[S]]
// CHECK: nvvm.shfl.sync bfly %{{.*}}, %[[T]], %c2{{.*}}, %c31
// CHECK-COUNT-2: llvm.store %{{.*}} : f32, !llvm.ptr<1>
func.func @reduces(%y: !llvm.ptr<1>, %i: index) {
  %b = tile.alloc {offset = 0 : i64} : !tile.buffer<64x8xf32>
  %sum = tile.load %b : !tile.buffer<64x8xf32> to !tile.fragment<64x8xf32, #tile.accumulator<rows = 4, columns = 1>>
  %peak = tile.reduce max %sum : !tile.fragment<64x8xf32, #tile.accumulator<rows = 4, columns = 1>> -> !tile.fragment<64xf32, #tile.row_values<rows = 4, columns = 1>>
  tile.store_global %peak to %y[%i, %i] stride %i : !tile.fragment<64xf32, #tile.row_values<rows = 4, columns = 1>> to !llvm.ptr<1>
  return
}

// -----

// The region is computed for each of four elements; packed pairs are stored as words.
// CHECK-LABEL: @maps
// CHECK-COUNT-4: math.exp2
// CHECK-COUNT-2: llvm.call_intrinsic "llvm.nvvm.ff2bf16x2.rn"
// CHECK: llvm.store %{{.*}} {alignment = 4 : i64} : i32, !llvm.ptr<3>
func.func @maps() {
  %b = tile.alloc {offset = 0 : i64} : !tile.buffer<64x8xf32>
  %c = tile.alloc {offset = 2048 : i64} : !tile.buffer<64x8xbf16>
  %sum = tile.load %b : !tile.buffer<64x8xf32> to !tile.fragment<64x8xf32, #tile.accumulator<rows = 4, columns = 1>>
  %e = tile.map ins(%sum : !tile.fragment<64x8xf32, #tile.accumulator<rows = 4, columns = 1>>) -> !tile.fragment<64x8xf32, #tile.accumulator<rows = 4, columns = 1>> {
  ^bb0(%x: f32):
    %y = math.exp2 %x : f32
    tile.yield %y : f32
  }
  %half = tile.convert %e : !tile.fragment<64x8xf32, #tile.accumulator<rows = 4, columns = 1>> to !tile.fragment<64x8xbf16, #tile.accumulator<rows = 4, columns = 1>>
  tile.store %half to %c : !tile.fragment<64x8xbf16, #tile.accumulator<rows = 4, columns = 1>> to !tile.buffer<64x8xbf16>
  return
}

// -----

// A lane has two neighbours of each eight columns, in two rows: those of the part are numbers 4 to 7 of the whole.
// CHECK-LABEL: @part
// CHECK: llvm.getelementptr %{{.*}}[32]
// CHECK-COUNT-4: llvm.load
// CHECK-NOT: llvm.load
// CHECK-COUNT-4: llvm.store
// CHECK-NOT: llvm.store
func.func @part(%x: !llvm.ptr<1>, %y: !llvm.ptr<1>, %i: index) {
  %all = tile.load_global %x[%i, %i] stride %i : !llvm.ptr<1> to !tile.fragment<64x24xf32, #tile.accumulator<rows = 4, columns = 1>>
  %part = tile.columns %all {first = 8 : i64} : !tile.fragment<64x24xf32, #tile.accumulator<rows = 4, columns = 1>> to !tile.fragment<64x8xf32, #tile.accumulator<rows = 4, columns = 1>>
  tile.store_global %part to %y[%i, %i] stride %i : !tile.fragment<64x8xf32, #tile.accumulator<rows = 4, columns = 1>> to !llvm.ptr<1>
  return
}

// -----

// A lane has four rows of the 32 of its warp.
// CHECK-LABEL: @peaks
// CHECK-COUNT-8: nvvm.shfl.sync bfly
func.func @peaks(%y: !llvm.ptr<1>, %i: index) {
  %b = tile.alloc {offset = 0 : i64} : !tile.buffer<128x128xf32>
  %sum = tile.load %b : !tile.buffer<128x128xf32> to !tile.fragment<128x128xf32, #tile.accumulator<rows = 4, columns = 1>>
  %peak = tile.reduce max %sum : !tile.fragment<128x128xf32, #tile.accumulator<rows = 4, columns = 1>> -> !tile.fragment<128xf32, #tile.row_values<rows = 4, columns = 1>>
  tile.store_global %peak to %y[%i, %i] stride %i : !tile.fragment<128xf32, #tile.row_values<rows = 4, columns = 1>> to !llvm.ptr<1>
  return
}
