// RUN: weft-opt %s --split-input-file --weft-vectorize-matmul --canonicalize --cse | FileCheck %s

// v4: a tile of 9 rows and three vectors of 16 columns; its 27 accumulators start with the bias, four steps of
// the sum in one turn of the loop.
// CHECK-LABEL: @tile_v4
// CHECK-SAME: (%[[X:.*]]: memref<9x8xf32>, %[[W:.*]]: memref<3x8x16xf32>, %[[B:.*]]: memref<48xf32>, %[[Y:.*]]: memref<9x48xf32>)
// CHECK-NOT: memref.prefetch %[[Y]]
// CHECK-DAG: %[[B0:.*]] = vector.load %[[B]][%c0] : memref<48xf32>, vector<16xf32>
// CHECK-DAG: %[[B1:.*]] = vector.load %[[B]][%c16] : memref<48xf32>, vector<16xf32>
// CHECK-DAG: %[[B2:.*]] = vector.load %[[B]][%c32] : memref<48xf32>, vector<16xf32>
// CHECK: scf.for %[[K:.*]] = %c0 to %c8 step %c4 iter_args(%{{.*}} = %[[B0]], %{{.*}} = %[[B1]], %{{.*}} = %[[B2]],
// CHECK: vector.load %[[W]][%c0, %[[K]], %c0]
// CHECK: vector.load %[[W]][%c1, %[[K]], %c0]
// CHECK: vector.load %[[W]][%c2, %[[K]], %c0]
// CHECK-COUNT-108: vector.fma
// CHECK-NOT: vector.fma
// CHECK: scf.yield
// CHECK-COUNT-27: vector.store {{.*}}, %[[Y]]
// CHECK-NOT: weft.packed_matmul
module attributes {weft.target = #weft.target<isa = "v4", lanes = 16, registers = 32, cpu = "x86-64-v4", features = "">} {
func.func @tile_v4(%x: memref<9x8xf32>, %w: memref<3x8x16xf32>, %b: memref<48xf32>, %y: memref<9x48xf32>) {
  weft.packed_matmul ins(%x, %w, %b : memref<9x8xf32>, memref<3x8x16xf32>, memref<48xf32>) outs(%y : memref<9x48xf32>)
  return
}
}

// -----

// v4, four rows: three vectors side by side, so that the weight streams from three places, and one step in a turn.
// CHECK-LABEL: @few_rows
// CHECK: scf.for %{{.*}} = %c0 to %c8 step %c1
// CHECK-COUNT-12: vector.fma
// CHECK-NOT: vector.fma
module attributes {weft.target = #weft.target<isa = "v4", lanes = 16, registers = 32, cpu = "x86-64-v4", features = "">} {
func.func @few_rows(%x: memref<4x8xf32>, %w: memref<3x8x16xf32>, %y: memref<4x48xf32>) {
  weft.packed_matmul ins(%x, %w : memref<4x8xf32>, memref<3x8x16xf32>) outs(%y : memref<4x48xf32>)
  return
}
}

// -----

// v3: 6 rows, two vectors of 8 columns, four steps of the sum in one turn of the loop.
// CHECK-LABEL: @tile_v3
// CHECK: scf.for {{.*}} = %c0 to %c8 step %c4
// CHECK-COUNT-48: vector.fma {{.*}} : vector<8xf32>
// CHECK-NOT: vector.fma
// CHECK: scf.yield
// CHECK-COUNT-12: vector.store
module attributes {weft.target = #weft.target<isa = "v3", lanes = 8, registers = 16, cpu = "x86-64-v3", features = "">} {
func.func @tile_v3(%x: memref<6x8xf32>, %w: memref<1x8x16xf32>, %y: memref<6x16xf32>) {
  weft.packed_matmul ins(%x, %w : memref<6x8xf32>, memref<1x8x16xf32>) outs(%y : memref<6x16xf32>)
  return
}
}

// -----

// A depth that four does not divide: the rest in a second loop.
// CHECK-LABEL: @depth_rest
// CHECK: scf.for {{.*}} = %c0 to %c8 step %c4
// CHECK: scf.for {{.*}} = %c8 to %c10 step %c1
module attributes {weft.target = #weft.target<isa = "v3", lanes = 8, registers = 16, cpu = "x86-64-v3", features = "">} {
func.func @depth_rest(%x: memref<6x10xf32>, %w: memref<1x10x16xf32>, %y: memref<6x16xf32>) {
  weft.packed_matmul ins(%x, %w : memref<6x10xf32>, memref<1x10x16xf32>) outs(%y : memref<6x16xf32>)
  return
}
}

// -----

// Without a fused multiply-add, a product and a sum.
// CHECK-LABEL: @tile_portable
// CHECK: arith.mulf {{.*}} : vector<4xf32>
// CHECK: arith.addf {{.*}} : vector<4xf32>
// CHECK-NOT: vector.fma
module attributes {weft.target = #weft.target<isa = "portable", lanes = 4, registers = 16, cpu = "x86-64", features = "">} {
func.func @tile_portable(%x: memref<6x4xf32>, %w: memref<1x4x16xf32>, %y: memref<6x8xf32>) {
  weft.packed_matmul ins(%x, %w : memref<6x4xf32>, memref<1x4x16xf32>) outs(%y : memref<6x8xf32>)
  return
}
}

// -----

// 20 columns: the second vector of a row is stored under a mask.
// CHECK-LABEL: @masked_columns
// CHECK: %[[MASK:.*]] = vector.constant_mask [4] : vector<16xi1>
// CHECK: vector.maskedstore %{{.*}}[%c0, %c16], %[[MASK]],
module attributes {weft.target = #weft.target<isa = "v4", lanes = 16, registers = 32, cpu = "x86-64-v4", features = "">} {
func.func @masked_columns(%x: memref<1x8xf32>, %w: memref<2x8x16xf32>, %y: memref<1x20xf32>) {
  weft.packed_matmul ins(%x, %w : memref<1x8xf32>, memref<2x8x16xf32>) outs(%y : memref<1x20xf32>)
  return
}
}
