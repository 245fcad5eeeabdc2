#id = affine_map<(r, n) -> (r, n)>
func.func @run(%x: tensor<?x64xf32> {weft.name = "x", weft.dims = ["m", ""]}, %s: tensor<?x4xf32> {weft.name = "s", weft.dims = ["m", ""]},
               %up: tensor<4x6x64x16xf32> {weft.name = "up"}, %down: tensor<4x4x96x16xf32> {weft.name = "down"})
    -> (tensor<?x64xf32> {weft.name = "y", weft.dims = ["m", ""]}) attributes {weft.entry} {
  %zero = arith.constant 0 : index
  %two = arith.constant 2 : index
  %none = arith.constant 0.0 : f32
  %m = tensor.dim %x, %zero : tensor<?x64xf32>
  %r = arith.muli %m, %two : index
  %e0 = tensor.empty(%m) : tensor<?x2xi32>
  %w0 = tensor.empty(%m) : tensor<?x2xf32>
  %e, %w = weft.route {scoring = "softmax", normalize = "sum"} ins(%s : tensor<?x4xf32>) outs(%e0, %w0 : tensor<?x2xi32>, tensor<?x2xf32>) -> tensor<?x2xi32>, tensor<?x2xf32>
  %t0 = tensor.empty(%r) : tensor<?xi32>
  %p0 = tensor.empty(%r) : tensor<?xf32>
  %o0 = tensor.empty() : tensor<5xi32>
  %t, %p, %o = weft.dispatch ins(%e, %w : tensor<?x2xi32>, tensor<?x2xf32>) outs(%t0, %p0, %o0 : tensor<?xi32>, tensor<?xf32>, tensor<5xi32>) -> tensor<?xi32>, tensor<?xf32>, tensor<5xi32>
  %h0 = tensor.empty(%r) : tensor<?x96xf32>
  %u = weft.grouped_matmul ins(%x, %up, %o : tensor<?x64xf32>, tensor<4x6x64x16xf32>, tensor<5xi32>) rows(%t : tensor<?xi32>) outs(%h0 : tensor<?x96xf32>) -> tensor<?x96xf32>
  %h = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]} ins(%u : tensor<?x96xf32>) outs(%h0 : tensor<?x96xf32>) {
  ^bb0(%a: f32, %out: f32):
    %q = arith.mulf %a, %a : f32
    linalg.yield %q : f32
  } -> tensor<?x96xf32>
  %d0 = tensor.empty(%r) : tensor<?x64xf32>
  %d = weft.grouped_matmul ins(%h, %down, %o : tensor<?x96xf32>, tensor<4x4x96x16xf32>, tensor<5xi32>) outs(%d0 : tensor<?x64xf32>) -> tensor<?x64xf32>
  %y0 = tensor.empty(%m) : tensor<?x64xf32>
  %yz = linalg.fill ins(%none : f32) outs(%y0 : tensor<?x64xf32>) -> tensor<?x64xf32>
  %y = weft.combine ins(%d, %t, %p : tensor<?x64xf32>, tensor<?xi32>, tensor<?xf32>) outs(%yz : tensor<?x64xf32>) -> tensor<?x64xf32>
  return %y : tensor<?x64xf32>
}
