// Batch and heads are cut; rows come in order, and a tile has all slots.
// RUN: weft-opt %s --transform-interpreter --canonicalize --cse | FileCheck %s

module attributes {transform.with_named_sequence} {
  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %op = transform.structured.match ops{["weft.cache_update"]} in %root : (!transform.any_op) -> !transform.any_op
    %0, %1:2 = transform.structured.tile_using_for %op tile_sizes [1, 0, 2, 0] : (!transform.any_op) -> (!transform.any_op, !transform.any_op, !transform.any_op)
    transform.yield
  }

  // CHECK-LABEL: func.func @heads(
  // CHECK-SAME: %[[K:.*]]: tensor<3x?x4x8xf32>, %[[P:.*]]: tensor<3x?xi64>, %[[C:.*]]: tensor<3x64x4x8xf32>)
  // CHECK: scf.for %[[B:.*]] = %c0 to %c3 step %c1
  // CHECK: scf.for %[[H:.*]] = %c0 to %c4 step %c2
  // CHECK-DAG: %[[K1:.*]] = tensor.extract_slice %[[K]][%[[B]], 0, %[[H]], 0] [1, %{{.*}}, 2, 8] [1, 1, 1, 1]
  // CHECK-DAG: %[[P1:.*]] = tensor.extract_slice %[[P]][%[[B]], 0] [1, %{{.*}}] [1, 1]
  // CHECK-DAG: %[[C1:.*]] = tensor.extract_slice %{{.*}}[%[[B]], 0, %[[H]], 0] [1, 64, 2, 8] [1, 1, 1, 1]
  // CHECK: %[[R:.*]] = weft.cache_update {dimension = 1 : i64} ins(%[[K1]], %[[P1]] : tensor<1x?x2x8xf32>, tensor<1x?xi64>) outs(%[[C1]] : tensor<1x64x2x8xf32>)
  // CHECK: tensor.insert_slice %[[R]] into %{{.*}}[%[[B]], 0, %[[H]], 0] [1, 64, 2, 8] [1, 1, 1, 1]
  func.func @heads(%k: tensor<3x?x4x8xf32>, %p: tensor<3x?xi64>, %c: tensor<3x64x4x8xf32>) -> tensor<3x64x4x8xf32> {
    %r = weft.cache_update {dimension = 1 : i64} ins(%k, %p : tensor<3x?x4x8xf32>, tensor<3x?xi64>) outs(%c : tensor<3x64x4x8xf32>) -> tensor<3x64x4x8xf32>
    return %r : tensor<3x64x4x8xf32>
  }
}
