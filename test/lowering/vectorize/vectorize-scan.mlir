// RUN: weft-opt %s --weft-vectorize-scan --canonicalize --cse --remarks-filter-missed=weft-vectorize-scan --remark-format=emitRemark --verify-diagnostics | FileCheck %s

module attributes {weft.target = #weft.target<isa = "v4", lanes = 16, registers = 32, cpu = "x86-64-v4", features = "">} {
// 16 places, each walked whole: eight chains of sums at once, begun by the first step.
// CHECK-LABEL: @whole
// CHECK-SAME: (%[[X:.*]]: memref<8x?x256xf32>, %[[Y:.*]]: memref<8x?x256xf32>)
// CHECK-NOT: memref.alloca
// CHECK: %[[SOME:.*]] = arith.minui %{{.*}}, %c1
// CHECK: %[[PLACES:.*]] = arith.muli %[[SOME]], %c16
// CHECK: scf.forall (%{{.*}}) in (%[[PLACES]])
// CHECK-COUNT-8: vector.load %[[X]]
// CHECK-COUNT-8: vector.store %{{.*}}, %[[Y]]
// CHECK: scf.for %{{.*}} = %c1 to %{{.*}} step %c1 iter_args(%[[A:[^ ]*]] = {{.*}})
// CHECK-COUNT-8: memref.prefetch %[[X]]
// CHECK: %[[B:.*]] = vector.load %[[X]]
// CHECK: arith.addf %[[A]], %[[B]] : vector<16xf32>
// CHECK-COUNT-8: vector.store %{{.*}}, %[[Y]]
func.func @whole(%x: memref<8x?x256xf32>, %y: memref<8x?x256xf32>) {
  weft.scan {dimension = 1 : i64, indexing_maps = [affine_map<(b, t, d) -> (b, t, d)>]}
    ins(%x : memref<8x?x256xf32>) outs(%y : memref<8x?x256xf32>)
    combine {
    ^bb0(%a: f32, %b: f32):
      %sum = arith.addf %a, %b : f32
      weft.yield %sum : f32
    }
  return
}

// One place: from 512 steps on, in blocks of at least 256. The first way stores no output.
// CHECK-LABEL: @blocks
// CHECK-SAME: (%[[X:.*]]: memref<?x16xf32>, %[[Y:.*]]: memref<?x16xf32>)
// CHECK: %[[CUT:.*]] = arith.cmpi uge, %[[STEPS:.*]], %c512
// CHECK: %[[TOTALS:.*]] = memref.alloca() {{.*}} : memref<8x16x128xf32>
// CHECK: %[[BEFORE:.*]] = memref.alloca() {{.*}} : memref<8x16x128xf32>
// CHECK: scf.if %[[CUT]] {
// CHECK: %[[SHARE:.*]] = arith.ceildivui %[[STEPS]], %c16
// CHECK: %[[LONG:.*]] = arith.maxui %[[SHARE]], %c256
// CHECK: %[[BLOCKS:.*]] = arith.ceildivui %[[STEPS]], %[[LONG]]
// CHECK: scf.forall (%{{.*}}) in (%[[BLOCKS]])
// CHECK-NOT: vector.store %{{.*}}, %[[Y]]
// CHECK: vector.store %{{.*}}, %[[TOTALS]]
// CHECK: scf.for %{{.*}} = %c1 to %[[BLOCKS]]
// CHECK: vector.store %{{.*}}, %[[BEFORE]]
// CHECK: vector.load %[[TOTALS]]
// CHECK: arith.addf
// CHECK: scf.forall (%[[ITEM:.*]]) in (%[[BLOCKS]])
// CHECK: %[[K:.*]] = arith.remui %[[ITEM]], %[[BLOCKS]]
// CHECK: %[[START:.*]] = vector.load %[[BEFORE]]
// CHECK: arith.cmpi eq, %[[K]], %c0
// CHECK: arith.select
// CHECK: vector.store %{{.*}}, %[[Y]]
// CHECK: } else {
// CHECK: %[[FIRST:.*]] = vector.load %[[X]][%c0, %c0]
// CHECK-NEXT: vector.store %[[FIRST]], %[[Y]][%c0, %c0]
func.func @blocks(%x: memref<?x16xf32>, %y: memref<?x16xf32>) {
  weft.scan {dimension = 0 : i64, indexing_maps = [affine_map<(t, d) -> (t, d)>]}
    ins(%x : memref<?x16xf32>) outs(%y : memref<?x16xf32>)
    combine {
    ^bb0(%a: f32, %b: f32):
      %sum = arith.addf %a, %b : f32
      weft.yield %sum : f32
    }
  return
}

// A shared accumulator stays a scalar, computed once for all lanes; a state is read before all and written after all.
// With resets nothing is cut.
// CHECK-LABEL: @shared
// CHECK-SAME: %[[S:[a-z0-9]*]]: memref<1xf32>,
// CHECK-NOT: memref.alloca
// CHECK: %[[BEFORE:.*]] = memref.load %[[S]]
// CHECK: scf.for
// CHECK: arith.mulf %{{.*}} : f32
// CHECK: arith.mulf %{{.*}} : vector<16xf32>
// CHECK: arith.select %{{.*}} : vector<16xi1>, vector<16xf32>
// CHECK: memref.store %{{.*}}, %[[S]]
func.func @shared(%a: memref<1x900xf32>, %x: memref<1x900x32xf32>, %r: memref<1x900xi8>, %s: memref<1xf32>, %t: memref<1x32xf32>, %o: memref<1x900xf32>, %p: memref<1x900x32xf32>) {
  weft.scan {dimension = 1 : i64, indexing_maps = [affine_map<(b, t, d) -> (b, t)>, affine_map<(b, t, d) -> (b, t, d)>, affine_map<(b, t, d) -> (b, t)>]}
    ins(%a, %x : memref<1x900xf32>, memref<1x900x32xf32>) reset(%r : memref<1x900xi8>) outs(%o, %p : memref<1x900xf32>, memref<1x900x32xf32>) state(%s, %t : memref<1xf32>, memref<1x32xf32>)
    combine {
    ^bb0(%a0: f32, %b0: f32, %a1: f32, %b1: f32):
      %c = arith.mulf %a0, %a1 : f32
      %u = arith.mulf %b0, %a1 : f32
      %d = arith.addf %u, %b1 : f32
      weft.yield %c, %d : f32, f32
    }
  return
}

// CHECK-LABEL: @scalar
// CHECK: arith.addf %{{.*}} : f32
func.func @scalar(%x: memref<100x300xf32>, %y: memref<100x300xf32>) {
  // expected-remark@+1 {{no dimension but the scanned one is contiguous in all operands: one element after the other}}
  weft.scan {dimension = 1 : i64, indexing_maps = [affine_map<(b, t) -> (b, t)>]}
    ins(%x : memref<100x300xf32>) outs(%y : memref<100x300xf32>)
    combine {
    ^bb0(%a: f32, %b: f32):
      %sum = arith.addf %a, %b : f32
      weft.yield %sum : f32
    }
  return
}
}
