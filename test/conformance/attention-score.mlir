// RUN: weft-run %s

// A bias of ln 3 on key 1 of each query; two heads share the keys and values of one.
func.func @bias() attributes {weft.entry} {
  %q = arith.constant dense<0.0> : tensor<1x1x2x2xf32>
  %k = arith.constant dense<7.0> : tensor<1x2x1x2xf32>
  %v = arith.constant dense<[[[[4.0, 0.0]], [[0.0, 4.0]]]]> : tensor<1x2x1x2xf32>
  %bias = arith.constant dense<[[[0.0, 1.0986123]], [[0.0, 0.0]]]> : tensor<2x1x2xf32>
  %init = tensor.empty() : tensor<1x1x2x2xf32>
  %y = weft.attention {scale = 1.0 : f32, indexing_maps = [
      affine_map<(b, h, i, j, d, e) -> (b, i, h, d)>, affine_map<(b, h, i, j, d, e) -> (b, j, h floordiv 2, d)>,
      affine_map<(b, h, i, j, d, e) -> (b, j, h floordiv 2, e)>, affine_map<(b, h, i, j, d, e) -> (h, i, j)>,
      affine_map<(b, h, i, j, d, e) -> (b, i, h, e)>]}
    ins(%q, %k, %v, %bias : tensor<1x1x2x2xf32>, tensor<1x2x1x2xf32>, tensor<1x2x1x2xf32>, tensor<2x1x2xf32>)
    outs(%init : tensor<1x1x2x2xf32>)
    score {
    ^bb0(%s: f32, %b: index, %h: index, %i: index, %j: index, %more: f32):
      %sum = arith.addf %s, %more : f32
      weft.yield %sum : f32
    } -> tensor<1x1x2x2xf32>
  %expected = arith.constant dense<[[[[1.0, 3.0], [2.0, 2.0]]]]> : tensor<1x1x2x2xf32>
  check.expect_close %y, %expected {relative_rms = 1.0e-6 : f64} : tensor<1x1x2x2xf32>, tensor<1x1x2x2xf32>
  return
}
