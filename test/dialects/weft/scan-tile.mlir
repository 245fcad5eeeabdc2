// Dimensions that index every accumulator are cut, but for the scanned one.
// RUN: weft-opt %s --transform-interpreter --canonicalize --cse | FileCheck %s

module attributes {transform.with_named_sequence} {
  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %lanes = transform.structured.match ops{["weft.scan"]} attributes {cut = "lanes"} in %root : (!transform.any_op) -> !transform.any_op
    %0, %1:2 = transform.structured.tile_using_for %lanes tile_sizes [1, 0, 16] : (!transform.any_op) -> (!transform.any_op, !transform.any_op, !transform.any_op)
    %batches = transform.structured.match ops{["weft.scan"]} attributes {cut = "batches"} in %root : (!transform.any_op) -> !transform.any_op
    %2, %3 = transform.structured.tile_using_for %batches tile_sizes [1, 0, 0] : (!transform.any_op) -> (!transform.any_op, !transform.any_op)
    transform.yield
  }

  // CHECK-LABEL: func.func @lanes(
  // CHECK-SAME: %[[X:.*]]: tensor<2x?x64xf32>,
  // CHECK: scf.for %[[B:.*]] = %c0 to %c2 step %c1
  // CHECK: scf.for %[[D:.*]] = %c0 to %c64 step %c16
  // CHECK: %[[X1:.*]] = tensor.extract_slice %[[X]][%[[B]], 0, %[[D]]] [1, %{{.*}}, 16] [1, 1, 1]
  // CHECK: weft.scan {{.*}} ins(%[[X1]] : tensor<1x?x16xf32>) reset(%{{.*}} : tensor<?xi8>) outs({{.*}} : tensor<1x?x16xf32>) state({{.*}} : tensor<1x16xf32>)
  // CHECK: tensor.insert_slice %{{.*}} into %{{.*}}[%[[B]], %[[D]]] [1, 16] [1, 1] : tensor<1x16xf32> into tensor<2x64xf32>
  func.func @lanes(%x: tensor<2x?x64xf32>, %r: tensor<?xi8>, %s: tensor<2x64xf32>, %o: tensor<2x?x64xf32>) -> tensor<2x64xf32> {
    %y:2 = weft.scan {dimension = 1 : i64, cut = "lanes", indexing_maps = [affine_map<(b, t, d) -> (b, t, d)>, affine_map<(b, t, d) -> (t)>]}
      ins(%x : tensor<2x?x64xf32>) reset(%r : tensor<?xi8>) outs(%o : tensor<2x?x64xf32>) state(%s : tensor<2x64xf32>)
      combine {
      ^bb0(%a: f32, %b: f32):
        %c = arith.addf %a, %b : f32
        weft.yield %c : f32
      } -> tensor<2x?x64xf32>, tensor<2x64xf32>
    return %y#1 : tensor<2x64xf32>
  }

  // CHECK-LABEL: func.func @batches(
  // CHECK-SAME: %[[A:.*]]: tensor<2x?xf32>, %[[X:.*]]: tensor<2x?x64xf32>,
  // CHECK: scf.for %[[B:.*]] = %c0 to %c2 step %c1
  // CHECK-DAG: %[[A1:.*]] = tensor.extract_slice %[[A]][%[[B]], 0] [1, %{{.*}}] [1, 1]
  // CHECK-DAG: %[[X1:.*]] = tensor.extract_slice %[[X]][%[[B]], 0, 0] [1, %{{.*}}, 64] [1, 1, 1]
  // CHECK: weft.scan {{.*}} ins(%[[A1]], %[[X1]] : tensor<1x?xf32>, tensor<1x?x64xf32>) reset(%{{.*}} : tensor<?xi8>) outs({{.*}} : tensor<1x?xf32>, tensor<1x?x64xf32>) state({{.*}} : tensor<1xf32>, tensor<1x64xf32>)
  // CHECK: tensor.insert_slice %{{.*}} into %{{.*}}[%[[B]], 0] [1, 64] [1, 1] : tensor<1x64xf32> into tensor<2x64xf32>
  func.func @batches(%a: tensor<2x?xf32>, %x: tensor<2x?x64xf32>, %r: tensor<?xi8>, %s: tensor<2xf32>, %t: tensor<2x64xf32>, %o: tensor<2x?xf32>, %p: tensor<2x?x64xf32>) -> tensor<2x64xf32> {
    %y:4 = weft.scan {dimension = 1 : i64, cut = "batches", indexing_maps = [affine_map<(b, t, d) -> (b, t)>, affine_map<(b, t, d) -> (b, t, d)>, affine_map<(b, t, d) -> (t)>]}
      ins(%a, %x : tensor<2x?xf32>, tensor<2x?x64xf32>) reset(%r : tensor<?xi8>) outs(%o, %p : tensor<2x?xf32>, tensor<2x?x64xf32>) state(%s, %t : tensor<2xf32>, tensor<2x64xf32>)
      combine {
      ^bb0(%a0: f32, %b0: f32, %a1: f32, %b1: f32):
        %c = arith.mulf %a0, %a1 : f32
        %u = arith.mulf %b0, %a1 : f32
        %d = arith.addf %u, %b1 : f32
        weft.yield %c, %d : f32, f32
      } -> tensor<2x?xf32>, tensor<2x?x64xf32>, tensor<2xf32>, tensor<2x64xf32>
    return %y#3 : tensor<2x64xf32>
  }
}
