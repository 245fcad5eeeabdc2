// RUN: weft-run %s

// A panel of 16 columns, 13 of them beyond the output: what they hold is never seen.
func.func @bias() attributes {weft.entry} {
  %x = arith.constant dense<[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]> : tensor<2x3xf32>
  // Columns (1, 0, 2), (0, 1, 0), (1, 1, 1).
  %w = arith.constant dense<[[
      [1.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0],
      [0.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0],
      [2.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]]]> : tensor<1x3x16xf32>
  %b = arith.constant dense<[10.0, 20.0, 30.0]> : tensor<3xf32>
  %init = tensor.empty() : tensor<2x3xf32>
  %y = weft.packed_matmul ins(%x, %w, %b : tensor<2x3xf32>, tensor<1x3x16xf32>, tensor<3xf32>)
                          outs(%init : tensor<2x3xf32>) -> tensor<2x3xf32>
  %expected = arith.constant dense<[[17.0, 22.0, 36.0], [26.0, 25.0, 45.0]]> : tensor<2x3xf32>
  check.expect_eq %y, %expected : tensor<2x3xf32>, tensor<2x3xf32>
  return
}
