// RUN: weft-run %s

// Values wider than keys.
func.func @attention_value_dim() attributes {weft.entry} {
  %q = arith.constant dense<[[[[0.96, 0.92, 0.67]], [[0.11, 0.22, -0.25]]]]> : tensor<1x2x1x3xf32>
  %k = arith.constant dense<[[[[-0.2, 0.05, 1.51]], [[0.56, -0.06, -0.58]], [[-0.63, 1.6, 0.51]]]]> : tensor<1x3x1x3xf32>
  %v = arith.constant dense<[[[[0.07, -0.35, -1.11, -0.07, 0.87]], [[-0.39, -0.23, -0.22, 0.11, -1.59]], [[-0.24, -0.85, 0.88, -0.77, 0.58]]]]> : tensor<1x3x1x5xf32>
  %e = tensor.empty() : tensor<1x2x1x5xf32>
  %o = weft.attention {scale = 0.5 : f32, indexing_maps = [
         affine_map<(b, h, i, j, d, e) -> (b, i, h, d)>,
         affine_map<(b, h, i, j, d, e) -> (b, j, h, d)>,
         affine_map<(b, h, i, j, d, e) -> (b, j, h, e)>,
         affine_map<(b, h, i, j, d, e) -> (b, i, h, e)>]}
       ins(%q, %k, %v : tensor<1x2x1x3xf32>, tensor<1x3x1x3xf32>, tensor<1x3x1x5xf32>)
       outs(%e : tensor<1x2x1x5xf32>) -> tensor<1x2x1x5xf32>
  %expected = arith.constant dense<[[[[-0.16744025538156176, -0.5285921067766243, -0.07492777352708412, -0.31718359434101523, 0.16661571323822089]], [[-0.2100430919416379, -0.48579709969559987, -0.06832443291531422, -0.2557181351547447, -0.13581948936868343]]]]> : tensor<1x2x1x5xf32>
  check.expect_close %o, %expected {relative_rms = 1.0e-5 : f64} : tensor<1x2x1x5xf32>, tensor<1x2x1x5xf32>
  return
}
