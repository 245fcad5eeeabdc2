// RUN: weft-run %s

// The convolution reads two columns of each of two rows as four channels: what lies apart is put together before.
func.func @columns_apart() attributes {weft.entry} {
  %x = arith.constant dense<[[[[1.0, 2.0, -9.0], [3.0, 4.0, -9.0]], [[5.0, 6.0, -9.0], [7.0, 8.0, -9.0]]]]> : tensor<1x2x2x3xf32>
  %w = arith.constant dense<[[10.0, 1.0], [10.0, 1.0], [10.0, 1.0], [10.0, 1.0]]> : tensor<4x2xf32>
  %part = tensor.extract_slice %x[0, 0, 0, 0] [1, 2, 2, 2] [1, 1, 1, 1] : tensor<1x2x2x3xf32> to tensor<1x2x2x2xf32>
  %in = tensor.collapse_shape %part [[0], [1], [2, 3]] : tensor<1x2x2x2xf32> into tensor<1x2x4xf32>
  %empty = tensor.empty() : tensor<1x2x4xf32>
  %y = weft.causal_conv ins(%in, %w : tensor<1x2x4xf32>, tensor<4x2xf32>) outs(%empty : tensor<1x2x4xf32>) -> tensor<1x2x4xf32>
  %expected = arith.constant dense<[[[1.0, 2.0, 3.0, 4.0], [15.0, 26.0, 37.0, 48.0]]]> : tensor<1x2x4xf32>
  check.expect_eq %y, %expected : tensor<1x2x4xf32>, tensor<1x2x4xf32>
  return
}
