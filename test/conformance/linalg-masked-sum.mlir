// RUN: weft-run %s

// A sum over the middle dimension, under a mask: pooling.
func.func @linalg_masked_sum() attributes {weft.entry} {
  %x = arith.constant dense<[[[0.34, -0.66, -1.52, 1.04, 0.49], [0.49, -0.48, 1.03, -0.24, 1.1], [-0.91, -0.85, 0.2, -0.7, 0.68]], [[0.26, -0.92, 0.07, -0.35, 0.92], [-0.63, -0.44, 1.21, 2.24, 2.0], [0.06, 0.22, 1.53, -0.12, -0.98]]]> : tensor<2x3x5xf32>
  %m = arith.constant dense<[[1, 1, 0], [1, 0, 0]]> : tensor<2x3xi64>
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<2x5xf32>
  %start = linalg.fill ins(%zero : f32) outs(%e : tensor<2x5xf32>) -> tensor<2x5xf32>
  %y = linalg.generic {indexing_maps = [affine_map<(b, s, n) -> (b, s, n)>, affine_map<(b, s, n) -> (b, s)>,
                                        affine_map<(b, s, n) -> (b, n)>],
                       iterator_types = ["parallel", "reduction", "parallel"]}
      ins(%x, %m : tensor<2x3x5xf32>, tensor<2x3xi64>) outs(%start : tensor<2x5xf32>) {
  ^bb0(%in: f32, %mask: i64, %sum: f32):
    %weight = arith.sitofp %mask : i64 to f32
    %next = arith.mulf %in, %weight : f32
    %total = arith.addf %sum, %next : f32
    linalg.yield %total : f32
  } -> tensor<2x5xf32>
  %expected = arith.constant dense<[[0.8300000000000001, -1.1400000000000001, -0.49, 0.8, 1.59], [0.26, -0.92, 0.07, -0.35, 0.92]]> : tensor<2x5xf32>
  check.expect_close %y, %expected {relative_rms = 1.0e-6 : f64} : tensor<2x5xf32>, tensor<2x5xf32>
  return
}
