// RUN: weft-run %s

// A product of two tensors of which none is a weight.
func.func @product() attributes {weft.entry} {
  %zero = arith.constant 0.0 : f32
  %x = arith.constant dense<[[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]> : tensor<3x2xf32>
  %w = arith.constant dense<[[1.0, 0.0, -1.0], [2.0, 1.0, 0.0]]> : tensor<2x3xf32>
  %empty = tensor.empty() : tensor<3x3xf32>
  %start = linalg.fill ins(%zero : f32) outs(%empty : tensor<3x3xf32>) -> tensor<3x3xf32>
  %y = linalg.matmul ins(%x, %w : tensor<3x2xf32>, tensor<2x3xf32>) outs(%start : tensor<3x3xf32>) -> tensor<3x3xf32>
  %expected = arith.constant dense<[[5.0, 2.0, -1.0], [11.0, 4.0, -3.0], [17.0, 6.0, -5.0]]> : tensor<3x3xf32>
  check.expect_eq %y, %expected : tensor<3x3xf32>, tensor<3x3xf32>
  return
}
