// RUN: weft-run %s

// A byte each in memory, also where a row is no whole number of vectors; written and read in different ways.
func.func @booleans() attributes {weft.entry} {
  %x = arith.constant dense<[[1.0, 2.0, 1.0, 1.0, 2.0, 1.0, 2.0, 1.0, 1.0, 2.0, 1.0, 2.0, 1.0, 1.0, 2.0, 1.0, 2.0, 1.0, 1.0], [2.0, 2.0, 1.0, 1.0, 2.0, 1.0, 2.0, 1.0, 2.0, 2.0, 1.0, 2.0, 1.0, 1.0, 2.0, 1.0, 2.0, 1.0, 2.0]]> : tensor<2x19xf32>
  %bits = tensor.empty() : tensor<2x19xi1>
  %small = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i, j)>],
                           iterator_types = ["parallel", "parallel"]} ins(%x : tensor<2x19xf32>) outs(%bits : tensor<2x19xi1>) {
  ^bb0(%in: f32, %out: i1):
    %bound = arith.constant 1.5 : f32
    %less = arith.cmpf olt, %in, %bound : f32
    linalg.yield %less : i1
  } -> tensor<2x19xi1>
  %zero = arith.constant 0 : i64
  %empty = tensor.empty() : tensor<19xi64>
  %none = linalg.fill ins(%zero : i64) outs(%empty : tensor<19xi64>) -> tensor<19xi64>
  %count = linalg.generic {indexing_maps = [affine_map<(j, i) -> (i, j)>, affine_map<(j, i) -> (j)>],
                           iterator_types = ["parallel", "reduction"]} ins(%small : tensor<2x19xi1>) outs(%none : tensor<19xi64>) {
  ^bb0(%in: i1, %out: i64):
    %one = arith.extui %in : i1 to i64
    %sum = arith.addi %out, %one : i64
    linalg.yield %sum : i64
  } -> tensor<19xi64>
  %expected_small = arith.constant dense<[[true, false, true, true, false, true, false, true, true, false, true, false, true, true, false, true, false, true, true], [false, false, true, true, false, true, false, true, false, false, true, false, true, true, false, true, false, true, false]]> : tensor<2x19xi1>
  check.expect_eq %small, %expected_small : tensor<2x19xi1>, tensor<2x19xi1>
  %expected_count = arith.constant dense<[1, 0, 2, 2, 0, 2, 0, 2, 1, 0, 2, 0, 2, 2, 0, 2, 0, 2, 1]> : tensor<19xi64>
  check.expect_eq %count, %expected_count : tensor<19xi64>, tensor<19xi64>
  return
}
