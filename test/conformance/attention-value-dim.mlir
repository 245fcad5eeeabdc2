// RUN: weft-run %s

// Values wider than keys.
func.func @attention_value_dim() attributes {weft.entry} {
  %q = arith.constant dense<[[[[-0.5, -0.46, -0.05]], [[-0.54, -0.83, -0.3]]]]> : tensor<1x2x1x3xf32>
  %k = arith.constant dense<[[[[-1.03, -1.29, -0.05]], [[0.88, -1.53, 0.0]], [[-0.65, -0.98, 0.85]]]]> : tensor<1x3x1x3xf32>
  %v = arith.constant dense<[[[[-0.52, 1.5, -0.78, 0.39, -0.23]], [[-0.75, 0.59, -0.15, 0.6, -0.05]], [[-1.09, -0.1, 0.05, 0.96, -0.91]]]]> : tensor<1x3x1x5xf32>
  %e = tensor.empty() : tensor<1x2x1x5xf32>
  %o = weft.attention {scale = 0.5 : f32, indexing_maps = [
         affine_map<(b, h, i, j, d, e) -> (b, i, h, d)>,
         affine_map<(b, h, i, j, d, e) -> (b, j, h, d)>,
         affine_map<(b, h, i, j, d, e) -> (b, j, h, e)>,
         affine_map<(b, h, i, j, d, e) -> (b, i, h, e)>]}
       ins(%q, %k, %v : tensor<1x2x1x3xf32>, tensor<1x3x1x3xf32>, tensor<1x3x1x5xf32>)
       outs(%e : tensor<1x2x1x5xf32>) -> tensor<1x2x1x5xf32>
  %expected = arith.constant dense<[[[[-0.7707452849598411, 0.726430936671201, -0.3370604980587116, 0.6354709770419021, -0.4093061512901456]], [[-0.752441215951533, 0.7738159695272251, -0.35925508523843147, 0.6168647127203413, -0.38060405263703617]]]]> : tensor<1x2x1x5xf32>
  check.expect_close %o, %expected {relative_rms = 1.0e-5 : f64} : tensor<1x2x1x5xf32>, tensor<1x2x1x5xf32>
  return
}
