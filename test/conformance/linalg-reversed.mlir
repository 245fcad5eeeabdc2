// RUN: weft-run %s

// Rows and columns from the last to the first.
func.func @matrix() attributes {weft.entry} {
  %x = arith.constant dense<[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]> : tensor<2x3xf32>
  %empty = tensor.empty() : tensor<2x3xf32>
  %y = linalg.generic {indexing_maps = [affine_map<(i, j) -> (1 - i, 2 - j)>, affine_map<(i, j) -> (i, j)>],
      iterator_types = ["parallel", "parallel"]} ins(%x : tensor<2x3xf32>) outs(%empty : tensor<2x3xf32>) {
  ^bb0(%p: f32, %o: f32):
    linalg.yield %p : f32
  } -> tensor<2x3xf32>
  %expected = arith.constant dense<[[6.0, 5.0, 4.0], [3.0, 2.0, 1.0]]> : tensor<2x3xf32>
  check.expect_eq %y, %expected : tensor<2x3xf32>, tensor<2x3xf32>
  return
}

// More than a work item; what is read is computed before, and what follows reads forwards.
func.func @vector() attributes {weft.entry} {
  %empty = tensor.empty() : tensor<2500xi64>
  %x = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>], iterator_types = ["parallel"]} outs(%empty : tensor<2500xi64>) {
  ^bb0(%o: i64):
    %i = linalg.index 0 : index
    %n = arith.index_cast %i : index to i64
    linalg.yield %n : i64
  } -> tensor<2500xi64>
  %y = linalg.generic {indexing_maps = [affine_map<(i) -> (2499 - i)>, affine_map<(i) -> (i)>], iterator_types = ["parallel"]}
      ins(%x : tensor<2500xi64>) outs(%empty : tensor<2500xi64>) {
  ^bb0(%p: i64, %o: i64):
    linalg.yield %p : i64
  } -> tensor<2500xi64>
  %sum = linalg.add ins(%x, %y : tensor<2500xi64>, tensor<2500xi64>) outs(%empty : tensor<2500xi64>) -> tensor<2500xi64>
  %expected = arith.constant dense<2499> : tensor<2500xi64>
  check.expect_eq %sum, %expected : tensor<2500xi64>, tensor<2500xi64>
  return
}
