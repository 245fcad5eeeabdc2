#map = affine_map<(d0, d1) -> (d0, d1)>
module attributes {weft.parameters = [{layout = #weft.panels<width = 16, out_by_in = true>, name = "router.packed", sources = ["router"], type = tensor<1x100x16xf32>}, {layout = #weft.panels<width = 16, out_by_in = true, int8 = true>, name = "gate.packed.int8", sources = ["gate"], type = tensor<5x5x25x64xi8>}, {layout = #weft.panels<width = 16, out_by_in = true, int8 = true>, name = "gate.packed.int8_scales", sources = ["gate"], type = tensor<5x70xf32>}, {layout = #weft.panels<width = 16, out_by_in = true, int8 = true>, name = "up.packed.int8", sources = ["up"], type = tensor<5x5x25x64xi8>}, {layout = #weft.panels<width = 16, out_by_in = true, int8 = true>, name = "up.packed.int8_scales", sources = ["up"], type = tensor<5x70xf32>}, {layout = #weft.panels<width = 16, out_by_in = true, int8 = true>, name = "down.packed.int8", sources = ["down"], type = tensor<5x7x18x64xi8>}, {layout = #weft.panels<width = 16, out_by_in = true, int8 = true>, name = "down.packed.int8_scales", sources = ["down"], type = tensor<5x100xf32>}], weft.target = #weft.target<isa = "v4-vnni", lanes = 16, registers = 32, cpu = "x86-64-v4", features = "-prefer-256-bit,+avx512vnni">, weft.weights = "int8"} {
  func.func @experts(%arg0: memref<?x100xf32> {weft.dims = ["tokens", ""], weft.name = "x"}, %arg1: memref<?x100xf32> {weft.dims = ["tokens", ""], weft.name = "y", weft.output}) attributes {weft.entry} {
    %c0 = arith.constant 0 : index
    %c2 = arith.constant 2 : index
    %dim = memref.dim %arg0, %c0 : memref<?x100xf32>
    %0 = arith.muli %dim, %c2 : index
    %1 = weft.parameter "router.packed" sources(["router"]) layout(<width = 16, out_by_in = true>) : memref<1x100x16xf32>
    %alloc = memref.alloc(%dim) : memref<?x5xf32>
    call @kernel_linear_0(%arg0, %1, %alloc) : (memref<?x100xf32>, memref<1x100x16xf32>, memref<?x5xf32>) -> ()
    %alloc_0 = memref.alloc(%dim) : memref<?x2xi32>
    %alloc_1 = memref.alloc(%dim) : memref<?x2xf32>
    call @kernel_route_1(%alloc, %alloc_0, %alloc_1) : (memref<?x5xf32>, memref<?x2xi32>, memref<?x2xf32>) -> ()
    %alloc_2 = memref.alloc(%0) : memref<?xi32>
    %alloc_3 = memref.alloc(%0) : memref<?xf32>
    %alloc_4 = memref.alloc() : memref<6xi32>
    call @kernel_route_2(%alloc_0, %alloc_1, %alloc_2, %alloc_3, %alloc_4) : (memref<?x2xi32>, memref<?x2xf32>, memref<?xi32>, memref<?xf32>, memref<6xi32>) -> ()
    %2 = weft.parameter "gate.packed.int8" sources(["gate"]) layout(<width = 16, out_by_in = true, int8 = true>) : memref<5x5x25x64xi8>
    %3 = weft.parameter "gate.packed.int8_scales" sources(["gate"]) layout(<width = 16, out_by_in = true, int8 = true>) : memref<5x70xf32>
    %4 = weft.parameter "up.packed.int8" sources(["up"]) layout(<width = 16, out_by_in = true, int8 = true>) : memref<5x5x25x64xi8>
    %5 = weft.parameter "up.packed.int8_scales" sources(["up"]) layout(<width = 16, out_by_in = true, int8 = true>) : memref<5x70xf32>
    %6 = weft.parameter "down.packed.int8" sources(["down"]) layout(<width = 16, out_by_in = true, int8 = true>) : memref<5x7x18x64xi8>
    %7 = weft.parameter "down.packed.int8_scales" sources(["down"]) layout(<width = 16, out_by_in = true, int8 = true>) : memref<5x100xf32>
    %alloc_5 = memref.alloc(%dim) : memref<?x100xi8>
    %alloc_6 = memref.alloc(%dim) : memref<?xf32>
    call @kernel_quantize_3(%arg0, %alloc_5, %alloc_6) : (memref<?x100xf32>, memref<?x100xi8>, memref<?xf32>) -> ()
    %alloc_7 = memref.alloc(%0) : memref<?x70xf32>
    call @kernel_experts_4(%alloc_5, %2, %alloc_4, %alloc_2, %alloc_6, %3, %alloc_7) : (memref<?x100xi8>, memref<5x5x25x64xi8>, memref<6xi32>, memref<?xi32>, memref<?xf32>, memref<5x70xf32>, memref<?x70xf32>) -> ()
    %alloc_8 = memref.alloc(%0) : memref<?x70xf32>
    call @kernel_experts_4(%alloc_5, %4, %alloc_4, %alloc_2, %alloc_6, %5, %alloc_8) : (memref<?x100xi8>, memref<5x5x25x64xi8>, memref<6xi32>, memref<?xi32>, memref<?xf32>, memref<5x70xf32>, memref<?x70xf32>) -> ()
    %alloc_9 = memref.alloc(%0) : memref<?x72xi8>
    %alloc_10 = memref.alloc(%0) : memref<?xf32>
    call @kernel_quantize_5(%alloc_7, %alloc_8, %0, %alloc_9, %alloc_10) : (memref<?x70xf32>, memref<?x70xf32>, index, memref<?x72xi8>, memref<?xf32>) -> ()
    call @kernel_experts_6(%alloc_9, %6, %alloc_4, %alloc_10, %7, %0, %alloc_2, %alloc_3, %arg0, %arg1) : (memref<?x72xi8>, memref<5x7x18x64xi8>, memref<6xi32>, memref<?xf32>, memref<5x100xf32>, index, memref<?xi32>, memref<?xf32>, memref<?x100xf32>, memref<?x100xf32>) -> ()
    return
  }
  func.func private @kernel_linear_0(%arg0: memref<?x100xf32>, %arg1: memref<1x100x16xf32>, %arg2: memref<?x5xf32>) attributes {weft.kernel = "linear"} {
    %0 = bufferization.to_tensor %arg0 restrict : memref<?x100xf32> to tensor<?x100xf32>
    %1 = bufferization.to_tensor %arg1 restrict : memref<1x100x16xf32> to tensor<1x100x16xf32>
    %2 = bufferization.to_tensor %arg2 restrict writable : memref<?x5xf32> to tensor<?x5xf32>
    %3 = weft.packed_matmul ins(%0, %1 : tensor<?x100xf32>, tensor<1x100x16xf32>) outs(%2 : tensor<?x5xf32>) -> tensor<?x5xf32>
    bufferization.materialize_in_destination %3 in restrict writable %arg2 : (tensor<?x5xf32>, memref<?x5xf32>) -> ()
    return
  }
  func.func private @kernel_route_1(%arg0: memref<?x5xf32>, %arg1: memref<?x2xi32>, %arg2: memref<?x2xf32>) attributes {weft.kernel = "route"} {
    %0 = bufferization.to_tensor %arg0 restrict : memref<?x5xf32> to tensor<?x5xf32>
    %1 = bufferization.to_tensor %arg1 restrict writable : memref<?x2xi32> to tensor<?x2xi32>
    %2 = bufferization.to_tensor %arg2 restrict writable : memref<?x2xf32> to tensor<?x2xf32>
    %3:2 = weft.route {normalize = "sum", scoring = "softmax"} ins(%0 : tensor<?x5xf32>) outs(%1, %2 : tensor<?x2xi32>, tensor<?x2xf32>) -> tensor<?x2xi32>, tensor<?x2xf32>
    bufferization.materialize_in_destination %3#0 in restrict writable %arg1 : (tensor<?x2xi32>, memref<?x2xi32>) -> ()
    bufferization.materialize_in_destination %3#1 in restrict writable %arg2 : (tensor<?x2xf32>, memref<?x2xf32>) -> ()
    return
  }
  func.func private @kernel_route_2(%arg0: memref<?x2xi32>, %arg1: memref<?x2xf32>, %arg2: memref<?xi32>, %arg3: memref<?xf32>, %arg4: memref<6xi32>) attributes {weft.kernel = "route"} {
    %0 = bufferization.to_tensor %arg0 restrict : memref<?x2xi32> to tensor<?x2xi32>
    %1 = bufferization.to_tensor %arg1 restrict : memref<?x2xf32> to tensor<?x2xf32>
    %2 = bufferization.to_tensor %arg2 restrict writable : memref<?xi32> to tensor<?xi32>
    %3 = bufferization.to_tensor %arg3 restrict writable : memref<?xf32> to tensor<?xf32>
    %4 = bufferization.to_tensor %arg4 restrict writable : memref<6xi32> to tensor<6xi32>
    %5:3 = weft.dispatch ins(%0, %1 : tensor<?x2xi32>, tensor<?x2xf32>) outs(%2, %3, %4 : tensor<?xi32>, tensor<?xf32>, tensor<6xi32>) -> tensor<?xi32>, tensor<?xf32>, tensor<6xi32>
    bufferization.materialize_in_destination %5#0 in restrict writable %arg2 : (tensor<?xi32>, memref<?xi32>) -> ()
    bufferization.materialize_in_destination %5#1 in restrict writable %arg3 : (tensor<?xf32>, memref<?xf32>) -> ()
    bufferization.materialize_in_destination %5#2 in restrict writable %arg4 : (tensor<6xi32>, memref<6xi32>) -> ()
    return
  }
  func.func private @kernel_quantize_3(%arg0: memref<?x100xf32>, %arg1: memref<?x100xi8>, %arg2: memref<?xf32>) attributes {weft.kernel = "quantize"} {
    %0 = bufferization.to_tensor %arg0 restrict : memref<?x100xf32> to tensor<?x100xf32>
    %1 = bufferization.to_tensor %arg1 restrict writable : memref<?x100xi8> to tensor<?x100xi8>
    %2 = bufferization.to_tensor %arg2 restrict writable : memref<?xf32> to tensor<?xf32>
    %3:2 = weft.quantize_rows ins(%0 : tensor<?x100xf32>) outs(%1, %2 : tensor<?x100xi8>, tensor<?xf32>) -> tensor<?x100xi8>, tensor<?xf32>
    bufferization.materialize_in_destination %3#0 in restrict writable %arg1 : (tensor<?x100xi8>, memref<?x100xi8>) -> ()
    bufferization.materialize_in_destination %3#1 in restrict writable %arg2 : (tensor<?xf32>, memref<?xf32>) -> ()
    return
  }
  func.func private @kernel_experts_4(%arg0: memref<?x100xi8>, %arg1: memref<5x5x25x64xi8>, %arg2: memref<6xi32>, %arg3: memref<?xi32>, %arg4: memref<?xf32>, %arg5: memref<5x70xf32>, %arg6: memref<?x70xf32>) attributes {weft.kernel = "experts"} {
    %0 = bufferization.to_tensor %arg0 restrict : memref<?x100xi8> to tensor<?x100xi8>
    %1 = bufferization.to_tensor %arg1 restrict : memref<5x5x25x64xi8> to tensor<5x5x25x64xi8>
    %2 = bufferization.to_tensor %arg2 restrict : memref<6xi32> to tensor<6xi32>
    %3 = bufferization.to_tensor %arg3 restrict : memref<?xi32> to tensor<?xi32>
    %4 = bufferization.to_tensor %arg4 restrict : memref<?xf32> to tensor<?xf32>
    %5 = bufferization.to_tensor %arg5 restrict : memref<5x70xf32> to tensor<5x70xf32>
    %6 = bufferization.to_tensor %arg6 restrict writable : memref<?x70xf32> to tensor<?x70xf32>
    %7 = weft.grouped_matmul ins(%0, %1, %2 : tensor<?x100xi8>, tensor<5x5x25x64xi8>, tensor<6xi32>) rows(%3 : tensor<?xi32>) scales(%4, %5 : tensor<?xf32>, tensor<5x70xf32>) outs(%6 : tensor<?x70xf32>) -> tensor<?x70xf32>
    bufferization.materialize_in_destination %7 in restrict writable %arg6 : (tensor<?x70xf32>, memref<?x70xf32>) -> ()
    return
  }
  func.func private @kernel_quantize_5(%arg0: memref<?x70xf32>, %arg1: memref<?x70xf32>, %arg2: index, %arg3: memref<?x72xi8>, %arg4: memref<?xf32>) attributes {weft.kernel = "quantize"} {
    %cst = arith.constant 1.000000e+00 : f32
    %0 = bufferization.to_tensor %arg0 restrict : memref<?x70xf32> to tensor<?x70xf32>
    %1 = bufferization.to_tensor %arg1 restrict : memref<?x70xf32> to tensor<?x70xf32>
    %2 = bufferization.to_tensor %arg3 restrict writable : memref<?x72xi8> to tensor<?x72xi8>
    %3 = bufferization.to_tensor %arg4 restrict writable : memref<?xf32> to tensor<?xf32>
    %4 = tensor.empty(%arg2) : tensor<?x70xf32>
    %5 = linalg.generic {indexing_maps = [#map, #map, #map], iterator_types = ["parallel", "parallel"]} ins(%0, %1 : tensor<?x70xf32>, tensor<?x70xf32>) outs(%4 : tensor<?x70xf32>) {
    ^bb0(%in: f32, %in_0: f32, %out: f32):
      %7 = arith.negf %in : f32
      %8 = math.exp %7 : f32
      %9 = arith.addf %8, %cst : f32
      %10 = arith.divf %in, %9 : f32
      %11 = arith.mulf %10, %in_0 : f32
      linalg.yield %11 : f32
    } -> tensor<?x70xf32>
    %6:2 = weft.quantize_rows ins(%5 : tensor<?x70xf32>) outs(%2, %3 : tensor<?x72xi8>, tensor<?xf32>) -> tensor<?x72xi8>, tensor<?xf32>
    bufferization.materialize_in_destination %6#0 in restrict writable %arg3 : (tensor<?x72xi8>, memref<?x72xi8>) -> ()
    bufferization.materialize_in_destination %6#1 in restrict writable %arg4 : (tensor<?xf32>, memref<?xf32>) -> ()
    return
  }
  func.func private @kernel_experts_6(%arg0: memref<?x72xi8>, %arg1: memref<5x7x18x64xi8>, %arg2: memref<6xi32>, %arg3: memref<?xf32>, %arg4: memref<5x100xf32>, %arg5: index, %arg6: memref<?xi32>, %arg7: memref<?xf32>, %arg8: memref<?x100xf32>, %arg9: memref<?x100xf32>) attributes {weft.kernel = "experts"} {
    %0 = bufferization.to_tensor %arg0 restrict : memref<?x72xi8> to tensor<?x72xi8>
    %1 = bufferization.to_tensor %arg1 restrict : memref<5x7x18x64xi8> to tensor<5x7x18x64xi8>
    %2 = bufferization.to_tensor %arg2 restrict : memref<6xi32> to tensor<6xi32>
    %3 = bufferization.to_tensor %arg3 restrict : memref<?xf32> to tensor<?xf32>
    %4 = bufferization.to_tensor %arg4 restrict : memref<5x100xf32> to tensor<5x100xf32>
    %5 = bufferization.to_tensor %arg6 restrict : memref<?xi32> to tensor<?xi32>
    %6 = bufferization.to_tensor %arg7 restrict : memref<?xf32> to tensor<?xf32>
    %7 = bufferization.to_tensor %arg8 restrict : memref<?x100xf32> to tensor<?x100xf32>
    %8 = bufferization.to_tensor %arg9 restrict writable : memref<?x100xf32> to tensor<?x100xf32>
    %9 = tensor.empty(%arg5) : tensor<?x100xf32>
    %10 = weft.grouped_matmul ins(%0, %1, %2 : tensor<?x72xi8>, tensor<5x7x18x64xi8>, tensor<6xi32>) scales(%3, %4 : tensor<?xf32>, tensor<5x100xf32>) outs(%9 : tensor<?x100xf32>) -> tensor<?x100xf32>
    %11 = linalg.copy ins(%7 : tensor<?x100xf32>) outs(%8 : tensor<?x100xf32>) -> tensor<?x100xf32>
    %12 = weft.combine ins(%10, %5, %6 : tensor<?x100xf32>, tensor<?xi32>, tensor<?xf32>) outs(%11 : tensor<?x100xf32>) -> tensor<?x100xf32>
    bufferization.materialize_in_destination %12 in restrict writable %arg9 : (tensor<?x100xf32>, memref<?x100xf32>) -> ()
    return
  }
}

{-#
  external_resources: {
    mlir_reproducer: {
      pipeline: "builtin.module(weft-mark-experts, weft-tile-experts, weft-tile-kernels, weft-decompose-ops, canonicalize{  max-iterations=10 max-num-rewrites=-1 region-simplify=normal test-convergence=false top-down=true}, cse)",
      disable_threading: true,
      verify_each: true
    }
  }
#-}
