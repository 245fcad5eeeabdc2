// RUN: weft-opt %s --split-input-file --weft-vectorize-quantized-matmul --canonicalize --cse | FileCheck %s

// The example of the pass: the halves of six rows, their sums of one vector, then each row scaled.
// CHECK-LABEL: @product(
// CHECK-SAME: %[[X:[a-z0-9]+]]: memref<6x8xi8>, %[[XS:[a-z0-9]+]]: memref<6xf32>, %[[W:[a-z0-9]+]]: memref<1x2x64xi8>, %[[WS:[a-z0-9]+]]: memref<16xf32>, %[[Y:[a-z0-9]+]]: memref<6x16xf32>)
// CHECK-DAG: %[[TILE:.*]] = memref.alloca() {alignment = 64 : i64} : memref<12x16xi32>
// CHECK-DAG: %[[KEPT:.*]] = memref.alloca() {alignment = 64 : i64} : memref<12x2x2xi32>
// CHECK: vector.load %{{.*}} : memref<6x8xi8{{.*}}>, vector<4xi8>
// CHECK: vector.store %{{.*}}, %[[KEPT]][%{{.*}}, %c0, %{{.*}}] : memref<12x2x2xi32>, vector<1xi32>
// CHECK: vector.store %{{.*}}, %[[KEPT]][%{{.*}}, %c1, %{{.*}}] : memref<12x2x2xi32>, vector<1xi32>
// CHECK: %[[SUMS:.*]]:6 = scf.for %[[G:.*]] = %c0 to %c2 step %c1 iter_args
// CHECK: %[[WORDS:.*]] = vector.load %[[W]][%c0, %[[G]], %c0] : memref<1x2x64xi8>, vector<64xi8>
// CHECK: arith.shli %{{.*}} : vector<32xi16>
// CHECK: arith.shrsi %{{.*}} : vector<32xi16>
// CHECK: memref.load %[[KEPT]][%c0, %c0, %[[G]]]
// CHECK-COUNT-12: llvm.call_intrinsic "llvm.x86.avx512.pmaddw.d.512"
// CHECK: scf.yield
// CHECK: vector.store %[[SUMS]]#5, %[[TILE]]
// CHECK: scf.for %[[R:.*]] = %c0 to %c6
// CHECK: %[[S:.*]] = memref.load %[[XS]][%[[R]]]
// CHECK: %[[F:.*]] = arith.sitofp %{{.*}} : vector<16xi32> to vector<16xf32>
// CHECK: %[[P:.*]] = arith.mulf %[[F]]
// CHECK: %[[Q:.*]] = arith.mulf %[[P]]
// CHECK: vector.store %[[Q]], %[[Y]][%[[R]]
module attributes {weft.target = #weft.target<isa = "v4", lanes = 16, registers = 32, cpu = "x86-64-v4", features = "">} {
func.func @product(%x: memref<6x8xi8>, %xs: memref<6xf32>, %w: memref<1x2x64xi8>, %ws: memref<16xf32>, %y: memref<6x16xf32>) {
  weft.quantized_matmul ins(%x, %xs, %w, %ws : memref<6x8xi8>, memref<6xf32>, memref<1x2x64xi8>, memref<16xf32>) outs(%y : memref<6x16xf32>)
  return
}
}

// -----

// The bias and an activation run on the scaled row; the scratch is gone, and the last columns are masked. One row asks
// for what it will read of each panel, many rows do not.
// CHECK-LABEL: @activation(
// CHECK-SAME: %[[W:[a-z0-9]+]]: memref<2x2x64xi8>
// CHECK-NOT: memref.alloc()
// CHECK: memref.prefetch %[[W]]
// CHECK-NEXT: vector.load %[[W]]
// CHECK: else
// CHECK-NOT: memref.prefetch
// CHECK: llvm.call_intrinsic "llvm.x86.avx2.pmadd.wd"
// CHECK: arith.sitofp
// CHECK: arith.mulf
// CHECK: arith.mulf
// CHECK: arith.addf
// CHECK: math.exp
// CHECK: vector.maskedstore
// CHECK-NOT: linalg.generic
#id = affine_map<(m, n) -> (m, n)>
module attributes {weft.target = #weft.target<isa = "v3", lanes = 8, registers = 16, cpu = "x86-64-v3", features = "">} {
func.func @activation(%x: memref<?x8xi8>, %xs: memref<?xf32>, %w: memref<2x2x64xi8>, %ws: memref<20xf32>, %y: memref<?x20xf32>, %n: index) {
  %block = memref.alloc(%n) : memref<?x20xf32>
  weft.quantized_matmul ins(%x, %xs, %w, %ws, %ws : memref<?x8xi8>, memref<?xf32>, memref<2x2x64xi8>, memref<20xf32>, memref<20xf32>) outs(%block : memref<?x20xf32>)
  linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]} ins(%block : memref<?x20xf32>) outs(%y : memref<?x20xf32>) {
  ^bb0(%a: f32, %out: f32):
    %t = math.exp %a : f32
    linalg.yield %t : f32
  }
  return
}
}

// -----

// Without an instruction of the vector's length: halves are multiplied as 32-bit integers.
// CHECK-LABEL: @no_instruction(
// CHECK-NOT: call_intrinsic
// CHECK: arith.muli %{{.*}} : vector<2xi32>
// CHECK-NOT: call_intrinsic
module attributes {weft.target = #weft.target<isa = "portable", lanes = 2, registers = 16, cpu = "x86-64", features = "">} {
func.func @no_instruction(%x: memref<1x8xi8>, %xs: memref<1xf32>, %w: memref<1x2x64xi8>, %ws: memref<16xf32>, %y: memref<1x16xf32>) {
  weft.quantized_matmul ins(%x, %xs, %w, %ws : memref<1x8xi8>, memref<1xf32>, memref<1x2x64xi8>, memref<16xf32>) outs(%y : memref<1x16xf32>)
  return
}
}
