#map = affine_map<(d0, d1) -> (d0, d1)>
module attributes {weft.weights = "int8"} {
  func.func @experts(%arg0: tensor<?x100xf32> {weft.dims = ["tokens", ""], weft.name = "x"}) -> (tensor<?x100xf32> {weft.dims = ["tokens", ""], weft.name = "y"}) attributes {weft.entry} {
    %cst = arith.constant 1.000000e+00 : f32
    %c0 = arith.constant 0 : index
    %c2 = arith.constant 2 : index
    %dim = tensor.dim %arg0, %c0 : tensor<?x100xf32>
    %0 = arith.muli %dim, %c2 : index
    %1 = tensor.empty(%dim) : tensor<?x5xf32>
    %2 = weft.parameter "router.packed" sources(["router"]) layout(<width = 16, out_by_in = true>) : tensor<1x100x16xf32>
    %3 = weft.packed_matmul ins(%arg0, %2 : tensor<?x100xf32>, tensor<1x100x16xf32>) outs(%1 : tensor<?x5xf32>) -> tensor<?x5xf32>
    %4 = tensor.empty(%dim) : tensor<?x2xi32>
    %5 = tensor.empty(%dim) : tensor<?x2xf32>
    %6:2 = weft.route {normalize = "sum", scoring = "softmax"} ins(%3 : tensor<?x5xf32>) outs(%4, %5 : tensor<?x2xi32>, tensor<?x2xf32>) -> tensor<?x2xi32>, tensor<?x2xf32>
    %7 = tensor.empty(%0) : tensor<?xi32>
    %8 = tensor.empty(%0) : tensor<?xf32>
    %9 = tensor.empty() : tensor<6xi32>
    %10:3 = weft.dispatch ins(%6#0, %6#1 : tensor<?x2xi32>, tensor<?x2xf32>) outs(%7, %8, %9 : tensor<?xi32>, tensor<?xf32>, tensor<6xi32>) -> tensor<?xi32>, tensor<?xf32>, tensor<6xi32>
    %11 = weft.parameter "gate.packed" sources(["gate"]) layout(<width = 16, out_by_in = true>) : tensor<5x5x100x16xf32>
    %12 = weft.parameter "up.packed" sources(["up"]) layout(<width = 16, out_by_in = true>) : tensor<5x5x100x16xf32>
    %13 = weft.parameter "down.packed" sources(["down"]) layout(<width = 16, out_by_in = true>) : tensor<5x7x70x16xf32>
    %14 = tensor.empty(%0) : tensor<?x70xf32>
    %15 = weft.grouped_matmul ins(%arg0, %11, %10#2 : tensor<?x100xf32>, tensor<5x5x100x16xf32>, tensor<6xi32>) rows(%10#0 : tensor<?xi32>) outs(%14 : tensor<?x70xf32>) -> tensor<?x70xf32>
    %16 = weft.grouped_matmul ins(%arg0, %12, %10#2 : tensor<?x100xf32>, tensor<5x5x100x16xf32>, tensor<6xi32>) rows(%10#0 : tensor<?xi32>) outs(%14 : tensor<?x70xf32>) -> tensor<?x70xf32>
    %17 = linalg.generic {indexing_maps = [#map, #map, #map], iterator_types = ["parallel", "parallel"]} ins(%15, %16 : tensor<?x70xf32>, tensor<?x70xf32>) outs(%14 : tensor<?x70xf32>) {
    ^bb0(%in: f32, %in_0: f32, %out: f32):
      %21 = arith.negf %in : f32
      %22 = math.exp %21 : f32
      %23 = arith.addf %22, %cst : f32
      %24 = arith.divf %in, %23 : f32
      %25 = arith.mulf %24, %in_0 : f32
      linalg.yield %25 : f32
    } -> tensor<?x70xf32>
    %18 = tensor.empty(%0) : tensor<?x100xf32>
    %19 = weft.grouped_matmul ins(%17, %13, %10#2 : tensor<?x70xf32>, tensor<5x7x70x16xf32>, tensor<6xi32>) outs(%18 : tensor<?x100xf32>) -> tensor<?x100xf32>
    %20 = weft.combine ins(%19, %10#0, %10#1 : tensor<?x100xf32>, tensor<?xi32>, tensor<?xf32>) outs(%arg0 : tensor<?x100xf32>) -> tensor<?x100xf32>
    return %20 : tensor<?x100xf32>
  }
}

{-#
  external_resources: {
    mlir_reproducer: {
      pipeline: "builtin.module(weft-fuse-projections, weft-quantize-products, weft-quantize-experts, weft-split-attention, cse, weft-absorb-elementwise, weft-split-recurrence, weft-bind-states, weft-fuse-kernels, weft-fuse-elementwise, canonicalize{  max-iterations=10 max-num-rewrites=-1 region-simplify=normal test-convergence=false top-down=true})",
      disable_threading: true,
      verify_each: true
    }
  }
#-}
