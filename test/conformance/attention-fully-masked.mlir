// RUN: weft-run %s

// Item 0 of the batch sees its first key, item 1 none: output 0, log-sum-exp -inf.
func.func @masked() attributes {weft.entry} {
  %q = arith.constant dense<1.0> : tensor<2x1x1x2xf32>
  %k = arith.constant dense<1.0> : tensor<2x2x1x2xf32>
  %v = arith.constant dense<[[[[3.0, 5.0]], [[9.0, 9.0]]], [[[1.0, 2.0]], [[3.0, 4.0]]]]> : tensor<2x2x1x2xf32>
  %padding = arith.constant dense<[[1, 0], [0, 0]]> : tensor<2x2xi64>
  %init = tensor.empty() : tensor<2x1x1x2xf32>
  %sums = tensor.empty() : tensor<2x1x1xf32>
  %y:2 = weft.attention {scale = 0.5 : f32, indexing_maps = [
      affine_map<(b, h, i, j, d, e) -> (b, i, h, d)>, affine_map<(b, h, i, j, d, e) -> (b, j, h, d)>,
      affine_map<(b, h, i, j, d, e) -> (b, j, h, e)>, affine_map<(b, h, i, j, d, e) -> (b, j)>,
      affine_map<(b, h, i, j, d, e) -> (b, i, h, e)>, affine_map<(b, h, i, j, d, e) -> (b, h, i)>]}
    ins(%q, %k, %v, %padding : tensor<2x1x1x2xf32>, tensor<2x2x1x2xf32>, tensor<2x2x1x2xf32>, tensor<2x2xi64>)
    outs(%init, %sums : tensor<2x1x1x2xf32>, tensor<2x1x1xf32>)
    mask {
    ^bb0(%b: index, %h: index, %i: index, %j: index, %p: i64):
      %zero = arith.constant 0 : i64
      %visible = arith.cmpi ne, %p, %zero : i64
      weft.yield %visible : i1
    } -> tensor<2x1x1x2xf32>, tensor<2x1x1xf32>
  %output = arith.constant dense<[[[[3.0, 5.0]]], [[[0.0, 0.0]]]]> : tensor<2x1x1x2xf32>
  %lse = arith.constant dense<[[[1.0]], [[0xFF800000]]]> : tensor<2x1x1xf32>
  check.expect_close %y#0, %output {relative_rms = 1.0e-6 : f64} : tensor<2x1x1x2xf32>, tensor<2x1x1x2xf32>
  check.expect_close %y#1, %lse {relative_rms = 1.0e-6 : f64} : tensor<2x1x1xf32>, tensor<2x1x1xf32>
  return
}
