// Keys and values in pages: the example of AttentionOps.td, and its tiles.
// RUN: weft-opt %s --verify-roundtrip | FileCheck %s
// RUN: weft-opt %s --transform-interpreter --canonicalize --cse | FileCheck %s --check-prefix=TILE

module attributes {transform.with_named_sequence} {
  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %ops = transform.structured.match ops{["weft.attention"]} in %root : (!transform.any_op) -> !transform.any_op
    %0, %1:2 = transform.structured.tile_using_for %ops tile_sizes [1, 1, 0, 0, 0, 0] : (!transform.any_op) -> (!transform.any_op, !transform.any_op, !transform.any_op)
    transform.yield
  }

  // CHECK-LABEL: func.func @pages(
  // CHECK: weft.attention {{.*}} table(%{{.*}} : tensor<?x?xi64>) outs(

  // A batch's row of the table is cut; of the pages its head.
  // TILE-LABEL: func.func @pages(
  // TILE-SAME: %{{[^:]*}}: tensor<?x1x2x4xf32>, %[[K:[^:]*]]: tensor<?x16x2x4xf32>, %{{[^:]*}}: tensor<?x16x2x4xf32>, %{{[^:]*}}: tensor<?x1xi64>, %[[T:[^:]*]]: tensor<?x?xi64>
  // TILE: scf.for %[[B:[^ ]*]] =
  // TILE: scf.for %[[H:[^ ]*]] =
  // TILE: tensor.extract_slice %[[K]][0, 0, %[[H]], 0] [%{{.*}}, 16, 1, 4]
  // TILE: tensor.extract_slice %[[T]][%[[B]], 0] [1, %{{.*}}]
  // TILE: weft.attention {{.*}} table(%{{.*}} : tensor<1x?xi64>)
  func.func @pages(%q: tensor<?x1x2x4xf32>, %k: tensor<?x16x2x4xf32>, %v: tensor<?x16x2x4xf32>, %p: tensor<?x1xi64>, %t: tensor<?x?xi64>, %init: tensor<?x1x2x4xf32>) -> tensor<?x1x2x4xf32> {
    %o = weft.attention {scale = 0.5 : f32, indexing_maps = [
           affine_map<(b, h, i, j, d, e) -> (b, i, h, d)>, affine_map<(b, h, i, j, d, e) -> (b, j, h, d)>,
           affine_map<(b, h, i, j, d, e) -> (b, j, h, e)>, affine_map<(b, h, i, j, d, e) -> (b, i)>,
           affine_map<(b, h, i, j, d, e) -> (b, j floordiv 16)>, affine_map<(b, h, i, j, d, e) -> (b, i, h, e)>]}
         ins(%q, %k, %v, %p : tensor<?x1x2x4xf32>, tensor<?x16x2x4xf32>, tensor<?x16x2x4xf32>, tensor<?x1xi64>)
         table(%t : tensor<?x?xi64>) outs(%init : tensor<?x1x2x4xf32>)
         mask {
         ^bb0(%b: index, %h: index, %i: index, %j: index, %position: i64):
           %last = arith.index_cast %position : i64 to index
           %visible = arith.cmpi sle, %j, %last : index
           weft.yield %visible : i1
         } -> tensor<?x1x2x4xf32>
    return %o : tensor<?x1x2x4xf32>
  }
}
