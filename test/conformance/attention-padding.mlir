// RUN: weft-run %s

// The second row of the batch has padding; the third has nothing else and gives 0.
func.func @attention_padding() attributes {weft.entry} {
  %q = arith.constant dense<[[[[-0.56, 0.01, -0.38, -0.3]], [[-1.38, -0.81, 1.65, -0.67]], [[-1.05, 0.34, 1.41, -1.45]]], [[[-0.21, -0.63, -1.76, 0.73]], [[-0.02, 0.07, -0.75, 0.45]], [[-0.54, -0.14, -1.11, -1.22]]], [[[1.34, -0.51, 0.29, -0.03]], [[-0.44, -0.51, 0.63, -0.3]], [[-0.15, 0.02, 1.18, 0.68]]]]> : tensor<3x3x1x4xf32>
  %k = arith.constant dense<[[[[0.38, -0.56, -1.38, 0.95]], [[0.97, -0.14, 0.54, 0.78]], [[0.83, 0.92, -0.46, 1.51]]], [[[-1.25, 0.86, 0.49, 0.87]], [[1.88, 1.48, -1.15, -1.69]], [[0.82, -1.02, -0.01, 0.84]]], [[[-1.64, -2.11, 0.26, 0.04]], [[-0.25, 0.04, -0.86, -1.51]], [[-0.17, -0.97, -1.64, 0.51]]]]> : tensor<3x3x1x4xf32>
  %v = arith.constant dense<[[[[-0.06, 0.41, -0.99, -0.66]], [[-1.0, -0.89, 0.2, -0.78]], [[0.36, 0.34, 2.03, -1.39]]], [[[0.89, -0.09, -0.01, -1.45]], [[-0.46, 0.74, -0.08, 0.08]], [[-0.29, 1.15, -0.02, -2.2]]], [[[-0.69, -1.97, -3.25, -0.53]], [[1.33, 0.05, -1.17, -0.94]], [[1.13, 0.16, 0.05, -0.05]]]]> : tensor<3x3x1x4xf32>
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
  %expected = arith.constant dense<[[[[-0.1825827565543047, 0.045662489040568535, 0.22825507596915837, -0.9101956027422984]], [[-0.5858051232740356, -0.4178164403136986, 0.22483592747005118, -0.8482924010845252]], [[-0.5299651845230913, -0.38658761938782804, 0.4051490871548213, -0.8965432949961661]]], [[[0.89, -0.09, -0.01, -1.45]], [[0.89, -0.09, -0.01, -1.45]], [[0.89, -0.09, -0.01, -1.45]]], [[[0.0, 0.0, 0.0, 0.0]], [[0.0, 0.0, 0.0, 0.0]], [[0.0, 0.0, 0.0, 0.0]]]]> : tensor<3x3x1x4xf32>
  check.expect_close %o, %expected {relative_rms = 1.0e-5 : f64} : tensor<3x3x1x4xf32>, tensor<3x3x1x4xf32>
  return
}
