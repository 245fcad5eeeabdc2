// RUN: weft-opt %s --split-input-file --weft-vectorize-groupwise-matmul --canonicalize --cse | FileCheck %s

// The example of the pass: two rows' sums of a group, word by word, then scaled.
// CHECK-LABEL: @product(
// CHECK-SAME: %[[X:[a-z0-9]+]]: memref<2x32xf32>, %[[W:[a-z0-9]+]]: memref<1x1x544xi8>, %[[Y:[a-z0-9]+]]: memref<2x16xf32>)
// CHECK: %[[SUMS:.*]] = memref.alloca() {alignment = 64 : i64} : memref<6x16xf32>
// CHECK: %[[G:.*]]:2 = scf.for %{{.*}} = %c0 to %c8 step %c1 iter_args
// CHECK: memref.prefetch %[[W]]
// CHECK: vector.load %[[W]][%c0, %c0, %{{.*}}] : memref<1x1x544xi8>, vector<64xi8>
// CHECK: vector.shuffle %{{.*}}, %{{.*}} [64, 64, 64, 0, 64, 64, 64, 4, {{.*}}] : vector<64xi8>, vector<64xi8>
// CHECK: arith.sitofp
// CHECK: vector.broadcast
// CHECK: vector.fma
// CHECK: scf.yield
// CHECK: vector.load %[[W]][%c0, %c0, %c512] : memref<1x1x544xi8>, vector<32xi8>
// CHECK: %[[HALVES:.*]] = arith.extf %{{.*}} : vector<16xf16> to vector<16xf32>
// CHECK: %[[SCALES:.*]] = arith.mulf %[[HALVES]], %
// CHECK: vector.fma %[[SCALES]], %[[G]]#0, %
// CHECK: vector.fma %[[SCALES]], %[[G]]#1, %
// CHECK: scf.for %[[R:.*]] = %c0 to %c2
// CHECK: vector.store %{{.*}}, %[[Y]][%[[R]]
module attributes {weft.target = #weft.target<isa = "v4", lanes = 16, registers = 32, cpu = "x86-64-v4", features = "">} {
func.func @product(%x: memref<2x32xf32>, %w: memref<1x1x544xi8>, %y: memref<2x16xf32>) {
  weft.groupwise_matmul {bits = 8, group = 32} ins(%x, %w : memref<2x32xf32>, memref<1x1x544xi8>) outs(%y : memref<2x16xf32>)
  return
}
}

// -----

// Four bits: a table where there is an instruction for it, from the byte that holds the value.
// CHECK-LABEL: @four_bits(
// CHECK-DAG: %[[TABLE:.*]] = arith.constant dense<[0.000000e+00, 1.000000e+00, {{.*}} -2.000000e+00, -1.000000e+00]> : vector<16xf32>
// CHECK: llvm.call_intrinsic "llvm.x86.avx512.permvar.sf.512"(%[[TABLE]],
// CHECK: arith.shrui
// CHECK: llvm.call_intrinsic "llvm.x86.avx512.permvar.sf.512"(%[[TABLE]],
module attributes {weft.target = #weft.target<isa = "v4", lanes = 16, registers = 32, cpu = "x86-64-v4", features = "">} {
func.func @four_bits(%x: memref<1x32xf32>, %w: memref<1x1x288xi8>, %y: memref<1x16xf32>) {
  weft.groupwise_matmul {bits = 4, group = 32} ins(%x, %w : memref<1x32xf32>, memref<1x1x288xi8>) outs(%y : memref<1x16xf32>)
  return
}
}

// -----

// Many rows read a scratch; the last group has 8 steps, the last vector's columns are masked, and the epilogue runs on
// the sums.
// CHECK-LABEL: @many_rows(
// CHECK-NOT: memref.alloc()
// CHECK-NOT: call_intrinsic
// CHECK: %[[VALUES:.*]] = memref.alloca() {alignment = 64 : i64} : memref<64x16xf32>
// CHECK: %[[SCALES:.*]] = memref.alloca() {alignment = 64 : i64} : memref<2x16xf32>
// CHECK: vector.store %{{.*}}, %[[SCALES]]
// CHECK: arith.sitofp
// CHECK: vector.store %{{.*}}, %[[VALUES]]
// CHECK: %[[STEPS:.*]] = arith.minui %{{.*}}, %c32
// CHECK: memref.subview %{{.*}} [6, %[[STEPS]]]
// CHECK: math.exp
// CHECK: vector.maskedstore
// CHECK-NOT: linalg.generic
#id = affine_map<(m, n) -> (m, n)>
module attributes {weft.target = #weft.target<isa = "v3", lanes = 8, registers = 16, cpu = "x86-64-v3", features = "">} {
func.func @many_rows(%x: memref<12x40xf32>, %w: memref<2x2x288xi8>, %b: memref<20xf32>, %y: memref<12x20xf32>) {
  %block = memref.alloc() : memref<12x20xf32>
  weft.groupwise_matmul {bits = 4, group = 32} ins(%x, %w, %b : memref<12x40xf32>, memref<2x2x288xi8>, memref<20xf32>) outs(%block : memref<12x20xf32>)
  linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]} ins(%block : memref<12x20xf32>) outs(%y : memref<12x20xf32>) {
  ^bb0(%a: f32, %out: f32):
    %t = math.exp %a : f32
    linalg.yield %t : f32
  }
  return
}
}
