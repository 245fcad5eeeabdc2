// A moving average over a sequence, all at once and token by token; both entries have one weight and one state.
#in = affine_map<(b, d, t) -> (b, t, d)>
#out = affine_map<(b, d, t) -> (b, d)>
#weight = affine_map<(b, d, t) -> (d)>
#row = affine_map<(b, d) -> (b, d)>
#column = affine_map<(b, d) -> (d)>

module attributes {weft.model = "average", weft.dim_bounds = {batch = array<i64: 1, 16>, sequence = array<i64: 1, 4096>}} {
func.func @prefill(%x: tensor<?x?x37xf32> {weft.name = "x", weft.dims = ["batch", "sequence", ""]},
                   %s: tensor<?x37xf32> {weft.name = "average", weft.dims = ["batch", ""], weft.state})
    -> (tensor<?x37xf32> {weft.name = "average", weft.dims = ["batch", ""], weft.state},
        tensor<?x37xf32> {weft.name = "y", weft.dims = ["batch", ""]}) attributes {weft.entry} {
  %decay = weft.parameter "decay" : tensor<37xf32>
  %next = linalg.generic {indexing_maps = [#in, #weight, #out], iterator_types = ["parallel", "parallel", "reduction"]}
          ins(%x, %decay : tensor<?x?x37xf32>, tensor<37xf32>) outs(%s : tensor<?x37xf32>) {
  ^bb0(%a: f32, %w: f32, %old: f32):
    %kept = arith.mulf %old, %w : f32
    %sum = arith.addf %kept, %a : f32
    linalg.yield %sum : f32
  } -> tensor<?x37xf32>
  return %next, %next : tensor<?x37xf32>, tensor<?x37xf32>
}
func.func @decode(%x: tensor<?x37xf32> {weft.name = "x", weft.dims = ["batch", ""]},
                  %s: tensor<?x37xf32> {weft.name = "average", weft.dims = ["batch", ""], weft.state})
    -> (tensor<?x37xf32> {weft.name = "y", weft.dims = ["batch", ""]},
        tensor<?x37xf32> {weft.name = "average", weft.dims = ["batch", ""], weft.state}) attributes {weft.entry} {
  %c0 = arith.constant 0 : index
  %batch = tensor.dim %x, %c0 : tensor<?x37xf32>
  %decay = weft.parameter "decay" : tensor<37xf32>
  %e = tensor.empty(%batch) : tensor<?x37xf32>
  %next = linalg.generic {indexing_maps = [#row, #row, #column, #row], iterator_types = ["parallel", "parallel"]}
          ins(%s, %x, %decay : tensor<?x37xf32>, tensor<?x37xf32>, tensor<37xf32>) outs(%e : tensor<?x37xf32>) {
  ^bb0(%old: f32, %a: f32, %w: f32, %o: f32):
    %kept = arith.mulf %old, %w : f32
    %sum = arith.addf %kept, %a : f32
    linalg.yield %sum : f32
  } -> tensor<?x37xf32>
  return %next, %next : tensor<?x37xf32>, tensor<?x37xf32>
}
}
