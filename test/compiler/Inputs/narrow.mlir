// Rows of 17: a vector of 16 lanes and one lane more.
func.func @narrow(%x: tensor<4x17xi32> {weft.name = "x", weft.dims = ["", ""]})
    -> (tensor<4x17xi8> {weft.name = "y", weft.dims = ["", ""]}) attributes {weft.entry} {
  %empty = tensor.empty() : tensor<4x17xi8>
  %y = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i, j)>],
      iterator_types = ["parallel", "parallel"]} ins(%x : tensor<4x17xi32>) outs(%empty : tensor<4x17xi8>) {
  ^bb0(%value: i32, %o: i8):
    %r = arith.trunci %value : i32 to i8
    linalg.yield %r : i8
  } -> tensor<4x17xi8>
  return %y : tensor<4x17xi8>
}
