// RUN: weft-opt %s --split-input-file --weft-vectorize-matmul --canonicalize --cse | FileCheck %s

// 16 rows are two tiles of 8; 20 are two of 7 and one of 6; each loop has four steps of the sum.
// CHECK-LABEL: @rows_16
// CHECK-COUNT-96: vector.fma
// CHECK-NOT: vector.fma
// CHECK-LABEL: @rows_20
// CHECK-COUNT-84: vector.fma
// CHECK: scf.yield
// CHECK-COUNT-72: vector.fma
// CHECK-NOT: vector.fma
module attributes {weft.target = #weft.target<isa = "v4", lanes = 16, registers = 32, cpu = "x86-64-v4", features = "">} {
func.func @rows_16(%x: memref<16x8xf32>, %w: memref<3x8x16xf32>, %y: memref<16x48xf32>) {
  weft.packed_matmul ins(%x, %w : memref<16x8xf32>, memref<3x8x16xf32>) outs(%y : memref<16x48xf32>)
  return
}
func.func @rows_20(%x: memref<20x8xf32>, %w: memref<3x8x16xf32>, %y: memref<20x48xf32>) {
  weft.packed_matmul ins(%x, %w : memref<20x8xf32>, memref<3x8x16xf32>) outs(%y : memref<20x48xf32>)
  return
}
}

// -----

// A number of rows known at run time: heights 1 to 6 step by step for up to 6 rows, else heights 5 to 9.
// CHECK-LABEL: @rows_dynamic
// CHECK: %[[FEW:.*]] = arith.cmpi ule, %{{.*}}, %c6
// CHECK: scf.if %[[FEW]]
// CHECK: scf.index_switch
// CHECK: case 1
// CHECK-COUNT-3: vector.fma
// CHECK: case 2
// CHECK-COUNT-6: vector.fma
// CHECK: default
// CHECK-COUNT-18: vector.fma
// CHECK-NOT: vector.fma
// CHECK: else
// CHECK: scf.index_switch
// CHECK-NOT: case 4
// CHECK: case 5
// CHECK-COUNT-60: vector.fma
// CHECK: case 8
// CHECK-COUNT-96: vector.fma
// CHECK: default
// CHECK-COUNT-108: vector.fma
// CHECK-NOT: vector.fma
// CHECK-NOT: vector.mask
module attributes {weft.target = #weft.target<isa = "v4", lanes = 16, registers = 32, cpu = "x86-64-v4", features = "">} {
func.func @rows_dynamic(%x: memref<?x8xf32>, %w: memref<12x8x16xf32>, %y: memref<?x192xf32>) {
  weft.packed_matmul ins(%x, %w : memref<?x8xf32>, memref<12x8x16xf32>) outs(%y : memref<?x192xf32>)
  return
}
}

// -----

// A long sum is cut into blocks, for few rows of up to 1536 steps; partial sums, from the bias on, stay in the output.
// CHECK-LABEL: @long_sum
// CHECK-SAME: %[[B:[a-z0-9]+]]: memref<48xf32>, %[[Y:[a-z0-9]+]]: memref<9x48xf32>
// CHECK: %[[START:.*]] = vector.load %[[B]]
// CHECK: vector.store %[[START]], %[[Y]]
// CHECK: scf.for %{{.*}} = %c0 to %c4096 step %c1368
// CHECK: vector.load %[[Y]]
// CHECK-COUNT-27: vector.fma
// CHECK: vector.store %{{.*}}, %[[Y]]
module attributes {weft.target = #weft.target<isa = "v4", lanes = 16, registers = 32, cpu = "x86-64-v4", features = "">} {
func.func @long_sum(%x: memref<9x4096xf32>, %w: memref<3x4096x16xf32>, %b: memref<48xf32>, %y: memref<9x48xf32>) {
  weft.packed_matmul ins(%x, %w, %b : memref<9x4096xf32>, memref<3x4096x16xf32>, memref<48xf32>) outs(%y : memref<9x48xf32>)
  return
}
}

// -----

// A weight of more than 256 KiB: what is stored to and the panels of the next columns are asked for.
// CHECK-LABEL: @streamed
// CHECK-SAME: %[[W:[a-z0-9]+]]: memref<48x768x16xf32>, %[[Y:[a-z0-9]+]]: memref<9x768xf32>
// CHECK-COUNT-27: memref.prefetch %{{.*}}, write
// CHECK: scf.for %{{.*}} = %c0 to %c768 step %c8
// CHECK-COUNT-3: memref.prefetch %[[W]]{{.*}}, read, locality<2>
// CHECK: scf.for
// CHECK-COUNT-3: memref.prefetch %[[W]]{{.*}}, read, locality<3>
module attributes {weft.target = #weft.target<isa = "v4", lanes = 16, registers = 32, cpu = "x86-64-v4", features = "">} {
func.func @streamed(%x: memref<9x768xf32>, %w: memref<48x768x16xf32>, %y: memref<9x768xf32>) {
  weft.packed_matmul ins(%x, %w : memref<9x768xf32>, memref<48x768x16xf32>) outs(%y : memref<9x768xf32>)
  return
}
}

// -----

// Two row tiles share the panels of the next columns: four steps of each of these for eight steps of their own.
// CHECK-LABEL: @streamed_by_two
// CHECK-SAME: %[[W:[a-z0-9]+]]: memref<48x768x16xf32>
// CHECK: scf.for %{{.*}} = %c0 to %c768 step %c8
// CHECK: scf.for %{{.*}} = %c0 to %c4 step %c1 {
// CHECK-COUNT-3: memref.prefetch %[[W]]{{.*}}, read, locality<2>
// CHECK-NOT: locality<2>
// CHECK: scf.for %{{.*}} step %c4 iter_args
module attributes {weft.target = #weft.target<isa = "v4", lanes = 16, registers = 32, cpu = "x86-64-v4", features = "">} {
func.func @streamed_by_two(%x: memref<16x768xf32>, %w: memref<48x768x16xf32>, %y: memref<16x768xf32>) {
  weft.packed_matmul ins(%x, %w : memref<16x768xf32>, memref<48x768x16xf32>) outs(%y : memref<16x768xf32>)
  return
}
}
