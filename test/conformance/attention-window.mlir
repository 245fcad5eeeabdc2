// RUN: weft-run %s

// A query sees its own key and one on each side: means of two or three values.
func.func @window() attributes {weft.entry} {
  %q = arith.constant dense<0.0> : tensor<1x4x1x1xf32>
  %v = arith.constant dense<[[[[1.0]], [[2.0]], [[6.0]], [[10.0]]]]> : tensor<1x4x1x1xf32>
  %init = tensor.empty() : tensor<1x4x1x1xf32>
  %y = weft.attention {scale = 1.0 : f32, indexing_maps = [
      affine_map<(b, h, i, j, d, e) -> (b, i, h, d)>, affine_map<(b, h, i, j, d, e) -> (b, j, h, d)>,
      affine_map<(b, h, i, j, d, e) -> (b, j, h, e)>, affine_map<(b, h, i, j, d, e) -> (b, i, h, e)>]}
    ins(%q, %q, %v : tensor<1x4x1x1xf32>, tensor<1x4x1x1xf32>, tensor<1x4x1x1xf32>) outs(%init : tensor<1x4x1x1xf32>)
    mask {
    ^bb0(%b: index, %h: index, %i: index, %j: index):
      %one = arith.constant 1 : index
      %last = arith.addi %i, %one : index
      %next = arith.addi %j, %one : index
      %low = arith.cmpi sge, %next, %i : index
      %high = arith.cmpi sle, %j, %last : index
      %near = arith.andi %low, %high : i1
      weft.yield %near : i1
    } -> tensor<1x4x1x1xf32>
  %expected = arith.constant dense<[[[[1.5]], [[3.0]], [[6.0]], [[8.0]]]]> : tensor<1x4x1x1xf32>
  check.expect_close %y, %expected {relative_rms = 1.0e-6 : f64} : tensor<1x4x1x1xf32>, tensor<1x4x1x1xf32>
  return
}
