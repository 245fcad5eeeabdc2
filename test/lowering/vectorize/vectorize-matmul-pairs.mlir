// RUN: weft-opt %s --split-input-file --weft-vectorize-matmul --canonicalize --cse --verify-diagnostics | FileCheck %s

// Weights of 16 bits: one load gives two steps of k; an odd depth ends with one step alone.

// CHECK-LABEL: @bf16_v4
// CHECK-SAME: (%[[X:.*]]: memref<1x9xf32>, %[[W:.*]]: memref<1x5x32xbf16>
// CHECK: scf.for %[[K:.*]] = %c0 to %c8 step %c2
// CHECK: %[[ROW:.*]] = arith.divui %[[K]], %c2
// CHECK: %[[HALVES:.*]] = vector.load %[[W]][%c0, %[[ROW]], %c0] : memref<1x5x32xbf16>, vector<32xbf16>
// CHECK: %[[WORDS:.*]] = vector.bitcast %[[HALVES]] : vector<32xbf16> to vector<16xi32>
// CHECK: %[[UP:.*]] = arith.shli %[[WORDS]]
// CHECK: %[[FIRST:.*]] = arith.bitcast %[[UP]] : vector<16xi32> to vector<16xf32>
// CHECK: %[[AND:.*]] = arith.andi %[[WORDS]]
// CHECK: %[[SECOND:.*]] = arith.bitcast %[[AND]] : vector<16xi32> to vector<16xf32>
// CHECK: %[[SUM:.*]] = vector.fma %{{.*}}, %[[FIRST]], %{{.*}} : vector<16xf32>
// CHECK: vector.fma %{{.*}}, %[[SECOND]], %[[SUM]] : vector<16xf32>
// CHECK: scf.yield
// CHECK: vector.fma
// CHECK-NOT: vector.fma
module attributes {weft.target = #weft.target<isa = "v4", lanes = 16, registers = 32, cpu = "x86-64-v4", features = "">} {
func.func @bf16_v4(%x: memref<1x9xf32>, %w: memref<1x5x32xbf16>, %y: memref<1x16xf32>) {
  weft.packed_matmul ins(%x, %w : memref<1x9xf32>, memref<1x5x32xbf16>) outs(%y : memref<1x16xf32>)
  return
}
}

// -----

// CHECK-LABEL: @f16_v4
// CHECK: scf.for %{{.*}} = %c0 to %c8 step %c2
// CHECK: vector.load {{.*}} : memref<1x4x32xf16>, vector<32xf16>
// CHECK-COUNT-2: arith.extf {{.*}} : vector<16xf16> to vector<16xf32>
// CHECK-COUNT-2: vector.fma
// CHECK-NOT: vector.fma
module attributes {weft.target = #weft.target<isa = "v4", lanes = 16, registers = 32, cpu = "x86-64-v4", features = "">} {
func.func @f16_v4(%x: memref<1x8xf32>, %w: memref<1x4x32xf16>, %y: memref<1x16xf32>) {
  weft.packed_matmul ins(%x, %w : memref<1x8xf32>, memref<1x4x32xf16>) outs(%y : memref<1x16xf32>)
  return
}
}

// -----

// Portable code has no instruction for f16, and must call no library.
// CHECK-LABEL: @f16_portable
// CHECK-NOT: arith.extf
// CHECK: return
module attributes {weft.target = #weft.target<isa = "portable", lanes = 4, registers = 16, cpu = "x86-64", features = "">} {
func.func @f16_portable(%x: memref<1x8xf32>, %w: memref<1x4x32xf16>, %y: memref<1x16xf32>) {
  weft.packed_matmul ins(%x, %w : memref<1x8xf32>, memref<1x4x32xf16>) outs(%y : memref<1x16xf32>)
  return
}
}

// -----

module attributes {weft.target = #weft.target<isa = "v4", lanes = 16, registers = 32, cpu = "x86-64-v4", features = "">} {
func.func @negative_f64(%x: memref<1x8xf64>, %w: memref<1x8x16xf64>, %y: memref<1x16xf64>) {
  // expected-error@+1 {{products on the CPU take operands of f32, bf16 or f16, and a bias and sums of f32, got 'memref<1x8xf64>'}}
  weft.packed_matmul ins(%x, %w : memref<1x8xf64>, memref<1x8x16xf64>) outs(%y : memref<1x16xf64>)
  return
}
}
