// RUN: weft-run %s

// Rows come back with all their bits, NaN and −0 among them.
func.func @rows() attributes {weft.entry} {
  %table = arith.constant dense<[[1.0, -0.0, 3.0], [0x7FC00001, 5.0, 6.0], [7.0, 8.0, 9.0]]> : tensor<3x3xf32>
  %ids = arith.constant dense<[[2, 0], [1, 1]]> : tensor<2x2xi64>
  %init = tensor.empty() : tensor<2x2x3xf32>
  %y = weft.embedding ins(%ids, %table : tensor<2x2xi64>, tensor<3x3xf32>) outs(%init : tensor<2x2x3xf32>) -> tensor<2x2x3xf32>
  %expected = arith.constant dense<[[[7.0, 8.0, 9.0], [1.0, -0.0, 3.0]],
                                    [[0x7FC00001, 5.0, 6.0], [0x7FC00001, 5.0, 6.0]]]> : tensor<2x2x3xf32>
  check.expect_eq %y, %expected : tensor<2x2x3xf32>, tensor<2x2x3xf32>
  return
}
