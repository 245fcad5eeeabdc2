// RUN: weft-run %s

// silu and its use by a second op; the values are exact to a few ulps.
func.func @silu() attributes {weft.entry} {
  %x = arith.constant dense<[0.0, 1.0, -1.0, 2.0, -2.0]> : tensor<5xf32>
  %empty = tensor.empty() : tensor<5xf32>
  %s = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>], iterator_types = ["parallel"]}
      ins(%x : tensor<5xf32>) outs(%empty : tensor<5xf32>) {
  ^bb0(%p: f32, %o: f32):
    %one = arith.constant 1.0 : f32
    %n = arith.negf %p : f32
    %e = math.exp %n : f32
    %d = arith.addf %e, %one : f32
    %r = arith.divf %p, %d : f32
    linalg.yield %r : f32
  } -> tensor<5xf32>
  %y = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>, affine_map<(i) -> (i)>],
      iterator_types = ["parallel"]} ins(%s, %x : tensor<5xf32>, tensor<5xf32>) outs(%empty : tensor<5xf32>) {
  ^bb0(%p: f32, %q: f32, %o: f32):
    %r = arith.addf %p, %q : f32
    linalg.yield %r : f32
  } -> tensor<5xf32>
  %expected = arith.constant dense<[0.0, 1.7310586, -1.2689414, 3.7615942, -2.2384058]> : tensor<5xf32>
  check.expect_close %y, %expected {relative_rms = 1.0e-6 : f64, max_ulp = 8 : i64} : tensor<5xf32>, tensor<5xf32>
  return
}
