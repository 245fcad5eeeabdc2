// RUN: weft-run %s

// Deviations −1 and 1 by twos; a row of equal values gives the bias.
func.func @rows() attributes {weft.entry} {
  %x = arith.constant dense<[[1.0, 3.0, 1.0, 3.0], [-8.0, -8.0, -4.0, -4.0], [5.0, 5.0, 5.0, 5.0]]> : tensor<3x4xf32>
  %scale = arith.constant dense<[1.0, 2.0, 3.0, 4.0]> : tensor<4xf32>
  %bias = arith.constant dense<[0.0, 0.0, 1.0, 1.0]> : tensor<4xf32>
  %init = tensor.empty() : tensor<3x4xf32>
  %y = weft.layer_norm {epsilon = 1.0e-12 : f32} ins(%x, %scale, %bias : tensor<3x4xf32>, tensor<4xf32>, tensor<4xf32>)
                       outs(%init : tensor<3x4xf32>) -> tensor<3x4xf32>
  %expected = arith.constant dense<[[-1.0, 2.0, -2.0, 5.0], [-1.0, -2.0, 4.0, 5.0], [0.0, 0.0, 1.0, 1.0]]> : tensor<3x4xf32>
  check.expect_close %y, %expected {relative_rms = 1.0e-6 : f64} : tensor<3x4xf32>, tensor<3x4xf32>
  return
}
