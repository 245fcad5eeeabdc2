// Tiles of attention over splits of the keys: a split each. The regions see the whole op's keys.
// RUN: weft-opt %s --transform-interpreter --canonicalize --cse | FileCheck %s

#q = affine_map<(b, h, i, j, d, e) -> (b, h, i, d)>
#k = affine_map<(b, h, i, j, d, e) -> (b, h, j, d)>
#v = affine_map<(b, h, i, j, d, e) -> (b, h, j, e)>
#o = affine_map<(b, h, i, j, d, e) -> (j floordiv 64, b, h, i, e)>
#l = affine_map<(b, h, i, j, d, e) -> (j floordiv 64, b, h, i)>

// CHECK-DAG: #[[FIRST:.*]] = affine_map<(d0) -> (d0 * 64)>
// CHECK-DAG: #[[LEFT:.*]] = affine_map<(d0)[s0] -> (d0 * -64 + s0, 64)>
module attributes {transform.with_named_sequence} {
  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %ops = transform.structured.match ops{["weft.attention"]} in %root : (!transform.any_op) -> !transform.any_op
    %tiled, %loop = transform.structured.tile_using_forall %ops tile_sizes [0, 0, 0, 64, 0, 0] : (!transform.any_op) -> (!transform.any_op, !transform.any_op)
    transform.yield
  }

  // CHECK-LABEL: func.func @splits(
  // CHECK-SAME: %[[Q:[^:]*]]: tensor<1x2x1x4xf32>, %[[K:[^:]*]]: tensor<1x2x?x4xf32>
  // CHECK: scf.forall (%[[S:.*]]) in
  // CHECK-DAG: %[[J:.*]] = affine.apply #[[FIRST]](%[[S]])
  // CHECK-DAG: %[[COUNT:.*]] = affine.min #[[LEFT]](%[[S]])
  // CHECK: %[[KT:.*]] = tensor.extract_slice %[[K]][0, 0, %[[J]], 0] [1, 2, %[[COUNT]], 4]
  // CHECK: %[[T:.*]]:2 = weft.attention
  // CHECK-NEXT: ^bb0(%{{.*}}: index, %{{.*}}: index, %{{.*}}: index, %[[JT:.*]]: index):
  // CHECK-NEXT: arith.addi %[[JT]], %[[J]]
  // CHECK: tensor.parallel_insert_slice %[[T]]#0 into %{{.*}}[%{{.*}}, 0, 0, 0, 0] [%{{.*}}, 1, 2, 1, 4]
  func.func @splits(%q: tensor<1x2x1x4xf32>, %k: tensor<1x2x?x4xf32>, %init: tensor<?x1x2x1x4xf32>, %l: tensor<?x1x2x1xf32>) -> tensor<?x1x2x1x4xf32> {
    %o:2 = weft.attention {scale = 0.5 : f32, indexing_maps = [#q, #k, #v, #o, #l]}
         ins(%q, %k, %k : tensor<1x2x1x4xf32>, tensor<1x2x?x4xf32>, tensor<1x2x?x4xf32>)
         outs(%init, %l : tensor<?x1x2x1x4xf32>, tensor<?x1x2x1xf32>)
         mask {
         ^bb0(%b: index, %h: index, %i: index, %j: index):
           %c7 = arith.constant 7 : index
           %near = arith.cmpi sge, %j, %c7 : index
           weft.yield %near : i1
         } -> tensor<?x1x2x1x4xf32>, tensor<?x1x2x1xf32>
    return %o#0 : tensor<?x1x2x1x4xf32>
  }
}
