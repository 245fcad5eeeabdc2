func.func @run(%x: tensor<?x384xf32> {weft.name = "x", weft.dims = ["m", ""]}, %s: tensor<384xf32> {weft.name = "s"},
               %b: tensor<384xf32> {weft.name = "b"})
    -> (tensor<?x384xf32> {weft.name = "y", weft.dims = ["m", ""]}) attributes {weft.entry} {
  %zero = arith.constant 0 : index
  %m = tensor.dim %x, %zero : tensor<?x384xf32>
  %e = tensor.empty(%m) : tensor<?x384xf32>
  %y = weft.layer_norm {epsilon = 1.0e-5 : f32} ins(%x, %s, %b : tensor<?x384xf32>, tensor<384xf32>, tensor<384xf32>)
                       outs(%e : tensor<?x384xf32>) -> tensor<?x384xf32>
  return %y : tensor<?x384xf32>
}
