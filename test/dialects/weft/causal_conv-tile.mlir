// Batches, channels and, without a state, time are cut; a tile in time sees the whole input and says where it begins.
// RUN: weft-opt %s --transform-interpreter --canonicalize --cse | FileCheck %s

module attributes {transform.with_named_sequence} {
  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %steps = transform.structured.match ops{["weft.causal_conv"]} attributes {cut = "time"} in %root : (!transform.any_op) -> !transform.any_op
    %0, %1:2 = transform.structured.tile_using_for %steps tile_sizes [0, 8, 16] : (!transform.any_op) -> (!transform.any_op, !transform.any_op, !transform.any_op)
    %channels = transform.structured.match ops{["weft.causal_conv"]} attributes {cut = "channels"} in %root : (!transform.any_op) -> !transform.any_op
    %2, %3:2 = transform.structured.tile_using_for %channels tile_sizes [1, 0, 16] : (!transform.any_op) -> (!transform.any_op, !transform.any_op, !transform.any_op)
    transform.yield
  }

  // CHECK-LABEL: func.func @time(
  // CHECK-SAME: %[[X:.*]]: tensor<2x40x64xf32>, %[[W:.*]]: tensor<64x4xf32>, %[[B:.*]]: tensor<64xf32>, %[[G:.*]]: tensor<40x64xf32>, %[[R:.*]]: tensor<2x40xi8>
  // CHECK: scf.for %[[T:.*]] = %c0 to %c40 step %c8
  // CHECK: scf.for %[[D:.*]] = %c0 to %c64 step %c16
  // CHECK-DAG: %[[X1:.*]] = tensor.extract_slice %[[X]][0, 0, %[[D]]] [2, 40, 16] [1, 1, 1]
  // CHECK-DAG: %[[W1:.*]] = tensor.extract_slice %[[W]][%[[D]], 0] [16, 4] [1, 1]
  // CHECK-DAG: %[[B1:.*]] = tensor.extract_slice %[[B]][%[[D]]] [16] [1]
  // CHECK-DAG: %[[G1:.*]] = tensor.extract_slice %[[G]][%[[T]], %[[D]]] [8, 16] [1, 1]
  // CHECK: weft.causal_conv {{.*}} ins(%[[X1]], %[[W1]], %[[B1]] : {{.*}}) extras(%[[G1]] : {{.*}}) reset(%[[R]] : {{.*}}) from(%[[T]]) outs(%{{.*}} : tensor<2x8x16xf32>)
  func.func @time(%x: tensor<2x40x64xf32>, %w: tensor<64x4xf32>, %b: tensor<64xf32>, %g: tensor<40x64xf32>, %r: tensor<2x40xi8>, %y: tensor<2x40x64xf32>) -> tensor<2x40x64xf32> {
    %0 = weft.causal_conv {cut = "time", extra_maps = [affine_map<(b, t, d) -> (t, d)>]}
      ins(%x, %w, %b : tensor<2x40x64xf32>, tensor<64x4xf32>, tensor<64xf32>) extras(%g : tensor<40x64xf32>)
      reset(%r : tensor<2x40xi8>) outs(%y : tensor<2x40x64xf32>)
      output {
      ^bb0(%sum: f32, %gate: f32):
        %gated = arith.mulf %sum, %gate : f32
        weft.yield %gated : f32
      } -> tensor<2x40x64xf32>
    return %0 : tensor<2x40x64xf32>
  }

  // A tile of a part begins later still.
  // CHECK-LABEL: func.func @part(
  // CHECK-SAME: %[[FIRST:.*]]: index
  // CHECK: scf.for %[[T:.*]] = %c0 to %c24 step %c8
  // CHECK: %[[AT:.*]] = affine.apply #{{.*}}(%{{.*}})[%{{.*}}]
  // CHECK: weft.causal_conv {{.*}} from(%[[AT]])
  func.func @part(%x: tensor<2x40x64xf32>, %w: tensor<64x4xf32>, %first: index, %y: tensor<2x24x64xf32>) -> tensor<2x24x64xf32> {
    %0 = weft.causal_conv {cut = "time"} ins(%x, %w : tensor<2x40x64xf32>, tensor<64x4xf32>) from(%first) outs(%y : tensor<2x24x64xf32>) -> tensor<2x24x64xf32>
    return %0 : tensor<2x24x64xf32>
  }

  // A tile of channels reads and writes those of the state.
  // CHECK-LABEL: func.func @channels(
  // CHECK-SAME: %[[STATE:[a-z0-9]*]]: tensor<2x3x64xf32>)
  // CHECK: scf.for %[[B:.*]] = %c0 to %c2 step %c1
  // CHECK: scf.for %[[D:.*]] = %c0 to %c64 step %c16
  // CHECK: %[[S1:.*]] = tensor.extract_slice %{{.*}}[%[[B]], 0, %[[D]]] [1, 3, 16] [1, 1, 1]
  // CHECK: %[[R:.*]]:2 = weft.causal_conv {{.*}} outs(%{{.*}} : tensor<1x?x16xf32>) state(%[[S1]] : tensor<1x3x16xf32>)
  // CHECK-DAG: tensor.insert_slice %[[R]]#0 into %{{.*}}[%[[B]], 0, %[[D]]] [1, %{{.*}}, 16]
  // CHECK-DAG: tensor.insert_slice %[[R]]#1 into %{{.*}}[%[[B]], 0, %[[D]]] [1, 3, 16]
  func.func @channels(%x: tensor<2x?x64xf32>, %w: tensor<64x4xf32>, %y: tensor<2x?x64xf32>, %s: tensor<2x3x64xf32>) -> (tensor<2x?x64xf32>, tensor<2x3x64xf32>) {
    %0:2 = weft.causal_conv {cut = "channels"} ins(%x, %w : tensor<2x?x64xf32>, tensor<64x4xf32>) outs(%y : tensor<2x?x64xf32>) state(%s : tensor<2x3x64xf32>) -> tensor<2x?x64xf32>, tensor<2x3x64xf32>
    return %0#0, %0#1 : tensor<2x?x64xf32>, tensor<2x3x64xf32>
  }
}
