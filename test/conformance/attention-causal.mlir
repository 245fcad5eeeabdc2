// RUN: weft-run %s

// A query sees the keys up to its own.
func.func @attention_causal() attributes {weft.entry} {
  %q = arith.constant dense<[[[[-0.83, -0.62, 0.21, 0.49]], [[-0.18, -0.21, 0.7, 0.52]], [[-1.03, -0.08, 0.04, -1.05]], [[0.26, -0.86, 0.97, 0.19]]]]> : tensor<1x4x1x4xf32>
  %k = arith.constant dense<[[[[0.09, -0.59, -0.12, -2.0]], [[-1.13, 0.36, -2.13, 0.85]], [[-1.75, 0.76, -0.85, 0.78]], [[0.13, -1.54, 1.25, 1.44]]]]> : tensor<1x4x1x4xf32>
  %v = arith.constant dense<[[[[-0.07, -0.27, -0.16, -0.98]], [[1.1, -0.54, -0.05, -0.79]], [[-0.63, -1.28, 1.26, -0.15]], [[0.97, 0.01, -0.69, -0.33]]]]> : tensor<1x4x1x4xf32>
  %e = tensor.empty() : tensor<1x4x1x4xf32>
  %o = weft.attention {scale = 0.5 : f32, indexing_maps = [
         affine_map<(b, h, i, j, d, e) -> (b, i, h, d)>,
         affine_map<(b, h, i, j, d, e) -> (b, j, h, d)>,
         affine_map<(b, h, i, j, d, e) -> (b, j, h, e)>,
         affine_map<(b, h, i, j, d, e) -> (b, i, h, e)>]}
       ins(%q, %k, %v : tensor<1x4x1x4xf32>, tensor<1x4x1x4xf32>, tensor<1x4x1x4xf32>)
       outs(%e : tensor<1x4x1x4xf32>)
       mask {
       ^bb0(%b: index, %h: index, %i: index, %j: index):
         %visible = arith.cmpi ule, %j, %i : index
         weft.yield %visible : i1
       } -> tensor<1x4x1x4xf32>
  %expected = arith.constant dense<[[[[-0.07, -0.27, -0.16, -0.98]], [[0.5289057550198227, -0.4082090203891899, -0.10369262132292265, -0.8827418004668663]], [[0.002308432799306188, -0.613988028836516, 0.26989105516847944, -0.7036711159612811]], [[0.6838482644371243, -0.15561830375671412, -0.4304327294202253, -0.4526968812728987]]]]> : tensor<1x4x1x4xf32>
  check.expect_close %o, %expected {relative_rms = 1.0e-5 : f64} : tensor<1x4x1x4xf32>, tensor<1x4x1x4xf32>
  return
}
