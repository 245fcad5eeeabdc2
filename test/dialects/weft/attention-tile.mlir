// Tiles of attention: a part of the batch, heads within a group, queries. The regions see the whole op's indices.
// RUN: weft-opt %s --transform-interpreter --canonicalize --cse | FileCheck %s

#q = affine_map<(b, h, i, j, d, e) -> (b, i, h, d)>
#k = affine_map<(b, h, i, j, d, e) -> (b, j, h floordiv 4, d)>
#v = affine_map<(b, h, i, j, d, e) -> (b, j, h floordiv 4, e)>
#o = affine_map<(b, h, i, j, d, e) -> (b, i, h, e)>
#l = affine_map<(b, h, i, j, d, e) -> (b, h, i)>

// CHECK-DAG: #[[HEAD:.*]] = affine_map<(d0) -> (d0 * 2)>
// CHECK-DAG: #[[QUERY:.*]] = affine_map<(d0) -> (d0 * 16)>
// CHECK-DAG: #[[GROUP:.*]] = affine_map<(d0) -> (d0 floordiv 2)>
module attributes {transform.with_named_sequence} {
  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %ops = transform.structured.match ops{["weft.attention"]} in %root : (!transform.any_op) -> !transform.any_op
    %tiled, %loop = transform.structured.tile_using_forall %ops tile_sizes [1, 2, 16, 0, 0, 0] : (!transform.any_op) -> (!transform.any_op, !transform.any_op)
    transform.yield
  }

  // CHECK-LABEL: func.func @grouped_heads(
  // CHECK-SAME: %[[Q:.*]]: tensor<?x?x8x4xf32>, %[[K:.*]]: tensor<?x?x2x4xf32>, %[[V:.*]]: tensor<?x?x2x4xf32>
  // CHECK: scf.forall (%[[B:.*]], %[[HN:.*]], %[[IN:.*]]) in
  // CHECK-DAG: %[[H:.*]] = affine.apply #[[HEAD]](%[[HN]])
  // CHECK-DAG: %[[I:.*]] = affine.apply #[[QUERY]](%[[IN]])
  // CHECK-DAG: %[[ROWS:.*]] = affine.min
  // CHECK-DAG: %[[G:.*]] = affine.apply #[[GROUP]](%[[HN]])
  // CHECK: %[[QT:.*]] = tensor.extract_slice %[[Q]][%[[B]], %[[I]], %[[H]], 0] [1, %[[ROWS]], 2, 4]
  // CHECK: %[[KT:.*]] = tensor.extract_slice %[[K]][%[[B]], 0, %[[G]], 0] [1, %{{.*}}, 1, 4]
  // CHECK: %[[VT:.*]] = tensor.extract_slice %[[V]][%[[B]], 0, %[[G]], 0] [1, %{{.*}}, 1, 4]
  // CHECK: %[[T:.*]]:2 = weft.attention {{.*}} ins(%[[QT]], %[[KT]], %[[VT]] : tensor<1x?x2x4xf32>, tensor<1x?x1x4xf32>, tensor<1x?x1x4xf32>)
  // CHECK: ^bb0(%{{.*}}: f32, %{{.*}}: index, %[[HT:.*]]: index, %{{.*}}: index, %{{.*}}: index):
  // CHECK-NEXT: %[[HEAD_OF_ALL:.*]] = arith.addi %[[HT]], %[[H]]
  // CHECK-NEXT: arith.index_cast %[[HEAD_OF_ALL]]
  // CHECK: mask
  // CHECK-NEXT: ^bb0(%{{.*}}: index, %{{.*}}: index, %[[IT:.*]]: index, %[[J:.*]]: index):
  // CHECK-NEXT: %[[QUERY_OF_ALL:.*]] = arith.addi %[[IT]], %[[I]]
  // CHECK-NEXT: arith.cmpi sge, %[[QUERY_OF_ALL]], %[[J]]
  // CHECK: tensor.parallel_insert_slice %[[T]]#0 into %{{.*}}[%[[B]], %[[I]], %[[H]], 0] [1, %[[ROWS]], 2, 4]
  // CHECK: tensor.parallel_insert_slice %[[T]]#1 into %{{.*}}[%[[B]], %[[H]], %[[I]]] [1, 2, %[[ROWS]]]
  func.func @grouped_heads(%q: tensor<?x?x8x4xf32>, %k: tensor<?x?x2x4xf32>, %v: tensor<?x?x2x4xf32>, %init: tensor<?x?x8x4xf32>, %l: tensor<?x8x?xf32>) -> (tensor<?x?x8x4xf32>, tensor<?x8x?xf32>) {
    %o:2 = weft.attention {scale = 0.5 : f32, indexing_maps = [#q, #k, #v, #o, #l]}
         ins(%q, %k, %v : tensor<?x?x8x4xf32>, tensor<?x?x2x4xf32>, tensor<?x?x2x4xf32>)
         outs(%init, %l : tensor<?x?x8x4xf32>, tensor<?x8x?xf32>)
         score {
         ^bb0(%s: f32, %b: index, %h: index, %i: index, %j: index):
           %integer = arith.index_cast %h : index to i32
           %slope = arith.sitofp %integer : i32 to f32
           %biased = arith.addf %s, %slope : f32
           weft.yield %biased : f32
         } mask {
         ^bb0(%b: index, %h: index, %i: index, %j: index):
           %causal = arith.cmpi sge, %i, %j : index
           weft.yield %causal : i1
         } -> tensor<?x?x8x4xf32>, tensor<?x8x?xf32>
    return %o#0, %o#1 : tensor<?x?x8x4xf32>, tensor<?x8x?xf32>
  }
}
