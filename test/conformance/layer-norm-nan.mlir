// RUN: weft-run %s

// NaN makes its own row NaN and no other.
func.func @nan() attributes {weft.entry} {
  %x = arith.constant dense<[[1.0, 3.0], [0x7FC00000, 3.0], [3.0, 1.0]]> : tensor<3x2xf32>
  %scale = arith.constant dense<1.0> : tensor<2xf32>
  %init = tensor.empty() : tensor<3x2xf32>
  %y = weft.layer_norm {epsilon = 0.0 : f32} ins(%x, %scale : tensor<3x2xf32>, tensor<2xf32>)
                       outs(%init : tensor<3x2xf32>) -> tensor<3x2xf32>
  %expected = arith.constant dense<[[-1.0, 1.0], [0x7FC00000, 0x7FC00000], [1.0, -1.0]]> : tensor<3x2xf32>
  check.expect_close %y, %expected {relative_rms = 1.0e-6 : f64} : tensor<3x2xf32>, tensor<3x2xf32>
  return
}
