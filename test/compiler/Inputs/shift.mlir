// out = x + 1
#row = affine_map<(n, k) -> (n, k)>
module attributes {weft.model = "shift", weft.dim_bounds = {n = array<i64: 1, 100>}} {
  func.func @encode(%x: tensor<?x4xf32> {weft.name = "x", weft.dims = ["n", ""]})
      -> (tensor<?x4xf32> {weft.name = "out", weft.dims = ["n", ""]}) attributes {weft.entry} {
    %zero = arith.constant 0 : index
    %n = tensor.dim %x, %zero : tensor<?x4xf32>
    %one = arith.constant 1.0 : f32
    %init = tensor.empty(%n) : tensor<?x4xf32>
    %out = linalg.generic {indexing_maps = [#row, #row], iterator_types = ["parallel", "parallel"]}
        ins(%x : tensor<?x4xf32>) outs(%init : tensor<?x4xf32>) {
    ^bb0(%a: f32, %o: f32):
      %sum = arith.addf %a, %one : f32
      linalg.yield %sum : f32
    } -> tensor<?x4xf32>
    return %out : tensor<?x4xf32>
  }
}
