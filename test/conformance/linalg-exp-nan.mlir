// RUN: weft-run %s

// A NaN stays one, whatever its bits are, in the exponential and in what is made of it.
func.func @exp_nan() attributes {weft.entry} {
  %x = arith.constant dense<[0x7FC00000, 0x7FC00001, 0x7FC001FF, 0xFFC000C0]> : tensor<4xf32>
  %e = tensor.empty() : tensor<4xf32>
  %exp = linalg.exp ins(%x : tensor<4xf32>) outs(%e : tensor<4xf32>) -> tensor<4xf32>
  %tanh = linalg.tanh ins(%x : tensor<4xf32>) outs(%e : tensor<4xf32>) -> tensor<4xf32>
  %nan = arith.constant dense<0x7FC00000> : tensor<4xf32>
  check.expect_close %exp, %nan {relative_rms = 1.0e-6 : f64} : tensor<4xf32>, tensor<4xf32>
  check.expect_close %tanh, %nan {relative_rms = 1.0e-6 : f64} : tensor<4xf32>, tensor<4xf32>
  return
}
