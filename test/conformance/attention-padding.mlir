// RUN: weft-run %s

// The second row of the batch has padding; the third has nothing else and gives 0.
func.func @attention_padding() attributes {weft.entry} {
  %q = arith.constant dense<[[[[-0.83, -0.62, 0.21, 0.49]], [[-0.18, -0.21, 0.7, 0.52]], [[-1.03, -0.08, 0.04, -1.05]]], [[[0.26, -0.86, 0.97, 0.19]], [[0.09, -0.59, -0.12, -2.0]], [[-1.13, 0.36, -2.13, 0.85]]], [[[-1.75, 0.76, -0.85, 0.78]], [[0.13, -1.54, 1.25, 1.44]], [[-0.07, -0.27, -0.16, -0.98]]]]> : tensor<3x3x1x4xf32>
  %k = arith.constant dense<[[[[1.1, -0.54, -0.05, -0.79]], [[-0.63, -1.28, 1.26, -0.15]], [[0.97, 0.01, -0.69, -0.33]]], [[[-0.56, 0.01, -0.38, -0.3]], [[-1.38, -0.81, 1.65, -0.67]], [[-1.05, 0.34, 1.41, -1.45]]], [[[-0.21, -0.63, -1.76, 0.73]], [[-0.02, 0.07, -0.75, 0.45]], [[-0.54, -0.14, -1.11, -1.22]]]]> : tensor<3x3x1x4xf32>
  %v = arith.constant dense<[[[[1.34, -0.51, 0.29, -0.03]], [[-0.44, -0.51, 0.63, -0.3]], [[-0.15, 0.02, 1.18, 0.68]]], [[[0.38, -0.56, -1.38, 0.95]], [[0.97, -0.14, 0.54, 0.78]], [[0.83, 0.92, -0.46, 1.51]]], [[[-1.25, 0.86, 0.49, 0.87]], [[1.88, 1.48, -1.15, -1.69]], [[0.82, -1.02, -0.01, 0.84]]]]> : tensor<3x3x1x4xf32>
  %m = arith.constant dense<[[1, 1, 1], [1, 0, 0], [0, 0, 0]]> : tensor<3x3xi64>
  %e = tensor.empty() : tensor<3x3x1x4xf32>
  %o = weft.attention {scale = 0.5 : f32, indexing_maps = [
         affine_map<(b, h, i, j, d, e) -> (b, i, h, d)>,
         affine_map<(b, h, i, j, d, e) -> (b, j, h, d)>,
         affine_map<(b, h, i, j, d, e) -> (b, j, h, e)>,
         affine_map<(b, h, i, j, d, e) -> (b, j)>,
         affine_map<(b, h, i, j, d, e) -> (b, i, h, e)>]}
       ins(%q, %k, %v, %m : tensor<3x3x1x4xf32>, tensor<3x3x1x4xf32>, tensor<3x3x1x4xf32>, tensor<3x3xi64>)
       outs(%e : tensor<3x3x1x4xf32>)
       mask {
       ^bb0(%b: index, %h: index, %i: index, %j: index, %p: i64):
         %zero = arith.constant 0 : i64
         %visible = arith.cmpi ne, %p, %zero : i64
         weft.yield %visible : i1
       } -> tensor<3x3x1x4xf32>
  %expected = arith.constant dense<[[[[-0.05985067802514789, -0.4184630981943808, 0.6619453652383577, -0.08067733721333117]], [[0.04098321090625577, -0.4019366016741247, 0.661562373787, -0.03619554226051939]], [[0.11167381842852867, -0.3923164561077186, 0.6590482985133577, -0.008483065617921762]]], [[[0.38, -0.56, -1.38, 0.95]], [[0.38, -0.56, -1.38, 0.95]], [[0.38, -0.56, -1.38, 0.95]]], [[[0.0, 0.0, 0.0, 0.0]], [[0.0, 0.0, 0.0, 0.0]], [[0.0, 0.0, 0.0, 0.0]]]]> : tensor<3x3x1x4xf32>
  check.expect_close %o, %expected {relative_rms = 1.0e-5 : f64} : tensor<3x3x1x4xf32>, tensor<3x3x1x4xf32>
  return
}
