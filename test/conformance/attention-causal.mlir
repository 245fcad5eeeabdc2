// RUN: weft-run %s

// With equal scores a query gets the mean of the values that it sees; in [batch, sequence, heads, dim] layout.
func.func @causal() attributes {weft.entry} {
  %q = arith.constant dense<0.0> : tensor<1x3x1x2xf32>
  %v = arith.constant dense<[[[[2.0, 4.0]], [[6.0, 8.0]], [[1.0, 0.0]]]]> : tensor<1x3x1x2xf32>
  %init = tensor.empty() : tensor<1x3x1x2xf32>
  %y = weft.attention {scale = 1.0 : f32, indexing_maps = [
      affine_map<(b, h, i, j, d, e) -> (b, i, h, d)>, affine_map<(b, h, i, j, d, e) -> (b, j, h, d)>,
      affine_map<(b, h, i, j, d, e) -> (b, j, h, e)>, affine_map<(b, h, i, j, d, e) -> (b, i, h, e)>]}
    ins(%q, %q, %v : tensor<1x3x1x2xf32>, tensor<1x3x1x2xf32>, tensor<1x3x1x2xf32>) outs(%init : tensor<1x3x1x2xf32>)
    mask {
    ^bb0(%b: index, %h: index, %i: index, %j: index):
      %past = arith.cmpi sle, %j, %i : index
      weft.yield %past : i1
    } -> tensor<1x3x1x2xf32>
  %expected = arith.constant dense<[[[[2.0, 4.0]], [[4.0, 6.0]], [[3.0, 4.0]]]]> : tensor<1x3x1x2xf32>
  check.expect_close %y, %expected {relative_rms = 1.0e-6 : f64} : tensor<1x3x1x2xf32>, tensor<1x3x1x2xf32>
  return
}
