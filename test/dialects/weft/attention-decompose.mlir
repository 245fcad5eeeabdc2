// The definition of attention: every step over all of [b, h, i, j].
// RUN: weft-opt %s --transform-interpreter --canonicalize --cse | FileCheck %s

#q = affine_map<(b, h, i, j, d, e) -> (b, i, h, d)>
#k = affine_map<(b, h, i, j, d, e) -> (b, j, h floordiv 2, d)>
#v = affine_map<(b, h, i, j, d, e) -> (b, j, h floordiv 2, e)>
#m = affine_map<(b, h, i, j, d, e) -> (b, j)>
#o = affine_map<(b, h, i, j, d, e) -> (b, i, h, e)>

// CHECK-DAG: #[[QUERY:.*]] = affine_map<(d0, d1, d2, d3, d4) -> (d0, d2, d1, d4)>
// CHECK-DAG: #[[KEY:.*]] = affine_map<(d0, d1, d2, d3, d4) -> (d0, d3, d1 floordiv 2, d4)>
// CHECK-DAG: #[[SUMS:.*]] = affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, d2, d3)>
// CHECK-DAG: #[[SCORES:.*]] = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>
// CHECK-DAG: #[[PADDING:.*]] = affine_map<(d0, d1, d2, d3) -> (d0, d3)>
// CHECK-DAG: #[[ROWS:.*]] = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2)>
// CHECK-DAG: #[[WEIGHTS:.*]] = affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, d2, d4)>
// CHECK-DAG: #[[VALUE:.*]] = affine_map<(d0, d1, d2, d3, d4) -> (d0, d4, d1 floordiv 2, d3)>
// CHECK-DAG: #[[OUT:.*]] = affine_map<(d0, d1, d2, d3) -> (d0, d2, d1, d3)>
module attributes {transform.with_named_sequence} {
  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %ops = transform.structured.match ops{["weft.attention"]} in %root : (!transform.any_op) -> !transform.any_op
    %definitions = transform.structured.decompose_interface %ops : (!transform.any_op) -> !transform.any_op
    transform.yield
  }

  // CHECK-LABEL: func.func @regions_and_groups(
  // CHECK-SAME: %[[Q:.*]]: tensor<?x?x4x8xf32>, %[[K:.*]]: tensor<?x?x2x8xf32>, %[[V:.*]]: tensor<?x?x2x8xf32>, %[[M:.*]]: tensor<?x?xi64>, %[[INIT:.*]]: tensor<?x?x4x8xf32>
  // CHECK-DAG: %[[HIDDEN:.*]] = arith.constant 0xFF800000 : f32
  // CHECK-DAG: %[[SCALE:.*]] = arith.constant 5.000000e-01 : f32
  // CHECK-DAG: %[[ZERO:.*]] = arith.constant 0.000000e+00 : f32

  // CHECK: %[[S:.*]] = linalg.generic {indexing_maps = [#[[QUERY]], #[[KEY]], #[[SUMS]]], {{.*}}"reduction"]} ins(%[[Q]], %[[K]]
  // The regions see the indices and the extra operand.
  // CHECK: %[[MASKED:.*]] = linalg.generic {indexing_maps = [#[[SCORES]], #[[PADDING]], #[[SCORES]]]{{.*}} ins(%[[S]], %[[M]]
  // CHECK-NEXT: ^bb0(%[[IN:.*]]: f32, %[[P:.*]]: i64, %{{.*}}: f32):
  // CHECK: %[[SCALED:.*]] = arith.mulf %[[IN]], %[[SCALE]]
  // CHECK-DAG: %[[I:.*]] = linalg.index 2
  // CHECK-DAG: %[[J:.*]] = linalg.index 3
  // CHECK-DAG: %[[CAPPED:.*]] = math.tanh %[[SCALED]]
  // CHECK-DAG: %[[CAUSAL:.*]] = arith.cmpi sge, %[[I]], %[[J]]
  // CHECK-DAG: %[[KEPT:.*]] = arith.cmpi ne, %[[P]]
  // CHECK: %[[VISIBLE:.*]] = arith.andi %[[CAUSAL]], %[[KEPT]]
  // CHECK: arith.select %[[VISIBLE]], %[[CAPPED]], %[[HIDDEN]]
  // The maximum of a fully masked row counts as 0.
  // CHECK: %[[LARGEST:.*]] = linalg.generic {indexing_maps = [#[[SCORES]], #[[ROWS]]], {{.*}}} ins(%[[MASKED]]
  // CHECK: arith.maximumf
  // CHECK: %[[MAX:.*]] = linalg.generic {{.*}} ins(%[[LARGEST]]
  // CHECK: %[[UNSEEN:.*]] = arith.cmpf oeq, %{{.*}}, %[[HIDDEN]]
  // CHECK: arith.select %[[UNSEEN]], %[[ZERO]]
  // CHECK: %[[W:.*]] = linalg.generic {{.*}} ins(%[[MASKED]], %[[MAX]]
  // CHECK: arith.subf
  // CHECK: math.exp
  // CHECK: %[[SUM:.*]] = linalg.generic {{.*}} ins(%[[W]]
  // CHECK: %[[PRODUCT:.*]] = linalg.generic {indexing_maps = [#[[WEIGHTS]], #[[VALUE]], #[[SUMS]]], {{.*}} ins(%[[W]], %[[V]]
  // CHECK: linalg.generic {indexing_maps = [#[[SCORES]], #[[ROWS]], #[[OUT]]], {{.*}} ins(%[[PRODUCT]], %[[SUM]] : {{.*}} outs(%[[INIT]]
  // CHECK: %[[EMPTY:.*]] = arith.cmpf oeq, %{{.*}}, %[[ZERO]]
  // CHECK: %[[MEAN:.*]] = arith.divf
  // CHECK: arith.select %[[EMPTY]], %[[ZERO]], %[[MEAN]]
  func.func @regions_and_groups(%q: tensor<?x?x4x8xf32>, %k: tensor<?x?x2x8xf32>, %v: tensor<?x?x2x8xf32>, %m: tensor<?x?xi64>, %init: tensor<?x?x4x8xf32>) -> tensor<?x?x4x8xf32> {
    %o = weft.attention {scale = 0.5 : f32, indexing_maps = [#q, #k, #v, #m, #o]}
         ins(%q, %k, %v, %m : tensor<?x?x4x8xf32>, tensor<?x?x2x8xf32>, tensor<?x?x2x8xf32>, tensor<?x?xi64>)
         outs(%init : tensor<?x?x4x8xf32>)
         score {
         ^bb0(%s: f32, %b: index, %h: index, %i: index, %j: index, %p: i64):
           %capped = math.tanh %s : f32
           weft.yield %capped : f32
         } mask {
         ^bb0(%b: index, %h: index, %i: index, %j: index, %p: i64):
           %causal = arith.cmpi sge, %i, %j : index
           %zero = arith.constant 0 : i64
           %kept = arith.cmpi ne, %p, %zero : i64
           %visible = arith.andi %causal, %kept : i1
           weft.yield %visible : i1
         } -> tensor<?x?x4x8xf32>
    return %o : tensor<?x?x4x8xf32>
  }
}
