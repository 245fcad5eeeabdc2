// What cannot be cut: a row of layer_norm, a panel, the sum of a product.
// RUN: weft-opt %s --transform-interpreter --split-input-file --verify-diagnostics

module attributes {transform.with_named_sequence} {
  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %op = transform.structured.match ops{["weft.packed_matmul"]} in %root : (!transform.any_op) -> !transform.any_op
    %tiled, %loop = transform.structured.tile_using_for %op tile_sizes [0, 24, 0] : (!transform.any_op) -> (!transform.any_op, !transform.any_op)
    transform.yield
  }
  func.func @half_a_panel(%x: tensor<?x8xf32>, %w: tensor<3x8x16xf32>, %init: tensor<?x48xf32>) -> tensor<?x48xf32> {
    // expected-error@+2 {{faild to tile operation}}
    // expected-error@+1 {{failed to generate tiling loops}}
    %y = weft.packed_matmul ins(%x, %w : tensor<?x8xf32>, tensor<3x8x16xf32>) outs(%init : tensor<?x48xf32>) -> tensor<?x48xf32>
    return %y : tensor<?x48xf32>
  }
}

// -----

module attributes {transform.with_named_sequence} {
  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %op = transform.structured.match ops{["weft.packed_matmul"]} in %root : (!transform.any_op) -> !transform.any_op
    %tiled, %loop = transform.structured.tile_using_for %op tile_sizes [0, 0, 4] : (!transform.any_op) -> (!transform.any_op, !transform.any_op)
    transform.yield
  }
  func.func @part_of_a_sum(%x: tensor<?x8xf32>, %w: tensor<3x8x16xf32>, %init: tensor<?x48xf32>) -> tensor<?x48xf32> {
    // expected-error@+2 {{faild to tile operation}}
    // expected-error@+1 {{failed to generate tiling loops}}
    %y = weft.packed_matmul ins(%x, %w : tensor<?x8xf32>, tensor<3x8x16xf32>) outs(%init : tensor<?x48xf32>) -> tensor<?x48xf32>
    return %y : tensor<?x48xf32>
  }
}

// -----

module attributes {transform.with_named_sequence} {
  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %op = transform.structured.match ops{["weft.layer_norm"]} in %root : (!transform.any_op) -> !transform.any_op
    %tiled, %loop = transform.structured.tile_using_for %op tile_sizes [0, 4] : (!transform.any_op) -> (!transform.any_op, !transform.any_op)
    transform.yield
  }
  func.func @half_a_row(%x: tensor<?x8xf32>, %scale: tensor<8xf32>) -> tensor<?x8xf32> {
    // expected-error@+2 {{faild to tile operation}}
    // expected-error@+1 {{failed to generate tiling loops}}
    %y = weft.layer_norm {epsilon = 0.5 : f32} ins(%x, %scale : tensor<?x8xf32>, tensor<8xf32>) outs(%x : tensor<?x8xf32>) -> tensor<?x8xf32>
    return %y : tensor<?x8xf32>
  }
}

// -----

module attributes {transform.with_named_sequence} {
  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %op = transform.structured.match ops{["weft.packed_matmul"]} in %root : (!transform.any_op) -> !transform.any_op
    %tiled, %loop = transform.structured.tile_using_for %op tile_sizes [0, 48, 0] : (!transform.any_op) -> (!transform.any_op, !transform.any_op)
    transform.yield
  }
  func.func @parts_of_two_blocks(%x: tensor<?x12xf32>, %w: tensor<3x2x4x16xf32>, %init: tensor<?x96xf32>) -> tensor<?x96xf32> {
    // expected-error@+2 {{faild to tile operation}}
    // expected-error@+1 {{failed to generate tiling loops}}
    %y = weft.packed_matmul ins(%x, %w : tensor<?x12xf32>, tensor<3x2x4x16xf32>) outs(%init : tensor<?x96xf32>) -> tensor<?x96xf32>
    return %y : tensor<?x96xf32>
  }
}
