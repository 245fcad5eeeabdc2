// RUN: weft-run %s

// An index may come twice, in any order.
func.func @embedding_repeated() attributes {weft.entry} {
  %ids = arith.constant dense<[4, 0, 0, 2]> : tensor<4xi64>
  %table = arith.constant dense<[[1.04, -1.08, -0.29, -1.51], [-0.98, 1.39, 0.82, -0.4], [-0.87, -1.89, -0.39, -0.03], [-0.08, -0.09, -1.12, -0.07], [-0.04, 1.29, 1.87, -0.14]]> : tensor<5x4xf32>
  %e = tensor.empty() : tensor<4x4xf32>
  %y = weft.embedding ins(%ids, %table : tensor<4xi64>, tensor<5x4xf32>) outs(%e : tensor<4x4xf32>) -> tensor<4x4xf32>
  %expected = arith.constant dense<[[-0.04, 1.29, 1.87, -0.14], [1.04, -1.08, -0.29, -1.51], [1.04, -1.08, -0.29, -1.51], [-0.87, -1.89, -0.39, -0.03]]> : tensor<4x4xf32>
  check.expect_eq %y, %expected : tensor<4x4xf32>, tensor<4x4xf32>
  return
}
