// The definition of attention to keys in pages: keys and values are brought into one piece first.
// RUN: weft-opt %s --transform-interpreter --canonicalize --cse | FileCheck %s

#q = affine_map<(b, h, i, j, d, e) -> (b, h, i, d)>
#k = affine_map<(b, h, i, j, d, e) -> (b, h, j, d)>
#v = affine_map<(b, h, i, j, d, e) -> (b, h, j, e)>
#t = affine_map<(b, h, i, j, d, e) -> (b, j floordiv 16)>
#o = affine_map<(b, h, i, j, d, e) -> (b, h, i, e)>
module attributes {transform.with_named_sequence} {
  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %ops = transform.structured.match ops{["weft.attention"]} in %root : (!transform.any_op) -> !transform.any_op
    %definitions = transform.structured.decompose_interface %ops : (!transform.any_op) -> !transform.any_op
    transform.yield
  }

  // CHECK-LABEL: func.func @pages(
  // CHECK-SAME: %{{[^:]*}}: tensor<3x2x1x4xf32>, %[[K:[^:]*]]: tensor<9x2x16x4xf32>, %[[T:[^:]*]]: tensor<3x5xi64>
  // CHECK: %[[KEYS:.*]] = linalg.generic {{.*}} outs(%{{.*}} : tensor<3x2x80x4xf32>)
  // CHECK: %[[COLUMN:.*]] = arith.divui %[[J:.*]], %c16
  // CHECK: %[[ENTRY:.*]] = tensor.extract %[[T]][%{{.*}}, %[[COLUMN]]] : tensor<3x5xi64>
  // CHECK: %[[NUMBER:.*]] = arith.index_cast %[[ENTRY]] : i64 to index
  // CHECK: %[[PAGE:.*]] = arith.minui %[[NUMBER]], %c8
  // CHECK: %[[ROW:.*]] = arith.remui %[[J]], %c16
  // CHECK: tensor.extract %[[K]][%[[PAGE]], %{{.*}}, %[[ROW]], %{{.*}}]
  // CHECK: linalg.generic {{.*}} ins(%{{.*}}, %[[KEYS]] : tensor<3x2x1x4xf32>, tensor<3x2x80x4xf32>)
  func.func @pages(%q: tensor<3x2x1x4xf32>, %k: tensor<9x2x16x4xf32>, %t: tensor<3x5xi64>, %o: tensor<3x2x1x4xf32>) -> tensor<3x2x1x4xf32> {
    %r = weft.attention {scale = 0.5 : f32, indexing_maps = [#q, #k, #v, #t, #o]}
      ins(%q, %k, %k : tensor<3x2x1x4xf32>, tensor<9x2x16x4xf32>, tensor<9x2x16x4xf32>) table(%t : tensor<3x5xi64>)
      outs(%o : tensor<3x2x1x4xf32>) -> tensor<3x2x1x4xf32>
    return %r : tensor<3x2x1x4xf32>
  }
}
