func.func @run(%q: tensor<1x4x1x128xf32> {weft.name = "q", weft.dims = ["", "", "", ""]},
               %k: tensor<1x1x?x128xi8> {weft.name = "k", weft.dims = ["", "", "s", ""]},
               %v: tensor<1x1x?x128xi8> {weft.name = "v", weft.dims = ["", "", "s", ""]},
               %ks: tensor<1x1x?xf32> {weft.name = "ks", weft.dims = ["", "", "s"]},
               %vs: tensor<1x1x?xf32> {weft.name = "vs", weft.dims = ["", "", "s"]})
    -> (tensor<1x4x1x128xf32> {weft.name = "y", weft.dims = ["", "", "", ""]}) attributes {weft.entry} {
  %e = tensor.empty() : tensor<1x4x1x128xf32>
  %y = weft.attention {scale = 0.088388348 : f32, indexing_maps = [
      affine_map<(b, h, i, j, d, e) -> (b, h, i, d)>, affine_map<(b, h, i, j, d, e) -> (b, h floordiv 4, j, d)>,
      affine_map<(b, h, i, j, d, e) -> (b, h floordiv 4, j, e)>, affine_map<(b, h, i, j, d, e) -> (b, h floordiv 4, j)>,
      affine_map<(b, h, i, j, d, e) -> (b, h floordiv 4, j)>, affine_map<(b, h, i, j, d, e) -> (b, h, i, e)>]}
    ins(%q, %k, %v : tensor<1x4x1x128xf32>, tensor<1x1x?x128xi8>, tensor<1x1x?x128xi8>)
    key_scale(%ks : tensor<1x1x?xf32>) value_scale(%vs : tensor<1x1x?xf32>)
    outs(%e : tensor<1x4x1x128xf32>) -> tensor<1x4x1x128xf32>
  return %y : tensor<1x4x1x128xf32>
}
