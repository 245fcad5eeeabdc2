// The definition of attention with 8-bit keys and values: integers become f32, the factor of a key multiplies its score,
// that of a value its weight.
// RUN: weft-opt %s --transform-interpreter --canonicalize --cse | FileCheck %s

#q = affine_map<(b, h, i, j, d, e) -> (b, h, i, d)>
#k = affine_map<(b, h, i, j, d, e) -> (b, h floordiv 2, j, d)>
#v = affine_map<(b, h, i, j, d, e) -> (b, h floordiv 2, j, e)>
#f = affine_map<(b, h, i, j, d, e) -> (b, h floordiv 2, j)>
#o = affine_map<(b, h, i, j, d, e) -> (b, h, i, e)>
module attributes {transform.with_named_sequence} {
  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %ops = transform.structured.match ops{["weft.attention"]} in %root : (!transform.any_op) -> !transform.any_op
    %definitions = transform.structured.decompose_interface %ops : (!transform.any_op) -> !transform.any_op
    transform.yield
  }

  // CHECK-LABEL: func.func @bytes(
  // CHECK-SAME: %[[Q:[^:]*]]: tensor<1x4x1x8xf32>, %[[K:[^:]*]]: tensor<1x2x?x8xi8>, %[[KS:[^:]*]]: tensor<1x2x?xf32>, %[[VS:[^:]*]]: tensor<1x2x?xf32>
  // CHECK: ins(%[[Q]], %[[K]]
  // CHECK: arith.sitofp %{{.*}} : i8 to f32
  // CHECK: ins(%{{.*}}, %[[KS]]
  // CHECK-NEXT: ^bb0(%[[S:.*]]: f32, %[[FACTOR:.*]]: f32, %{{.*}}: f32):
  // CHECK: %[[SCALED:.*]] = arith.mulf %[[S]]
  // CHECK: arith.mulf %[[SCALED]], %[[FACTOR]]
  // CHECK: ins(%{{.*}}, %[[K]], %[[VS]]
  // CHECK-NEXT: ^bb0(%[[W:.*]]: f32, %[[BYTE:.*]]: i8, %[[VALUE_FACTOR:.*]]: f32, %{{.*}}: f32):
  // CHECK-DAG: %[[WEIGHT:.*]] = arith.mulf %[[W]], %[[VALUE_FACTOR]]
  // CHECK-DAG: %[[NUMBER:.*]] = arith.sitofp %[[BYTE]]
  // CHECK: arith.mulf %[[WEIGHT]], %[[NUMBER]]
  func.func @bytes(%q: tensor<1x4x1x8xf32>, %k: tensor<1x2x?x8xi8>, %ks: tensor<1x2x?xf32>, %vs: tensor<1x2x?xf32>, %init: tensor<1x4x1x8xf32>) -> tensor<1x4x1x8xf32> {
    %o = weft.attention {scale = 0.5 : f32, indexing_maps = [#q, #k, #v, #f, #f, #o]}
      ins(%q, %k, %k : tensor<1x4x1x8xf32>, tensor<1x2x?x8xi8>, tensor<1x2x?x8xi8>)
      key_scale(%ks : tensor<1x2x?xf32>) value_scale(%vs : tensor<1x2x?xf32>)
      outs(%init : tensor<1x4x1x8xf32>) -> tensor<1x4x1x8xf32>
    return %o : tensor<1x4x1x8xf32>
  }
}
