// RUN: weft-run %s

// Mean squares 25 and 4; a row of zeros stays zero.
func.func @rows() attributes {weft.entry} {
  %x = arith.constant dense<[[1.0, 7.0], [-2.0, 2.0], [0.0, 0.0]]> : tensor<3x2xf32>
  %scale = arith.constant dense<[5.0, 10.0]> : tensor<2xf32>
  %init = tensor.empty() : tensor<3x2xf32>
  %y = weft.rms_norm {epsilon = 1.0e-12 : f32} ins(%x, %scale : tensor<3x2xf32>, tensor<2xf32>)
                     outs(%init : tensor<3x2xf32>) -> tensor<3x2xf32>
  %expected = arith.constant dense<[[1.0, 14.0], [-5.0, 10.0], [0.0, 0.0]]> : tensor<3x2xf32>
  check.expect_close %y, %expected {relative_rms = 1.0e-6 : f64} : tensor<3x2xf32>, tensor<3x2xf32>
  return
}
