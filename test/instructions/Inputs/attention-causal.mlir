func.func @run(%q: tensor<1x?x2x32xf32> {weft.name = "q", weft.dims = ["", "s", "", ""]},
               %k: tensor<1x?x2x32xf32> {weft.name = "k", weft.dims = ["", "s", "", ""]},
               %v: tensor<1x?x2x32xf32> {weft.name = "v", weft.dims = ["", "s", "", ""]})
    -> (tensor<1x?x2x32xf32> {weft.name = "y", weft.dims = ["", "s", "", ""]}) attributes {weft.entry} {
  %one = arith.constant 1 : index
  %s = tensor.dim %q, %one : tensor<1x?x2x32xf32>
  %e = tensor.empty(%s) : tensor<1x?x2x32xf32>
  %y = weft.attention {scale = 0.176776695 : f32, indexing_maps = [
      affine_map<(b, h, i, j, d, e) -> (b, i, h, d)>, affine_map<(b, h, i, j, d, e) -> (b, j, h, d)>,
      affine_map<(b, h, i, j, d, e) -> (b, j, h, e)>, affine_map<(b, h, i, j, d, e) -> (b, i, h, e)>]}
    ins(%q, %k, %v : tensor<1x?x2x32xf32>, tensor<1x?x2x32xf32>, tensor<1x?x2x32xf32>)
    outs(%e : tensor<1x?x2x32xf32>) mask {
    ^bb0(%b: index, %h: index, %i: index, %j: index):
      %seen = arith.cmpi sle, %j, %i : index
      weft.yield %seen : i1
    } -> tensor<1x?x2x32xf32>
  return %y : tensor<1x?x2x32xf32>
}
