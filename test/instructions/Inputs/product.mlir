func.func @run(%x: tensor<?x192xf32> {weft.name = "x", weft.dims = ["m", ""]}, %w: tensor<3x192x16xf32> {weft.name = "w"},
               %b: tensor<48xf32> {weft.name = "b"})
    -> (tensor<?x48xf32> {weft.name = "y", weft.dims = ["m", ""]}) attributes {weft.entry} {
  %zero = arith.constant 0 : index
  %m = tensor.dim %x, %zero : tensor<?x192xf32>
  %e = tensor.empty(%m) : tensor<?x48xf32>
  %y = weft.packed_matmul ins(%x, %w, %b : tensor<?x192xf32>, tensor<3x192x16xf32>, tensor<48xf32>)
                          outs(%e : tensor<?x48xf32>) -> tensor<?x48xf32>
  return %y : tensor<?x48xf32>
}
