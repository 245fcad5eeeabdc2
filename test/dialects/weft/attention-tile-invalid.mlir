// What cannot be cut: the keys, and heads across groups.
// RUN: weft-opt %s --transform-interpreter --split-input-file --verify-diagnostics

#q = affine_map<(b, h, i, j, d, e) -> (b, h, i, d)>
#k = affine_map<(b, h, i, j, d, e) -> (b, h, j, d)>
#v = affine_map<(b, h, i, j, d, e) -> (b, h, j, e)>
#o = affine_map<(b, h, i, j, d, e) -> (b, h, i, e)>
module attributes {transform.with_named_sequence} {
  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %op = transform.structured.match ops{["weft.attention"]} in %root : (!transform.any_op) -> !transform.any_op
    %tiled, %loop = transform.structured.tile_using_for %op tile_sizes [0, 0, 0, 4, 0, 0] : (!transform.any_op) -> (!transform.any_op, !transform.any_op)
    transform.yield
  }
  func.func @some_keys(%q: tensor<1x2x?x4xf32>) -> tensor<1x2x?x4xf32> {
    // expected-error@+2 {{faild to tile operation}}
    // expected-error@+1 {{failed to generate tiling loops}}
    %o = weft.attention {scale = 0.5 : f32, indexing_maps = [#q, #k, #v, #o]}
         ins(%q, %q, %q : tensor<1x2x?x4xf32>, tensor<1x2x?x4xf32>, tensor<1x2x?x4xf32>) outs(%q : tensor<1x2x?x4xf32>) -> tensor<1x2x?x4xf32>
    return %o : tensor<1x2x?x4xf32>
  }
}

// -----

#q = affine_map<(b, h, i, j, d, e) -> (b, h, i, d)>
#k = affine_map<(b, h, i, j, d, e) -> (b, h floordiv 4, j, d)>
#v = affine_map<(b, h, i, j, d, e) -> (b, h floordiv 4, j, e)>
#o = affine_map<(b, h, i, j, d, e) -> (b, h, i, e)>
module attributes {transform.with_named_sequence} {
  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %op = transform.structured.match ops{["weft.attention"]} in %root : (!transform.any_op) -> !transform.any_op
    %tiled, %loop = transform.structured.tile_using_for %op tile_sizes [0, 6, 0, 0, 0, 0] : (!transform.any_op) -> (!transform.any_op, !transform.any_op)
    transform.yield
  }
  func.func @one_and_a_half_groups(%q: tensor<1x12x?x4xf32>, %k: tensor<1x3x?x4xf32>) -> tensor<1x12x?x4xf32> {
    // expected-error@+2 {{faild to tile operation}}
    // expected-error@+1 {{failed to generate tiling loops}}
    %o = weft.attention {scale = 0.5 : f32, indexing_maps = [#q, #k, #v, #o]}
         ins(%q, %k, %k : tensor<1x12x?x4xf32>, tensor<1x3x?x4xf32>, tensor<1x3x?x4xf32>) outs(%q : tensor<1x12x?x4xf32>) -> tensor<1x12x?x4xf32>
    return %o : tensor<1x12x?x4xf32>
  }
}
