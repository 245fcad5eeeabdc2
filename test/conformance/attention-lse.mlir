// RUN: weft-run %s

// Scores 0 and ln 3: weights 1/4 and 3/4, log-sum-exp ln 4. [batch, heads, sequence, dim] layout, no region.
func.func @lse() attributes {weft.entry} {
  %q = arith.constant dense<1.0> : tensor<1x1x1x1xf32>
  %k = arith.constant dense<[[[[0.0], [2.1972246]]]]> : tensor<1x1x2x1xf32>
  %v = arith.constant dense<[[[[4.0, 0.0, 8.0], [0.0, 4.0, 8.0]]]]> : tensor<1x1x2x3xf32>
  %init = tensor.empty() : tensor<1x1x1x3xf32>
  %sums = tensor.empty() : tensor<1x1x1xf32>
  %y:2 = weft.attention {scale = 0.5 : f32, indexing_maps = [
      affine_map<(b, h, i, j, d, e) -> (b, h, i, d)>, affine_map<(b, h, i, j, d, e) -> (b, h, j, d)>,
      affine_map<(b, h, i, j, d, e) -> (b, h, j, e)>, affine_map<(b, h, i, j, d, e) -> (b, h, i, e)>,
      affine_map<(b, h, i, j, d, e) -> (b, h, i)>]}
    ins(%q, %k, %v : tensor<1x1x1x1xf32>, tensor<1x1x2x1xf32>, tensor<1x1x2x3xf32>)
    outs(%init, %sums : tensor<1x1x1x3xf32>, tensor<1x1x1xf32>) -> tensor<1x1x1x3xf32>, tensor<1x1x1xf32>
  %lse = arith.constant dense<[[[1.3862944]]]> : tensor<1x1x1xf32>
  // exp(2.1972246 / 2) = 3.
  %exact = arith.constant dense<[[[[1.0, 3.0, 8.0]]]]> : tensor<1x1x1x3xf32>
  check.expect_close %y#0, %exact {relative_rms = 1.0e-6 : f64, max_ulp = 8 : i64} : tensor<1x1x1x3xf32>, tensor<1x1x1x3xf32>
  check.expect_close %y#1, %lse {relative_rms = 1.0e-6 : f64} : tensor<1x1x1xf32>, tensor<1x1x1xf32>
  return
}
