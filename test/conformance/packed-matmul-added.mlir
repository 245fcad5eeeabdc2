// RUN: weft-run %s

// The op after the product adds to a filled output: rows that two register tiles compute must be added once.
func.func @packed_matmul_added() attributes {weft.entry} {
  %x = arith.constant dense<1.0> : tensor<129x8xf32>
  %w = arith.constant dense<1.0> : tensor<1x8x16xf32>
  %three = arith.constant 3.0 : f32
  %e = tensor.empty() : tensor<129x16xf32>
  %p = weft.packed_matmul ins(%x, %w : tensor<129x8xf32>, tensor<1x8x16xf32>) outs(%e : tensor<129x16xf32>) -> tensor<129x16xf32>
  %start = linalg.fill ins(%three : f32) outs(%e : tensor<129x16xf32>) -> tensor<129x16xf32>
  %y = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i, j)>],
                       iterator_types = ["parallel", "parallel"]} ins(%p : tensor<129x16xf32>) outs(%start : tensor<129x16xf32>) {
  ^bb0(%in: f32, %out: f32):
    %sum = arith.addf %in, %out : f32
    linalg.yield %sum : f32
  } -> tensor<129x16xf32>
  %expected = arith.constant dense<11.0> : tensor<129x16xf32>
  check.expect_eq %y, %expected : tensor<129x16xf32>, tensor<129x16xf32>
  return
}
