// RUN: weft-run %s

// The mean over a sequence of what the mask lets through, as sentence models take it.
func.func @mean() attributes {weft.entry} {
  %zero = arith.constant 0.0 : f32
  %x = arith.constant dense<[[[1.0, 2.0], [3.0, 6.0], [9.0, 9.0]], [[4.0, 4.0], [9.0, 9.0], [9.0, 9.0]]]> : tensor<2x3x2xf32>
  %mask = arith.constant dense<[[1.0, 1.0, 0.0], [1.0, 0.0, 0.0]]> : tensor<2x3xf32>
  %empty = tensor.empty() : tensor<2x2xf32>
  %one = tensor.empty() : tensor<2xf32>
  %start = linalg.fill ins(%zero : f32) outs(%empty : tensor<2x2xf32>) -> tensor<2x2xf32>
  %none = linalg.fill ins(%zero : f32) outs(%one : tensor<2xf32>) -> tensor<2xf32>
  %sum = linalg.generic {indexing_maps = [affine_map<(b, i, n) -> (b, i, n)>, affine_map<(b, i, n) -> (b, i)>,
      affine_map<(b, i, n) -> (b, n)>], iterator_types = ["parallel", "reduction", "parallel"]}
      ins(%x, %mask : tensor<2x3x2xf32>, tensor<2x3xf32>) outs(%start : tensor<2x2xf32>) {
  ^bb0(%p: f32, %w: f32, %o: f32):
    %t = arith.mulf %p, %w : f32
    %r = arith.addf %o, %t : f32
    linalg.yield %r : f32
  } -> tensor<2x2xf32>
  %count = linalg.generic {indexing_maps = [affine_map<(b, i) -> (b, i)>, affine_map<(b, i) -> (b)>],
      iterator_types = ["parallel", "reduction"]} ins(%mask : tensor<2x3xf32>) outs(%none : tensor<2xf32>) {
  ^bb0(%w: f32, %o: f32):
    %r = arith.addf %o, %w : f32
    linalg.yield %r : f32
  } -> tensor<2xf32>
  %y = linalg.generic {indexing_maps = [affine_map<(b, n) -> (b, n)>, affine_map<(b, n) -> (b)>,
      affine_map<(b, n) -> (b, n)>], iterator_types = ["parallel", "parallel"]}
      ins(%sum, %count : tensor<2x2xf32>, tensor<2xf32>) outs(%empty : tensor<2x2xf32>) {
  ^bb0(%p: f32, %q: f32, %o: f32):
    %r = arith.divf %p, %q : f32
    linalg.yield %r : f32
  } -> tensor<2x2xf32>
  %expected = arith.constant dense<[[2.0, 4.0], [4.0, 4.0]]> : tensor<2x2xf32>
  check.expect_close %y, %expected {relative_rms = 0.0 : f64} : tensor<2x2xf32>, tensor<2x2xf32>
  return
}
