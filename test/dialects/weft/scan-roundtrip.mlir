// RUN: weft-opt %s --verify-roundtrip | FileCheck %s

// The example of SequenceOps.td.
// CHECK-LABEL: func @aaren(
// CHECK: weft.scan {dimension = 1 : i64, indexing_maps = [#{{.*}}, #{{.*}}, #{{.*}}]} ins(%{{.*}}, %{{.*}}, %{{.*}} : tensor<?x?xf32>, tensor<?x?xf32>, tensor<?x?x16xf32>) outs(
// CHECK: weft.yield %{{.*}}, %{{.*}}, %{{.*}} : f32, f32, f32
func.func @aaren(%score: tensor<?x?xf32>, %one: tensor<?x?xf32>, %value: tensor<?x?x16xf32>,
                 %em: tensor<?x?xf32>, %es: tensor<?x?xf32>, %ev: tensor<?x?x16xf32>) -> (tensor<?x?xf32>, tensor<?x?xf32>, tensor<?x?x16xf32>) {
  %m, %s, %v = weft.scan {dimension = 1 : i64, indexing_maps = [affine_map<(b, t, e) -> (b, t)>,
                 affine_map<(b, t, e) -> (b, t)>, affine_map<(b, t, e) -> (b, t, e)>]}
               ins(%score, %one, %value : tensor<?x?xf32>, tensor<?x?xf32>, tensor<?x?x16xf32>)
               outs(%em, %es, %ev : tensor<?x?xf32>, tensor<?x?xf32>, tensor<?x?x16xf32>)
               combine {
               ^bb0(%m0: f32, %s0: f32, %v0: f32, %m1: f32, %s1: f32, %v1: f32):
                 %max = arith.maximumf %m0, %m1 : f32
                 %d0 = arith.subf %m0, %max : f32
                 %d1 = arith.subf %m1, %max : f32
                 %w0 = math.exp %d0 : f32
                 %w1 = math.exp %d1 : f32
                 %t0 = arith.mulf %s0, %w0 : f32
                 %t1 = arith.mulf %s1, %w1 : f32
                 %sum = arith.addf %t0, %t1 : f32
                 %u0 = arith.mulf %v0, %w0 : f32
                 %u1 = arith.mulf %v1, %w1 : f32
                 %mix = arith.addf %u0, %u1 : f32
                 weft.yield %max, %sum, %mix : f32, f32, f32
               } -> tensor<?x?xf32>, tensor<?x?xf32>, tensor<?x?x16xf32>
  return %m, %s, %v : tensor<?x?xf32>, tensor<?x?xf32>, tensor<?x?x16xf32>
}

// A stabiliser: the largest of forget gates' sums and input gates, in the max-plus algebra; resets and a state.
// CHECK-LABEL: func @max_plus(
// CHECK: weft.scan {dimension = 0 : i64, indexing_maps = [#{{.*}}, #{{.*}}, #{{.*}}], reverse} ins({{.*}}) reset(%{{.*}} : memref<9xi8>) outs({{.*}}) state(%{{.*}}, %{{.*}} : memref<4xf32>, memref<4xf32>) combine {
func.func @max_plus(%f: memref<9x4xf32>, %i: memref<9x4xf32>, %r: memref<9xi8>, %y: memref<9x4xf32>, %m: memref<9x4xf32>, %s: memref<4xf32>, %t: memref<4xf32>) {
  weft.scan {dimension = 0 : i64, reverse, indexing_maps = [affine_map<(t, h) -> (t, h)>, affine_map<(t, h) -> (t, h)>, affine_map<(t, h) -> (t)>]}
    ins(%f, %i : memref<9x4xf32>, memref<9x4xf32>) reset(%r : memref<9xi8>)
    outs(%y, %m : memref<9x4xf32>, memref<9x4xf32>) state(%s, %t : memref<4xf32>, memref<4xf32>)
    combine {
    ^bb0(%f0: f32, %m0: f32, %f1: f32, %m1: f32):
      %sum = arith.addf %f0, %f1 : f32
      %shifted = arith.addf %m0, %f1 : f32
      %max = arith.maximumf %shifted, %m1 : f32
      weft.yield %sum, %max : f32, f32
    }
  return
}
