// Items that are a product with a half-precision weight become blocks of threads on matrix units.
// RUN: weft-opt %s --split-input-file --weft-block-products --canonicalize --cse --verify-diagnostics | FileCheck %s

#target = #weft.target<isa = "sm_80", lanes = 16, registers = 32, cpu = "sm_80", features = "">
module attributes {weft.target = #target} {
// CHECK-LABEL: func.func private @product(
// CHECK: gpu.launch_func @kernels::@product blocks in (%c1, %c1, %c1) threads in (%c128, %c1, %c1) dynamic_shared_memory_size %c16384_i32
// CHECK: func.func @product(%{{.*}}: i64, %{{.*}}: !llvm.ptr<1>, %{{.*}}: !llvm.ptr<1>, %{{.*}}: !llvm.ptr<1>)
// CHECK-SAME: weft.block
// CHECK-SAME: weft.threads = 128 : i32
// CHECK: %[[RING:.*]] = tile.alloc : !tile.buffer<64x32xbf16, swizzle = 64, stages = 4>
// CHECK: tile.stage %[[RING]][%c0]
// CHECK: tile.copy_async %[[W:.*]][%c0, %c0] in(%c64, %c256) stride %c256 to %{{.*}} {warps = 4 : i64}
// CHECK: tile.commit_copies
// CHECK: tile.copy_async %[[W]][%c0, %c32]
// CHECK: tile.copy_async %[[W]][%c0, %c64]
// CHECK: %[[ROWS:.*]] = tile.load_global %[[X:.*]][%c0, %c0] in(%c128, %c256) stride %c256 {bytes = 8 : i64, even}
// CHECK: %[[SUM:.*]]:2 = scf.for %[[STEP:.*]] = %c0 to %c8 step %c1 iter_args(%[[R:.*]] = %[[ROWS]], %[[S:.*]] = %{{.*}})
// CHECK: tile.wait_copies {pending = 2 : i64}
// CHECK-NEXT: tile.sync
// CHECK: tile.copy_async %[[W]]
// CHECK: %[[A:.*]] = tile.convert %[[R]] : {{.*}} to !tile.fragment<128x32xbf16, #tile.operand<side = "a", rows = 4, columns = 1>>
// CHECK: %[[NEXT:.*]] = tile.load_global %[[X]]
// CHECK: %[[B:.*]] = tile.stage %[[RING]][%[[STEP]]]
// CHECK: %[[MORE:.*]] = tile.mma %[[A]], b_transposed %[[B]], %[[S]]
// CHECK: scf.yield %[[NEXT]], %[[MORE]]
// CHECK: tile.store_global %[[SUM]]#1 to %{{.*}}[%c0, %c0] in(%c128, %c64) stride %c64 {bytes = 8 : i64, even}
func.func private @product(%x: memref<128x256xf32>, %w: memref<64x128x2xbf16>, %y: memref<128x64xf32>) attributes {weft.kernel = "linear"} {
  weft.packed_matmul ins(%x, %w : memref<128x256xf32>, memref<64x128x2xbf16>) outs(%y : memref<128x64xf32>)
  return
}
}

// -----
// A bias, and an op that reads the result, another matrix, a row, a column and a number. Rows of 15 pairs are copied
// four bytes at a time, and the result's odd rows are stored number by number.
#target = #weft.target<isa = "sm_80", lanes = 16, registers = 32, cpu = "sm_80", features = "">
#id = affine_map<(m, n) -> (m, n)>
module attributes {weft.target = #target} {
// CHECK-LABEL: func.func private @epilogue(
// CHECK: %[[COUNT:.*]] = arith.ceildivui
// CHECK: %[[BLOCKS:.*]] = arith.muli %[[COUNT]], %c2
// CHECK: gpu.launch_func @kernels::@epilogue blocks in (%[[BLOCKS]],
// CHECK: func.func @epilogue
// CHECK: tile.copy_async {{.*}} {bytes = 4 : i64, warps = 4 : i64}
// CHECK: tile.load_global %{{.*}} in(%{{.*}}, %c29) stride %c29 :
// CHECK: tile.mma {{.*}}xf16
// CHECK: %[[BIAS:.*]] = tile.load_global {{.*}} to !tile.fragment<64xf32, #tile.column_values<rows = 4, columns = 1>>
// CHECK: %[[BIASED:.*]] = tile.map ins(%{{.*}}, %[[BIAS]] :
// CHECK: arith.addf
// CHECK: %[[MATRIX:.*]] = tile.load_global {{.*}} to !tile.fragment<128x64xf16, #tile.accumulator<rows = 4, columns = 1>>
// CHECK: %[[ROW:.*]] = tile.load_global {{.*}} to !tile.fragment<64xf32, #tile.column_values
// CHECK: %[[COLUMN:.*]] = tile.load_global {{.*}} to !tile.fragment<128xf32, #tile.row_values
// CHECK: %[[NUMBER:.*]] = llvm.load
// CHECK: %[[OUT:.*]] = tile.map ins(%[[BIASED]], %[[MATRIX]], %[[ROW]], %[[COLUMN]] :
// CHECK: arith.addf %{{.*}}, %[[NUMBER]] : f32
// CHECK: tile.store_global %[[OUT]] to %{{.*}} in(%{{.*}}, %{{.*}}) stride %c99 :
func.func private @epilogue(%x: memref<?x29xf32>, %w: memref<99x15x2xf16>, %bias: memref<99xf32>, %z: memref<?x99xf16>, %row: memref<99xf32>, %column: memref<?xf32>, %number: memref<f32>, %y: memref<?x99xf32>, %n: index) attributes {weft.kernel = "linear"} {
  %c0 = arith.constant 0 : index
  scf.forall (%i, %j) = (0, 0) to (%n, 99) step (128, 64) {
    %m = affine.min affine_map<(d0)[s0] -> (-d0 + s0, 128)>(%i)[%n]
    %k = affine.min affine_map<(d0) -> (-d0 + 99, 64)>(%j)
    %xi = memref.subview %x[%i, 0] [%m, 29] [1, 1] : memref<?x29xf32> to memref<?x29xf32, strided<[29, 1], offset: ?>>
    %wj = memref.subview %w[%j, 0, 0] [%k, 15, 2] [1, 1, 1] : memref<99x15x2xf16> to memref<?x15x2xf16, strided<[30, 2, 1], offset: ?>>
    %bj = memref.subview %bias[%j] [%k] [1] : memref<99xf32> to memref<?xf32, strided<[1], offset: ?>>
    %rj = memref.subview %row[%j] [%k] [1] : memref<99xf32> to memref<?xf32, strided<[1], offset: ?>>
    %ci = memref.subview %column[%i] [%m] [1] : memref<?xf32> to memref<?xf32, strided<[1], offset: ?>>
    %zij = memref.subview %z[%i, %j] [%m, %k] [1, 1] : memref<?x99xf16> to memref<?x?xf16, strided<[99, 1], offset: ?>>
    %yij = memref.subview %y[%i, %j] [%m, %k] [1, 1] : memref<?x99xf32> to memref<?x?xf32, strided<[99, 1], offset: ?>>
    %scratch = memref.alloca() : memref<32768xi8>
    %sum = memref.view %scratch[%c0][%m, %k] : memref<32768xi8> to memref<?x?xf32>
    weft.packed_matmul ins(%xi, %wj, %bj : memref<?x29xf32, strided<[29, 1], offset: ?>>, memref<?x15x2xf16, strided<[30, 2, 1], offset: ?>>, memref<?xf32, strided<[1], offset: ?>>) outs(%sum : memref<?x?xf32>)
    linalg.generic {indexing_maps = [#id, #id, affine_map<(m, n) -> (n)>, affine_map<(m, n) -> (m)>, affine_map<(m, n) -> ()>, #id], iterator_types = ["parallel", "parallel"]}
        ins(%sum, %zij, %rj, %ci, %number : memref<?x?xf32>, memref<?x?xf16, strided<[99, 1], offset: ?>>, memref<?xf32, strided<[1], offset: ?>>, memref<?xf32, strided<[1], offset: ?>>, memref<f32>)
        outs(%yij : memref<?x?xf32, strided<[99, 1], offset: ?>>) {
    ^bb0(%s: f32, %a: f16, %r: f32, %c: f32, %u: f32, %out: f32):
      %wide = arith.extf %a : f16 to f32
      %1 = arith.addf %s, %wide : f32
      %2 = arith.mulf %1, %r : f32
      %3 = arith.mulf %2, %c : f32
      %4 = arith.addf %3, %u : f32
      linalg.yield %4 : f32
    }
  } {weft.first_fastest}
  return
}
}

// -----
// Few rows: a warp for 16 rows of 16 columns, eight steps of the weight on their way. Where a call says how many rows
// there are, the host chooses.
#target = #weft.target<isa = "sm_80", lanes = 16, registers = 32, cpu = "sm_80", features = "">
module attributes {weft.target = #target} {
// CHECK-LABEL: func.func private @few(
// CHECK: gpu.launch_func @kernels::@few_few blocks in (%c1, %c4, %c1) threads in (%c32, %c1, %c1) dynamic_shared_memory_size %c16384_i32
// CHECK-LABEL: func.func private @any(
// CHECK-SAME: %[[N:[a-z0-9]*]]: index)
// CHECK: %[[FEW:.*]] = arith.cmpi ule, %[[N]], %c16
// CHECK: scf.if %[[FEW]]
// CHECK: gpu.launch_func @kernels::@any_few {{.*}} threads in (%c32,
// CHECK: else
// CHECK: gpu.launch_func @kernels::@any {{.*}} threads in (%c128,
// CHECK: func.func @few_few(
// CHECK: %[[PART:.*]] = nvvm.read.ptx.sreg.ctaid.y
// CHECK: %[[COLUMN:.*]] = arith.muli %{{.*}}, %c16
// CHECK: tile.alloc : !tile.buffer<16x64xbf16, swizzle = 128, stages = 8>
// CHECK-COUNT-7: tile.copy_async %{{.*}}[%[[COLUMN]], %{{.*}}] in(%c64, %c256) stride %c256 to %{{.*}} {warps = 1 : i64}
// CHECK: scf.for
// CHECK: tile.mma {{.*}} -> !tile.fragment<16x16xf32, #tile.accumulator<rows = 1, columns = 1>>
// CHECK: tile.store_global %{{.*}} to %{{.*}}[%c0, %[[COLUMN]]] in(%c3, %c64)
func.func private @few(%x: memref<3x256xf32>, %w: memref<64x128x2xbf16>, %y: memref<3x64xf32>) attributes {weft.kernel = "linear"} {
  weft.packed_matmul ins(%x, %w : memref<3x256xf32>, memref<64x128x2xbf16>) outs(%y : memref<3x64xf32>)
  return
}
func.func private @any(%x: memref<?x256xf32>, %w: memref<64x128x2xbf16>, %y: memref<?x64xf32>, %n: index) attributes {weft.kernel = "linear"} {
  scf.forall (%i) = (0) to (%n) step (128) {
    %m = affine.min affine_map<(d0)[s0] -> (-d0 + s0, 128)>(%i)[%n]
    %xi = memref.subview %x[%i, 0] [%m, 256] [1, 1] : memref<?x256xf32> to memref<?x256xf32, strided<[256, 1], offset: ?>>
    %yi = memref.subview %y[%i, 0] [%m, 64] [1, 1] : memref<?x64xf32> to memref<?x64xf32, strided<[64, 1], offset: ?>>
    weft.packed_matmul ins(%xi, %w : memref<?x256xf32, strided<[256, 1], offset: ?>>, memref<64x128x2xbf16>) outs(%yi : memref<?x64xf32, strided<[64, 1], offset: ?>>)
  }
  return
}
}

// -----
// Panels of 16 columns are for lanes.
#target = #weft.target<isa = "sm_80", lanes = 16, registers = 32, cpu = "sm_80", features = "">
module attributes {weft.target = #target} {
// CHECK-LABEL: @negative_wide_panels
// CHECK: weft.packed_matmul
// CHECK-NOT: gpu.module
func.func private @negative_wide_panels(%x: memref<4x8xf32>, %w: memref<1x4x32xbf16>, %y: memref<4x16xf32>) attributes {weft.kernel = "linear"} {
  weft.packed_matmul ins(%x, %w : memref<4x8xf32>, memref<1x4x32xbf16>) outs(%y : memref<4x16xf32>)
  return
}
}

// -----
#target = #weft.target<isa = "sm_80", lanes = 16, registers = 32, cpu = "sm_80", features = "">
module attributes {weft.target = #target} {
// expected-error@+1 {{has a product for blocks of threads beside ops that are not: rows and sums are not f32}}
func.func private @negative_half_rows(%x: memref<4x8xbf16>, %w: memref<16x4x2xbf16>, %y: memref<4x16xf32>) attributes {weft.kernel = "linear"} {
  weft.packed_matmul ins(%x, %w : memref<4x8xbf16>, memref<16x4x2xbf16>) outs(%y : memref<4x16xf32>)
  return
}
}
