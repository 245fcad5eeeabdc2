// RUN: weft-opt %s --split-input-file --weft-vectorize-matmul --canonicalize --cse --verify-diagnostics | FileCheck %s

#id = affine_map<(m, n) -> (m, n)>
#row = affine_map<(m, n) -> (n)>

// The activation works on a tile's sums while they are in the first-level cache; the block between it and the product
// is gone.
// CHECK-LABEL: @activation
// CHECK-SAME: %[[Y:[a-z0-9]+]]: memref<1x16xf32>)
// CHECK: %[[TILE:.*]] = memref.alloca() {alignment = 64 : i64} : memref<6x16xf32>
// CHECK-NOT: memref.alloc
// CHECK: %[[SUM:.*]] = scf.for
// CHECK: vector.store %[[SUM]], %[[TILE]]
// CHECK: %[[SUMS:.*]] = vector.load %[[TILE]]
// CHECK: %[[ERF:.*]] = math.erf %[[SUMS]] : vector<16xf32>
// CHECK: vector.store %[[ERF]], %[[Y]]
// CHECK-NOT: linalg.generic
module attributes {weft.target = #weft.target<isa = "v4", lanes = 16, registers = 32, cpu = "x86-64-v4", features = "">} {
func.func @activation(%x: memref<1x8xf32>, %w: memref<1x8x16xf32>, %y: memref<1x16xf32>) {
  %block = memref.alloc() : memref<1x16xf32>
  weft.packed_matmul ins(%x, %w : memref<1x8xf32>, memref<1x8x16xf32>) outs(%block : memref<1x16xf32>)
  linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]} ins(%block : memref<1x16xf32>) outs(%y : memref<1x16xf32>) {
  ^bb0(%a: f32, %out: f32):
    %t = math.erf %a : f32
    linalg.yield %t : f32
  }
  return
}

// One or two plain ops work on the sums in their registers. Other operands are loaded where they are used: a residual, a
// row.
// CHECK-LABEL: @residual
// CHECK-SAME: %[[R:[a-z0-9]+]]: memref<1x16xf32>, %[[S:[a-z0-9]+]]: memref<16xf32>, %[[Y:[a-z0-9]+]]: memref<1x16xf32>)
// CHECK: %[[SUM:.*]] = scf.for
// CHECK-NOT: vector.store
// CHECK: %[[RV:.*]] = vector.load %[[R]]
// CHECK: %[[SV:.*]] = vector.load %[[S]]
// CHECK: %[[ADDED:.*]] = arith.addf %[[SUM]], %[[RV]]
// CHECK: arith.mulf %[[ADDED]], %[[SV]]
func.func @residual(%x: memref<1x8xf32>, %w: memref<1x8x16xf32>, %r: memref<1x16xf32>, %s: memref<16xf32>, %y: memref<1x16xf32>) {
  %block = memref.alloca() : memref<1x16xf32>
  weft.packed_matmul ins(%x, %w : memref<1x8xf32>, memref<1x8x16xf32>) outs(%block : memref<1x16xf32>)
  linalg.generic {indexing_maps = [#id, #id, #row, #id], iterator_types = ["parallel", "parallel"]}
      ins(%block, %r, %s : memref<1x16xf32>, memref<1x16xf32>, memref<16xf32>) outs(%y : memref<1x16xf32>) {
  ^bb0(%a: f32, %b: f32, %c: f32, %out: f32):
    %t = arith.addf %a, %b : f32
    %u = arith.mulf %t, %c : f32
    linalg.yield %u : f32
  }
  return
}

// A tile within the columns has no masks, and a row's three vectors share an iteration; a tile at their end goes vector by
// vector, as far as there are columns.
// CHECK-LABEL: @ragged_columns
// CHECK: arith.cmpi uge
// CHECK: scf.if
// CHECK-COUNT-3: math.erf
// CHECK-NOT: math.erf
// CHECK: } else {
// CHECK: scf.for
// CHECK: vector.create_mask
// CHECK: math.erf
// CHECK: vector.maskedstore
func.func @ragged_columns(%x: memref<2x8xf32>, %w: memref<3x8x16xf32>, %y: memref<2x?xf32>, %n: index) {
  %block = memref.alloca(%n) : memref<2x?xf32>
  weft.packed_matmul ins(%x, %w : memref<2x8xf32>, memref<3x8x16xf32>) outs(%block : memref<2x?xf32>)
  linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]} ins(%block : memref<2x?xf32>) outs(%y : memref<2x?xf32>) {
  ^bb0(%a: f32, %out: f32):
    %t = math.erf %a : f32
    linalg.yield %t : f32
  }
  return
}

// Two readers: the block stays, and each of them.
// CHECK-LABEL: @negative_two_readers
// CHECK: %[[BLOCK:.*]] = memref.alloca
// CHECK: vector.store %{{.*}}, %[[BLOCK]]
// CHECK-COUNT-2: linalg.generic
func.func @negative_two_readers(%x: memref<1x8xf32>, %w: memref<1x8x16xf32>, %y: memref<1x16xf32>, %z: memref<1x16xf32>) {
  %block = memref.alloca() : memref<1x16xf32>
  weft.packed_matmul ins(%x, %w : memref<1x8xf32>, memref<1x8x16xf32>) outs(%block : memref<1x16xf32>)
  linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]} ins(%block : memref<1x16xf32>) outs(%y : memref<1x16xf32>) {
  ^bb0(%a: f32, %out: f32):
    %t = math.erf %a : f32
    linalg.yield %t : f32
  }
  linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]} ins(%block : memref<1x16xf32>) outs(%z : memref<1x16xf32>) {
  ^bb0(%a: f32, %out: f32):
    %t = math.tanh %a : f32
    linalg.yield %t : f32
  }
  return
}

// A sum over columns is no epilogue: a tile has not all of them.
// CHECK-LABEL: @negative_reduction
// CHECK: %[[BLOCK:.*]] = memref.alloca
// CHECK: linalg.generic {{.*}} ins(%[[BLOCK]] :
func.func @negative_reduction(%x: memref<1x8xf32>, %w: memref<1x8x16xf32>, %y: memref<1xf32>) {
  %block = memref.alloca() : memref<1x16xf32>
  weft.packed_matmul ins(%x, %w : memref<1x8xf32>, memref<1x8x16xf32>) outs(%block : memref<1x16xf32>)
  linalg.generic {indexing_maps = [#id, affine_map<(m, n) -> (m)>], iterator_types = ["parallel", "reduction"]} ins(%block : memref<1x16xf32>) outs(%y : memref<1xf32>) {
  ^bb0(%a: f32, %acc: f32):
    %t = arith.addf %a, %acc : f32
    linalg.yield %t : f32
  }
  return
}
}

// -----

// expected-error@+1 {{needs the module attribute 'weft.target'}}
module {
}
