// RUN: weft-run %s

// Three parts of a row, of one, one and two columns, the last computed.
func.func @three_parts() attributes {weft.entry} {
  %a = arith.constant dense<[[1.0], [5.0]]> : tensor<2x1xf32>
  %b = arith.constant dense<[[2.0], [6.0]]> : tensor<2x1xf32>
  %c = arith.constant dense<[[-3.0, -4.0], [-7.0, -8.0]]> : tensor<2x2xf32>
  %init = tensor.empty() : tensor<2x2xf32>
  %d = linalg.negf ins(%c : tensor<2x2xf32>) outs(%init : tensor<2x2xf32>) -> tensor<2x2xf32>
  %empty = tensor.empty() : tensor<2x4xf32>
  %0 = tensor.insert_slice %a into %empty[0, 0] [2, 1] [1, 1] : tensor<2x1xf32> into tensor<2x4xf32>
  %1 = tensor.insert_slice %b into %0[0, 1] [2, 1] [1, 1] : tensor<2x1xf32> into tensor<2x4xf32>
  %2 = tensor.insert_slice %d into %1[0, 2] [2, 2] [1, 1] : tensor<2x2xf32> into tensor<2x4xf32>
  %expected = arith.constant dense<[[1.0, 2.0, 3.0, 4.0], [5.0, 6.0, 7.0, 8.0]]> : tensor<2x4xf32>
  check.expect_eq %2, %expected : tensor<2x4xf32>, tensor<2x4xf32>
  return
}
